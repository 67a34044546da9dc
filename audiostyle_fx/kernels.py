"""The passes over memory between matrix products and FFTs: each function runs on NumPy, or launches a CUDA kernel.

The NumPy code beside a launch is its twin: the tests hold the one to the other. `kernels.cu` has the formulas. On a
GPU arrays are float32, or complex64.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .arc_cosine import arc_cosine, patch_products, patch_products_vjp, positive, sliding_sum, sliding_sum_vjp
from .backend import Array, get_array_module, in_blocks

SOURCE = Path(__file__).with_suffix(".cu")
OPTIONS = ("-std=c++17",)

THREADS = 256
"""Threads of a block, of the kernels that go over an array element by element."""

TILE_THREADS, TILE_ROWS = 64, 32
"""`gram_tile`: diagonals of a block and rows that it walks down."""

SHARED_BYTES = 47 * 1024
"""Shared memory that every card gives a block, less what the kernels take for their sums."""


# ---------------------------------------------------------------- optimiser
def adam_step(
    x: Array,
    grad: Array,
    mean: Array,
    square: Array,
    step_count: Array,
    *,
    learning_rate: float,
    n_iter: int,
    beta1: float,
    beta2: float,
    epsilon: float,
    nonnegative: bool,
) -> None:
    """One step of Adam in place on x, mean and square; ``step_count``, int32 (1,), is left alone, grad is not."""
    xp, arrays = get_array_module(x), [a.reshape(-1) for a in (x, grad, mean, square)]
    if xp is not np:
        schedule = [np.float64(learning_rate), np.int32(n_iter), np.float64(beta1), np.float64(beta2)]
        options = [*schedule, np.float64(epsilon), np.int32(nonnegative)]
        _launch("adam_step", _blocks(x.size), *arrays, step_count, np.int64(x.size), *options)
        return
    done = int(step_count[0])
    rate = learning_rate * 0.5 * (1 + math.cos(math.pi * done / n_iter)) / (1 - beta1 ** (done + 1))
    correction = 1 / (1 - beta2 ** (done + 1))

    def fill(at: slice) -> None:
        x, grad, mean, square = (a[at] for a in arrays)
        mean *= beta1
        mean += (1 - beta1) * grad
        square *= beta2
        np.square(grad, out=grad)
        grad *= 1 - beta2
        square += grad
        np.multiply(square, correction, out=grad)
        np.sqrt(grad, out=grad)
        grad += epsilon
        np.divide(mean, grad, out=grad)
        grad *= rate
        x -= grad
        if nonnegative:
            np.maximum(x, 0, out=x)

    in_blocks(fill, x.size, 1, xp)


# ---------------------------------------------------------------- spectra
def log_magnitude(spectrum: Array, scale: float) -> Array:
    """log(1 + scale |spectrum|), for a spectrum (batch, frames, channels, bins).

    ``log(1 + m)`` and not ``log1p(m)``: rounding 1 + m to float32 costs at most 6e-8, and NumPy's log is six times
    faster.
    """
    xp, size = get_array_module(spectrum), np.int64(spectrum.size)
    x = xp.empty(spectrum.shape, spectrum.real.dtype)
    if xp is not np:
        _launch("log_magnitude", _blocks(x.size), spectrum, x, size, np.float32(scale))
        return x

    def fill(at: slice) -> None:
        part = np.abs(spectrum[:, at], out=x[:, at])
        part *= scale
        part += 1
        np.log(part, out=part)

    in_blocks(fill, x.shape[1], x[:, :1].size, xp)
    return x


def log_magnitude_vjp(spectrum: Array, grad: Array, scale: float) -> Array:
    """Adjoint of the derivative of `log_magnitude` at ``spectrum``, for a gradient of its shape; zero where it is."""
    xp = get_array_module(spectrum)
    out = xp.empty(spectrum.shape, spectrum.dtype)
    tiny = np.finfo(grad.dtype).tiny ** 0.5
    if xp is not np:
        sizes = (np.int64(out.size), np.float32(scale), np.float32(tiny))
        _launch("log_magnitude_vjp", _blocks(out.size), spectrum, grad, out, *sizes)
        return out

    def fill(at: slice) -> None:
        magnitude = np.abs(spectrum[:, at])
        slope = magnitude * scale
        slope += 1
        slope *= np.maximum(magnitude, tiny, out=magnitude)
        np.divide(grad[:, at], slope, out=slope)
        slope *= scale
        np.multiply(spectrum[:, at], slope, out=out[:, at])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out


def windowed_frames(samples: Array, window: Array, hop_length: int, at: slice, reflected: bool) -> Array:
    """Frames ``at`` of samples (batch, channels, n_samples), windowed: (batch, frames, channels, n_fft).

    Frame t begins half a frame before sample t * hop_length; before the start and after the end lie the samples
    reflected, or silence.
    """
    xp, n_fft = get_array_module(samples), len(window)
    batch, channels, n_samples = samples.shape
    if xp is not np:
        n_frames = at.stop - at.start
        if at.start:
            raise ValueError("on a GPU all frames are made at once")
        frames = xp.empty((batch, n_frames, channels, n_fft), samples.dtype)
        rows = batch * n_frames * channels
        sizes = np.array([rows, n_frames, channels, n_samples, n_fft, hop_length, reflected], np.int32)
        _launch("windowed_frames", rows, samples, window, frames, *sizes)
        return frames
    start, stop = at.start * hop_length - n_fft // 2, (at.stop - 1) * hop_length + n_fft - n_fft // 2
    if start >= 0 and stop <= n_samples:
        part = samples[..., start:stop]
    elif reflected:
        indices = np.abs(np.arange(start, stop))
        part = samples[..., np.where(indices < n_samples, indices, 2 * (n_samples - 1) - indices)]
    else:
        silence = (max(0, -start), max(0, stop - n_samples))
        part = np.pad(samples[..., max(0, start) : max(0, stop)], ((0, 0), (0, 0), silence))
    frames = np.lib.stride_tricks.sliding_window_view(part, n_fft, axis=-1)[:, :, ::hop_length]
    return frames.transpose(0, 2, 1, 3) * window


def overlap_add(frames: Array, window: Array, hop_length: int) -> Array:
    """Sum of the windowed frames, (batch, frames, channels, n_fft), a hop apart: (batch, channels, samples)."""
    xp, (batch, n_frames, channels, n_fft) = get_array_module(frames), frames.shape
    steps = math.ceil(n_fft / hop_length)
    length = (n_frames + steps - 1) * hop_length
    if xp is not np:
        out = xp.empty((batch, channels, length), frames.dtype)
        sizes = np.array([n_frames, channels, n_fft, hop_length, length], np.int32)
        _launch("overlap_add", _blocks(out.size), frames, window, out, np.int64(out.size), *sizes)
        return out
    frames = frames * window
    out = np.zeros((batch, channels, n_frames + steps - 1, hop_length), frames.dtype)
    for k in range(steps):  # one stretch of every frame at a time: those never overlap each other
        part = frames[..., k * hop_length : (k + 1) * hop_length].transpose(0, 2, 1, 3)
        out[:, :, k : k + n_frames, : part.shape[-1]] += part
    return out.reshape(batch, channels, -1)


# ---------------------------------------------------------------- patches
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


# ---------------------------------------------------------------- infinitely many filters
def content_distance(products: Array, norms: Array, targets: Array, width: int) -> tuple[Array, Array, Array]:
    """Squared distances of the features of x and the content, patch by patch, and their gradient.

    Parameters
    ----------
    products : real array (batch, frames)
        Inner products of the frames of both.
    norms, targets : real arrays (batch, patches)
        Squared norms of the patches of x and of the content.
    width : int
        Frames in a patch.

    Returns
    -------
    distances : (batch, patches)
        Exactly zero where the patches are equal.
    by_norm : (batch, patches)
        Gradient of their sum at ``norms``.
    by_frame : (batch, frames)
        Gradient of their sum at ``products``.
    """
    xp = get_array_module(products)
    if xp is not np:
        distances, by_norm, by_frame = (xp.empty(a.shape, a.dtype) for a in (norms, norms, products))
        sizes = np.array([products.size, products.shape[1], norms.shape[1], width], np.int32)
        arrays = (products, norms, targets, distances, by_norm, by_frame)
        _launch("content_distance", _blocks(products.size), *arrays, *sizes)
        return distances, by_norm, by_frame
    s = sliding_sum(products, width)
    _, slope, root = arc_cosine(s, norms, targets)
    angle = math.pi - slope
    distances = (norms + targets) / 2 - s + (angle * s - root) / math.pi
    by_norm = 0.5 - root / (2 * math.pi * positive(norms))
    return distances, by_norm, sliding_sum_vjp(angle / math.pi - 1, width)


def gram_tile(
    products: Array,
    norms_u: Array,
    norms_v: Array,
    width: int,
    scale: float,
    *,
    diagonal: bool = False,
    gradient: bool = True,
    columns: bool = False,
) -> tuple[Array, Array, Array, Array]:
    """One tile of the mean square over the kernel matrix of infinitely many filters, and its gradient.

    Parameters
    ----------
    products : real array (batch, n, m)
        Inner products of frames.
    norms_u, norms_v : real arrays (batch, rows) and (batch or 1, columns)
        Squared norms of the patches; those beyond are not part of the tile.
    width : int
        Frames in a patch.
    scale : float
        Factor of the gradient.
    diagonal : bool
        Both sides are the same patches.
    gradient, columns : bool
        Whether the gradient, and the sums by columns, are asked for.

    Returns
    -------
    energies : float64 (batch,)
        Sums of the squared kernel 2 pi kappa.
    row_sums, column_sums : (batch, rows) and (batch, columns), or None
        Sums of r times the kernel.
    grad : (batch, n, m), or None
        ``scale`` times the gradient of half the energies at ``products``.
    """
    if get_array_module(products) is not np:
        energies, row_sums, grad = _launch_gram_tile(products, norms_u, norms_v, width, scale, diagonal)
        column_sums = None
        if columns:  # rare, tiles of a long recording: the same once more, mirrored
            mirrored = products.swapaxes(1, 2)
            column_sums = _launch_gram_tile(mirrored, norms_v, norms_u, width, scale, diagonal)[1]
        return energies, row_sums, column_sums, grad if gradient else None
    u, v = norms_u[:, :, None], norms_v[:, None, :]
    s = patch_products(products, width)[:, : u.shape[1], : v.shape[2]]
    if diagonal:  # the same patch on both sides: with s equal to its norm bit for bit the angle is exactly zero
        np.einsum("bii->bi", s)[:] = norms_u
    energies, row_sums = np.empty(s.shape[:2], s.dtype), np.empty(s.shape[:2], s.dtype)
    roots = np.empty(s.shape, s.dtype) if columns else None

    def fill(at: slice) -> None:  # s becomes the gradient
        kernel, slope, root = arc_cosine(s[:, at], u[:, at], v)
        energies[:, at] = np.einsum("bij,bij->bi", kernel, kernel)
        root *= kernel
        row_sums[:, at] = root.sum(axis=2)
        if roots is not None:
            roots[:, at] = root
        slope *= kernel
        np.multiply(slope, scale, out=s[:, at])

    in_blocks(fill, s.shape[1], s[:, :1].size, np)
    grad = patch_products_vjp(s, width, products.shape) if gradient else None
    return energies.sum(axis=1, dtype=np.float64), row_sums, None if roots is None else roots.sum(axis=1), grad


def _launch_gram_tile(
    products: Array, norms_u: Array, norms_v: Array, width: int, scale: float, diagonal: bool
) -> tuple[Array, Array, Array]:
    xp, (batch, n, m) = get_array_module(products), products.shape
    threads = next((t for t in (TILE_THREADS, 32) if 4 * t * (width + TILE_ROWS) <= SHARED_BYTES), 0)
    if not threads:
        widest = SHARED_BYTES // (4 * 32) - TILE_ROWS
        raise ValueError(f"kernel_width={width} must be at most {widest} on a GPU")
    grid = (math.ceil((m + TILE_ROWS - 1) / threads), math.ceil(n / TILE_ROWS), batch)
    n_u, n_v = norms_u.shape[1], norms_v.shape[1]
    grad = xp.empty((batch, n, m), products.dtype)
    energies = xp.empty((batch, grid[0] * grid[1]), products.dtype)
    row_sums = xp.empty((batch, grid[0], n_u), products.dtype)
    v_stride = n_v if len(norms_v) == batch else 0
    sizes = np.array([n, m, n_u, n_v, v_stride, width, TILE_ROWS], np.int32)
    arrays = (products, norms_u, norms_v, grad, energies, row_sums)
    shared = 4 * threads * (width + TILE_ROWS)
    _launch("gram_tile", grid, *arrays, *sizes, np.float32(scale), np.int32(diagonal), threads=threads, shared=shared)
    return energies.sum(axis=1, dtype=np.float64), row_sums.sum(axis=1), grad


# ---------------------------------------------------------------- launching
def _on_gpu(x: Array) -> bool:
    return get_array_module(x) is not np


def _blocks(size: int) -> int:
    """Blocks for ``size`` elements: enough to fill any card, which then go round."""
    return max(1, min(math.ceil(size / THREADS), 1 << 14))


def _launch(name: str, grid: int | tuple[int, ...], *args: Any, threads: int = THREADS, shared: int = 0) -> None:
    """Launch a kernel on the current stream; an array that it writes to has to be contiguous."""
    cupy = get_array_module(*args)
    single = {"f": np.float32, "c": np.complex64}
    for array in (a for a in args if isinstance(a, cupy.ndarray)):
        if array.dtype != single.get(array.dtype.kind, array.dtype):
            raise TypeError(f"{name} takes float32 on a GPU, not {array.dtype}")
    args = tuple(cupy.ascontiguousarray(a) if isinstance(a, cupy.ndarray) else a for a in args)
    blocks = grid if isinstance(grid, tuple) else (grid,)
    _kernel(cupy, name)(blocks, (threads,), args, shared_mem=shared)


@lru_cache(maxsize=64)
def _kernel(cupy: ModuleType, name: str) -> Any:
    return _module(cupy).get_function(name)


@lru_cache(maxsize=2)
def _module(cupy: ModuleType) -> Any:
    """All kernels, compiled for each card when first used there."""
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=OPTIONS)
