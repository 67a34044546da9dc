r"""The arc-cosine kernel of order 1 between patches, and its losses and gradients.

With :math:`s = u\cdot v`, :math:`r = \sqrt{|u|^2|v|^2 - s^2}` and :math:`\theta = \mathrm{atan2}(r, s)` it is
:math:`2\pi\,\kappa = r + (\pi - \theta)\,s`.

References
----------
Y. Cho and L. Saul, "Kernel methods for deep learning", NIPS 2009, eq. 1 to 6 with n = 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import launch_kernel, n_blocks
from .patches import patch_products, patch_products_vjp, sliding_sum, sliding_sum_vjp


def arc_cosine(
    products: np.ndarray, norms_u: np.ndarray, norms_v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 2 pi kappa, pi - theta and r of patches; a zero patch has theta = 0.

    It takes NumPy arrays only; on a GPU the kernels compute it themselves.

    Parameters
    ----------
    products : real array
        Inner products.
    norms_u, norms_v : real arrays, broadcastable to it
        Squared norms of both sides.
    """
    square = norms_u * norms_v
    root = products * products
    np.subtract(square, root, out=root)
    np.sqrt(np.maximum(root, 0, out=root), out=root)
    if products.dtype == np.float32:
        slope = _pi_minus_angle(root, products, np.sqrt(square, out=square))
    else:
        slope = math.pi - np.arctan2(root, products)
    kernel = slope * products
    kernel += root
    return kernel, slope, root


# A polynomial in t squared that approximates atan(t) / t on 0 <= t <= 1, highest power first.
_ATAN_SERIES = Chebyshev.interpolate(lambda u: np.arctan(np.sqrt(u)) / np.sqrt(u), 8, (0, 1))


_ATAN = _ATAN_SERIES.convert(kind=Polynomial).coef[::-1].tolist()


def _pi_minus_angle(root: np.ndarray, products: np.ndarray, norm_products: np.ndarray) -> np.ndarray:
    """Return pi - atan2(root, products) in float32 to 4e-7; five times as fast as NumPy's arctan2, which uses no SIMD.

    With ``norm_products`` = |u||v|, tan(theta / 2) = r / (|u||v| + s). A polynomial inverts the tangent for
    0 <= theta <= pi / 2; larger angles are pi minus those of -s.
    """
    t = np.abs(products)
    t += norm_products
    np.maximum(t, np.finfo(t.dtype).tiny, out=t)
    np.divide(root, t, out=t)
    u = np.square(t, out=norm_products)
    angle = u * _ATAN[0]
    for coefficient in _ATAN[1:-1]:
        angle += coefficient
        angle *= u
    angle += _ATAN[-1]
    angle *= t
    angle *= -2
    angle += math.pi / 2
    np.copysign(angle, products, out=angle)
    angle += math.pi / 2
    return angle


def positive(norms: Array) -> Array:
    """Return norms to divide r by, zeros replaced: a zero patch has r = 0, so any positive value gives 0."""
    xp = get_array_module(norms)
    return xp.maximum(norms, xp.finfo(norms.dtype).tiny)


TILE_THREADS, TILE_ROWS = 64, 32
"""Of `gram_tile`: diagonals of a block, and rows that it processes on each diagonal."""


SHARED_BYTES = 47 * 1024
"""Shared memory of a block on every GPU, minus the memory that the kernels use for their sums."""


def content_distance(
    products: Array, norms: Array, targets: Array, width: int, last: float = 1.0
) -> tuple[Array, Array, Array]:
    """Return the squared distance between the features of x and of the content for each patch, and the gradients.

    Parameters
    ----------
    products : real array (batch, frames)
        Inner products of the frames of x and of the content.
    norms, targets : real arrays (batch, patches)
        Squared norms of the patches of x and of the content.
    width : int
        Frames in a patch.
    last : float
        Weight of a patch's last frame in the products of patches.

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
        launch_kernel("content_distance", n_blocks(products.size), *arrays, *sizes, np.float32(last))
        return distances, by_norm, by_frame
    s = sliding_sum(products, width, last=last)
    _, slope, root = arc_cosine(s, norms, targets)
    angle = math.pi - slope
    distances = (norms + targets) / 2 - s + (angle * s - root) / math.pi
    by_norm = 0.5 - root / (2 * math.pi * positive(norms))
    return distances, by_norm, sliding_sum_vjp(angle / math.pi - 1, width, last)


def gram_tile(
    products: Array,
    norms_u: Array,
    norms_v: Array,
    width: int,
    scale: float,
    *,
    last: float = 1.0,
    diagonal: bool = False,
    gradient: bool = True,
    columns: bool = False,
) -> tuple[Array, Array, Array, Array]:
    """Return one tile of the mean square of the kernel matrix of infinitely many filters, and its gradient.

    Parameters
    ----------
    products : real array (batch, n, m)
        Inner products of frames.
    norms_u, norms_v : real arrays (batch, rows) and (batch or 1, columns)
        Squared norms of the patches; their numbers are the size of the tile.
    width : int
        Frames in a patch.
    scale : float
        Factor of the gradient.
    last : float
        Weight of the last frame of a patch in the products of patches.
    diagonal : bool
        Whether both sides are the same patches.
    gradient, columns : bool
        Whether to compute the gradient, and the sums of each column.

    Returns
    -------
    energies : float64 (batch,)
        Sums of the squared kernel 2 pi kappa.
    row_sums, column_sums : (batch, rows) and (batch, columns), or None
        Sums of r times the kernel.
    grad : (batch, n, m), or None
        ``scale`` times the gradient of half the energies at ``products``.
    """
    compute = _gram_tile_on_cpu if get_array_module(products) is np else _gram_tile_on_gpu
    return compute(products, norms_u, norms_v, width, last, scale, diagonal, gradient, columns)


def _gram_tile_on_cpu(
    products: Array,
    norms_u: Array,
    norms_v: Array,
    width: int,
    last: float,
    scale: float,
    diagonal: bool,
    gradient: bool,
    columns: bool,
) -> tuple[Array, Array, Array, Array]:
    """Compute `gram_tile` by NumPy."""
    u, v = norms_u[:, :, None], norms_v[:, None, :]
    s = patch_products(products, width, last)[:, : u.shape[1], : v.shape[2]]
    if diagonal:  # a patch and itself: with s bit-equal to the squared norm, the angle is exactly zero
        np.einsum("bii->bi", s)[:] = norms_u
    energies, row_sums = np.empty(s.shape[:2], s.dtype), np.empty(s.shape[:2], s.dtype)
    roots = np.empty(s.shape, s.dtype) if columns else None

    def fill(rows: slice) -> None:  # turns s into the gradient
        kernel, slope, root = arc_cosine(s[:, rows], u[:, rows], v)
        energies[:, rows] = np.einsum("bij,bij->bi", kernel, kernel)
        root *= kernel
        row_sums[:, rows] = root.sum(axis=2)
        if roots is not None:
            roots[:, rows] = root
        slope *= kernel
        np.multiply(slope, scale, out=s[:, rows])

    in_blocks(fill, s.shape[1], s[:, :1].size, np)
    grad = patch_products_vjp(s, width, products.shape, last) if gradient else None
    return energies.sum(axis=1, dtype=np.float64), row_sums, None if roots is None else roots.sum(axis=1), grad


def _gram_tile_on_gpu(
    products: Array,
    norms_u: Array,
    norms_v: Array,
    width: int,
    last: float,
    scale: float,
    diagonal: bool,
    gradient: bool,
    columns: bool,
) -> tuple[Array, Array, Array, Array]:
    """Compute `gram_tile` by the CUDA kernel, which always computes the gradient."""
    energies, row_sums, grad = _launch_gram_tile(products, norms_u, norms_v, width, last, scale, diagonal)
    column_sums = None
    if columns:  # rare, only for tiles of a long recording: run the kernel again on the transposed tile
        transposed = products.swapaxes(1, 2)
        column_sums = _launch_gram_tile(transposed, norms_v, norms_u, width, last, scale, diagonal)[1]
    return energies, row_sums, column_sums, grad if gradient else None


def _launch_gram_tile(
    products: Array, norms_u: Array, norms_v: Array, width: int, last: float, scale: float, diagonal: bool
) -> tuple[Array, Array, Array]:
    """Launch the CUDA kernel; returns the energies, row sums and gradient of `gram_tile`."""
    xp, (batch, n, m) = get_array_module(products), products.shape
    threads = next((t for t in (TILE_THREADS, 32) if 4 * t * (width + TILE_ROWS) <= SHARED_BYTES), 0)
    if not threads:
        widest = SHARED_BYTES // (4 * 32) - TILE_ROWS
        raise ValueError(f"kernel_width={width} must be at most {widest} on a GPU")
    grid = (math.ceil((m + TILE_ROWS - 1) / threads), math.ceil(n / TILE_ROWS), batch)
    n_u, n_v = norms_u.shape[1], norms_v.shape[1]
    norms_u = xp.broadcast_to(norms_u, (batch, n_u))
    grad = xp.empty((batch, n, m), products.dtype)
    energies = xp.empty((batch, grid[0] * grid[1]), products.dtype)
    row_sums = xp.empty((batch, grid[0], n_u), products.dtype)
    v_stride = n_v if len(norms_v) == batch else 0
    sizes = np.array([n, m, n_u, n_v, v_stride, width, TILE_ROWS], np.int32)
    arrays = (products, norms_u, norms_v, grad, energies, row_sums)
    shared = 4 * threads * (width + TILE_ROWS)
    factors = (np.float32(scale), np.float32(last), np.int32(diagonal))
    launch_kernel("gram_tile", grid, *arrays, *sizes, *factors, threads=threads, shared=shared)
    return energies.sum(axis=1, dtype=np.float64), row_sums.sum(axis=1), grad
