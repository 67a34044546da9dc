"""The objectives of a transfer: the losses of a spectrogram, one for each window."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module, to_host
from ..._engine.objectives.balance import Balance
from ..._engine.objectives.fused_closed_form import FusedClosedForm
from ..._engine.objectives.infinite_width import InfiniteWidth, StylePatches
from ..._engine.objectives.loss_weights import Term, loss_terms
from ..._engine.objectives.random_conv import RandomConv, StyleFeatures, draw_filters
from ..._engine.objectives.strided import joined_frames, strided
from ..._engine.objectives.subspace import Subspace
from ..._engine.objectives.waveform import Objective
from ..setup.transfer_setup import TransferSetup
from ..styles.matched_styles import StyleTarget
from ..styles.style_spectra import BatchStyles, SpectraKey, StyleSpectra

LEAST_SUBSPACE_BINS, MOST_SUBSPACE_FRAMES = 512, 8192
"""Frames with fewer bins per channel are compared with all their bins. So are the frames of longer sections, because
matrices of all their products would not fit into memory."""


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
        """Return the weights without those of the content, which the statistics of the styles don't depend on."""
        return WindowLoss(tuple(term.of_style() for term in self.terms), self.shares)


@dataclass(frozen=True)
class StatisticsKey:
    """Cache key of the styles' statistics at one window: everything that they depend on.

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
    stride : int
        See `joined_frames`.
    """

    spectra: SpectraKey
    window: int
    loss: WindowLoss
    n_filters: float
    seed: int
    stride: int


@dataclass(frozen=True, eq=False)
class HeldContent:
    """The content that the objectives keep.

    Attributes
    ----------
    contents : sequence of array (batch, frames, bins)
        Log-magnitudes at each window; the bins of all channels are stacked.
    balance : Balance, optional
        None for the plain losses: a fixed alpha, and a target from the styles alone.
    song : array of the first content's shape, optional
        Log-magnitudes of the song, if the content loss is steered to a distance from the song.
    """

    contents: Sequence[Array]
    balance: Balance | None = None
    song: Array = None


def style_kind(target: StyleTarget, n_samples: int, setup: TransferSetup) -> Hashable:
    """Return a value that is equal for the targets that a batch on a GPU may hold.

    They are the same styles, in several keys if the losses are those of `FusedClosedForm` and nothing else depends on
    the styles: neither noise to start from nor the levels of several windows. A style in one key is at most twice as
    long as in another.

    Parameters
    ----------
    target : StyleTarget
    n_samples : int
        Samples of the sections.
    setup : TransferSetup
    """
    parameters, stft = setup.parameters, setup.stft
    stride = parameters.frame_stride
    style_frames = sum(2 * stft.n_frames(style.shape[1]) // stride for style in target.samples)
    n_frames = stft.n_frames(max(n_samples, setup.patch_samples)) // stride
    in_any_key = (
        len(setup.windows) == 1
        and math.isinf(parameters.n_filters)
        and {parameters.init, parameters.phase_init} == {"content"}
        and not parameters.original
        and FusedClosedForm.fits(n_frames, style_frames, [math.ceil(w / stride) for w in parameters.kernel_widths])
    )
    if target.key is None:
        return target
    return replace(target.key, semitones=()) if in_any_key else target.key


def frame_subspaces(contents: Sequence[Array], styles: BatchStyles, setup: TransferSetup) -> list[Subspace | None]:
    """Return the subspace that holds the frames of each window's contents, (batch, frames, bins), and of the styles.

    It is None for windows without a style weight, short frames, sampled filters and the original algorithm; on a GPU,
    which is as fast with all bins; and for a search that starts from noise, whose frames lie outside the subspace.
    """
    subspaces: list[Subspace | None] = []
    for content, frames, window in zip(contents, styles.spectra[0].log_magnitudes, setup.windows, strict=True):
        is_reduced = (
            window.style_weight > 0
            and math.isinf(setup.parameters.n_filters)
            and window.stft.n_bins >= LEAST_SUBSPACE_BINS
            and content.shape[1] <= MOST_SUBSPACE_FRAMES
            and setup.parameters.init == "content"
            and not setup.parameters.original
            and get_array_module(content) is np
        )
        subspaces.append(Subspace.of([content, *frames]) if is_reduced else None)
    return subspaces


def spectrogram_objectives(
    held: HeldContent,
    styles: BatchStyles,
    setup: TransferSetup,
    subspaces: Sequence[Subspace | None],
) -> list[Objective]:
    """Build the objective of each window.

    Parameters
    ----------
    held : HeldContent
    styles : BatchStyles
    setup : TransferSetup
    subspaces : sequence of Subspace or None
        For each window the subspace in which products are computed, see `frame_subspaces`.
    """
    # With a balance, alpha is a factor of the content's weight that may change, and differ by item.
    alpha = 1.0 if held.balance is not None else setup.parameters.alpha or 0.0
    statistics = _statistics([content.shape[1] for content in held.contents], styles, setup, alpha)
    objectives = []
    for window, (content, each, subspace) in enumerate(zip(held.contents, statistics, subspaces, strict=True)):
        with_style = setup.windows[window].style_weight > 0
        song = held.song if window == 0 else None
        objectives.append(_objective(content, each, held.balance, song, subspace, with_style))
    return objectives


def style_objective(content: Array, styles: BatchStyles, setup: TransferSetup, subspace: Subspace | None) -> Objective:
    """Return the style loss alone, at the first window, for spectrograms like the content's."""
    (statistics,) = _statistics([content.shape[1]], styles, setup, 0.0)
    return _objective(content, statistics, None, None, subspace)


def content_distances(song: Array, styles: BatchStyles, setup: TransferSetup) -> Callable[[Array], Array]:
    """Return a function that computes content losses, (batch,), of log-magnitudes at alpha 1 and the first window."""
    (loss, *_) = _window_losses([song.shape[1]], styles.channels, (1.0,), styles.spectra[0], setup, 1.0)
    stride = setup.parameters.frame_stride
    objective = strided(InfiniteWidth(joined_frames(song, stride), None, loss.terms), stride)
    return lambda x: objective.value_and_grad(x)[0][1]


@dataclass(frozen=True)
class _Statistics:
    """What the statistics of one target's styles at one window are computed from, with their key."""

    loss: WindowLoss
    key: StatisticsKey
    target: StyleTarget
    spectra: StyleSpectra


def _statistics(
    n_frames: Sequence[int], styles: BatchStyles, setup: TransferSetup, alpha: float
) -> list[list[_Statistics]]:
    """Return the statistics for each window, and there of each target; ``n_frames`` are those of the contents."""
    parameters, of_targets = setup.parameters, []
    for target, spectra in zip(styles.targets, styles.spectra, strict=True):
        losses = _window_losses(n_frames, styles.channels, target.shares, spectra, setup, alpha)
        numbers = parameters.n_filters, parameters.seed, parameters.frame_stride
        keys = [StatisticsKey(spectra.key, window, loss.of_style(), *numbers) for window, loss in enumerate(losses)]
        of_targets.append([_Statistics(loss, key, target, spectra) for loss, key in zip(losses, keys, strict=True)])
    return [list(of_window) for of_window in zip(*of_targets, strict=True)]


def _window_losses(
    n_frames: Sequence[int],
    channels: int,
    shares: Sequence[float],
    spectra: StyleSpectra,
    setup: TransferSetup,
    alpha: float,
) -> list[WindowLoss]:
    """Return the weights of the losses at each window; ``n_frames`` are the contents' frames at each window."""
    parameters, losses = setup.parameters, []
    for window, frames in enumerate(n_frames):
        terms = loss_terms(
            parameters.kernel_widths,
            alpha=alpha,
            n_frames=frames,
            # Every window takes the weights of the longest one, so that all have its balance of style and content.
            bins=spectra.log_magnitudes[0][0].shape[2] // channels,
            sample_rate=setup.sample_rate,
            active_channels=channels,
            stride=parameters.frame_stride,
        )
        window_shares = list(shares)
        if parameters.original:
            patches = frames - max(parameters.kernel_widths) + 1
            styles = spectra.log_magnitudes[window]
            style_patches = [style.shape[1] - max(parameters.kernel_widths) + 1 for style in styles]
            window_shares = [share * n / patches for share, n in zip(shares, style_patches, strict=True)]
            terms = [term.as_published(frames) for term in terms]
        if window:
            # The energy of a frame depends on the window, for tones and for noise.
            level = _energy(spectra.energies[0], window_shares) / _energy(spectra.energies[window], window_shares)
            terms = [term._replace(gain=term.gain * level) for term in terms]
        weights = setup.windows[window]
        terms = [
            term._replace(
                style_weight=term.style_weight * weights.style_weight,
                content_weight=term.content_weight * weights.content_weight,
            )
            for term in terms
        ]
        losses.append(WindowLoss(tuple(terms), tuple(window_shares)))
    return losses


def _energy(energies: Sequence[float], shares: Sequence[float]) -> float:
    """Return the mean squared norm of the frames of all styles."""
    return sum(share * energy for share, energy in zip(shares, energies, strict=True))


def _objective(
    content: Array,
    statistics: Sequence[_Statistics],
    balance: Balance | None,
    song: Array,
    subspace: Subspace | None,
    with_style: bool = True,
) -> Objective:
    """Build the objective of one window from a content's log-magnitudes."""
    xp, first = get_array_module(content), statistics[0]
    key, loss, stride, patches = first.key, first.loss, first.key.stride, None
    if math.isinf(key.n_filters):
        made = {id(each.target): _style_patches(each, xp) for each in statistics} if with_style else {}
        patches = made.get(id(first.target))
        if len(made) > 1 or FusedClosedForm.serves(content, patches, loss.terms, stride):  # see `style_kind`
            of_items = [made[id(each.target)] for each in statistics] if len(made) > 1 else patches
            return FusedClosedForm(content, of_items, loss.terms, balance, song, stride)
    content = joined_frames(content, stride)
    song = None if song is None else joined_frames(song, stride)
    if math.isinf(key.n_filters):
        return strided(InfiniteWidth(content, patches, loss.terms, balance, song, subspace), stride)
    # The filters may be larger than all other arrays, so they are drawn for each batch. The key determines them.
    seed = _filter_seed(key.seed, key.window)
    filters = draw_filters(key.loss.terms, content.shape[2], int(key.n_filters), seed, like=content)
    features: Sequence[StyleFeatures | None] = [None] * len(filters)
    if with_style:
        features = first.target.cached(
            key,
            lambda: RandomConv.style_statistics(_joined_styles(first), key.loss.terms, key.loss.shares, filters),
            xp,
        )
    return strided(RandomConv(content, features, loss.terms, filters, balance, song), stride)


def _joined_styles(statistics: _Statistics) -> list[Array]:
    """Return the joined frames of each style."""
    key = statistics.key
    return [joined_frames(style, key.stride) for style in statistics.spectra.log_magnitudes[key.window]]


def _style_patches(statistics: _Statistics, xp: ModuleType) -> StylePatches:
    """Return the statistics of the styles; on a GPU, of these only the norm of the target is cached, a number."""
    key, target, styles = statistics.key, statistics.target, _joined_styles(statistics)

    def compute(energy: Array = None) -> StylePatches:
        return InfiniteWidth.style_statistics(styles, key.loss.terms, key.loss.shares, energy)

    if xp is np:
        return target.cached(key, compute, xp)
    return compute(xp.asarray(target.cached((key, "energy"), lambda: to_host(compute().energy), np)))


def _filter_seed(seed: int, window: int) -> np.random.SeedSequence:
    """Return the seed of a window's filters; the transfer's first child seed is that of the noise."""
    _, filter_seed = np.random.SeedSequence(seed).spawn(2)
    return filter_seed if window == 0 else filter_seed.spawn(window)[-1]
