"""The strength of a transfer: how far the result goes from the song, and how far it could go.

The *way* of a result is its content loss over that of the same transfer at strength 1, where nothing of the content is
held. Alpha is no measure of it: at one alpha, pairs of recordings go between a third and two thirds of their way. So
a short probe without content estimates the content loss at the end of the way, and the balance of each transfer is
steered to a share of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.objectives.balance import FIRST_ALPHA, Balance
from ..._engine.objectives.waveform import Objective
from ..._engine.optimizers.adam import Adam
from ..._engine.optimizers.minimize import minimize
from ..._engine.spectra.stft import STFT
from ..parameters.parameter_list import Parameters

PROBE_ITERS, PROBE_RATE, PROBE_BETA = 15, 1.0, 2 / 3
"""A quarter of the usual iterations in steps of four times the size: rough, but it goes as far."""

PROBE_FACTOR = 0.93
"""The content loss of results at strength 1 over what the probe finds. Measured on six pairs."""


def first_balance(parameters: Parameters, batch: int, like: Array) -> Balance | None:
    """Return the balance of a transfer before it is steered; None where the plain losses will do."""
    if parameters.strength is None and not parameters.content_share:
        return None
    alpha = parameters.alpha if parameters.strength is None else FIRST_ALPHA if parameters.strength < 1 else 0.0
    xp = get_array_module(like)
    return Balance(xp.full(batch, alpha, like.dtype), parameters.content_share)


def end_of_way(
    x: Array, probe: Objective, song_distance: Callable[[Array], Array], song: Array, stft: STFT, *, follow: bool
) -> Array:
    """Estimate the content loss at strength 1, float64 (batch,).

    Parameters
    ----------
    x : real array (batch, frames, channels * bins)
        Log-magnitudes to start from.
    probe : Objective
        Of the style alone.
    song_distance : callable
        Returns the content losses of log-magnitudes, (batch,).
    song : real array of x's shape
        Log-magnitudes of the song.
    stft : STFT
    follow : bool
        Whether the result's level will follow that of the song.
    """
    xp = get_array_module(x)
    optimizer = Adam(PROBE_RATE, PROBE_ITERS, beta1=PROBE_BETA, beta2=PROBE_BETA, nonnegative=True)
    x, _ = minimize(probe.value_and_grad, x, optimizer, PROBE_ITERS, lambda *_: None)
    if follow:
        magnitude, song_magnitude = stft.magnitude(x), stft.magnitude(song)
        power, song_power = ((m * m).sum(axis=2, keepdims=True, dtype=np.float64) for m in (magnitude, song_magnitude))
        magnitude *= xp.sqrt(song_power / xp.maximum(power, 1e-30)).astype(x.dtype)
        x = xp.log1p(magnitude * np.float32(stft.magnitude_scale))
    return PROBE_FACTOR * song_distance(x)
