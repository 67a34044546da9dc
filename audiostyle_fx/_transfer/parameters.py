"""The parameters of a transfer: their names, defaults and what each may be. Everything else reads them here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.fft import next_fast_len

from .._engine.cuda.devices import PRECISIONS, check_device
from .._engine.spectra.stft import STFT, default_n_fft
from .._validation import flag, integer, integers, number, numbers, one_of, optional

WINDOWS = (("n_fft", "hop_length"), ("window_ms", "hop_ms"))
"""The two ways to name windows and hops: in samples and in milliseconds."""


ORIGINAL_RATE = 22_050.0
"""The rate in Hz that the original works at."""


def _n_filters(name: str, value: Any) -> float:
    if isinstance(value, Real) and value == math.inf:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} must be an integer or math.inf")
    if value < 1:
        raise ValueError(f"{name}={value!r} must be at least 1, or math.inf")
    return int(value)


def _seconds_or_all(name: str, value: Any) -> float:
    if isinstance(value, Real) and value == math.inf:
        return math.inf
    try:
        return number(1)(name, value)
    except ValueError:
        raise ValueError(f"{name}={value!r} must be at least 1, or math.inf") from None


def _device(name: str, value: Any) -> str:
    check_device(value)
    return value


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "alpha": number(0),
    "n_filters": _n_filters,
    "kernel_width": integers(1),
    "n_fft": optional(integers(16, multiple_of=4)),
    "hop_length": optional(integers(1)),
    "window_ms": optional(numbers(1)),
    "hop_ms": optional(numbers(0.1)),
    "optimizer": one_of("adam", "lbfgs"),
    "spectrogram_iters": integer(0),
    "phase_iters": integer(0),
    "waveform_iters": integer(0),
    "init": one_of("content", "noise"),
    "phase_init": one_of("content", "random"),
    "normalize": flag,
    "match_level": flag,
    "mix": number(0, 1),
    "section_seconds": number(0.1),
    "style_seconds": _seconds_or_all,
    "original": flag,
    "seed": integer(0),
    "device": _device,
    "precision": one_of(*PRECISIONS),
}


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Checked parameters of a transfer, as `stylize` documents them.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, its value and what is allowed.
    """

    alpha: float = 0.01
    n_filters: float = math.inf
    kernel_width: int | tuple[int, ...] = 11
    n_fft: int | tuple[int, ...] | None = None
    hop_length: int | tuple[int, ...] | None = None
    window_ms: float | tuple[float, ...] | None = None
    hop_ms: float | tuple[float, ...] | None = None
    optimizer: str = "adam"
    spectrogram_iters: int = 60
    phase_iters: int = 20
    waveform_iters: int = 50
    init: str = "content"
    phase_init: str = "content"
    normalize: bool = True
    match_level: bool = True
    mix: float = 1.0
    section_seconds: float = 10.0
    style_seconds: float = 180.0
    original: bool = False
    seed: int = 0
    device: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, CHECKS[field.name](field.name, getattr(self, field.name)))
        if self.spectrogram_iters == self.waveform_iters == 0:
            raise ValueError("spectrogram_iters=0 and waveform_iters=0 leave nothing to do: one must be at least 1")
        kinds = ([f"{n}={getattr(self, n)!r}" for n in kind if getattr(self, n) is not None] for kind in WINDOWS)
        samples, times = kinds
        if samples and times:
            raise ValueError(f"{samples[0]} is in samples and {times[0]} in milliseconds; give one kind alone")
        for window, hop in WINDOWS:
            _pairs(getattr(self, window), getattr(self, hop), window, hop)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Parameters:
        """The parameters among ``values``, by name; others there are left alone."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def iterations(self) -> dict[str, int]:
        """Iterations by stage."""
        return {"spectrogram": self.spectrogram_iters, "phase": self.phase_iters, "waveform": self.waveform_iters}

    @property
    def kernel_widths(self) -> tuple[int, ...]:
        """The widths, however many."""
        return self.kernel_width if isinstance(self.kernel_width, tuple) else (self.kernel_width,)

    def changed(self, **values: Any) -> Parameters:
        """The same with other values, where windows and hops of one kind take the place of those of the other."""
        unknown = values.keys() - CHECKS.keys()
        if unknown:
            raise TypeError(f"{min(unknown)!r} is not a parameter; there are {', '.join(CHECKS)}")
        given = values
        for kind, other in (WINDOWS, WINDOWS[::-1]):
            if any(values.get(name) is not None for name in kind):
                values = {**dict.fromkeys(other), **values}
            window, hop = kind
            if values.get(window) is not None and np.size(values[window]) != np.size(getattr(self, hop)):
                values = {hop: None, **values}  # one each, so they belonged to others
        changed = replace(self, **values)
        for (window, hop), (known, its_hop) in (WINDOWS, WINDOWS[::-1]):
            before = getattr(self, known)
            if given.get(hop) is not None and given.get(window) is None and before is not None and known not in given:
                raise ValueError(f"{hop}={given[hop]!r} needs {window} or {its_hop}, as there is {known}={before!r}")
        return changed

    def in_samples(self, sample_rate: float) -> Parameters:
        """The same with windows and hops in samples, as they are at a rate in Hz.

        Windows in milliseconds become multiples of 4 that FFTs are fast at, and their hops the same shares of them.
        """
        n_fft, hop_length = self.n_fft, self.hop_length
        if self.window_ms is not None:
            pairs = _pairs(self.window_ms, self.hop_ms)
            windows = tuple(_window(ms, sample_rate) for ms, _ in pairs)
            hops = tuple(max(1, round(n * hop / ms)) for n, (ms, hop) in zip(windows, pairs, strict=True))
            n_fft, hop_length = (windows, hops) if isinstance(self.window_ms, tuple) else (windows[0], hops[0])
        elif n_fft is None:
            n_fft = default_n_fft(sample_rate)
        if hop_length is None:
            hop_length = tuple(n // 4 for n in n_fft) if isinstance(n_fft, tuple) else n_fft // 4
        return replace(self, n_fft=n_fft, hop_length=hop_length, window_ms=None, hop_ms=None)

    def stft(self, sample_rate: float) -> STFT:
        """The transform at a rate in Hz: of several, the one with the longest window, which all stages use."""
        return self.in_samples(sample_rate)._stfts()[0]

    @property
    def other_stfts(self) -> list[STFT]:
        """With windows in samples, the transforms of the shorter ones, which the waveform stage uses beside."""
        return self._stfts()[1:]

    def _stfts(self) -> list[STFT]:
        """A transform for each window in samples, the longest first."""
        return sorted((STFT(n, round(hop)) for n, hop in _pairs(self.n_fft, self.hop_length)), key=lambda s: -s.n_fft)


def _window(ms: float, sample_rate: float) -> int:
    """Samples of a window of about ``ms`` milliseconds: a multiple of 4 that FFTs are fast at."""
    return max(16, 4 * next_fast_len(max(1, round(sample_rate * ms / 4000)), real=True))


def _pairs(windows: Any, hops: Any, window_name: str = "n_fft", hop_name: str = "hop_length") -> list[tuple[Any, Any]]:
    """Each window with its hop; one hop serves all, and none stands for a quarter of each."""
    if windows is None:
        if hops is not None and (hop_name == "hop_ms" or isinstance(hops, tuple)):
            raise ValueError(f"{hop_name}={hops!r} needs {window_name}, which is None")
        return []
    many = windows if isinstance(windows, tuple) else (windows,)
    each = hops if isinstance(hops, tuple) else (hops,) * len(many)
    if len(each) != len(many):
        raise ValueError(f"{hop_name}={hops!r} must be one alone, or one for each of {window_name}={windows!r}")
    for window, hop in zip(many, each, strict=True):
        if hop is not None and hop > window / 2:
            raise ValueError(f"{hop_name}={hop} must be at most {window / 2:g}, half of {window_name}")
    return [(window, window / 4 if hop is None else hop) for window, hop in zip(many, each, strict=True)]


DEFAULTS = Parameters()


TEXTURE = Parameters(
    alpha=0.0,
    kernel_width=(3, 24),
    window_ms=(32.0, 128.0),
    hop_ms=(16.0, 64.0),
    optimizer="lbfgs",
    spectrogram_iters=0,
    phase_iters=0,
    waveform_iters=220,
    init="noise",
    phase_init="random",
)
"""Straight to the waveform, since a free spectrogram out of noise is far from any sound's; the short window holds
attacks, the long one pitches."""


PRESETS = {
    "texture": TEXTURE,
    "subtle": Parameters(alpha=0.1),
    "bold": Parameters(alpha=0.001, spectrogram_iters=120, waveform_iters=100),
    "rhythmic": Parameters(kernel_width=(3, 11, 86), window_ms=92.0, hop_ms=23.0),
    "thorough": Parameters(optimizer="lbfgs", spectrogram_iters=150, waveform_iters=150),
    "original": Parameters(
        n_filters=4096,
        n_fft=2048,
        hop_length=512,
        optimizer="lbfgs",
        spectrogram_iters=300,
        phase_iters=500,
        waveform_iters=0,
        init="noise",
        phase_init="random",
        normalize=False,
        original=True,
    ),
}
"""Sets of parameters by name, for `StyleTransfer.preset`; tests/benchmarks/presets.py measures them.

"rhythmic" has patches of up to two seconds, in which a bar fits: measured, they take over more of a beat's rhythm than
those of one second, at about the same losses; a second window adds little to that, at three times the time.
"""


def preset(name: str) -> Parameters:
    """The parameters of a preset."""
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(f"preset {name!r} must be one of {', '.join(map(repr, PRESETS))}")
    return PRESETS[name]
