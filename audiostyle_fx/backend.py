"""Which array module an array belongs to, and the few operations whose spelling depends on it.

Every numerical function of the package starts with ``xp = get_array_module(x)`` and then runs on NumPy or on CuPy
arrays alike. This is the only room that knows both exist.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""

DEVICES = ("auto", "cpu")


def get_array_module(*arrays: Array) -> ModuleType:
    """CuPy if any of the arrays lives there, otherwise NumPy; never imports CuPy by itself."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


def check_device(device: str) -> None:
    """Raise ValueError unless ``device`` names somewhere this version can compute; "auto" is the CPU here."""
    if device not in DEVICES:
        raise ValueError(
            f"device={device!r} is not available: this version computes on {' or '.join(map(repr, DEVICES))}"
        )


def fft(x: Array) -> Array:
    """Complex FFT over the last axis, on every core; keeps complex64; ``x`` may be overwritten."""
    if get_array_module(x) is np:
        return scipy.fft.fft(x, axis=-1, workers=-1, overwrite_x=True)
    return get_array_module(x).fft.fft(x, axis=-1)


def rfft(frames: Array) -> Array:
    """FFT of real input over the last axis, on every core; float32 gives complex64."""
    if get_array_module(frames) is np:
        return scipy.fft.rfft(frames, axis=-1, workers=-1)
    return get_array_module(frames).fft.rfft(frames, axis=-1)


def irfft(spectrum: Array, n_fft: int) -> Array:
    """Inverse of `rfft`, for frames of ``n_fft`` samples."""
    if get_array_module(spectrum) is np:
        return scipy.fft.irfft(spectrum, n=n_fft, axis=-1, workers=-1)
    return get_array_module(spectrum).fft.irfft(spectrum, n=n_fft, axis=-1)


def to_host(x: Array) -> np.ndarray:
    """The array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()


def sum_of_products(a: Array, b: Array) -> Array:
    """Sum of a * b per batch item, float64, for a and b of shape (batch, rows, columns).

    Rows are summed in the arrays' own precision and then among each other in float64: the squared norms that the style loss
    subtracts cancel to a thousandth of their size, which float32 alone does not survive.
    """
    xp = get_array_module(a)
    return xp.einsum("bij,bij->bi", a, b).sum(axis=-1, dtype=xp.float64)
