r"""The style objective of infinitely many random filters, in closed form, with its gradient.

With filters :math:`w \sim N(0, g/N)` the features :math:`\mathrm{relu}(W p)` of two patches have, as :math:`N \to
\infty`, the inner product :math:`g\,\kappa(u, v)`, where :math:`\kappa` is the arc-cosine kernel of order 1:

.. math::
    2\pi\,\kappa = r + (\pi - \theta)\,s, \qquad
    s = u\cdot v,\quad r = \sqrt{|u|^2|v|^2 - s^2},\quad \theta = \mathrm{atan2}(r, s)

    \frac{\partial\kappa}{\partial s} = \frac{\pi - \theta}{2\pi}, \qquad
    \frac{\partial\kappa}{\partial |u|^2} = \frac{r}{4\pi |u|^2}

So the losses of `random_conv` need only the inner products of patches, and those are sliding sums along the diagonals
of the inner products of frames. No filter is drawn and no convolution is run.

References
----------
Y. Cho and L. Saul, "Kernel methods for deep learning", NIPS 2009, eq. 1 to 6 with n = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from .backend import Array, get_array_module, in_blocks, matmul
from .scaling import Term

TILE = 512
"""Patches along a side of the largest matrix held; ten seconds fit into one tile."""


@dataclass
class Patches:
    """Frames, (batch, frames, bins), as patches of several widths, with room for the gradient at them.

    ``norms`` are the squared norms of the patches, (batch, patches) for each width. ``grad`` and ``norm_grads``
    collect the loss's derivatives by the frames and by those norms; None where none is asked for.
    """

    frames: Array
    norms: list[Array]
    grad: Array = None
    norm_grads: Any = None

    @classmethod
    def of(cls, frames: Array, terms: Sequence[Term]) -> Patches:
        """The patches of ``frames`` for the width of each term."""
        energy = get_array_module(frames).einsum("btk,btk->bt", frames, frames)
        return cls(frames, [sliding_sum(energy, term.kernel_width) for term in terms])

    def with_grad(self) -> Patches:
        """The same with a gradient of zeros."""
        xp = get_array_module(self.frames)
        return Patches(self.frames, self.norms, xp.zeros_like(self.frames), [xp.zeros_like(n) for n in self.norms])

    def tiles(self, halo: int) -> list[Patches]:
        """Views of at most `TILE` patches; frames overlap by ``halo``, so that every patch is whole in one tile."""
        views = []
        for start in range(0, max(n.shape[1] for n in self.norms), TILE):
            frames, patches = slice(start, start + TILE + halo), slice(start, start + TILE)
            grads = None if self.norm_grads is None else [g[:, patches] for g in self.norm_grads]
            norms = [n[:, patches] for n in self.norms]
            views.append(
                Patches(self.frames[:, frames], norms, None if self.grad is None else self.grad[:, frames], grads)
            )
        return views


class InfiniteWidth:
    """Style and content loss at a log-magnitude spectrogram, as by infinitely many random filters.

    Parameters
    ----------
    content : real array (batch, frames, bins)
        Log-magnitudes of the content; bins stack the channels.
    style : real array (1 or batch, style frames, bins)
        Log-magnitudes of the style, of any number of frames.
    terms : sequence of Term
        The kernel widths and their weights.
    """

    def __init__(self, content: Array, style: Array, terms: Sequence[Term]) -> None:
        self.terms = terms
        self._halo = max(term.kernel_width for term in terms) - 1
        self._content, self._style = Patches.of(content, terms), Patches.of(style, terms)
        self._style_energy = self._gram_loss(self._style, self._style, 1.0)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Losses, float64 (2, batch): style, content; and the gradient of their sum at x, (batch, frames, bins)."""
        xp = get_array_module(x)
        patches = Patches.of(x, self.terms).with_grad()
        content, by_content = self._content_loss(patches)
        style = self._style_energy + self._gram_loss(patches, patches, 1.0)
        style = style + self._gram_loss(patches, self._style, -2.0)
        pairs = zip(patches.norm_grads, self.terms, strict=True)
        by_frame = sum(sliding_sum_vjp(norm_grad, term.kernel_width) for norm_grad, term in pairs)
        by_frame = 2 * by_frame  # a patch's squared norm is the sum of the squares in its frames

        def fill(at: slice) -> None:
            patches.grad[:, at] += by_frame[:, at, None] * x[:, at]
            patches.grad[:, at] += by_content[:, at, None] * self._content.frames[:, at]

        in_blocks(fill, x.shape[1], x[:, :1].size, xp)
        return xp.stack([xp.broadcast_to(style, content.shape), content]), patches.grad

    def _content_loss(self, x: Patches) -> tuple[Array, Array]:
        """Squared feature differences; and the factors of the content's frames in the gradient at x."""
        xp = get_array_module(x.frames)
        loss, frame_products = 0.0, xp.einsum("btk,btk->bt", x.frames, self._content.frames)
        by_frame = xp.zeros_like(frame_products)
        for term, norm, target, norm_grad in zip(self.terms, x.norms, self._content.norms, x.norm_grads, strict=True):
            weight = term.content_weight * term.gain
            s = sliding_sum(frame_products, term.kernel_width)
            _, slope, root = arc_cosine(s, norm, target)
            angle = math.pi - slope
            distance = (norm + target) / 2 - s + (angle * s - root) / math.pi  # exactly zero at the content itself
            loss = loss + weight * distance.sum(axis=-1, dtype=xp.float64)
            norm_grad += weight * (0.5 - root / (2 * math.pi * _positive(norm)))
            by_frame += sliding_sum_vjp((angle / math.pi - 1) * weight, term.kernel_width)
        return loss, by_frame

    def _gram_loss(self, x: Patches, y: Patches, factor: float) -> Array:
        """``factor`` times the mean square over the kernel matrix, weighted; adds to the gradients at x."""
        weights = [
            factor * term.style_weight * (term.gain / (2 * math.pi)) ** 2 / (n.shape[1] * m.shape[1])
            for term, n, m in zip(self.terms, x.norms, y.norms, strict=True)
        ]
        x_tiles = x.tiles(self._halo)
        if x is y:  # symmetric: the tiles above the diagonal stand for those below it too
            mirrored = [2 * w for w in weights]
            pairs = [(a, b, mirrored) for i, a in enumerate(x_tiles) for b in x_tiles[i + 1 :]]
            pairs += [(a, a, weights) for a in x_tiles]
        else:
            pairs = [(a, b, weights) for a in x_tiles for b in y.tiles(self._halo)]
        return sum(self._tile_loss(rows, cols, weights) for rows, cols, weights in pairs)

    def _tile_loss(self, rows: Patches, cols: Patches, weights: list[float]) -> Array:
        """One tile of `_gram_loss`; adds to the gradients at the rows, and at the columns where they have one."""
        loss: Array = 0.0
        frame_grad: Array = 0.0
        products = matmul(rows.frames, cols.frames.swapaxes(-1, -2))
        for k, (term, weight) in enumerate(zip(self.terms, weights, strict=True)):
            if not rows.norms[k].shape[1] or not cols.norms[k].shape[1]:
                continue  # a last tile may hold patches of the narrow widths alone
            energy, product_grad = self._kernel_loss(k, products, rows, cols, weight)
            loss = loss + energy
            if rows.grad is not None:
                frame_grad = frame_grad + patch_products_vjp(product_grad, term.kernel_width, products.shape)
        if rows.grad is not None:
            matmul(frame_grad, cols.frames, add_to=rows.grad)
            if cols.grad is not None and rows is not cols:
                matmul(frame_grad.swapaxes(-1, -2), rows.frames, add_to=cols.grad)
        return loss

    def _kernel_loss(self, k: int, products: Array, rows: Patches, cols: Patches, weight: float) -> tuple[Array, Array]:
        """One width's loss in a tile and its gradient at the products of patches; adds to those at the norms."""
        xp, diagonal = get_array_module(products), rows is cols
        u, v = rows.norms[k][:, :, None], cols.norms[k][:, None, :]
        s = patch_products(products, self.terms[k].kernel_width)[:, : u.shape[1], : v.shape[2]]
        if diagonal:  # the same patch on both sides: with s equal to its norm bit for bit the angle is exactly zero
            xp.einsum("bii->bi", s)[:] = rows.norms[k]
        sides = weight * (2 if diagonal else 1)  # on the diagonal both sides are x
        energies, root_sums = xp.empty(s.shape[:2], s.dtype), xp.empty(s.shape[:2], s.dtype)
        roots = xp.empty(s.shape, s.dtype) if cols.grad is not None and not diagonal else None

        def fill(at: slice) -> None:  # s becomes the gradient
            kernel, slope, root = arc_cosine(s[:, at], u[:, at], v)
            energies[:, at] = xp.einsum("bij,bij->bi", kernel, kernel)
            root *= kernel
            root_sums[:, at] = root.sum(axis=2)
            if roots is not None:
                roots[:, at] = root
            slope *= kernel
            xp.multiply(slope, 2 * sides, out=s[:, at])

        in_blocks(fill, s.shape[1], s[:, :1].size, xp)
        if rows.grad is not None:
            rows.norm_grads[k] += sides * root_sums / _positive(rows.norms[k])
        if roots is not None:
            cols.norm_grads[k] += weight * roots.sum(axis=1) / _positive(cols.norms[k])
        return weight * energies.sum(axis=1, dtype=xp.float64), s


# ---------------------------------------------------------------- the kernel
def arc_cosine(products: Array, norms_u: Array, norms_v: Array) -> tuple[Array, Array, Array]:
    """2 pi kappa, pi - theta and r, from inner products and squared norms; a zero patch has theta = 0."""
    xp = get_array_module(products)
    square = norms_u * norms_v
    root = products * products
    xp.subtract(square, root, out=root)
    xp.sqrt(xp.maximum(root, 0, out=root), out=root)
    if xp is np and products.dtype == np.float32:
        slope = _pi_minus_angle(root, products, np.sqrt(square, out=square))
    else:
        slope = math.pi - xp.arctan2(root, products)
    kernel = slope * products
    kernel += root
    return kernel, slope, root


# atan(t) / t on 0 <= t <= 1 as a polynomial in t squared, highest power first.
_ATAN_SERIES = Chebyshev.interpolate(lambda u: np.arctan(np.sqrt(u)) / np.sqrt(u), 8, (0, 1))
_ATAN = _ATAN_SERIES.convert(kind=Polynomial).coef[::-1].tolist()


def _pi_minus_angle(root: Array, products: Array, norm_products: Array) -> Array:
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


def _positive(norms: Array) -> Array:
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
