"""Levels of recordings."""

from __future__ import annotations

import math

import numpy as np

RMS = 0.1
"""The level recordings are brought to, -20 dBFS."""


def rms(audio: np.ndarray) -> float:
    """Root mean square over everything."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def decibels(ratio: float) -> str:
    """A ratio of levels in words."""
    return f"{20 * math.log10(ratio):.1f} dB"
