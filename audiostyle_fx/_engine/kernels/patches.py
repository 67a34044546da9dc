"""Passes over patches of consecutive frames: inner products, sliding sums, unfolding."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import _blocks, _launch, _on_gpu


def sliding_sum(x: Array, width: int, step: int = 1, out: Array = None) -> Array:
    """out[:, n] = sum of x[:, n + d * step] over 0 <= d < width, for x of shape (batch, length).

    Sums of 1, 2, 4, ... terms are made by doubling, and those that the bits of ``width`` name are added: log2(width)
    additions an element instead of width, and a smaller rounding error.
    """
    xp, halo = get_array_module(x), (width - 1) * step
    out = xp.empty((x.shape[0], x.shape[1] - halo), x.dtype) if out is None else out

    def fill(at: slice) -> None:
        part, length = x[:, at.start : at.stop + halo], at.stop - at.start
        total, offset, span = None, 0, 1
        while True:
            if width & span:
                addend = part[:, offset * step : offset * step + length]
                total = addend if total is None else total + addend
                offset += span
            if 2 * span > width:
                break
            part = part[:, : -span * step] + part[:, span * step :]
            span *= 2
        out[:, at] = total

    in_blocks(fill, out.shape[1], len(x), xp)
    return out


def sliding_sum_vjp(grad: Array, width: int) -> Array:
    """Adjoint of `sliding_sum` with step 1."""
    return sliding_sum(get_array_module(grad).pad(grad, ((0, 0), (width - 1, width - 1))), width)


def patch_products(frame_products: Array, width: int) -> Array:
    """S[:, i, j] = sum of G[:, i + d, j + d] over 0 <= d < width: products of patches from those of frames.

    In the flattened matrix one step down a diagonal is ``columns + 1`` elements, so that whole rows are added at once.
    """
    xp = get_array_module(frame_products)
    batch, n, m = frame_products.shape
    out = xp.empty((batch, (n - width + 1) * m), frame_products.dtype)
    tail = width - 1  # the last row's end lies past the last sum; it is cut below
    sliding_sum(frame_products.reshape(batch, n * m), width, m + 1, out[:, : out.shape[1] - tail])
    return out.reshape(batch, n - width + 1, m)[:, :, : m - width + 1]


def patch_products_vjp(grad: Array, width: int, shape: tuple[int, int, int]) -> Array:
    """Adjoint of `patch_products` for frame products of ``shape``; ``grad`` may lack the last rows and columns."""
    xp = get_array_module(grad)
    batch, n, m = shape
    before = (width - 1) * (m + 1)
    padded = xp.zeros((batch, n * m + before), grad.dtype)
    inner = padded[:, before : before + (n - width + 1) * m].reshape(batch, n - width + 1, m)
    inner[:, : grad.shape[1], : grad.shape[2]] = grad
    return sliding_sum(padded, width, m + 1).reshape(shape)


def row_dots(a: Array, b: Array) -> Array:
    """Inner products of the rows, (batch, rows), of a and b, (batch, rows, columns)."""
    xp = get_array_module(a)
    if xp is np:
        return np.einsum("bij,bij->bi", a, b)
    out, rows = xp.empty(a.shape[:2], a.dtype), a.shape[0] * a.shape[1]
    _launch("row_dots", rows, a, b, out, np.int32(rows), np.int32(a.shape[2]))
    return out


def dots(a: Array, b: Array) -> Array:
    """Inner product per item of arrays (batch, n), taken in their own precision on the CPU; float64 (batch,)."""
    if get_array_module(a) is np:
        return np.einsum("bn,bn->b", a, b).astype(np.float64)
    return (a * b).sum(axis=1, dtype=np.float64)


def sum_of_products(a: Array, b: Array) -> Array:
    """Sum of a * b per batch item, float64, for a and b of shape (batch, rows, columns).

    Rows are summed in the arrays' own precision and then among each other in float64: the squared norms that the
    style loss subtracts cancel to a thousandth of their size, which float32 alone does not survive.
    """
    return row_dots(a, b).sum(axis=-1, dtype=np.float64)


def unfold(x: Array, width: int) -> Array:
    """Patches of ``width`` consecutive frames, (batch, patches, width * bins), of x, (batch, frames, bins)."""
    xp, (batch, n_frames, bins) = get_array_module(x), x.shape
    if xp is np:
        patches = np.lib.stride_tricks.sliding_window_view(x.reshape(batch, -1), width * bins, axis=1)
        return patches[:, ::bins]
    n_patches = n_frames - width + 1
    patches = xp.empty((batch, n_patches, width * bins), x.dtype)
    sizes = np.array([batch * n_patches, n_patches, n_frames, bins, width * bins], np.int32)
    _launch("unfold", batch * n_patches, x, patches, *sizes)
    return patches


def fold(grad: Array, width: int) -> Array:
    """Adjoint of `unfold`: patches summed where they overlap, (batch, frames, bins)."""
    xp, (batch, n_patches, size) = get_array_module(grad), grad.shape
    bins, n_frames = size // width, n_patches + width - 1
    if xp is not np:
        out = xp.empty((batch, n_frames, bins), grad.dtype)
        sizes = np.array([batch * n_frames, n_patches, width, bins], np.int32)
        _launch("fold", batch * n_frames, grad, out, *sizes)
        return out
    out = np.zeros((batch, n_frames, bins), grad.dtype)
    for k in range(width):
        out[:, k : k + n_patches] += grad[:, :, k * bins : (k + 1) * bins]
    return out


def patch_sums(x: Array, width: int) -> Array:
    """Sums over the ``width`` frames of each patch, (batch, patches), of x, (batch, frames)."""
    return _sliding_sum(x, x.shape[1] - width + 1, width, 0) if _on_gpu(x) else sliding_sum(x, width)


def patch_sums_vjp(grad: Array, width: int) -> Array:
    """Adjoint of `patch_sums`."""
    return (
        _sliding_sum(grad, grad.shape[1] + width - 1, width, width - 1)
        if _on_gpu(grad)
        else sliding_sum_vjp(grad, width)
    )


def _sliding_sum(x: Array, n: int, width: int, before: int) -> Array:
    out = get_array_module(x).empty((len(x), n), x.dtype)
    _launch("sliding_sum", _blocks(out.size), x, out, *np.array([out.size, x.shape[1], n, width, before], np.int32))
    return out
