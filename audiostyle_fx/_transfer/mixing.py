"""Levels of the result: float32, dry and wet."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import TransferError
from .parameters import Parameters

FAILED = "the transfer failed: its result is silent or not finite"

MIN_CORRELATION = -0.98
"""Where wet and dry cancel in the mix more than this, its level is not made up for: no more than 20 dB."""


def scaled(audio: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    """The audio in double precision: the gain of a recording below 1e-38 is more than float32 holds."""
    return audio * np.float64(gain)


def level_shares(
    parameters: Parameters, dry_rms: float, wet_rms: float, correlation: Callable[[], float]
) -> tuple[float, float]:
    """Factors of dry and wet, with the latter brought to its level; their correlation is asked for where it counts."""
    mix = parameters.mix
    ratio = dry_rms / wet_rms if parameters.normalize and parameters.match_level else 1.0
    if mix in (0, 1):
        return 1.0 - mix, mix * ratio
    dry_share, wet_share = mix_shares(dry_rms, wet_rms * ratio, correlation(), mix)
    return dry_share, wet_share * ratio


def mix_shares(dry_rms: float, wet_rms: float, correlation: float, mix: float) -> tuple[float, float]:
    """Factors of dry and wet whose sum's RMS moves evenly, in dB, from the one's to the other's."""
    a, b = (1 - mix) * dry_rms, mix * wet_rms
    level = math.sqrt(a * a + b * b + 2 * max(correlation, MIN_CORRELATION) * a * b)
    makeup = dry_rms ** (1 - mix) * wet_rms**mix / level
    return makeup * (1 - mix), makeup * mix


def float32(audio: np.ndarray) -> np.ndarray:
    """The result in single precision; TransferError where that can't hold its peaks."""
    with np.errstate(over="ignore"):
        audio = audio.astype(np.float32)
    if not np.isfinite(audio).all():
        raise TransferError(FAILED)
    return audio
