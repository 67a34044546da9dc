"""Sample rate conversion."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def resample(audio: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """The audio, (channels, samples), at another rate in Hz."""
    ratio = Fraction(float(to_rate) / float(from_rate)).limit_denominator(10_000)
    if ratio == 1:
        return audio
    import scipy.signal  # most of a second, which a start of the command need not take

    return scipy.signal.resample_poly(audio, ratio.numerator, ratio.denominator, axis=-1).astype(np.float32)
