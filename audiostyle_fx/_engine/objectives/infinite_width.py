r"""The style objective of infinitely many random filters, in closed form, with its gradient.

With filters :math:`w \sim N(0, g/N)` the features :math:`\mathrm{relu}(W p)` of two patches have, as :math:`N \to
\infty`, the inner product :math:`g\,\kappa(u, v)`, where :math:`\kappa` is the arc-cosine kernel of order 1:

.. math::
    2\pi\,\kappa = r + (\pi - \theta)\,s, \qquad
    s = u\cdot v,\quad r = \sqrt{|u|^2|v|^2 - s^2},\quad \theta = \mathrm{atan2}(r, s)

    \frac{\partial\kappa}{\partial s} = \frac{\pi - \theta}{2\pi}, \qquad
    \frac{\partial\kappa}{\partial |u|^2} = \frac{r}{4\pi |u|^2}

The losses of `RandomConv` then need only the inner products of patches, which are sliding sums along the diagonals of
the inner products of frames. No filter is drawn and no convolution is run.

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
from ..arrays.matmul import matmul
from ..arrays.threads import in_blocks
from ..kernels.arc_cosine import content_distance, gram_tile, positive
from ..kernels.patches import patch_sums, patch_sums_vjp, row_dots
from .balance import Balance
from .loss_weights import Term

TILE = 512
"""Patches along each side of the largest matrix in memory; ten seconds of audio fit into one tile."""


@dataclass
class Patches:
    """Frames as patches of several widths, with the gradients at them.

    Attributes
    ----------
    frames : real array (batch, frames, bins)
    norms : list of real array (batch, patches)
        Squared norms of the patches, for each width.
    grad : real array of the frames' shape, or None
        Collects the derivatives of the loss by the frames; None where no gradient is wanted.
    norm_grads : list of real array (batch, patches), or None
        Collects the derivatives by the norms.
    """

    frames: Array
    norms: list[Array]
    grad: Array = None
    norm_grads: Any = None

    @classmethod
    def of(cls, frames: Array, terms: Sequence[Term]) -> Patches:
        """Return the patches of ``frames`` for the width of each term."""
        energy = row_dots(frames, frames)
        return cls(frames, [patch_sums(energy, term.kernel_width) for term in terms])

    def with_grad(self) -> Patches:
        """Return the same patches with gradients of zero."""
        xp = get_array_module(self.frames)
        return Patches(self.frames, self.norms, xp.zeros_like(self.frames), [xp.zeros_like(n) for n in self.norms])

    def tiles(self, halo: int) -> list[Patches]:
        """Return views of at most `TILE` patches; their frames overlap by ``halo``, so that each patch is complete."""
        views = []
        for start in range(0, max(n.shape[1] for n in self.norms), TILE):
            frames, patches = slice(start, start + TILE + halo), slice(start, start + TILE)
            grads = None if self.norm_grads is None else [g[:, patches] for g in self.norm_grads]
            norms = [n[:, patches] for n in self.norms]
            views.append(
                Patches(self.frames[:, frames], norms, None if self.grad is None else self.grad[:, frames], grads)
            )
        return views


@dataclass(frozen=True, eq=False)
class StylePatches:
    """The statistics of the styles for `InfiniteWidth`: they do not depend on the content.

    Attributes
    ----------
    patches : list of Patches
        Patches of each style.
    shares : sequence of float
        Share of each style in the target.
    energy : float64 array (1 or batch,)
        Weighted squared norm of the target, the shared sum of the styles' Gram matrices.
    """

    patches: list[Patches]
    shares: Sequence[float]
    energy: Array


class InfiniteWidth:
    """Style and content loss of a log-magnitude spectrogram, as seen by infinitely many random filters.

    Parameters
    ----------
    content : real array (batch, frames, bins)
        Log-magnitudes of the content; the bins of all channels are stacked.
    style : StylePatches, optional
        Statistics of the styles, from `style_statistics` with the same terms. Without it there is only a content loss,
        which needs no products of all frames with all, only of each with its own.
    terms : sequence of Term
        The kernel widths and their weights.
    balance : Balance, optional
        Weights the content loss, and mixes the content's Gram matrix into the target.
    song : real array of the content's shape, optional
        Log-magnitudes that the returned content loss is measured from, where the content that is held is another one.
    """

    def __init__(
        self,
        content: Array,
        style: StylePatches | None,
        terms: Sequence[Term],
        balance: Balance | None = None,
        song: Array = None,
    ) -> None:
        self.terms = terms
        self._content = Patches.of(content, terms)
        self._style, self._balance = style, balance
        self._song = None if song is None else Patches.of(song, terms)
        self._target = None
        if style is not None and balance is not None and balance.content_share:
            self._target = MixedTarget(style, self._content, terms, balance)

    @classmethod
    def of_styles(
        cls,
        content: Array,
        styles: Array | Sequence[Array],
        terms: Sequence[Term],
        shares: Sequence[float] = (1.0,),
        balance: Balance | None = None,
    ) -> InfiniteWidth:
        """Return the objective of a content and styles, as `style_statistics` takes them."""
        return cls(content, cls.style_statistics(styles, terms, shares), terms, balance)

    @staticmethod
    def style_statistics(
        styles: Array | Sequence[Array], terms: Sequence[Term], shares: Sequence[float] = (1.0,)
    ) -> StylePatches:
        """Compute what the objective needs of the styles.

        Parameters
        ----------
        styles : real array (1 or batch, style frames, bins), or sequence of these
            Log-magnitudes of each style; styles may differ in their number of frames.
        terms : sequence of Term
            The content weights are not used, see `Term.of_style`.
        shares : sequence of float
            One for each style: the target is the sum of the styles' Gram matrices, each times its share.

        Returns
        -------
        StylePatches
        """
        styles = styles if isinstance(styles, (list, tuple)) else [styles]
        patches, energy = [Patches.of(style, terms) for style in styles], 0.0
        for i, (style, share) in enumerate(zip(patches, shares, strict=True)):
            energy = energy + _gram_loss(style, style, terms, share**2)
            for other, other_share in zip(patches[:i], shares[:i], strict=True):
                energy = energy + _gram_loss(style, other, terms, 2 * share * other_share)
        return StylePatches(patches, shares, energy)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Compute the losses and their gradient.

        Parameters
        ----------
        x : real array (batch, frames, bins)
            Log-magnitudes.

        Returns
        -------
        losses : float64 array (2, batch)
            Style loss and content loss.
        grad : real array (batch, frames, bins)
            Gradient of the sum of both at x.
        """
        xp = get_array_module(x)
        patches = Patches.of(x, self.terms).with_grad()
        content, by_content = self._content_loss(patches)
        if self._balance is not None:
            content, by_content = self._balanced(patches, content, by_content)
        style = self._style_loss(patches)
        pairs = zip(patches.norm_grads, self.terms, strict=True)
        by_frame = sum(patch_sums_vjp(norm_grad, term.kernel_width) for norm_grad, term in pairs)
        by_frame = 2 * by_frame  # a patch's squared norm is the sum of the squares in its frames

        def fill(rows: slice) -> None:
            patches.grad[:, rows] += by_frame[:, rows, None] * x[:, rows]
            patches.grad[:, rows] += by_content[:, rows, None] * self._content.frames[:, rows]

        in_blocks(fill, x.shape[1], x[:, :1].size, xp)
        losses = xp.empty((2, len(x)))
        losses[0], losses[1] = style, content
        if self._balance is not None and self._song is not None:
            self._balance.steer(losses[1])
        return losses, patches.grad

    def _style_loss(self, x: Patches) -> Array:
        """Return the squared distance of the Gram matrix from the target, float64 (batch,); adds to the gradients."""
        if self._style is None:
            return 0.0
        if self._target is not None:
            return self._target.loss(x)
        style = self._style.energy + _gram_loss(x, x, self.terms, 1.0)
        for target, share in zip(self._style.patches, self._style.shares, strict=True):
            style = style + _gram_loss(x, target, self.terms, -2.0 * share)
        return style

    def _balanced(self, x: Patches, content: Array, by_content: Array) -> tuple[Array, Array]:
        """Return the content loss and its gradient at the products, weighted; weights its gradients at the norms."""
        assert self._balance is not None
        alpha = self._balance.alpha
        for norm_grad in x.norm_grads:  # of the content alone so far
            norm_grad *= alpha[:, None]
        by_content = by_content * alpha[:, None]
        if self._song is None:
            return content * alpha, by_content
        distance = 0.0
        products = row_dots(x.frames, self._song.frames)
        for term, norm, target in zip(self.terms, x.norms, self._song.norms, strict=True):
            distances, _, _ = content_distance(products, norm, target, term.kernel_width)
            distance = distance + term.content_weight * term.gain * distances.sum(axis=-1, dtype=np.float64)
        return distance, by_content

    def _content_loss(self, x: Patches) -> tuple[Array, Array]:
        """Return the squared feature differences, and the factors of the content's frames in the gradient at x."""
        products = row_dots(x.frames, self._content.frames)
        loss, by_frame = 0.0, get_array_module(products).zeros_like(products)
        for term, norm, target, norm_grad in zip(self.terms, x.norms, self._content.norms, x.norm_grads, strict=True):
            weight = term.content_weight * term.gain
            distances, by_norm, by_product = content_distance(products, norm, target, term.kernel_width)
            loss = loss + weight * distances.sum(axis=-1, dtype=np.float64)
            norm_grad += weight * by_norm
            by_frame += weight * by_product
        return loss, by_frame


class MixedTarget:
    r"""A target of which a share :math:`\sigma` is the content's own Gram matrix; it may differ by item and change.

    With Gram matrices :math:`G` and :math:`T = (1 - \sigma) G_s + \sigma G_c` the loss is
    :math:`|G_x|^2 - 2\langle G_x, G_s\rangle + 2\sigma\langle G_x, G_s - G_c\rangle + |T|^2`.

    Parameters
    ----------
    style : StylePatches
    content : Patches
    terms : sequence of Term
    balance : Balance
        Gives the share.
    """

    def __init__(self, style: StylePatches, content: Patches, terms: Sequence[Term], balance: Balance) -> None:
        self._style, self._content, self._terms, self._balance = style, content, terms, balance
        self._content_energy = _gram_loss(content, content, terms, 1.0)
        pairs = zip(style.patches, style.shares, strict=True)
        self._product = sum(share * _gram_loss(content, target, terms, 1.0) for target, share in pairs)

    def loss(self, x: Patches) -> Array:
        """Return the loss, float64 (batch,), and add its gradients at x."""
        share = self._balance.share
        rest = 1 - share.astype(np.float64)
        loss = _gram_loss(x, x, self._terms, 1.0)
        for target, weight in zip(self._style.patches, self._style.shares, strict=True):
            loss = loss + rest * self._part(x, target, -2.0 * weight, 1 - share)
        loss = loss + (1 - rest) * self._part(x, self._content, -2.0, share)
        energy = rest**2 * self._style.energy + 2 * rest * (1 - rest) * self._product
        return loss + energy + (1 - rest) ** 2 * self._content_energy

    def _part(self, x: Patches, target: Patches, factor: float, share: Array) -> Array:
        """Return ``factor`` times the product with a target, and add its gradients times a share of each item."""
        part = x.with_grad()
        loss = _gram_loss(part, target, self._terms, factor)
        part.grad *= share[:, None, None]
        x.grad += part.grad
        for norm_grad, added in zip(x.norm_grads, part.norm_grads, strict=True):
            norm_grad += added * share[:, None]
        return loss


def _gram_loss(x: Patches, y: Patches, terms: Sequence[Term], factor: float) -> Array:
    """Return ``factor`` times the weighted mean square of the kernel matrix; adds to the gradients at x."""
    weights = [
        factor * term.style_weight * (term.gain / (2 * math.pi)) ** 2 / (n.shape[1] * m.shape[1])
        for term, n, m in zip(terms, x.norms, y.norms, strict=True)
    ]
    halo = max(term.kernel_width for term in terms) - 1
    x_tiles = x.tiles(halo)
    if x is y:  # the matrix is symmetric: each tile above the diagonal also stands for its mirror image
        mirrored = [2 * w for w in weights]
        pairs = [(a, b, mirrored) for i, a in enumerate(x_tiles) for b in x_tiles[i + 1 :]]
        pairs += [(a, a, weights) for a in x_tiles]
    else:
        pairs = [(a, b, weights) for a in x_tiles for b in y.tiles(halo)]
    return sum(_tile_loss(rows, columns, terms, weights) for rows, columns, weights in pairs)


def _tile_loss(rows: Patches, columns: Patches, terms: Sequence[Term], weights: list[float]) -> Array:
    """Return one tile of `_gram_loss`; adds to the gradients at the rows, and at the columns if they have one."""
    loss: Array = 0.0
    frame_grad: Array = 0.0
    diagonal = rows is columns
    both = columns.grad is not None and not diagonal
    products = matmul(rows.frames, columns.frames.swapaxes(-1, -2))
    for k, (term, weight) in enumerate(zip(terms, weights, strict=True)):
        u, v = rows.norms[k], columns.norms[k]
        if not u.shape[1] or not v.shape[1]:
            continue  # the last tile may hold patches of the narrow widths only
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
            columns.norm_grads[k] += weight * column_sums / positive(v)
    if rows.grad is not None:
        matmul(frame_grad, columns.frames, add_to=rows.grad)
        if both:
            matmul(frame_grad.swapaxes(-1, -2), rows.frames, add_to=columns.grad)
    return loss
