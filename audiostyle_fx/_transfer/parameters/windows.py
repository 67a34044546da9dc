"""STFT windows as users give them: in milliseconds, so that they suit every sample rate, or in samples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from scipy.fft import next_fast_len

from ..._engine.spectra.stft import STFT, default_n_fft
from ..._validation import integer, number

MIN_N_FFT = 16

_NUMBER = r"\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Window:
    """A window of the STFT and its hop, in milliseconds or in samples.

    Parameters
    ----------
    ms : float, optional
        Length in milliseconds, at least 1. At a sample rate it becomes the next multiple of 4 samples whose FFT is
        fast, and at least 16; the hop keeps its ratio to the window.
    hop_ms : float, optional
        Milliseconds from one window to the next, from 0.1 to half of ``ms``; a quarter of ``ms`` by default.
    n_fft : int, optional
        Length in samples instead: a multiple of 4, at least 16.
    hop_length : int, optional
        Samples from one window to the next, from 1 to half of ``n_fft``; a quarter of ``n_fft`` by default.
    style_weight, content_weight : float
        Weights of this window's style loss and content loss, from 0; both 1 by default. A window with
        ``style_weight=0`` only keeps the content, at little cost: a short window keeps attacks and syllables.

    Raises
    ------
    TypeError, ValueError
        If a value is not allowed, or the two units are mixed.

    Examples
    --------
    >>> Window(93)
    Window(ms=93.0)
    >>> Window(n_fft=2048, hop_length=512)
    Window(n_fft=2048, hop_length=512)
    """

    ms: float | None = None
    hop_ms: float | None = None
    n_fft: int | None = None
    hop_length: int | None = None
    style_weight: float = 1.0
    content_weight: float = 1.0

    def __post_init__(self) -> None:
        in_samples = self.n_fft is not None or self.hop_length is not None
        if in_samples and (self.ms is not None or self.hop_ms is not None):
            raise ValueError(f"{self!r} mixes samples and milliseconds; give one unit")
        checks = {"ms": number(1), "hop_ms": number(0.1)}
        checks |= {"n_fft": integer(MIN_N_FFT, multiple_of=4), "hop_length": integer(1)}
        checks |= {"style_weight": number(0), "content_weight": number(0)}
        for name, check in checks.items():
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, check(name, value))
        length_name, hop_name = ("n_fft", "hop_length") if in_samples else ("ms", "hop_ms")
        length, hop = getattr(self, length_name), getattr(self, hop_name)
        if length is None:
            raise ValueError(f"{self!r} needs ms or n_fft, the length of the window")
        if hop is not None and hop > length / 2:
            raise ValueError(f"{hop_name}={hop} must be at most {length / 2:g}, half of {length_name}")

    def __repr__(self) -> str:
        """Show the values that were given."""
        return f"Window({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"

    def as_dict(self) -> dict[str, Any]:
        """Return the given values by name, for JSON; ``Window(**values)`` is an equal window."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}

    def at_rate(self, sample_rate: float) -> Window:
        """Return the window in samples at a rate in Hz."""
        if self.ms is None:
            assert self.n_fft is not None
            return replace(self, hop_length=self.hop_length or self.n_fft // 4)
        n_fft = max(MIN_N_FFT, 4 * next_fast_len(max(1, round(sample_rate * self.ms / 4000)), real=True))
        hop_ms = self.ms / 4 if self.hop_ms is None else self.hop_ms
        hop_length = max(1, round(n_fft * hop_ms / self.ms))
        return replace(self, ms=None, hop_ms=None, n_fft=n_fft, hop_length=hop_length)

    @property
    def stft(self) -> STFT:
        """The transform with this window, which is in samples."""
        assert self.n_fft is not None, "at_rate gives a window in samples"
        assert self.hop_length is not None
        return STFT(self.n_fft, self.hop_length)


WindowLike: TypeAlias = Window | float | Mapping[str, float | None]
"""A window, its length in milliseconds, or its `Window.as_dict`."""

Windows: TypeAlias = WindowLike | Sequence[WindowLike] | np.ndarray | None
"""One window or several; None for the default at the sample rate."""


def check_windows(name: str, value: Any) -> tuple[Window, ...] | None:
    """Return the windows that a value stands for; None stays None.

    Raises
    ------
    TypeError, ValueError
        If the value is not allowed; the message names the parameter, its value and what is allowed.
    """
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    several = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))
    values = list(value) if several else [value]
    if not values:
        raise ValueError(f"{name}={value!r} must hold at least one window")
    windows = tuple(_as_window(name, item) for item in values)
    if not any(window.style_weight for window in windows):
        raise ValueError(f"{name}={value!r} must hold a window with a style_weight above 0")
    return windows


def _as_window(name: str, value: Any) -> Window:
    if isinstance(value, Window):
        return value
    try:
        if isinstance(value, Mapping):
            return Window(**value)
        if isinstance(value, Real) and value is not True and value is not False:
            return Window(ms=float(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(f"{name}={value!r}: {error}") from error
    raise TypeError(f"{name}={value!r} must be a Window, a length in milliseconds, or several of these")


def default_windows(sample_rate: float) -> tuple[Window, ...]:
    """Return the default at a rate in Hz: the power of two nearest 93 ms, with a hop of a quarter of it."""
    n_fft = default_n_fft(sample_rate)
    return (Window(n_fft=n_fft, hop_length=n_fft // 4),)


def read_windows(text: str) -> tuple[Window, ...] | None:
    """Return the windows that a text names: ``93``, ``32/16,128/64`` in milliseconds, ``2048/512smp`` in samples.

    ``46,12@0:1`` gives the second window the weights 0 for the style and 1 for the content.

    Raises
    ------
    ValueError
        If the text has no meaning; the message says how windows are written.
    """
    if text.lower() == "none":
        return None
    windows = []
    for word in text.split(","):
        match = re.fullmatch(rf"({_NUMBER})(?:/({_NUMBER}))?(ms|smp)?(?:@({_NUMBER}):({_NUMBER}))?", word.strip())
        if match is None or (match[3] == "smp" and "." in word.partition("@")[0]):
            raise ValueError(
                "must be windows such as 93, 32/16,128/64 (window/hop in ms), 2048/512smp (in samples) or 12@0:1 "
                "(weights of style and content)"
            )
        length, hop, unit, style, content = match.groups()
        weights: dict[str, Any] = (
            {} if style is None else {"style_weight": float(style), "content_weight": float(content)}
        )
        if unit == "smp":
            windows.append(Window(n_fft=int(length), hop_length=None if hop is None else int(hop), **weights))
        else:
            windows.append(Window(ms=float(length), hop_ms=None if hop is None else float(hop), **weights))
    return tuple(windows)


def show_windows(windows: Sequence[Window] | None) -> str:
    """Return a text that `read_windows` reads."""
    return "none" if windows is None else ",".join(map(_show_window, windows))


def _show_window(window: Window) -> str:
    length, hop, unit = (
        (window.ms, window.hop_ms, "") if window.n_fft is None else (window.n_fft, window.hop_length, "smp")
    )
    weights = window.style_weight, window.content_weight
    weighted = "" if weights == (1, 1) else f"@{weights[0]:g}:{weights[1]:g}"
    return f"{length:g}" + ("" if hop is None else f"/{hop:g}") + unit + weighted
