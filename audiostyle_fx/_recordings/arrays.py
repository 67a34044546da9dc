"""Checks of recordings given as arrays."""

from __future__ import annotations

import numpy as np

MAX_CHANNELS = 32
"""An array with more channels than this, and more channels than samples, is refused: it is likely transposed."""


def check_audio(name: str, audio: np.ndarray) -> np.ndarray:
    """Check the array ``name``, (channels, samples) or (samples,), and return it as float32 (channels, samples).

    Raises
    ------
    TypeError
        If ``audio`` is not a float32 or float64 array.
    ValueError
        If ``audio`` has another shape, more channels than samples, or a value that is not finite.
    """
    if not isinstance(audio, np.ndarray) or audio.dtype not in (np.float32, np.float64):
        kind = f"{audio.dtype} array" if isinstance(audio, np.ndarray) else type(audio).__name__
        raise TypeError(f"{name} is a {kind}; it must be a NumPy array of float32 or float64")
    if audio.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {audio.shape}; it must be (channels, samples) or (samples,)")
    if audio.ndim == 2 and audio.shape[0] > max(MAX_CHANNELS, audio.shape[1]) and audio.size:
        raise ValueError(f"{name} has shape {audio.shape}, more channels than samples; it must be (channels, samples)")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, which check_finite reports
        audio = np.atleast_2d(audio).astype(np.float32, order="C")
    check_finite(name, audio)
    return audio


def check_finite(name: str, audio: np.ndarray) -> None:
    """Raise ValueError if the recording ``name`` has a sample that is not finite."""
    if not np.isfinite(audio).all():
        raise ValueError(f"{name} holds NaN or infinite samples; all must be finite in float32")
