r"""The style objective of N random filters: one convolution, a ReLU, Gram matching; forward pass and gradient by hand.

With patches :math:`p_t` of K frames, filters :math:`W \sim N(0, g/N)` and features :math:`F = \mathrm{relu}(p W)`,
(patches, N), the loss is

.. math:: \Big\| \frac{F^\top F}{P} - \frac{F_s^\top F_s}{P_s} \Big\|^2 + w \, \| F - F_c \|^2.

The first norm is that of an N x N matrix, but also, with :math:`K_{ab} = F_a F_b^\top`, :math:`\|K_{xx}\|^2/P^2 -
2\|K_{xs}\|^2/(P P_s) + \|K_{ss}\|^2/P_s^2`, whose matrices have a row a patch: the cheaper of both is used.

References
----------
V. Lebedev and D. Ulyanov, "Audio texture synthesis and style transfer", 2016. Deviations: each Gram is divided by its
own number of patches, and the filters' variance does not depend on the number of bins (see `scaling`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.cache import Held
from ..arrays.matmul import matmul
from ..kernels.patches import fold, sum_of_products, unfold
from .loss_weights import Term


class RandomConv:
    """Style and content loss at a log-magnitude spectrogram, by ``n_filters`` random filters of each width.

    Parameters
    ----------
    content : real array (batch, frames, bins)
        Log-magnitudes of the content; bins stack the channels.
    style : real array (1 or batch, style frames, bins), or sequence of these
        Log-magnitudes of the style, of any number of frames; of several styles, each its own.
    terms : sequence of Term
        The kernel widths and their weights.
    n_filters : int
        Filters of each width.
    seed : int
        The filters are drawn from it.
    shares : sequence of float
        One a style: the target is the sum of their Gram matrices, each times its share.
    held : Held, optional
        Of these styles and this seed: keeps what depends on nothing else.
    """

    def __init__(
        self,
        content: Array,
        style: Array | Sequence[Array],
        terms: Sequence[Term],
        shares: Sequence[float] = (1.0,),
        *,
        n_filters: int,
        seed: int,
        held: Held | None = None,
    ) -> None:
        rng = np.random.default_rng(seed)
        styles = style if isinstance(style, (list, tuple)) else [style]
        self._layers = [_Layer(content, styles, term, shares, n_filters, rng, held or Held(0)) for term in terms]

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Losses, float64 (2, batch): style, content; and the gradient of their sum at x, (batch, frames, bins)."""
        results = [layer.value_and_grad(x) for layer in self._layers]
        return sum(losses for losses, _ in results), sum(grad for _, grad in results)


class _Layer:
    """The filters of one width, with the features of content and style."""

    def __init__(
        self,
        content: Array,
        styles: Sequence[Array],
        term: Term,
        shares: Sequence[float],
        n_filters: int,
        rng: np.random.Generator,
        held: Held,
    ) -> None:
        xp = get_array_module(content)
        self.term, drawn_from = term, repr(rng.bit_generator.state)
        filters = np.empty((term.kernel_width * content.shape[2], n_filters), np.float32)
        for frame in np.split(filters, term.kernel_width):  # a second's work in one call would hold up an interrupt
            rng.standard_normal(out=frame, dtype=np.float32)
        filters *= np.sqrt(term.gain / n_filters)
        self.filters = xp.asarray(filters, content.dtype)
        # The filters, which may be larger than all else, are drawn anew: what they are drawn from stands for them.
        key = (drawn_from, n_filters, term.of_style(), *shares)
        self.content = self.features(content)
        self.style = held.get(("features", *key), lambda: self._joined([self.features(s) for s in styles], shares))
        self.small = self.content.shape[1] + self.style.shape[1] < n_filters
        if self.small:
            self.style_energy = held.get(("energy", *key), self._style_energy)
        else:
            self.style_gram = held.get(("gram", *key), self._style_gram)

    def _style_energy(self) -> Array:
        gram = matmul(self.style, self.style.swapaxes(-1, -2))
        return sum_of_products(gram, gram) / self.style.shape[1] ** 2

    def _style_gram(self) -> Array:
        return matmul(self.style.swapaxes(-1, -2), self.style) / self.style.shape[1]

    def _joined(self, features: list[Array], shares: Sequence[float]) -> Array:
        """Features of several styles as those of one, whose Gram matrix is the sum of theirs, each times its share."""
        if len(features) == 1 and shares[0] == 1:
            return features[0]
        n_patches = sum(f.shape[1] for f in features)
        scaled = [f * math.sqrt(share * n_patches / f.shape[1]) for f, share in zip(features, shares, strict=True)]
        return get_array_module(features[0]).concatenate(scaled, axis=1)

    def features(self, x: Array) -> Array:
        """relu(patches @ filters), (batch, patches, n_filters)."""
        xp = get_array_module(x)
        patches = unfold(x, self.term.kernel_width)
        out = matmul(patches.reshape(1, -1, patches.shape[2]), self.filters[None])
        return xp.maximum(out, 0, out=out).reshape(*patches.shape[:2], -1)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        xp = get_array_module(x)
        features = self.features(x)
        style, grad = self._small_gram(features) if self.small else self._large_gram(features)
        style *= self.term.style_weight
        grad *= self.term.style_weight
        difference = features - self.content
        content = self.term.content_weight * sum_of_products(difference, difference)
        difference *= 2 * self.term.content_weight
        grad += difference
        grad *= features > 0
        patch_grad = matmul(grad.reshape(1, -1, grad.shape[2]), self.filters.T[None])
        losses = xp.empty((2, len(x)))
        losses[0], losses[1] = style, content
        return losses, fold(patch_grad.reshape(*grad.shape[:2], -1), self.term.kernel_width)

    def _small_gram(self, features: Array) -> tuple[Array, Array]:
        """Style loss and its gradient at the features, by matrices of patches x patches."""
        p, q = features.shape[1], self.style.shape[1]
        own, cross = (matmul(features, f.swapaxes(-1, -2)) for f in (features, self.style))
        loss = sum_of_products(own, own) / p**2 - 2 * sum_of_products(cross, cross) / (p * q) + self.style_energy
        own *= 4 / p**2
        cross *= -4 / (p * q)
        grad = matmul(own, features)
        grad += matmul(cross, self.style)
        return loss, grad

    def _large_gram(self, features: Array) -> tuple[Array, Array]:
        """The same by matrices of filters x filters."""
        p = features.shape[1]
        difference = matmul(features.swapaxes(-1, -2), features)
        difference /= p
        difference -= self.style_gram
        return sum_of_products(difference, difference), matmul(features, difference) * (4 / p)
