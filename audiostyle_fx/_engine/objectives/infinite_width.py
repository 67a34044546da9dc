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
from copy import copy
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
from .subspace import Subspace

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
    def of(cls, frames: Array, terms: Sequence[Term], energy: Array = 0.0) -> Patches:
        """Return the patches of frames for the width of each term; ``energy`` is added to that of each frame."""
        energy = energy + row_dots(frames, frames)
        return cls(frames, [patch_sums(energy, term.kernel_width, term.last) for term in terms])

    def near(self, subspace: Subspace | None) -> Patches:
        """Return the patches in a subspace, with their own gradient there; the gradients at the norms are shared."""
        if subspace is None:
            return self
        frames = subspace.project(self.frames)
        return Patches(frames, self.norms, get_array_module(frames).zeros_like(frames), self.norm_grads)

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
class FixedPatches:
    """Patches that x is compared with: the patches of a style or of the content.

    Attributes
    ----------
    patches : Patches
        The frames are coordinates if products are computed in a subspace.
    rest : real array (batch, frames of x, frames) or (batch, frames), optional
        Products of frames minus products of coordinates: for all pairs of frames, or for frames at the same place.
    """

    patches: Patches
    rest: Array = None

    @classmethod
    def of(cls, patches: Patches, subspace: Subspace | None, origin: Array) -> FixedPatches:
        """Return patches in a subspace; outside of it, the products of ``origin`` stand for those of x."""
        if subspace is None:
            return cls(patches)
        coordinates = subspace.project(patches.frames)
        rest = matmul(origin, patches.frames.swapaxes(1, 2))
        rest -= matmul(subspace.project(origin), coordinates.swapaxes(1, 2))
        return cls(Patches(coordinates, patches.norms), rest)

    def rows_within(self, subspace: Subspace, origin: Array, origin_coordinates: Array) -> FixedPatches:
        """Return patches in a subspace that are only compared with patches of x at the same place."""
        coordinates = subspace.project(self.patches.frames)
        rest = row_dots(origin, self.patches.frames) - row_dots(origin_coordinates, coordinates)
        return FixedPatches(Patches(coordinates, self.patches.norms), rest)

    def row_products(self, x: Patches) -> Array:
        """Return the products of each frame of x with the frame at the same place, (batch, frames)."""
        return self.rest + row_dots(x.frames, self.patches.frames)


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
        which only needs the products of frames at the same place.
    terms : sequence of Term
        The kernel widths and their weights.
    balance : Balance, optional
        Weights the content loss, and mixes the content's Gram matrix into the target.
    song : real array of the content's shape, optional
        Log-magnitudes for the returned content loss, if the content that holds the search is not the song.
    subspace : Subspace, optional
        The products of x with styles and content are computed in it; outside of it, the content stands for x.
    """

    def __init__(
        self,
        content: Array,
        style: StylePatches | None,
        terms: Sequence[Term],
        balance: Balance | None = None,
        song: Array = None,
        subspace: Subspace | None = None,
    ) -> None:
        self.terms, self.subspace, self._balance = terms, subspace, balance
        self._content = FixedPatches(Patches.of(content, terms), 0.0)
        self._song = None if song is None else FixedPatches(Patches.of(song, terms), 0.0)
        self._energy: Array = 0.0
        self._target = None
        if style is not None:
            self._target = GramTarget(style, self._content.patches, terms, balance, subspace)

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
        styles: Array | Sequence[Array],
        terms: Sequence[Term],
        shares: Sequence[float] = (1.0,),
        energy: Array = None,
    ) -> StylePatches:
        """Compute the statistics of the styles.

        Parameters
        ----------
        styles : real array (1 or batch, style frames, bins), or sequence of these
            Log-magnitudes of each style; styles may differ in their number of frames.
        terms : sequence of Term
            The content weights are not used, see `Term.of_style`.
        shares : sequence of float
            One for each style: the target is the sum of the styles' Gram matrices, each times its share.
        energy : float64 array (1 or batch,), optional
            Weighted squared norm of the target, where it is known: it takes most of the time.

        Returns
        -------
        StylePatches
        """
        styles = styles if isinstance(styles, (list, tuple)) else [styles]
        patches = [Patches.of(style, terms) for style in styles]
        if energy is not None:
            return StylePatches(patches, shares, energy)
        energy = 0.0
        for i, (style, share) in enumerate(zip(patches, shares, strict=True)):
            energy = energy + _gram_loss(style, style, terms, share**2)
            for other, other_share in zip(patches[:i], shares[:i], strict=True):
                energy = energy + _gram_loss(style, other, terms, 2 * share * other_share)
        return StylePatches(patches, shares, energy)

    def within_subspace(self, origin: Array) -> InfiniteWidth:
        """Return the objective of coordinates, for frames that differ from ``origin`` only in the subspace.

        Parameters
        ----------
        origin : real array of the content's shape
        """
        assert self.subspace is not None
        inner, coordinates = copy(self), self.subspace.project(origin)
        inner.subspace, inner._energy = None, row_dots(origin, origin) - row_dots(coordinates, coordinates)
        inner._content = self._content.rows_within(self.subspace, origin, coordinates)
        if self._song is not None:
            inner._song = self._song.rows_within(self.subspace, origin, coordinates)
        if self._target is not None:
            inner._target = self._target.within_subspace(origin)
        return inner

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
        patches = Patches.of(x, self.terms, self._energy).with_grad()
        content, by_content = self._content_loss(patches)
        if self._balance is not None:
            content, by_content = self._balanced(patches, content, by_content)
        style = 0.0 if self._target is None else self._target.loss(patches)
        pairs = zip(patches.norm_grads, self.terms, strict=True)
        by_frame = sum(patch_sums_vjp(norm_grad, term.kernel_width, term.last) for norm_grad, term in pairs)
        by_frame = 2 * by_frame  # a patch's squared norm is the sum of the squares in its frames

        def fill(rows: slice) -> None:
            patches.grad[:, rows] += by_frame[:, rows, None] * x[:, rows]
            patches.grad[:, rows] += by_content[:, rows, None] * self._content.patches.frames[:, rows]

        in_blocks(fill, x.shape[1], x[:, :1].size, xp)
        losses = xp.empty((2, len(x)))
        losses[0], losses[1] = style, content
        if self._balance is not None and self._song is not None:
            self._balance.steer(losses[1])
        return losses, patches.grad

    def _balanced(self, x: Patches, content: Array, by_content: Array) -> tuple[Array, Array]:
        """Return the weighted content loss and gradient at the products; weight the gradients at the norms in place."""
        assert self._balance is not None
        alpha = self._balance.alpha
        for norm_grad in x.norm_grads:  # they come from the content loss alone so far
            norm_grad *= alpha[:, None]
        by_content = by_content * alpha[:, None]
        if self._song is None:
            return content * alpha, by_content
        distance = 0.0
        products = self._song.row_products(x)
        for term, norm, target in zip(self.terms, x.norms, self._song.patches.norms, strict=True):
            distances, _, _ = content_distance(products, norm, target, term.kernel_width, term.last)
            distance = distance + term.content_weight * term.gain * distances.sum(axis=-1, dtype=np.float64)
        return distance, by_content

    def _content_loss(self, x: Patches) -> tuple[Array, Array]:
        """Return the squared feature differences, and the factors of the content's frames in the gradient at x."""
        products, norms = self._content.row_products(x), self._content.patches.norms
        loss, by_frame = 0.0, get_array_module(products).zeros_like(products)
        for term, norm, target, norm_grad in zip(self.terms, x.norms, norms, x.norm_grads, strict=True):
            weight = term.content_weight * term.gain
            distances, by_norm, by_product = content_distance(products, norm, target, term.kernel_width, term.last)
            loss = loss + weight * distances.sum(axis=-1, dtype=np.float64)
            norm_grad += weight * by_norm
            by_frame += weight * by_product
        return loss, by_frame


class GramTarget:
    r"""The target of x's Gram matrix: the styles', mixed with a share :math:`\sigma` of the content's own.

    The share may differ between items, and change. With Gram matrices :math:`G` and
    :math:`T = (1 - \sigma) G_s + \sigma G_c` the loss is
    :math:`|G_x|^2 - 2(1 - \sigma)\langle G_x, G_s\rangle - 2\sigma\langle G_x, G_c\rangle + |T|^2`.

    Parameters
    ----------
    style : StylePatches
    content : Patches
    terms : sequence of Term
    balance : Balance, optional
        Gives the share; without it the share is 0.
    subspace : Subspace, optional
        See `InfiniteWidth`.
    """

    def __init__(
        self,
        style: StylePatches,
        content: Patches,
        terms: Sequence[Term],
        balance: Balance | None,
        subspace: Subspace | None,
    ) -> None:
        self._style, self._content, self._terms, self._subspace = style, content, terms, subspace
        self._balance = None if balance is None or not balance.content_share else balance
        self._own_rest: Array = None
        self._set_origin(content.frames)
        if self._balance is None:
            return
        pairs = zip(style.patches, style.shares, strict=True)
        self._product = sum(share * _gram_loss(content, target, terms, 1.0) for target, share in pairs)
        self._content_energy = _gram_loss(content, content, terms, 1.0)

    def _set_origin(self, origin: Array) -> None:
        """Use ``origin`` in place of x outside of the subspace."""
        self._fixed_styles = [FixedPatches.of(patches, self._subspace, origin) for patches in self._style.patches]
        self._fixed_content = None
        if self._balance is not None:
            self._fixed_content = FixedPatches.of(self._content, self._subspace, origin)

    def within_subspace(self, origin: Array) -> GramTarget:
        """Return the target for coordinates of frames that differ from ``origin`` only in the subspace."""
        inner, own = copy(self), Patches(origin, [])
        inner._set_origin(origin)
        inner._own_rest, inner._subspace = FixedPatches.of(own, self._subspace, origin).rest, None
        return inner

    def loss(self, x: Patches) -> Array:
        """Return the loss, float64 (batch,), and add its gradients at x."""
        near = x.near(self._subspace)
        loss = _gram_loss(x, x, self._terms, 1.0, self._own_rest)
        targets = zip(self._fixed_styles, self._style.shares, strict=True)
        if self._balance is None or self._fixed_content is None:
            for target, weight in targets:
                loss = loss + _gram_loss(near, target.patches, self._terms, -2.0 * weight, target.rest)
            loss = loss + self._style.energy
        else:
            share = self._balance.share
            rest = 1 - share.astype(np.float64)
            for target, weight in targets:
                loss = loss + rest * self._part(near, target, -2.0 * weight, 1 - share)
            loss = loss + (1 - rest) * self._part(near, self._fixed_content, -2.0, share)
            energy = rest**2 * self._style.energy + 2 * rest * (1 - rest) * self._product
            loss = loss + energy + (1 - rest) ** 2 * self._content_energy
        if self._subspace is not None:
            x.grad += self._subspace.lift(near.grad)
        return loss

    def _part(self, x: Patches, target: FixedPatches, factor: float, share: Array) -> Array:
        """Return ``factor`` times the product with a target, and add its gradients times a share of each item."""
        part = x.with_grad()
        loss = _gram_loss(part, target.patches, self._terms, factor, target.rest)
        part.grad *= share[:, None, None]
        x.grad += part.grad
        for norm_grad, added in zip(x.norm_grads, part.norm_grads, strict=True):
            norm_grad += added * share[:, None]
        return loss


def _gram_loss(x: Patches, y: Patches, terms: Sequence[Term], factor: float, rest: Array = None) -> Array:
    """Return ``factor`` times the weighted mean square of the kernel matrix; adds to the gradients at x.

    ``rest`` is added to the products of the frames.
    """
    weights = [
        factor * term.style_weight * (term.gain / (2 * math.pi)) ** 2 / (n.shape[1] * m.shape[1])
        for term, n, m in zip(terms, x.norms, y.norms, strict=True)
    ]
    halo = max(term.kernel_width for term in terms) - 1
    x_tiles, y_tiles = (list(enumerate(side.tiles(halo))) for side in (x, y))
    if x is y:  # the matrix is symmetric: each tile above the diagonal also stands for its mirror image
        mirrored = [2 * w for w in weights]
        pairs = [(i, a, j, b, mirrored) for i, a in x_tiles for j, b in x_tiles[i + 1 :]]
        pairs += [(i, a, i, a, weights) for i, a in x_tiles]
    else:
        pairs = [(i, a, j, b, weights) for i, a in x_tiles for j, b in y_tiles]
    loss: Array = 0.0
    for i, rows, j, columns, weight in pairs:
        products = None
        if rest is not None:
            products = rest[:, i * TILE :][:, : rows.frames.shape[1], j * TILE :][:, :, : columns.frames.shape[1]]
        loss = loss + _tile_loss(rows, columns, terms, weight, products)
    return loss


def _tile_loss(
    rows: Patches, columns: Patches, terms: Sequence[Term], weights: list[float], rest: Array = None
) -> Array:
    """Return one tile of `_gram_loss`; adds to the gradients at the rows, and at the columns if they have one."""
    loss: Array = 0.0
    frame_grad: Array = 0.0
    diagonal = rows is columns
    both = columns.grad is not None and not diagonal
    products = matmul(rows.frames, columns.frames.swapaxes(-1, -2))
    if rest is not None:
        products += rest
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
            last=term.last,
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
