"""A gain that makes the level of one recording follow that of another, slowly in both directions and fast downwards."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..kernels.waveform import level_gains

BLOCK_SECONDS = 0.005

PHRASE_SECONDS = 0.4
"""Averaged over this time, the level equals the other recording's: listeners hear it as loud and soft."""

ATTACK_SECONDS = 0.03
"""Averaged over this time, the level is at most the other recording's: pauses between strokes stay, attacks stand out,
fades end. A gain upwards would turn every beat of two partials into a tremolo."""

MOST_DB, LEAST_DB = 12.0, -60.0

LIMITS = (10 ** (LEAST_DB / 10), 10 ** (MOST_DB / 10))
"""The same limits as factors of the power."""


@dataclass(frozen=True)
class LevelFollower:
    """The gain by which a recording follows the level of another one.

    Attributes
    ----------
    levels : tuple of float64 array (batch, blocks)
        Smoothed power of the other recording: over a phrase, and over an attack.
    block : int
        Samples of a block.
    widths : tuple of int
        Blocks of the sliding means over a phrase and over an attack.
    """

    levels: tuple[Array, Array]
    block: int
    widths: tuple[int, int]

    @classmethod
    def of(cls, y: Array, sample_rate: float) -> LevelFollower:
        """Return the follower of y, real (batch, channels, samples), at a rate in Hz; all channels share one gain."""
        block = max(1, round(BLOCK_SECONDS * sample_rate))
        phrase, attack = (max(1, round(s * sample_rate / block / 2)) for s in (PHRASE_SECONDS, ATTACK_SECONDS))
        power = _block_power(y, block)
        return cls((_smoothed(power, phrase), _smoothed(power, attack)), block, (phrase, attack))

    def gain(self, y: Array) -> Array:
        """Return the gain, (batch, 1, samples), for y, real (batch, channels, samples)."""
        xp, power, floor = get_array_module(y), _block_power(y, self.block), self.floors()
        if xp is not np:
            gains = level_gains(power, self.levels, floor.reshape(-1), self.widths, LIMITS)
            return self._interpolated(gains, y.shape[-1])[:, None]
        slow = (self.levels[0] + floor) / (_smoothed(power, self.widths[0]) + floor)
        slow = xp.clip(slow, *LIMITS)
        fast = (self.levels[1] + floor) / (_smoothed(power * slow, self.widths[1]) + floor)
        gain = xp.sqrt(slow * xp.clip(fast, LIMITS[0], 1.0))
        slower = (self.levels[0] + floor) / (_smoothed(power * gain**2, self.widths[0]) + floor)
        gain *= xp.sqrt(xp.clip(slower, *LIMITS))
        return self._interpolated(gain.astype(y.dtype), y.shape[-1])[:, None]

    def floors(self) -> Array:
        """Return the constant added to both powers of a quotient, (batch, 1), as silence has no level to follow."""
        return get_array_module(self.levels[0]).maximum(self.levels[0].max(axis=1, keepdims=True), 1e-30) * 1e-12

    def _interpolated(self, gain: Array, n_samples: int) -> Array:
        """Return the gain of each sample, (batch, n_samples), interpolated from the blocks' centres, in its dtype."""
        xp, (batch, n_blocks) = get_array_module(gain), gain.shape
        padded = xp.pad(gain, ((0, 0), (1, 1)), mode="edge")
        lead = self.block // 2  # samples before the first centre
        share = ((xp.arange(self.block) + (lead + 0.5)) / self.block - 0.5).astype(gain.dtype)
        out = padded[:, :-1, None] + (padded[:, 1:] - padded[:, :-1])[:, :, None] * share
        return out.reshape(batch, (n_blocks + 1) * self.block)[:, self.block - lead :][:, :n_samples]


def _block_power(y: Array, block: int) -> Array:
    """Return the power of each block, float64 (batch, blocks), summed over channels."""
    xp, n_blocks = get_array_module(y), math.ceil(y.shape[-1] / block)
    power = xp.square(y, dtype=np.float64).sum(axis=1)
    power = xp.pad(power, ((0, 0), (0, n_blocks * block - y.shape[-1])))
    return power.reshape(len(y), n_blocks, block).sum(axis=2, dtype=np.float64)


def _smoothed(power: Array, width: int) -> Array:
    """Return the mean over a triangular window of about 2 * ``width`` blocks: two sliding means of ``width``."""
    for before in (width // 2, (width - 1) // 2):
        power = _sliding_mean(power, width, before)
    return power


def _sliding_mean(power: Array, width: int, before: int) -> Array:
    """Return the mean of ``width`` blocks, ``before`` of them earlier; blocks outside of the recording are silent."""
    xp = get_array_module(power)
    padded = xp.pad(power, ((0, 0), (before + 1, width - 1 - before)))
    sums = xp.cumsum(padded, axis=1)
    return xp.maximum(sums[:, width:] - sums[:, :-width], 0) / width
