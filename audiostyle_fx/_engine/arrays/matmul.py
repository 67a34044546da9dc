"""Batched matrix products, by NumPy on all cores or by cuBLAS."""

from __future__ import annotations

import itertools
import math

import numpy as np

from . import threads
from .array_module import Array, get_array_module, thread_state
from .cublas import Matrices, cublas

MAX_OPERATIONS = 2e10
"""Most floating-point operations of one BLAS call, some tenths of a second: a call can't be interrupted."""


LEAST_TF32 = 1e9
"""Fewest operations of a product in TF32. Measured on an H200: 0.4e9 take 22 us in TF32 and 14 us in float32, and the
transfer of a recording whose products take 3e9 is faster in TF32."""


def matmul(a: Array, b: Array, add_to: Array = None, out: Array = None) -> Array:
    """Return the matrix products a @ b, or add them to an array, or write them to one.

    On the CPU each core computes a share of the result's longer side by itself. Within `one_thread_each` no thread of
    the BLAS then waits for another: on a busy machine such waits make a product ten times slower.

    Parameters
    ----------
    a, b : real arrays (batch or 1, m, k) and (batch or 1, k, n)
    add_to : real array (batch, m, n), optional
        The products are added to it.
    out : real array (batch, m, n), optional
        The products are written to it; not used with ``add_to``.

    Returns
    -------
    real array (batch, m, n)
        ``add_to`` or ``out`` if it is given.
    """
    xp, batch, m, n = get_array_module(a), max(len(a), len(b)), a.shape[1], b.shape[2]
    operations = 2 * batch * m * n * a.shape[2]
    if add_to is not None:
        out = add_to
    elif out is None:
        out = xp.empty((batch, m, n), np.result_type(a.dtype, b.dtype))
    if xp is not np:
        tf32 = getattr(thread_state, "tf32", False) and operations >= LEAST_TF32
        cuda_matmul(_with_contiguous_axis(a), _with_contiguous_axis(b), out, accumulate=add_to is not None, tf32=tf32)
        return out

    def fill(side: slice) -> None:
        left, right, part = (a[:, side], b, out[:, side]) if m >= n else (a, b[:, :, side], out[:, :, side])
        if add_to is None:
            np.matmul(left, right, out=part)
        else:
            part += left @ right

    if operations <= threads.FEW_OPERATIONS:
        fill(slice(None))
        return out
    n_shares = threads.cores() * math.ceil(operations / (threads.cores() * MAX_OPERATIONS))
    bounds = np.linspace(0, max(m, n), n_shares + 1).astype(int)
    shares = [slice(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop]
    threads.share(fill, shares, threads.cores())
    return out


def cuda_matmul(a: Array, b: Array, out: Array, *, accumulate: bool, tf32: bool) -> None:
    """Fill out with a @ b, or add a @ b to it, by cuBLAS."""
    (batch, m, n), k = out.shape, a.shape[2]
    # cuBLAS stores matrices by columns: in its terms the result is the transposed product, b^T a^T.
    sizes = (n, m, k, batch)
    cublas().gemm(_matrices(b), _matrices(a), _matrices(out), sizes, out.dtype.name, float(accumulate), tf32)


def _matrices(x: Array) -> Matrices:
    """Describe the memory layout of x, (batch, m, n), for cuBLAS."""
    (m, n), stride = x.shape[1:], 0 if len(x) == 1 else x.strides[0] // x.itemsize
    row_step, column_step = (max(1, step // x.itemsize) for step in x.strides[1:])
    transposed = column_step > 1 and n > 1
    leading = max(m, column_step) if transposed else max(n, row_step if m > 1 else n)
    return Matrices(x.data.ptr, transposed, leading, stride)


def _with_contiguous_axis(x: Array) -> Array:
    """Return x, (batch, m, n), or a copy of it if neither its rows nor its columns are contiguous."""
    (m, n), (row_step, column_step) = x.shape[1:], (step // x.itemsize for step in x.strides[1:])
    rows = (column_step == 1 or n == 1) and row_step >= n
    columns = (row_step == 1 or m == 1) and column_step >= m
    return x if rows or columns else get_array_module(x).ascontiguousarray(x)
