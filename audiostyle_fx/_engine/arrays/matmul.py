"""Batched matrix products, by NumPy on every core or by cuBLAS."""

from __future__ import annotations

import itertools
import math

import numpy as np

from . import threads
from .array_module import Array, get_array_module, here
from .cublas import Matrices, cublas

MOST_OPERATIONS = 2e10
"""Floating-point operations that one call of the BLAS is given, some tenths of a second: nothing interrupts it."""


def matmul(a: Array, b: Array, add_to: Array = None) -> Array:
    """Matrix products a @ b for a of shape (batch or 1, m, k) and b of shape (batch or 1, k, n), or added to an array.

    On the CPU each core computes a share of the result's longer side by itself: within `one_thread_each` no thread of
    the BLAS has to wait for another, which on a busy machine makes a product ten times slower.
    """
    xp, batch, m, n = get_array_module(a), max(len(a), len(b)), a.shape[1], b.shape[2]
    out = xp.empty((batch, m, n), np.result_type(a.dtype, b.dtype)) if add_to is None else add_to
    if xp is not np:
        _cuda_matmul(_in_rows(a), _in_rows(b), out, accumulate=add_to is not None)
        return out
    operations = 2 * batch * m * n * a.shape[2]
    shares = (
        threads.cores() * math.ceil(operations / (threads.cores() * MOST_OPERATIONS))
        if operations > threads.FEW_OPERATIONS
        else 1
    )
    bounds = np.linspace(0, max(m, n), shares + 1).astype(int)

    def fill(at: slice) -> None:
        left, right, part = (a[:, at], b, out[:, at]) if m >= n else (a, b[:, :, at], out[:, :, at])
        if add_to is None:
            np.matmul(left, right, out=part)
        else:
            part += left @ right

    threads.share(
        fill, [slice(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop], threads.cores()
    )
    return out


def _cuda_matmul(a: Array, b: Array, out: Array, *, accumulate: bool) -> None:
    """Fill out, or add to it, by cuBLAS."""
    (batch, m, n), k = out.shape, a.shape[2]
    # cuBLAS has columns first: what is asked for is the transposed product, b^T a^T.
    sizes, tf32 = (n, m, k, batch), getattr(here, "tf32", False)
    cublas().gemm(_matrices(b), _matrices(a), _matrices(out), sizes, out.dtype.name, float(accumulate), tf32)


def _matrices(x: Array) -> Matrices:
    """How x, (batch, m, n), lies in memory, for cuBLAS."""
    (m, n), stride = x.shape[1:], 0 if len(x) == 1 else x.strides[0] // x.itemsize
    down, along = (max(1, step // x.itemsize) for step in x.strides[1:])
    transposed = along > 1 and n > 1
    return Matrices(x.data.ptr, transposed, max(m, along) if transposed else max(n, down if m > 1 else n), stride)


def _in_rows(x: Array) -> Array:
    """The array, or a copy where neither its rows nor its columns are contiguous."""
    (m, n), (down, along) = x.shape[1:], (step // x.itemsize for step in x.strides[1:])
    fits = ((along == 1 or n == 1) and down >= n) or ((down == 1 or m == 1) and along >= m)
    return x if fits else get_array_module(x).ascontiguousarray(x)
