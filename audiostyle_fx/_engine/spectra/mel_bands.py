r"""A dynamic equaliser: the levels of mel bands, their distributions, and gains that turn one into the other.

A band's level varies over time. The *distribution* of its levels is a part of how a recording sounds, and their
*order* is a part of what it plays. So each level :math:`x` of the content becomes the level of the style at the same
rank, :math:`F_s^{-1}(F_c(x))`, which keeps the order and gives the style's distribution: optimal transport in one
dimension. Details finer than a band, notes above all, stay the content's, and so do the phases.

The gain of a band is shared by all channels, so the stereo image stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .stft import STFT

BAND_MEL = 70.0
"""Distance of the bands' centres in mel: 45 bands up to 11 kHz. Narrower bands would move single partials."""

LOWEST_HZ = 40.0

LOWEST_DB, STEP_DB, N_LEVELS = -100.0, 0.5, 300
"""The grid of levels, in dB of a band's power in the spectrum of a recording at the level of transfers. Frames below
the grid are silent: they count in no distribution."""

SOUNDING_DB = 60.0
"""Frames further below a recording's loudest frame are its pauses: they count in no distribution."""

MAX_GAIN_DB = 30.0
"""Limit of the gains: in a band that the content lacks, a higher gain would only amplify noise."""


def mel(frequency: np.ndarray | float) -> np.ndarray:
    """Return a frequency in Hz on the mel scale (O'Shaughnessy 1987)."""
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


@dataclass(frozen=True)
class MelBands:
    """Overlapping triangular bands, equally spaced in mel, over the bins of a transform.

    Attributes
    ----------
    stft : STFT
    sample_rate : float
        In Hz.
    """

    stft: STFT
    sample_rate: float

    @cached_property
    def weights(self) -> np.ndarray:
        """The share of each bin in each band, float32 (bins, bands); the shares of a bin sum to one."""
        lowest, highest = mel(min(LOWEST_HZ, self.sample_rate / 8)), mel(self.sample_rate / 2)
        n_bands = max(2, 1 + round(float(highest - lowest) / BAND_MEL))
        position = mel(np.arange(self.stft.n_bins) * self.sample_rate / self.stft.n_fft) - lowest
        position = np.clip(position / (highest - lowest) * (n_bands - 1), 0, n_bands - 1)
        return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(n_bands))).astype(np.float32)

    def levels(self, spectrum: Array) -> Array:
        """Return the levels in dB, (batch, frames, bands), of a spectrum (batch, frames, channels, bins)."""
        xp = get_array_module(spectrum)
        power = xp.square(xp.abs(spectrum), dtype=np.float64).mean(axis=2)
        levels = 10 * xp.log10(power @ xp.asarray(self.weights) * self.stft.magnitude_scale**2 + 1e-20)
        return levels.astype(spectrum.real.dtype)

    def amplify(self, spectrum: Array, gains_db: Array) -> Array:
        """Return a spectrum with gains in dB, (batch, frames, bands), interpolated between the bands' centres."""
        xp = get_array_module(spectrum)
        gains = xp.exp(gains_db @ xp.asarray(self.weights.T) * np.float32(np.log(10) / 20))
        return spectrum * gains[:, :, None].astype(spectrum.real.dtype)


def frame_levels(levels: np.ndarray) -> np.ndarray:
    """Return the level in dB of each frame, (..., frames), from the levels of its bands, (..., frames, bands)."""
    loudest = levels.max(axis=-1)
    return loudest + 10 * np.log10(np.sum(10 ** ((levels - loudest[..., None]) / 10), axis=-1))


def level_numbers(levels: np.ndarray) -> np.ndarray:
    """Return the grid indices of levels in dB, int64; -1 below the grid and for NaN."""
    numbers = np.nan_to_num((levels - LOWEST_DB) / STEP_DB, nan=-1.0, posinf=N_LEVELS, neginf=-1.0)
    return np.clip(np.floor(numbers), -1, N_LEVELS - 1).astype(np.int64)


def level_counts(levels: np.ndarray) -> np.ndarray:
    """Return how many frames have each level, float64 (N_LEVELS, bands), of levels in dB, (frames, bands).

    The counts of parts of a recording add up to the counts of the whole.
    """
    numbers = level_numbers(levels)
    bands = np.broadcast_to(np.arange(levels.shape[1]), levels.shape)
    counts = np.zeros((N_LEVELS, levels.shape[1]))
    np.add.at(counts, (numbers[numbers >= 0], bands[numbers >= 0]), 1)
    return counts


def transport_gains(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Return the gain in dB that each level of each band needs, float32 (N_LEVELS, bands).

    Parameters
    ----------
    content, style : float64 array (N_LEVELS, bands)
        From `level_counts`; the style's counts may have any positive weights. A band in which content or style is
        silent gets no gain.
    """
    centres = LOWEST_DB + STEP_DB * (np.arange(N_LEVELS) + 0.5)
    gains = np.zeros(content.shape, np.float32)
    for band in range(content.shape[1]):
        if content[:, band].any() and style[:, band].any():
            ranks, targets = _ranks(content[:, band]), _ranks(style[:, band])
            found, present = content[:, band] > 0, style[:, band] > 0
            wanted = np.interp(ranks[found], targets[present], centres[present]) - centres[found]
            # A level that the content lacks gets an interpolated gain, or the gain of the nearest level it has.
            gains[:, band] = np.interp(centres, centres[found], wanted)
    return np.clip(gains, -MAX_GAIN_DB, MAX_GAIN_DB)


def _ranks(counts: np.ndarray) -> np.ndarray:
    """Return the share of the frames below the middle of each level."""
    return (np.cumsum(counts) - counts / 2) / counts.sum()


def level_gains(levels: Array, gains: Array) -> Array:
    """Return the gains in dB of levels in dB, both (batch, frames, bands).

    Parameters
    ----------
    levels : real array (batch, frames, bands)
    gains : real array (batch, N_LEVELS, bands)
        A table for each item, from `transport_gains`.
    """
    xp = get_array_module(levels)
    place = xp.nan_to_num((levels - LOWEST_DB) / STEP_DB - 0.5)  # samples near the largest float32 overflow
    place = xp.clip(place, 0, N_LEVELS - 1.001)
    below = place.astype(np.int32)
    share = (place - below).astype(levels.dtype)
    items, bands = xp.arange(len(levels))[:, None, None], xp.arange(levels.shape[2])
    return gains[items, below, bands] * (1 - share) + gains[items, below + 1, bands] * share
