"""The objectives of a transfer: the losses of a spectrogram, one for each window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.objectives.infinite_width import InfiniteWidth
from ..._engine.objectives.loss_weights import Term, loss_terms
from ..._engine.objectives.random_conv import RandomConv, draw_filters
from ..._engine.objectives.waveform import Objective
from ..setup.transfer_setup import TransferSetup
from ..styles.matched_styles import StyleTarget
from ..styles.style_spectra import SpectraKey, StyleSpectra


@dataclass(frozen=True)
class WindowLoss:
    """The weights of the losses at one window.

    Attributes
    ----------
    terms : tuple of Term
        One for each kernel width.
    shares : tuple of float
        Share of each style in the target.
    """

    terms: tuple[Term, ...]
    shares: tuple[float, ...]

    def of_style(self) -> WindowLoss:
        """Return the part that statistics of the styles depend on, without the weights of the content."""
        return WindowLoss(tuple(term.of_style() for term in self.terms), self.shares)


@dataclass(frozen=True)
class StatisticsKey:
    """What the statistics of the styles at one window depend on.

    Attributes
    ----------
    spectra : SpectraKey
    window : int
        Number of the window, which also chooses the seed of its filters.
    loss : WindowLoss
        Without the weights of the content.
    n_filters : float
        Random filters of each width, or infinity.
    seed : int
        Seed of the filters.
    """

    spectra: SpectraKey
    window: int
    loss: WindowLoss
    n_filters: float
    seed: int


def spectrogram_objectives(
    contents: Sequence[Array], target: StyleTarget, spectra: StyleSpectra, setup: TransferSetup
) -> list[Objective]:
    """Build the objective of each window.

    Parameters
    ----------
    contents : sequence of array (batch, frames, bins)
        Log-magnitudes of the content at each window; the bins of all channels are stacked.
    target : StyleTarget
    spectra : StyleSpectra
        Those of the target.
    setup : TransferSetup
    """
    channels = target.samples[0].shape[0]
    losses = _window_losses([content.shape[1] for content in contents], channels, target.shares, spectra, setup)
    keys = [
        StatisticsKey(spectra.key, window, loss.of_style(), setup.parameters.n_filters, setup.parameters.seed)
        for window, loss in enumerate(losses)
    ]
    return [_objective(*parts, target, spectra) for parts in zip(contents, losses, keys, strict=True)]


def _window_losses(
    n_frames: Sequence[int], channels: int, shares: Sequence[float], spectra: StyleSpectra, setup: TransferSetup
) -> list[WindowLoss]:
    """Return the weights of the losses at each window, for contents of a number of frames at each."""
    parameters, losses = setup.parameters, []
    for window, frames in enumerate(n_frames):
        terms = loss_terms(
            parameters.kernel_widths,
            alpha=parameters.alpha,
            n_frames=frames,
            # Every window takes the weights of the longest one, so that all have its balance of style and content.
            bins=spectra.log_magnitudes[0][0].shape[2] // channels,
            sample_rate=setup.sample_rate,
            active_channels=channels,
        )
        window_shares = list(shares)
        if parameters.original:
            patches = frames - max(parameters.kernel_widths) + 1
            styles = spectra.log_magnitudes[window]
            style_patches = [style.shape[1] - max(parameters.kernel_widths) + 1 for style in styles]
            window_shares = [share * n / patches for share, n in zip(shares, style_patches, strict=True)]
            terms = [term.as_published(frames) for term in terms]
        if window:
            # Neither tones nor noise keep their energy where the window changes.
            level = _energy(spectra.energies[0], window_shares) / _energy(spectra.energies[window], window_shares)
            terms = [term._replace(gain=term.gain * level) for term in terms]
        losses.append(WindowLoss(tuple(terms), tuple(window_shares)))
    return losses


def _energy(energies: Sequence[float], shares: Sequence[float]) -> float:
    """Return the mean squared norm of the frames of all styles."""
    return sum(share * energy for share, energy in zip(shares, energies, strict=True))


def _objective(
    content: Array, loss: WindowLoss, key: StatisticsKey, target: StyleTarget, spectra: StyleSpectra
) -> Objective:
    """Build the objective of one window from a content's log-magnitudes."""
    xp, styles, style_loss = get_array_module(content), spectra.log_magnitudes[key.window], key.loss
    if math.isinf(key.n_filters):
        patches = target.cached(
            key, lambda: InfiniteWidth.style_statistics(styles, style_loss.terms, style_loss.shares), xp
        )
        return InfiniteWidth(content, patches, loss.terms)
    # The filters may be larger than all other arrays, so they are drawn for each batch. The key determines them.
    seed = _filter_seed(key.seed, key.window)
    filters = draw_filters(style_loss.terms, content.shape[2], int(key.n_filters), seed, like=content)
    features = target.cached(
        key, lambda: RandomConv.style_statistics(styles, style_loss.terms, style_loss.shares, filters), xp
    )
    return RandomConv(content, features, loss.terms, filters)


def _filter_seed(seed: int, window: int) -> np.random.SeedSequence:
    """Return the seed of a window's filters; the transfer's first child seed is that of the noise."""
    _, filter_seed = np.random.SeedSequence(seed).spawn(2)
    return filter_seed if window == 0 else filter_seed.spawn(window)[-1]
