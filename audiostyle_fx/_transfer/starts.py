"""Spectra to start from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._engine.arrays.array_module import Array, get_array_module
from .._engine.spectra.stft import STFT


def _powers(styles: Sequence[Array], stft: STFT) -> list[Array]:
    """The long-term power spectrum, (1, 1, channels, bins), of each style."""
    xp = get_array_module(*styles)
    return [(xp.abs(stft.forward(samples)) ** 2).mean(axis=1, keepdims=True) for samples in styles]


def _noise(
    shape: tuple[int, ...], powers: Sequence[Array], shares: Sequence[float], seed: np.random.SeedSequence
) -> Array:
    """Gaussian noise with the styles' mean long-term spectrum, as a spectrum (1, frames, channels, bins)."""
    xp = get_array_module(powers[0])
    parts = np.random.default_rng(seed).standard_normal((2, 1, *shape), np.float32)
    level = xp.sqrt(sum(share * power for share, power in zip(shares, powers, strict=True)) / 2)
    return xp.asarray(parts[0] + 1j * parts[1]) * level


def _small_noise(shape: tuple[int, ...], seed: np.random.SeedSequence) -> np.ndarray:
    """The log-magnitudes that the original starts from, float32."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(1e-3)
