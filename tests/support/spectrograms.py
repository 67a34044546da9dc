"""Random spectrograms, their patches, and the arc-cosine kernel as it is defined."""

import numpy as np


def spectrogram(seed, shape, dtype="float64"):
    """Log-magnitudes: not negative, and of different levels over time."""
    rng = np.random.default_rng(seed)
    return (np.abs(rng.standard_normal(shape)) * rng.lognormal(size=(*shape[:2], 1))).astype(dtype)


def kappa(u, v):
    """The arc-cosine kernel of order 1 of two sets of patches (n, size) and (m, size), as Cho and Saul write it."""
    lengths = np.outer(np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1))
    cosine = np.clip(np.divide(u @ v.T, lengths, out=np.zeros_like(lengths), where=lengths > 0), -1, 1)
    theta = np.arccos(cosine)
    return lengths * (np.sin(theta) + (np.pi - theta) * cosine) / (2 * np.pi)


def patches(x, width):
    """Every run of ``width`` frames of x, (frames, bins), as one row."""
    return np.stack([x[t : t + width].ravel() for t in range(len(x) - width + 1)])
