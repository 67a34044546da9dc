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

from ..arrays.array_module import Array, get_array_module
from ..arrays.cache import Held
from ..arrays.matmul import matmul
from ..arrays.threads import in_blocks
from ..kernels.arc_cosine import content_distance, gram_tile, positive
from ..kernels.patches import patch_sums, patch_sums_vjp, row_dots
from .loss_weights import Term

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
        energy = row_dots(frames, frames)
        return cls(frames, [patch_sums(energy, term.kernel_width) for term in terms])

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
    style : real array (1 or batch, style frames, bins), or sequence of these
        Log-magnitudes of the style, of any number of frames; of several styles, each its own.
    terms : sequence of Term
        The kernel widths and their weights.
    shares : sequence of float
        One a style: the target is the sum of their Gram matrices, each times its share.
    held : Held, optional
        Of these styles: keeps what depends on nothing else.
    """

    def __init__(
        self,
        content: Array,
        style: Array | Sequence[Array],
        terms: Sequence[Term],
        shares: Sequence[float] = (1.0,),
        held: Held | None = None,
    ) -> None:
        self.terms = terms
        self._halo = max(term.kernel_width for term in terms) - 1
        self._content = Patches.of(content, terms)
        self._shares = shares
        styles = style if isinstance(style, (list, tuple)) else [style]
        key = ("patches", *(term.of_style() for term in terms), *shares)
        self._styles, self._style_energy = (held or Held(0)).get(key, lambda: self._target(styles))

    def _target(self, styles: Sequence[Array]) -> tuple[list[Patches], Array]:
        """The patches of the styles, and the energy of the sum of their Gram matrices."""
        patches, energy = [Patches.of(one, self.terms) for one in styles], 0.0
        for i, (one, share) in enumerate(zip(patches, self._shares, strict=True)):
            energy = energy + self._gram_loss(one, one, share**2)
            for other, its_share in zip(patches[:i], self._shares[:i], strict=True):
                energy = energy + self._gram_loss(one, other, 2 * share * its_share)
        return patches, energy

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Losses, float64 (2, batch): style, content; and the gradient of their sum at x, (batch, frames, bins)."""
        xp = get_array_module(x)
        patches = Patches.of(x, self.terms).with_grad()
        content, by_content = self._content_loss(patches)
        style = self._style_energy + self._gram_loss(patches, patches, 1.0)
        for one, share in zip(self._styles, self._shares, strict=True):
            style = style + self._gram_loss(patches, one, -2.0 * share)
        pairs = zip(patches.norm_grads, self.terms, strict=True)
        by_frame = sum(patch_sums_vjp(norm_grad, term.kernel_width) for norm_grad, term in pairs)
        by_frame = 2 * by_frame  # a patch's squared norm is the sum of the squares in its frames

        def fill(at: slice) -> None:
            patches.grad[:, at] += by_frame[:, at, None] * x[:, at]
            patches.grad[:, at] += by_content[:, at, None] * self._content.frames[:, at]

        in_blocks(fill, x.shape[1], x[:, :1].size, xp)
        losses = xp.empty((2, len(x)))
        losses[0], losses[1] = style, content
        return losses, patches.grad

    def _content_loss(self, x: Patches) -> tuple[Array, Array]:
        """Squared feature differences; and the factors of the content's frames in the gradient at x."""
        products = row_dots(x.frames, self._content.frames)
        loss, by_frame = 0.0, get_array_module(products).zeros_like(products)
        for term, norm, target, norm_grad in zip(self.terms, x.norms, self._content.norms, x.norm_grads, strict=True):
            weight = term.content_weight * term.gain
            distances, by_norm, by_product = content_distance(products, norm, target, term.kernel_width)
            loss = loss + weight * distances.sum(axis=-1, dtype=np.float64)
            norm_grad += weight * by_norm
            by_frame += weight * by_product
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
        diagonal = rows is cols
        both = cols.grad is not None and not diagonal
        products = matmul(rows.frames, cols.frames.swapaxes(-1, -2))
        for k, (term, weight) in enumerate(zip(self.terms, weights, strict=True)):
            u, v = rows.norms[k], cols.norms[k]
            if not u.shape[1] or not v.shape[1]:
                continue  # a last tile may hold patches of the narrow widths alone
            sides = weight * (2 if diagonal else 1)  # on the diagonal both sides are x
            energy, row_sums, column_sums, grad = gram_tile(
                products,
                u,
                v,
                term.kernel_width,
                2 * sides,
                diagonal=diagonal,
                gradient=rows.grad is not None,
                columns=both,
            )
            loss = loss + weight * energy
            if rows.grad is not None:
                rows.norm_grads[k] += sides * row_sums / positive(u)
                frame_grad = frame_grad + grad
            if both:
                cols.norm_grads[k] += weight * column_sums / positive(v)
        if rows.grad is not None:
            matmul(frame_grad, cols.frames, add_to=rows.grad)
            if both:
                matmul(frame_grad.swapaxes(-1, -2), rows.frames, add_to=cols.grad)
        return loss
