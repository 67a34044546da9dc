"""FFTs over the last axis, by SciPy or cuFFT."""

from __future__ import annotations

import importlib

import numpy as np
import scipy.fft

from .array_module import Array, get_array_module


def fft(x: Array) -> Array:
    """Return the complex FFT over the last axis; complex64 stays complex64."""
    return scipy.fft.fft(x, axis=-1) if get_array_module(x) is np else cuda_fft("fft", x, x.shape[-1])


def rfft(frames: Array) -> Array:
    """Return the FFT of real input over the last axis; float32 gives complex64."""
    return scipy.fft.rfft(frames) if get_array_module(frames) is np else cuda_fft("rfft", frames, frames.shape[-1])


def irfft(spectrum: Array, n_fft: int) -> Array:
    """Return the inverse of `rfft`, as frames of ``n_fft`` samples."""
    if get_array_module(spectrum) is np:
        return scipy.fft.irfft(spectrum, n=n_fft)
    return cuda_fft("irfft", spectrum, n_fft)


def cuda_fft(kind: str, x: Array, n: int) -> Array:
    """Return one of cuFFT's transforms over the last axis, of ``n`` samples or bins."""
    return getattr(importlib.import_module("cupy").fft, kind)(x, n=n, axis=-1)
