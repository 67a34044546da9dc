"""Spectra that a transfer starts from when it does not start from the content."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..._bounded_cache import BoundedCache
from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.spectra.stft import STFT

SMALL_NOISE = 1e-3
"""Standard deviation of the log-magnitudes that the original algorithm starts from."""

TAKE = 0.2
"""Size of the relative noise by which two starts from the same content differ: -14 dB."""

KEPT_TAKES = 2
"""Takes that the process keeps, 4 MB each for ten seconds of mono at 22,050 Hz: transfers of one length and seed, as in
a folder of stems, use the same one, and its random numbers take 8 ms."""

LARGEST_KEPT_TAKE = 32 << 20
"""Bytes of the largest take that is kept."""


def long_term_powers(styles: Sequence[Array], stft: STFT) -> list[Array]:
    """Return the mean power spectrum of each style (1, channels, samples): arrays (1, 1, channels, bins)."""
    xp = get_array_module(*styles)
    return [(xp.abs(stft.forward(samples)) ** 2).mean(axis=1, keepdims=True) for samples in styles]


def noise_spectrum(
    shape: tuple[int, ...], powers: Sequence[Array], shares: Sequence[float], seed: np.random.SeedSequence
) -> Array:
    """Return Gaussian noise with the styles' mean power spectrum, complex (1, frames, channels, bins).

    Parameters
    ----------
    shape : (frames, channels, bins)
    powers : sequence of array (1, 1, channels, bins)
        Mean power of each style, from `long_term_powers`.
    shares : sequence of float
        Share of each style in the target.
    seed : SeedSequence
        Seed of the noise.
    """
    xp = get_array_module(powers[0])
    parts = np.random.default_rng(seed).standard_normal((2, 1, *shape), np.float32)
    level = xp.sqrt(sum(share * power for share, power in zip(shares, powers, strict=True)) / 2)
    return xp.asarray(parts[0] + 1j * parts[1]) * level


def another_take(shape: tuple[int, ...], seed: np.random.SeedSequence) -> np.ndarray:
    """Return the complex factors, (frames, 1, bins), that make a start from the content differ by its seed.

    They are the same for all channels, so that equal channels stay equal.
    """
    n_frames, _, n_bins = shape
    key = (n_frames, n_bins, seed.entropy, seed.spawn_key)
    if 8 * n_frames * n_bins > LARGEST_KEPT_TAKE:
        return _take((n_frames, 1, n_bins), seed)
    return kept_takes.get(key, lambda: _take((n_frames, 1, n_bins), seed))


kept_takes = BoundedCache(KEPT_TAKES)


def _take(shape: tuple[int, int, int], seed: np.random.SeedSequence) -> np.ndarray:
    """Return the factors of `another_take` of a shape, read-only."""
    parts = np.random.default_rng(seed).standard_normal((2, *shape), np.float32)
    parts *= np.float32(TAKE / np.sqrt(2))
    factors = np.asarray(1 + parts[0] + 1j * parts[1])
    factors.flags.writeable = False
    return factors


def small_noise(shape: tuple[int, ...], seed: np.random.SeedSequence) -> np.ndarray:
    """Return the log-magnitudes that the original algorithm starts from, float32 of a shape."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(SMALL_NOISE)
