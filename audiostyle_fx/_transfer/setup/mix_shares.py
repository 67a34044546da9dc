"""Levels of the result, and the mix of dry (the content) and wet (the styled content)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..._engine.arrays.array_module import OVERFLOW
from ...errors import TransferError
from ..parameters.parameter_list import Parameters

FAILED = "the transfer failed: its result is silent or not finite"

MIN_CORRELATION = -0.98
"""Below this correlation, dry and wet cancel so much that the loss of level is not fully compensated: the make-up gain
is at most 20 dB."""


def scaled(audio: np.ndarray, gain: float | np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Multiply float32 audio by a gain and return it as float32, in ``out`` if it is given.

    The products are float64: the gain of a recording below 1e-38 is beyond the range of float32. A result beyond that
    range is infinite, without a warning: a transfer of such samples raises an error.
    """
    if out is None:
        out = np.empty(audio.shape, np.float32)
    with np.errstate(**OVERFLOW):
        return np.multiply(audio, np.float64(gain), out=out, dtype=np.float64, casting="same_kind")


def level_shares(
    parameters: Parameters, dry_rms: float, wet_rms: float, correlation: Callable[[], float]
) -> tuple[float, float]:
    """Return the factors of dry and wet in the result.

    Parameters
    ----------
    parameters : Parameters
        ``mix``; ``normalize`` and ``match_level``, which bring the wet signal to the dry level; and ``strength``: 0
        gives the content itself, like a mix of 0.
    dry_rms, wet_rms : float
    correlation : callable
        Returns the correlation of dry and wet; called only if both are in the mix.
    """
    mix = 0.0 if parameters.strength == 0 else parameters.mix
    ratio = dry_rms / wet_rms if parameters.normalize and parameters.match_level else 1.0
    if mix in (0, 1):
        return 1.0 - mix, mix * ratio
    dry_share, wet_share = mix_shares(dry_rms, wet_rms * ratio, correlation(), mix)
    return dry_share, wet_share * ratio


def mix_shares(dry_rms: float, wet_rms: float, correlation: float, mix: float) -> tuple[float, float]:
    """Return the factors of dry and wet at which the level of their sum moves linearly in dB as ``mix`` rises."""
    dry, wet = (1 - mix) * dry_rms, mix * wet_rms
    level = math.sqrt(dry * dry + wet * wet + 2 * max(correlation, MIN_CORRELATION) * dry * wet)
    makeup = dry_rms ** (1 - mix) * wet_rms**mix / level
    return makeup * (1 - mix), makeup * mix


def float32(audio: np.ndarray) -> np.ndarray:
    """Convert the result to float32; raise TransferError if its peaks exceed that range."""
    with np.errstate(over="ignore"):
        audio = audio.astype(np.float32)
    if not np.isfinite(audio).all():
        raise TransferError(FAILED)
    return audio
