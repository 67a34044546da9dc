"""FFTs over the last axis, by SciPy or cuFFT."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import scipy.fft

from .array_module import Array, get_array_module, thread_state

MOST_PLANS = 8
"""Plans that a thread keeps from one transfer to the next."""

_KINDS = {"fft": ("CUFFT_C2C", "CUFFT_FORWARD"), "rfft": ("CUFFT_R2C", "CUFFT_FORWARD")}
_KINDS["irfft"] = ("CUFFT_C2R", "CUFFT_INVERSE")


def fft(x: Array) -> Array:
    """Return the complex FFT over the last axis; complex64 stays complex64."""
    return scipy.fft.fft(x, axis=-1) if get_array_module(x) is np else cuda_fft("fft", x, x.shape[-1])


def rfft(frames: Array, out: Array = None) -> Array:
    """Return the FFT of real input over the last axis, on a GPU in ``out`` if it is given; float32 gives complex64."""
    return scipy.fft.rfft(frames) if get_array_module(frames) is np else cuda_fft("rfft", frames, frames.shape[-1], out)


def irfft(spectrum: Array, n_fft: int, *, consumed: bool = False) -> Array:
    """Return ``n_fft`` times the inverse of `rfft`: the unscaled transform, without a division.

    Parameters
    ----------
    spectrum : complex array (..., n_fft // 2 + 1)
    n_fft : int
    consumed : bool
        Whether the spectrum may be overwritten, as cuFFT does.
    """
    if get_array_module(spectrum) is np:
        return scipy.fft.irfft(spectrum, n=n_fft, norm="forward")
    return cuda_fft("irfft", spectrum if consumed else spectrum.copy(), n_fft)


def cuda_fft(kind: str, x: Array, n: int, out: Array = None) -> Array:
    """Return a transform by cuFFT, of complex64 or float32, over the last axis; ``n`` is its size in samples.

    ``out`` is a contiguous array for the result, by default a new one.

    The first transform of a size makes a plan, which a CUDA graph can't record. The inverse may overwrite its input.
    """
    cupy, cufft = get_array_module(x), importlib.import_module("cupy.cuda.cufft")
    x, (type_name, direction) = cupy.ascontiguousarray(x), _KINDS[kind]
    expected = np.float32 if kind == "rfft" else np.complex64
    if x.dtype != expected:
        raise TypeError(f"{kind} takes {np.dtype(expected)} on a GPU, not {x.dtype}")
    if out is None:
        bins = n // 2 + 1 if kind == "rfft" else n
        out = cupy.empty((*x.shape[:-1], bins), np.float32 if kind == "irfft" else np.complex64)
    rows, plans = x.size // x.shape[-1], thread_state.__dict__.setdefault("plans", {})
    key = (int(x.device.id), kind, n, rows)
    if key not in plans:
        plans[key] = cufft.Plan1d(n, getattr(cufft, type_name), rows)
    plan: Any = plans[key]
    plan.fft(x, out, getattr(cufft, direction))
    return out


def forget_plans(most: int = 0) -> None:
    """Forget this thread's plans if there are more than ``most``; no CUDA graph may still need them."""
    plans = thread_state.__dict__.get("plans", {})
    if len(plans) > most:
        plans.clear()
