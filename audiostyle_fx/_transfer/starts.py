"""Spectra from which a transfer starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._engine.arrays.array_module import Array, get_array_module
from .._engine.spectra.stft import STFT


def power_spectra(styles: Sequence[Array], stft: STFT) -> list[Array]:
    """Return the long-term power spectrum, (1, 1, channels, bins), of each style, (1, channels, samples)."""
    xp = get_array_module(*styles)
    return [(xp.abs(stft.forward(samples)) ** 2).mean(axis=1, keepdims=True) for samples in styles]


def noise_spectrum(
    shape: tuple[int, ...], powers: Sequence[Array], shares: Sequence[float], seed: np.random.SeedSequence
) -> Array:
    """Draw Gaussian noise with the styles' mean long-term spectrum.

    Parameters
    ----------
    shape : tuple of int
        Frames, channels and bins.
    powers : sequence of array (1, 1, channels, bins)
        From `power_spectra`.
    shares : sequence of float
        Share of each style in the mean.
    seed : numpy.random.SeedSequence

    Returns
    -------
    complex64 array (1, frames, channels, bins)
    """
    xp = get_array_module(powers[0])
    parts = np.random.default_rng(seed).standard_normal((2, 1, *shape), np.float32)
    level = xp.sqrt(sum(share * power for share, power in zip(shares, powers, strict=True)) / 2)
    return xp.asarray(parts[0] + 1j * parts[1]) * level


def small_noise(shape: tuple[int, ...], seed: np.random.SeedSequence) -> np.ndarray:
    """Draw the log-magnitudes, float32, from which the original algorithm starts."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(1e-3)
