"""The strength of a transfer: how far the result goes from the song, and how far it could go.

The *way* of a result is its content loss divided by that of the same transfer at strength 1, where nothing keeps the
content. Alpha does not determine the way: at one alpha, pairs of recordings go between a third and two thirds of it. So
a short probe without content estimates the content loss at the end of the way, and the balance of each transfer is
steered to a share of this loss.
"""

from __future__ import annotations

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.objectives.balance import FIRST_ALPHA, Balance
from ..._engine.objectives.reduced import Reduced
from ..._engine.objectives.subspace import Subspace
from ..._engine.objectives.waveform import Objective
from ..._engine.optimizers.lbfgs import LBFGS, QUICK_PAIRS
from ..._engine.optimizers.minimize import minimize
from ..parameters.parameter_list import Parameters
from ..setup.transfer_setup import TransferSetup
from ..styles.style_spectra import BatchStyles
from .equalized_content import EqualizedContent
from .window_objectives import HeldContent, content_distances, frame_subspaces, spectrogram_objectives, style_objective

PROBE_ITERS = 20
"""Steps of L-BFGS without content. Measured on three pairs, against results at strength 1: 12 steps find 0.85 to 1.02
of their content loss, 20 steps 0.92 to 1.01, 40 steps 1.09 to 1.21; with a fire as style 20 steps find 1.31."""

PROBE_FACTOR = 0.97
"""The content loss of results at strength 1, divided by the content loss of the probe. With 1.02, which fits the mean
of the pairs, results keep a little less of the song than in earlier releases: chroma 0.87 instead of 0.89."""

HELD_SHARE = 0.9
"""Upper limit of the content loss of the held content, as a share of the content loss that the strength asks for. Above
it, no balance could reach the content loss asked for."""


def steered_objectives(
    content: Array, equalized: EqualizedContent, styles: BatchStyles, setup: TransferSetup
) -> tuple[list[Objective], Balance | None]:
    """Return the objective of each window, and their balance, which is steered if a strength is set.

    Parameters
    ----------
    content : real array (batch, channels, samples)
        The song.
    equalized : EqualizedContent
    styles : BatchStyles
    setup : TransferSetup
    """
    parameters, stft = setup.parameters, setup.stft
    balance = first_balance(parameters, len(content), content)
    contents = [each.log_magnitude(each.forward(equalized.held)) for each in setup.stfts]
    song, subspaces = None, frame_subspaces(contents, styles, setup)
    if parameters.strength is not None:
        assert balance is not None
        song = contents[0] if equalized.held is content else stft.log_magnitude(stft.forward(content))
        if parameters.strength < 1:
            start = song if equalized.full is content else stft.log_magnitude(stft.forward(equalized.full))
            end = end_of_way(start, song, styles, setup, subspaces[0])
            balance.target = parameters.strength * end
            if equalized.held is not content:
                songs = [song, *(each.log_magnitude(each.forward(content)) for each in setup.stfts[1:])]
                nearness = _nearness(contents[0], song, balance.target, styles, setup)
                contents = [a + nearness * (b - a) for a, b in zip(songs, contents, strict=True)]
    held = HeldContent(contents, balance, song)
    return spectrogram_objectives(held, styles, setup, subspaces), balance


def first_balance(parameters: Parameters, batch: int, like: Array) -> Balance | None:
    """Return the balance of a transfer before it is steered; None where the plain losses are enough."""
    if parameters.strength is None and not parameters.content_share:
        return None
    alpha = parameters.alpha if parameters.strength is None else FIRST_ALPHA if parameters.strength < 1 else 0.0
    xp = get_array_module(like)
    return Balance(xp.full(batch, alpha, like.dtype), parameters.content_share)


def _nearness(held: Array, song: Array, target: Array, styles: BatchStyles, setup: TransferSetup) -> Array:
    """Return the share, (batch, 1, 1), of the way from the song to the held content that leaves the target in reach.

    The equaliser's depth was chosen before the end of the way was known. If song and style are very similar, the
    equaliser alone may go too far.
    """
    xp, loss = get_array_module(held), content_distances(song, styles, setup)(held)
    share = xp.sqrt(HELD_SHARE * target / xp.maximum(loss, 1e-30))  # the loss is about a square of the distance
    return xp.minimum(share, 1.0).astype(held.dtype)[:, None, None]


def end_of_way(
    start: Array,
    song: Array,
    styles: BatchStyles,
    setup: TransferSetup,
    subspace: Subspace | None,
) -> Array:
    """Estimate the content loss at strength 1, float64 (batch,).

    Parameters
    ----------
    start, song : real array (batch, frames, channels * bins)
        Log-magnitudes that a transfer at strength 1 starts from, and those of the song.
    styles : BatchStyles
    setup : TransferSetup
    subspace : Subspace or None
        The subspace in which the probe searches; None for all bins.
    """
    xp, stft = get_array_module(start), setup.stft
    probe = style_objective(start, styles, setup, subspace)
    reduced = Reduced.of(probe, start)
    z, _ = minimize(
        reduced.value_and_grad, reduced.start, LBFGS(memory=QUICK_PAIRS, first=0.35), PROBE_ITERS, lambda *_: None
    )
    x = xp.maximum(reduced.frames(z), 0)
    if setup.parameters.dynamics:  # the level of a result follows the song's
        magnitude, song_magnitude = stft.magnitude(x), stft.magnitude(song)
        powers = [xp.square(m).sum(axis=2, keepdims=True, dtype=np.float64) for m in (song_magnitude, magnitude)]
        magnitude *= xp.sqrt(powers[0] / xp.maximum(powers[1], 1e-30)).astype(x.dtype)
        x = xp.log1p(magnitude * np.float32(stft.magnitude_scale))
    # If the song is its own style, the distance is 0, and rounding may make it negative.
    return xp.maximum(PROBE_FACTOR * content_distances(song, styles, setup)(x), 0.0)
