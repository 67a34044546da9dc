"""The plan of a recording's transfer: its sections, the input and output of each section, and the final mix."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from ..._recordings.disk_samples import Samples
from ..._recordings.gain_curve import Dynamics
from ..._recordings.levels import blocks_of, rms, within_full_scale
from ..._recordings.silence import has_silence, silence_mask
from ...errors import TransferError
from ..parameters.parameter_list import Parameters
from ..results import Stage
from ..setup.mix_shares import FAILED, float32, level_shares, scaled
from ..setup.sections import Section, plan
from ..setup.transfer_setup import TransferSetup
from ..stages.section_batch import SectionInput
from ..styles.matched_styles import transfer_gain
from .band_matching import BandMatching

GainCurve: TypeAlias = Callable[[slice], float | np.ndarray]
"""Gain of the transfer over the recording's own level in a window: a factor for each sample, or one for all."""

Mask: TypeAlias = Callable[[slice], np.ndarray | None]
"""Factor of each sample of the result in a window, (channels, samples): zero where it has to be silent. None if none
has to be, as in most recordings."""


@dataclass
class TransferLog:
    """Records of a recording's transfer, taken while it runs.

    Attributes
    ----------
    stages : dict of int to dict of str to Stage
        The stages of each finished section, by its number.
    seconds : float
        Computing time.
    semitones : tuple of float
        Semitones by which each style is moved.
    """

    stages: dict[int, dict[str, Stage]] = field(default_factory=dict)
    seconds: float = 0.0
    semitones: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class RecordingPlan:
    """The plan of a recording's transfer.

    Attributes
    ----------
    dry : Samples
        The content, (channels, samples).
    wet : Samples
        The result, of the same shape, zero at first. Until the transfer is finished it is at the level of transfers.
    sections : tuple of Section
    active : tuple of bool array (channels,)
        For each section the channels that sound in its window; the others stay silent.
    gain : callable
    mask : callable
    bands : BandMatching, optional
        The settings of the equaliser; None without one.
    log : TransferLog
    """

    dry: Samples
    wet: Samples
    sections: tuple[Section, ...]
    active: tuple[np.ndarray, ...]
    gain: GainCurve
    mask: Mask
    bands: BandMatching | None = None
    log: TransferLog = field(default_factory=TransferLog)

    @property
    def sounding(self) -> np.ndarray:
        """The channels, bool (channels,), that sound in any section."""
        return np.any(self.active, axis=0)


def plan_recording(dry: Samples, wet: Samples, setup: TransferSetup) -> RecordingPlan:
    """Plan the transfer of a content."""
    sections = tuple(plan(dry.shape[1], *setup.section_spans()))
    active = tuple(active_channels(dry, section) for section in sections)
    gain = constant_gain(1.0)
    if setup.parameters.normalize:
        gain = Dynamics.of(dry, setup.sample_rate, np.any(active, axis=0)).curve
    return RecordingPlan(dry, wet, sections, active, gain, content_mask(dry, setup.sample_rate))


def plan_texture(wet: Samples, style: np.ndarray, setup: TransferSetup) -> RecordingPlan:
    """Plan a texture, which has no content: only its shape is used, because alpha is 0.

    Parameters
    ----------
    wet : Samples
    style : float32 array (channels, samples)
        The style that gives the texture its level, and the channels that sound.
    setup : TransferSetup
    """
    sections = tuple(plan(wet.shape[1], *setup.section_spans()))
    sounding = np.asarray(style.any(axis=-1))
    gain = transfer_gain(style, setup.sample_rate, normalize=setup.parameters.normalize, channels=sounding)
    return RecordingPlan(
        dry=np.broadcast_to(np.float32(0), wet.shape),
        wet=wet,
        sections=sections,
        active=(sounding,) * len(sections),
        gain=constant_gain(gain),
        mask=lambda window: None,
    )


def active_channels(dry: Samples, section: Section) -> np.ndarray:
    """Return which channels, bool (channels,), sound in a section's window."""
    return np.asarray(dry[:, section.window].any(axis=-1))


def constant_gain(gain: float) -> GainCurve:
    """Return the curve of a gain that is the same everywhere."""
    return lambda window: gain


def content_mask(dry: Samples, sample_rate: float) -> Mask:
    """Return the mask that keeps the digital silence of a content silent."""

    def mask(window: slice) -> np.ndarray | None:
        return silence_mask(dry, sample_rate, window) if has_silence(dry, sample_rate, window) else None

    return mask


def section_input(recording: RecordingPlan, k: int, content: np.ndarray) -> SectionInput:
    """Return the input of a section's transfer; between finished neighbours it includes their finished samples.

    Parameters
    ----------
    recording : RecordingPlan
    k : int
        Number of the section.
    content : float32 array (sounding channels, samples)
        Is filled with the content at the level of transfers.
    """
    section, active = recording.sections[k], recording.active[k]
    dry, gain = _channels(recording.dry[:, section.window], active), recording.gain(section.window)
    scaled(dry, gain, content)
    mask, fixed = recording.mask(section.window), None
    if mask is not None:
        mask = _channels(mask, active)
    if section.second:
        free = section.free()
        mask = np.broadcast_to(free, content.shape) if mask is None else mask * free
        fixed = _channels(recording.wet[:, section.window], active) * (1 - free)
    section_parts = SectionInput(
        content, mask, fixed, noise_number=k, full_scale=float(np.min(gain)) if within_full_scale(dry) else math.inf
    )
    if recording.bands is None:
        return section_parts
    return replace(section_parts, band_gains=recording.bands.gains, depth=recording.bands.depth)


def section_content(recording: RecordingPlan, k: int) -> tuple[np.ndarray, slice]:
    """Return the sounding channels of a section's window, at the level of transfers, and the section's slice of it."""
    section, active = recording.sections[k], recording.active[k]
    content = scaled(_channels(recording.dry[:, section.window], active), recording.gain(section.window))
    return content, slice(section.start - section.window.start, section.stop - section.window.start)


def keep_section(recording: RecordingPlan, k: int, samples: np.ndarray, stages: dict[str, Stage]) -> None:
    """Write the result of a section, (active channels, samples of its window), and record its stages."""
    section, active = recording.sections[k], recording.active[k]
    result, offset = section.result, section.window.start
    _write(recording, result, active, samples[:, result.start - offset : result.stop - offset])
    recording.log.stages[k] = stages


def finish_recording(recording: RecordingPlan, parameters: Parameters) -> None:
    """Bring the result to its level and mix it with the content, in place."""
    if recording.sounding.any():
        _mix(recording, parameters, _level(recording, _dry))


def finish_texture(texture: RecordingPlan, style: np.ndarray, parameters: Parameters) -> None:
    """Bring a texture to the level of its style, in place."""
    _mix(texture, parameters, rms(style[texture.sounding]))


def _mix(recording: RecordingPlan, parameters: Parameters, dry_rms: float) -> None:
    """Mix dry and wet in place; the RMS moves linearly in dB from dry, ``dry_rms``, to wet."""
    wet_rms = _level(recording, _unscaled)
    if not wet_rms:
        raise TransferError(FAILED)
    sounding = recording.sounding

    def correlation() -> float:
        products = [
            float(np.vdot(_dry(recording, block) / dry_rms, _unscaled(recording, block) / wet_rms))
            for block in blocks_of(recording.wet)
        ]
        return sum(products) / (int(sounding.sum()) * recording.dry.shape[1])

    dry_share, wet_share = level_shares(parameters, dry_rms, wet_rms, correlation)
    for block in blocks_of(recording.wet):
        mixed = _unscaled(recording, block)
        mixed *= wet_share
        if dry_share:
            mixed += dry_share * _dry(recording, block)
        _write(recording, block, sounding, float32(mixed))


def _channels(audio: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return some channels of audio (channels, samples); without a copy if they are all."""
    return audio if which.all() else audio[which]


def _write(recording: RecordingPlan, samples: slice, channels: np.ndarray, values: np.ndarray) -> None:
    """Write samples of some channels, bool (channels,), of the result."""
    if channels.all():
        recording.wet[:, samples] = values
        return
    block = recording.wet[:, samples]
    block[channels] = values
    recording.wet[:, samples] = block


def _dry(recording: RecordingPlan, samples: slice) -> np.ndarray:
    """Return samples of the sounding channels of the content, float64."""
    return _channels(recording.dry[:, samples], recording.sounding).astype(np.float64)


def _unscaled(recording: RecordingPlan, samples: slice) -> np.ndarray:
    """Return samples of the sounding channels of the result at the content's level, float64."""
    wet = _channels(recording.wet[:, samples], recording.sounding)
    return np.asarray(np.divide(wet, recording.gain(samples), dtype=np.float64))


def _level(recording: RecordingPlan, part: Callable[[RecordingPlan, slice], np.ndarray]) -> float:
    """Return the RMS of a part of a recording, `_dry` or `_unscaled`, over its sounding channels."""
    energy = 0.0
    for block in blocks_of(recording.wet):
        samples = part(recording, block)
        energy += float(np.vdot(samples, samples))
    return math.sqrt(energy / (int(recording.sounding.sum()) * recording.dry.shape[1]))
