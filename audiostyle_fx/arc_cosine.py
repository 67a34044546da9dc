r"""The kernel between patches: their inner products from those of frames, and the arc-cosine kernel of order 1.

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

from .backend import Array, get_array_module, in_blocks


def arc_cosine(
    products: np.ndarray, norms_u: np.ndarray, norms_v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2 pi kappa, pi - theta and r, from inner products and squared norms; a zero patch has theta = 0.

    For NumPy arrays: on a GPU it is part of the kernels that need it.
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


# atan(t) / t on 0 <= t <= 1 as a polynomial in t squared, highest power first.
_ATAN_SERIES = Chebyshev.interpolate(lambda u: np.arctan(np.sqrt(u)) / np.sqrt(u), 8, (0, 1))
_ATAN = _ATAN_SERIES.convert(kind=Polynomial).coef[::-1].tolist()


def _pi_minus_angle(root: np.ndarray, products: np.ndarray, norm_products: np.ndarray) -> np.ndarray:
    """Pi - atan2(root, products) in float32 to 4e-7, five times as fast as NumPy's arctan2, which no SIMD serves.

    With |u||v| at hand, tan(theta / 2) = r / (|u||v| + s), which a polynomial inverts on 0 <= theta <= pi / 2; the
    angles beyond are those of -s, mirrored.
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
    """Norms to divide by: a zero patch has r = 0, so that any positive value will do."""
    xp = get_array_module(norms)
    return xp.maximum(norms, xp.finfo(norms.dtype).tiny)


# ---------------------------------------------------------------- sliding sums
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
