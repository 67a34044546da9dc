r"""The style objective of N random filters: a convolution, a ReLU and Gram matching, with a hand-written gradient.

With patches :math:`p_t` of K frames, filters :math:`W \sim N(0, g/N)` and features :math:`F = \mathrm{relu}(p W)`,
(patches, N), the loss is

.. math:: \Big\| \frac{F^\top F}{P} - \frac{F_s^\top F_s}{P_s} \Big\|^2 + w \, \| F - F_c \|^2.

The first norm is taken of an N x N matrix. With :math:`K_{ab} = F_a F_b^\top` it equals :math:`\|K_{xx}\|^2/P^2 -
2\|K_{xs}\|^2/(P P_s) + \|K_{ss}\|^2/P_s^2`, whose matrices have one row for each patch. The cheaper form is used.

References
----------
V. Lebedev and D. Ulyanov, "Audio texture synthesis and style transfer", 2016. Deviations: each Gram is divided by its
own number of patches, and the filters' variance does not depend on the number of bins (see `loss_weights`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.matmul import matmul
from ..kernels.patches import fold, sum_of_products, unfold
from .loss_weights import Term

Seed: TypeAlias = "int | np.random.SeedSequence"


def draw_filters(terms: Sequence[Term], bins: int, n_filters: int, seed: Seed, like: Array) -> list[Array]:
    """Draw the filters of all kernel widths.

    They may be larger than all other arrays of a transfer. Draw them for each objective instead of caching them.

    Parameters
    ----------
    terms : sequence of Term
        The kernel widths, and the gains g: the variance of a filter's elements is g / n_filters.
    bins : int
        Bins of a frame.
    n_filters : int
        Filters of each width, at least 1.
    seed : int or numpy.random.SeedSequence
        Equal seeds give equal filters, in either precision.
    like : real array
        The filters get its array module and precision.

    Returns
    -------
    list of real array (kernel_width * bins, n_filters)
        One for each term.
    """
    rng, layers = np.random.default_rng(seed), []
    for term in terms:
        filters = np.empty((term.kernel_width * bins, n_filters), np.float32)
        for frame in np.split(filters, term.kernel_width):  # one call for all could delay an interrupt by a second
            rng.standard_normal(out=frame, dtype=np.float32)
        filters *= np.sqrt(term.gain / n_filters)
        layers.append(get_array_module(like).asarray(filters, like.dtype))
    return layers


def features(x: Array, filters: Array, kernel_width: int) -> Array:
    """Return relu(patches @ filters), (batch, patches, n_filters), of x, (batch, frames, bins)."""
    xp, patches = get_array_module(x), unfold(x, kernel_width)
    out = matmul(patches.reshape(1, -1, patches.shape[2]), filters[None])
    return xp.maximum(out, 0, out=out).reshape(*patches.shape[:2], -1)


class StyleFeatures:
    """The statistics of the styles for the filters of one width: they do not depend on the content.

    Parameters
    ----------
    features : real array (1 or batch, patches, n_filters)
        Features of all styles, scaled so that their Gram matrix is the target.
    """

    def __init__(self, features: Array) -> None:
        self.features = features
        self._gram: Array = None
        self._energy: Array = None

    # Both are computed at the first use: the content's length decides which one is needed. Threads need no lock; at
    # worst two of them compute the same value.
    @property
    def gram(self) -> Array:
        """The Gram matrix over the number of patches, (1 or batch, n_filters, n_filters)."""
        if self._gram is None:
            self._gram = matmul(self.features.swapaxes(-1, -2), self.features) / self.features.shape[1]
        return self._gram

    @property
    def energy(self) -> Array:
        """The squared norm of `gram`, float64 (1 or batch,), computed from products of patches."""
        if self._energy is None:
            products = matmul(self.features, self.features.swapaxes(-1, -2))
            self._energy = sum_of_products(products, products) / self.features.shape[1] ** 2
        return self._energy


class RandomConv:
    """Style and content loss of a log-magnitude spectrogram, by random filters of each kernel width.

    Parameters
    ----------
    content : real array (batch, frames, bins)
        Log-magnitudes of the content; the bins of all channels are stacked.
    style : sequence of StyleFeatures
        Statistics of the styles, one for each term, from `style_statistics` with the same filters.
    terms : sequence of Term
        The kernel widths and their weights.
    filters : sequence of real array
        Filters of each width, from `draw_filters`.

    Attributes
    ----------
    layers : list of ConvLayer
        One for each term.
    """

    def __init__(
        self, content: Array, style: Sequence[StyleFeatures], terms: Sequence[Term], filters: Sequence[Array]
    ) -> None:
        layers = zip(style, terms, filters, strict=True)
        self.layers = [ConvLayer(content, *layer) for layer in layers]

    @classmethod
    def of_styles(
        cls,
        content: Array,
        styles: Array | Sequence[Array],
        terms: Sequence[Term],
        shares: Sequence[float] = (1.0,),
        *,
        n_filters: int,
        seed: Seed,
    ) -> RandomConv:
        """Return the objective of a content and styles, as `draw_filters` and `style_statistics` take them."""
        filters = draw_filters(terms, content.shape[2], n_filters, seed, like=content)
        return cls(content, cls.style_statistics(styles, terms, shares, filters), terms, filters)

    @staticmethod
    def style_statistics(
        styles: Array | Sequence[Array], terms: Sequence[Term], shares: Sequence[float], filters: Sequence[Array]
    ) -> list[StyleFeatures]:
        """Compute what the objective needs of the styles.

        Parameters
        ----------
        styles : real array (1 or batch, style frames, bins), or sequence of these
            Log-magnitudes of each style; styles may differ in their number of frames.
        terms : sequence of Term
            Only the kernel widths are used.
        shares : sequence of float
            One for each style: the target is the sum of the styles' Gram matrices, each times its share.
        filters : sequence of real array
            Filters of each width, from `draw_filters`.

        Returns
        -------
        list of StyleFeatures, one for each term
        """
        styles = styles if isinstance(styles, (list, tuple)) else [styles]
        layers = []
        for term, weights in zip(terms, filters, strict=True):
            of_styles = [features(style, weights, term.kernel_width) for style in styles]
            layers.append(StyleFeatures(_joined(of_styles, shares)))
        return layers

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
        results = [layer.value_and_grad(x) for layer in self.layers]
        return sum(losses for losses, _ in results), sum(grad for _, grad in results)


def _joined(features: list[Array], shares: Sequence[float]) -> Array:
    """Return features whose Gram matrix is the sum of those of several styles, each times its share."""
    if len(features) == 1 and shares[0] == 1:
        return features[0]
    n_patches = sum(f.shape[1] for f in features)
    scaled = [f * math.sqrt(share * n_patches / f.shape[1]) for f, share in zip(features, shares, strict=True)]
    return get_array_module(features[0]).concatenate(scaled, axis=1)


class ConvLayer:
    """The filters of one width, with the features of content and style.

    Attributes
    ----------
    by_patches : bool
        Whether the style loss is computed from products of patches; from products of filters otherwise.
    """

    def __init__(self, content: Array, style: StyleFeatures, term: Term, filters: Array) -> None:
        self.term, self.filters, self.style = term, filters, style
        self.content = self.features(content)
        self.by_patches = self.content.shape[1] + style.features.shape[1] < filters.shape[1]

    def features(self, x: Array) -> Array:
        """Return relu(patches @ filters), (batch, patches, n_filters), of x, (batch, frames, bins)."""
        return features(x, self.filters, self.term.kernel_width)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Return losses, float64 (2, batch), and the gradient of their sum at x, like `RandomConv.value_and_grad`."""
        xp = get_array_module(x)
        features = self.features(x)
        style, grad = self.loss_by_patches(features) if self.by_patches else self.loss_by_filters(features)
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

    def loss_by_patches(self, features: Array) -> tuple[Array, Array]:
        """Return the unweighted style loss and its gradient at the features, by matrices of patches x patches."""
        style = self.style.features
        p, q = features.shape[1], style.shape[1]
        inner, cross = (matmul(features, f.swapaxes(-1, -2)) for f in (features, style))
        loss = sum_of_products(inner, inner) / p**2 - 2 * sum_of_products(cross, cross) / (p * q) + self.style.energy
        inner *= 4 / p**2
        cross *= -4 / (p * q)
        grad = matmul(inner, features)
        grad += matmul(cross, style)
        return loss, grad

    def loss_by_filters(self, features: Array) -> tuple[Array, Array]:
        """Return the unweighted style loss and its gradient at the features, by matrices of filters x filters."""
        p = features.shape[1]
        difference = matmul(features.swapaxes(-1, -2), features)
        difference /= p
        difference -= self.style.gram
        return sum_of_products(difference, difference), matmul(features, difference) * (4 / p)
