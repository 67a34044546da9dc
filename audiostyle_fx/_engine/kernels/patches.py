"""Operations on patches of consecutive frames: inner products, sliding sums, unfolding and folding."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import is_on_gpu, launch_kernel, n_blocks


def sliding_sum(
    x: Array, width: int, step: int = 1, out: Array = None, *, first: float = 1.0, last: float = 1.0
) -> Array:
    """Return out[:, n] = sum of x[:, n + d * step] over 0 <= d < width, for x of shape (batch, length).

    Sums of 1, 2, 4, ... terms come from doubling; the sums that the bits of ``width`` select are added. This takes
    log2(width) additions per element instead of width, and rounds less. ``first`` and ``last`` are weights of the first
    and last term of each sum.
    """
    xp, halo = get_array_module(x), (width - 1) * step
    out = xp.empty((x.shape[0], x.shape[1] - halo), x.dtype) if out is None else out
    ends = [(offset, weight) for offset, weight in ((0, first), (halo, last)) if weight != 1]
    start, inner = (step if first != 1 else 0), width - len(ends)

    def fill(columns: slice) -> None:
        whole, length = x[:, columns.start : columns.stop + halo], columns.stop - columns.start
        part, total, offset, span = whole[:, start:], None, 0, 1
        while span <= inner:
            if inner & span:
                addend = part[:, offset * step : offset * step + length]
                total = addend if total is None else total + addend
                offset += span
            if 2 * span > inner:
                break
            part = part[:, : -span * step] + part[:, span * step :]
            span *= 2
        for end, weight in ends:
            addend = weight * whole[:, end : end + length]
            total = addend if total is None else total + addend
        out[:, columns] = total

    in_blocks(fill, out.shape[1], len(x), xp)
    return out


def sliding_sum_vjp(grad: Array, width: int, last: float = 1.0) -> Array:
    """Return the adjoint of `sliding_sum` with step 1."""
    batch, length = grad.shape
    padded = get_array_module(grad).zeros((batch, length + 2 * (width - 1)), grad.dtype)
    padded[:, width - 1 : width - 1 + length] = grad
    return sliding_sum(padded, width, first=last)


def patch_products(frame_products: Array, width: int, last: float = 1.0) -> Array:
    """Return the inner products of patches: S[:, i, j] = sum of G[:, i + d, j + d] over 0 <= d < width.

    G are the inner products of frames, (batch, rows, columns). In the flattened matrix one step down a diagonal is
    ``columns + 1`` elements, so whole rows are added at once. ``last`` is the weight of the last frame of a patch.
    """
    xp = get_array_module(frame_products)
    batch, n, m = frame_products.shape
    out = xp.empty((batch, (n - width + 1) * m), frame_products.dtype)
    tail = width - 1  # elements after the last sum, in columns that the last line drops
    sliding_sum(frame_products.reshape(batch, n * m), width, m + 1, out[:, : out.shape[1] - tail], last=last)
    return out.reshape(batch, n - width + 1, m)[:, :, : m - width + 1]


def patch_products_vjp(grad: Array, width: int, shape: tuple[int, int, int], last: float = 1.0) -> Array:
    """Return the adjoint of `patch_products` for products of ``shape``; ``grad`` may lack the last rows and columns."""
    xp = get_array_module(grad)
    batch, n, m = shape
    before = (width - 1) * (m + 1)
    padded = xp.zeros((batch, n * m + before), grad.dtype)
    inner = padded[:, before : before + (n - width + 1) * m].reshape(batch, n - width + 1, m)
    inner[:, : grad.shape[1], : grad.shape[2]] = grad
    return sliding_sum(padded, width, m + 1, first=last).reshape(shape)


def row_dots(a: Array, b: Array) -> Array:
    """Return the inner products of the rows, (batch, rows), of a and b, (batch, rows, columns)."""
    xp = get_array_module(a)
    if xp is np:
        return np.einsum("bij,bij->bi", a, b)
    out, rows = xp.empty(a.shape[:2], a.dtype), a.shape[0] * a.shape[1]
    launch_kernel("row_dots", rows, a, b, out, np.int32(rows), np.int32(a.shape[2]))
    return out


def dots(a: Array, b: Array) -> Array:
    """Return the inner product of each item, float64 (batch,), of arrays (batch, n); the CPU sums in their dtype."""
    if get_array_module(a) is np:
        return np.einsum("bn,bn->b", a, b).astype(np.float64)
    return (a * b).sum(axis=1, dtype=np.float64)


def sum_of_products(a: Array, b: Array) -> Array:
    """Return the sum of a * b for each item, float64 (batch,), for a and b of shape (batch, rows, columns).

    Each row is summed in the arrays' precision, and the rows in float64: the style loss subtracts squared norms that
    cancel to a thousandth of their size, for which float32 is not precise enough.
    """
    return row_dots(a, b).sum(axis=-1, dtype=np.float64)


def unfold(x: Array, width: int) -> Array:
    """Return patches of ``width`` consecutive frames, (batch, patches, width * bins), of x, (batch, frames, bins)."""
    xp, (batch, n_frames, bins) = get_array_module(x), x.shape
    if xp is np:
        patches = np.lib.stride_tricks.sliding_window_view(x.reshape(batch, -1), width * bins, axis=1)
        return patches[:, ::bins]
    n_patches = n_frames - width + 1
    patches = xp.empty((batch, n_patches, width * bins), x.dtype)
    sizes = np.array([batch * n_patches, n_patches, n_frames, bins, width * bins], np.int32)
    launch_kernel("unfold", batch * n_patches, x, patches, *sizes)
    return patches


def fold(grad: Array, width: int) -> Array:
    """Return the adjoint of `unfold`: patches added where they overlap, (batch, frames, bins)."""
    xp, (batch, n_patches, size) = get_array_module(grad), grad.shape
    bins, n_frames = size // width, n_patches + width - 1
    if xp is not np:
        out = xp.empty((batch, n_frames, bins), grad.dtype)
        sizes = np.array([batch * n_frames, n_patches, width, bins], np.int32)
        launch_kernel("fold", batch * n_frames, grad, out, *sizes)
        return out
    out = np.zeros((batch, n_frames, bins), grad.dtype)
    for k in range(width):
        out[:, k : k + n_patches] += grad[:, :, k * bins : (k + 1) * bins]
    return out


def patch_sums(x: Array, width: int, last: float = 1.0) -> Array:
    """Return the sums over the ``width`` frames of each patch, (batch, patches), of x, (batch, frames).

    ``last`` is the weight of the last frame of a patch.
    """
    if is_on_gpu(x):
        return _sums_on_gpu(x, x.shape[1] - width + 1, width, 0, 1.0, last)
    return sliding_sum(x, width, last=last)


def patch_sums_vjp(grad: Array, width: int, last: float = 1.0) -> Array:
    """Return the adjoint of `patch_sums`."""
    if is_on_gpu(grad):
        return _sums_on_gpu(grad, grad.shape[1] + width - 1, width, width - 1, last, 1.0)
    return sliding_sum_vjp(grad, width, last)


def _sums_on_gpu(x: Array, n: int, width: int, before: int, first: float, last: float) -> Array:
    """Return out[:, i] = sum of x[:, i + k - before] over 0 <= k < width, (batch, n), zero outside of x.

    ``first`` and ``last`` are weights of the first and last term.
    """
    out = get_array_module(x).empty((len(x), n), x.dtype)
    sizes, weights = np.array([out.size, x.shape[1], n, width, before], np.int32), np.array([first, last], np.float32)
    launch_kernel("sliding_sum", n_blocks(out.size), x, out, *sizes, *weights)
    return out
