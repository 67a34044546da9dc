"""A cost for samples beyond full scale, so that the result of a loud recording can stay as loud.

The losses only see magnitudes, which hardly depend on the peaks: many phases give the same magnitudes, some of them
without high peaks. With this cost the waveform stage finds such phases.
"""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module

WEIGHT = 30.0
"""The cost if all of the energy were beyond the ceiling, as a multiple of the losses at the start.

Measured on four songs at -8 dB RMS, whose results exceed full scale by 8 to 9 dB: at the same RMS, they exceed it by
0.6 to 1.6 dB, and the style loss rises by 1 to 5 %. With a weight of 100 it is 0.4 to 1.4 dB, and 1 to 9 %."""

HEADROOM = 0.97
"""The ceiling as a share of full scale. Samples just beyond it cost almost nothing, so peaks become somewhat higher."""

NEAR = 0.7
"""A start whose peaks are below this share of full scale gets no cost."""


class PeakCost:
    """The energy of samples beyond a ceiling, in proportion to all energy and to the losses at the start.

    Parameters
    ----------
    y : real array (batch, channels, samples)
        The start of the search.
    ceilings : float array (batch,)
        Full scale of each item; infinite for an item without a cost.
    losses : float64 array (parts, batch)
        The losses at y.
    """

    def __init__(self, y: Array, ceilings: Array, losses: Array) -> None:
        xp = get_array_module(y)
        energy = xp.square(y).sum(axis=(1, 2), dtype=np.float64)
        self.weights = WEIGHT * losses.sum(axis=0) / xp.maximum(energy, 1e-30)
        self.ceilings = xp.minimum(HEADROOM * ceilings, 1e30).astype(y.dtype)[:, None, None]  # finite in float32

    def value_and_grad(self, samples: Array) -> tuple[Array, Array]:
        """Return the cost, float64 (batch,), and its gradient at samples (batch, channels, samples)."""
        xp = get_array_module(samples)
        over = samples - xp.clip(samples, -self.ceilings, self.ceilings)
        cost = self.weights * xp.square(over).sum(axis=(1, 2), dtype=np.float64)
        over *= (2 * self.weights).astype(over.dtype)[:, None, None]
        return cost, over


def near_ceilings(y: Array, ceilings: Array) -> Array:
    """Return for each item of a batch, bool (batch,), whether its peaks are near its ceiling."""
    return abs(y).max(axis=(1, 2)) > NEAR * ceilings
