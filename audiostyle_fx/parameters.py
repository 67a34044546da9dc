"""The parameters of a transfer: their names, defaults and what each may be. Everything else reads them here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.fft import next_fast_len

from .cards import PRECISIONS, check_device
from .spectral import STFT, default_n_fft

MIN_RATE, MAX_RATE = 1_000, 1_000_000
"""Sample rates in Hz; outside, a rate in kHz or a mistake is more likely than a recording."""


def number(low: float, high: float = math.inf) -> Callable[[str, Any], float]:
    """A check for finite numbers from ``low`` to ``high``."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name}={value!r} must be a number")
        try:
            converted = float(value)
        except OverflowError:  # an integer beyond floating point
            converted = math.inf
        if not math.isfinite(converted) or not low <= converted <= high:
            raise ValueError(f"{name}={value!r} must be {_range(low, high)}" + " and finite" * (high == math.inf))
        return converted

    return check


def integer(low: int, *, multiple_of: int = 1) -> Callable[[str, Any], int]:
    """A check for integers from ``low``."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}={value!r} must be an integer")
        if value < low or value % multiple_of:
            raise ValueError(
                f"{name}={value!r} must be {_range(low)}" + f" and a multiple of {multiple_of}" * (multiple_of > 1)
            )
        return int(value)

    return check


def one_of(*names: str) -> Callable[[str, Any], str]:
    """A check for one of several names."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"{name}={value!r} must be {' or '.join(map(repr, names))}")
        return value

    return check


def optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The check, or None."""
    return lambda name, value: None if value is None else check(name, value)


def _range(low: float, high: float = math.inf) -> str:
    return f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"


def flag(name: str, value: Any) -> bool:
    """Check for True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r} must be True or False")
    return bool(value)


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


def integers(low: int, *, multiple_of: int = 1) -> Callable[[str, Any], int | tuple[int, ...]]:
    """A check for an integer from ``low``, or a sequence of them, which becomes a tuple."""
    one = integer(low, multiple_of=multiple_of)

    def check(name: str, value: Any) -> int | tuple[int, ...]:
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = tuple(value)
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            if not value:
                raise ValueError(f"{name}={value!r} must be an integer or name at least one {name.split('_')[-1]}")
            return tuple(one(name, element) for element in value)
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}={value!r} must be an integer or a sequence of integers")
        return one(name, value)

    return check


def _device(name: str, value: Any) -> str:
    check_device(value)
    return value


def sample_rate(name: str, value: Any) -> float:
    """Check a rate in Hz."""
    return number(MIN_RATE, MAX_RATE)(name, value)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "alpha": number(0),
    "n_filters": _n_filters,
    "kernel_width": integers(1),
    "n_fft": optional(integers(16, multiple_of=4)),
    "hop_length": optional(integers(1)),
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
    seed: int = 0
    device: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, CHECKS[field.name](field.name, getattr(self, field.name)))
        if self.spectrogram_iters == self.waveform_iters == 0:
            raise ValueError("spectrogram_iters=0 and waveform_iters=0 leave nothing to do: one must be at least 1")
        if self.n_fft is not None:
            _resolutions(self.n_fft, self.hop_length)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Parameters:
        """The parameters among ``values``, by name; others there are left alone."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def n_iter(self) -> int:
        """Iterations of all stages."""
        return self.spectrogram_iters + self.phase_iters + self.waveform_iters

    @property
    def kernel_widths(self) -> tuple[int, ...]:
        """The widths, however many."""
        return self.kernel_width if isinstance(self.kernel_width, tuple) else (self.kernel_width,)

    def stft(self, sample_rate: float) -> STFT:
        """The transform at a rate in Hz: of several, the one with the longest window, which all stages use."""
        n_fft = default_n_fft(sample_rate) if self.n_fft is None else self.n_fft
        return _resolutions(n_fft, self.hop_length)[0]

    @property
    def other_stfts(self) -> list[STFT]:
        """The transforms with shorter windows, which the waveform stage uses beside the longest."""
        return [] if self.n_fft is None else _resolutions(self.n_fft, self.hop_length)[1:]

    def of_texture(self, sample_rate: float) -> Parameters:
        """The same with the windows of a texture where none are named, and hops of half a window likewise."""
        n_fft = self.n_fft
        if n_fft is None:  # multiples of 4 that FFTs are fast at
            n_fft = tuple(4 * next_fast_len(round(sample_rate * ms / 4000), real=True) for ms in TEXTURE_WINDOWS)
        hop_length = self.hop_length
        if hop_length is None:
            hop_length = tuple(n // 2 for n in n_fft) if isinstance(n_fft, tuple) else n_fft // 2
        return replace(self, n_fft=n_fft, hop_length=hop_length)


def _resolutions(n_fft: int | tuple[int, ...], hop_length: int | tuple[int, ...] | None) -> list[STFT]:
    """A transform for each window, the longest first; one hop serves all, and none stands for a quarter of each."""
    windows = n_fft if isinstance(n_fft, tuple) else (n_fft,)
    hops = hop_length if isinstance(hop_length, tuple) else (hop_length,) * len(windows)
    if len(hops) != len(windows):
        raise ValueError(f"hop_length={hop_length!r} must be one integer, or one for each of n_fft={n_fft!r}")
    stfts = []
    for window, hop in zip(windows, hops, strict=True):
        if hop is not None and hop > window // 2:
            raise ValueError(f"hop_length={hop} must be at most {window // 2}, half of n_fft")
        stfts.append(STFT(window, window // 4 if hop is None else hop))
    return sorted(stfts, key=lambda stft: -stft.n_fft)


DEFAULTS = Parameters()

TEXTURE_WINDOWS = (32, 128)
"""Windows of a texture in milliseconds: the short one holds attacks, the long one pitches."""

TEXTURE = Parameters(
    alpha=0.0,
    kernel_width=(2, 6, 22),
    optimizer="lbfgs",
    spectrogram_iters=0,
    phase_iters=0,
    waveform_iters=300,
    init="noise",
    phase_init="random",
)
"""Those of a texture: straight to the waveform, since a free spectrogram out of noise is far from any sound's."""
