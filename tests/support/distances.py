"""Distances between recordings."""

import numpy as np


def distance(a, b):
    """Relative difference of two arrays, 0.001 being -60 dB."""
    return np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b.astype(np.float64))
