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
from .balance import Balance
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
        filters[-bins:] *= np.sqrt(term.last)
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


Target: TypeAlias = "tuple[StyleFeatures, Array]"
"""A part of the target, and its share for each item, (batch,); None for a share of 1."""


class RandomConv:
    """Style and content loss of a log-magnitude spectrogram, by random filters of each kernel width.

    Parameters
    ----------
    content : real array (batch, frames, bins)
        Log-magnitudes of the content; the bins of all channels are stacked.
    style : sequence of StyleFeatures
        Statistics of the styles, one for each term, from `style_statistics` with the same filters; None for a content
        loss alone.
    terms : sequence of Term
        The kernel widths and their weights.
    filters : sequence of real array
        Filters of each width, from `draw_filters`.
    balance : Balance, optional
        Weights the content loss, and mixes the content's Gram matrix into the target.
    song : real array of the content's shape, optional
        Log-magnitudes for the returned content loss, if the content that holds the search is not the song.

    Attributes
    ----------
    layers : list of ConvLayer
        One for each term.
    """

    def __init__(
        self,
        content: Array,
        style: Sequence[StyleFeatures | None],
        terms: Sequence[Term],
        filters: Sequence[Array],
        balance: Balance | None = None,
        song: Array = None,
    ) -> None:
        layers = zip(style, terms, filters, strict=True)
        self.layers = [ConvLayer(content, *layer, balance, song) for layer in layers]
        self._steered = None if song is None else balance

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
        """Compute the statistics of the styles.

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
        losses = sum(losses for losses, _ in results)
        if self._steered is not None:
            self._steered.steer(losses[1])
        return losses, sum(grad for _, grad in results)


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

    def __init__(
        self,
        content: Array,
        style: StyleFeatures | None,
        term: Term,
        filters: Array,
        balance: Balance | None = None,
        song: Array = None,
    ) -> None:
        self.term, self.filters, self.style, self.balance = term, filters, style, balance
        self.content = self.features(content)
        self.song = None if song is None else self.features(song)
        style_patches = 0 if style is None else style.features.shape[1]
        self.by_patches = self.content.shape[1] + style_patches < filters.shape[1]
        self._of_content = StyleFeatures(self.content)
        self._product: Array = None

    def features(self, x: Array) -> Array:
        """Return relu(patches @ filters), (batch, patches, n_filters), of x, (batch, frames, bins)."""
        return features(x, self.filters, self.term.kernel_width)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Return losses, float64 (2, batch), and the gradient of their sum at x, like `RandomConv.value_and_grad`."""
        xp = get_array_module(x)
        features = self.features(x)
        style, grad = self.style_loss(features)
        style *= self.term.style_weight
        grad *= self.term.style_weight
        content, difference = self.content_loss(features)
        grad += difference
        grad *= features > 0
        patch_grad = matmul(grad.reshape(1, -1, grad.shape[2]), self.filters.T[None])
        losses = xp.empty((2, len(x)))
        losses[0], losses[1] = style, content
        return losses, fold(patch_grad.reshape(*grad.shape[:2], -1), self.term.kernel_width)

    def style_loss(self, features: Array) -> tuple[Array, Array]:
        """Return the unweighted style loss and its gradient at the features."""
        if self.style is None:
            xp = get_array_module(features)
            return xp.zeros(len(features)), xp.zeros_like(features)
        targets = [(self.style, None)]
        if self.balance is not None and self.balance.content_share:
            share = self.balance.share
            targets = [(self.style, 1 - share), (self._of_content, share)]
        return self.loss_by_patches(features, targets) if self.by_patches else self.loss_by_filters(features, targets)

    def content_loss(self, features: Array) -> tuple[Array, Array]:
        """Return the weighted content loss and its gradient at the features."""
        difference = features - self.content
        loss = self.term.content_weight * sum_of_products(difference, difference)
        difference *= 2 * self.term.content_weight
        if self.balance is not None:
            difference *= self.balance.alpha[:, None, None]
            loss = loss * self.balance.alpha
        if self.song is not None:
            from_song = features - self.song
            loss = self.term.content_weight * sum_of_products(from_song, from_song)
        return loss, difference

    def loss_by_patches(self, features: Array, targets: Sequence[Target]) -> tuple[Array, Array]:
        """Return the unweighted style loss and its gradient at the features, by matrices of patches x patches."""
        p = features.shape[1]
        inner = matmul(features, features.swapaxes(-1, -2))
        loss = sum_of_products(inner, inner) / p**2
        inner *= 4 / p**2
        grad = matmul(inner, features)
        for target, share in targets:
            style = target.features
            q, cross = style.shape[1], matmul(features, style.swapaxes(-1, -2))
            product = sum_of_products(cross, cross) * (2 / (p * q))
            loss = loss - (product if share is None else product * share)
            cross *= -4 / (p * q)
            if share is not None:
                cross *= share[:, None, None]
            grad += matmul(cross, style)
        return loss + self._energy(targets), grad

    def loss_by_filters(self, features: Array, targets: Sequence[Target]) -> tuple[Array, Array]:
        """Return the unweighted style loss and its gradient at the features, by matrices of filters x filters."""
        p = features.shape[1]
        difference = matmul(features.swapaxes(-1, -2), features)
        difference /= p
        for target, share in targets:
            difference -= target.gram if share is None else target.gram * share[:, None, None]
        return sum_of_products(difference, difference), matmul(features, difference) * (4 / p)

    def _energy(self, targets: Sequence[Target]) -> Array:
        """Return the squared norm of the target, float64 (1 or batch,)."""
        (style, share), *others = targets
        if not others:
            return style.energy
        ((content, content_share),) = others
        if self._product is None:
            cross = matmul(content.features, style.features.swapaxes(-1, -2))
            sizes = content.features.shape[1] * style.features.shape[1]
            self._product = sum_of_products(cross, cross) / sizes
        mixed = 2 * share * content_share * self._product
        return share**2 * style.energy + content_share**2 * content.energy + mixed
