"""Conversions of the original algorithm before and after a transfer: to mono at its own rate, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._recordings.channels import match_channels
from ..._recordings.disk_samples import Samples
from ..._recordings.resampling import resample
from ..._recordings.silence import silence_mask
from ..setup.mix_shares import scaled
from ..setup.sections import plan
from ..setup.transfer_setup import TransferSetup
from .recording_plans import RecordingPlan, constant_gain, content_mask, finish_recording, plan_recording


@dataclass(frozen=True, eq=False)
class OriginalPlan:
    """The plan of the original algorithm for a recording, in memory.

    Attributes
    ----------
    dry, wet : Samples
        The recording and its result, (channels, samples).
    mono : RecordingPlan
        The transfer of the mix to mono at the rate of the original algorithm.
    scale : float
        Gain of the mono mix over the recording.
    """

    dry: Samples
    wet: Samples
    mono: RecordingPlan
    scale: float


def plan_original(dry: Samples, wet: Samples, setup: TransferSetup) -> OriginalPlan:
    """Plan the transfer of a content by the original algorithm.

    Raises
    ------
    ValueError
        If the channels of the content cancel when mixed to mono.
    """
    mono, scale = dry[:, :], 1.0
    if mono.any():
        if setup.parameters.normalize:
            # The mix of a very quiet recording would be zero. A power of two scales without rounding.
            scale = 2.0 ** -float(np.frexp(np.abs(mono).max())[1])
        mono = scaled(mono, scale)
        mono = match_channels(mono, np.ones(1, bool), "content")
        mono = resample(mono, setup.content_rate, setup.sample_rate)
    return OriginalPlan(dry, wet, plan_recording(mono, np.zeros_like(mono), setup), scale)


def finish_original(original: OriginalPlan, setup: TransferSetup) -> None:
    """Bring the mono result to the recording's rate, into its sounding channels, to its level and into its mix."""
    mono, rate, n_samples = original.mono, setup.content_rate, original.dry.shape[1]
    if not mono.sounding.any():
        return
    wet = mono.wet[:, :].astype(np.float64) / mono.gain(slice(0, mono.wet.shape[1]))
    wet = resample(wet, setup.sample_rate, rate)[:, :n_samples]
    mask = silence_mask(original.dry, rate)
    original.wet[:, :] = mask * np.pad(wet, ((0, 0), (0, n_samples - wet.shape[1])))
    whole = RecordingPlan(
        dry=original.dry,
        wet=original.wet,
        sections=tuple(plan(n_samples, n_samples, 0, 0)),
        active=(np.asarray(original.dry[:, :].any(axis=1)),),
        gain=constant_gain(original.scale),
        mask=content_mask(original.dry, rate),
    )
    finish_recording(whole, setup.parameters)
