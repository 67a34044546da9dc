"""The transfer of whole recordings: planned, styled section by section, and finished."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..._engine.arrays.threads import one_thread_each
from ..._engine.cuda.batching import in_batches
from ..._recordings.disk_samples import Samples
from ...progress import Progress, StageReport, reporting
from ..setup.costs import item_bytes, iteration_costs
from ..setup.transfer_setup import TransferSetup
from ..stages.section_batch import SectionBatch, three_stages
from ..styles.matched_styles import StyleTarget, match_styles
from ..styles.style_keys import style_semitones
from ..styles.style_levels import style_levels
from .band_matching import ContentLevels
from .original_transfer import finish_original, plan_original
from .preparation import PreparedTransfer
from .recording_plans import (
    RecordingPlan,
    TransferLog,
    finish_recording,
    finish_texture,
    keep_section,
    plan_recording,
    plan_texture,
    section_content,
    section_input,
)


def transfer_recordings(
    contents: Sequence[Samples], results: Sequence[Samples], transfer: PreparedTransfer, progress: Progress = None
) -> list[TransferLog]:
    """Style recordings of one length.

    Parameters
    ----------
    contents : sequence of Samples (channels, samples)
    results : sequence of Samples
        Arrays or files with the contents' shapes, all zero; the styled recordings are written to them.
    transfer : PreparedTransfer
    progress : Progress

    Returns
    -------
    list of TransferLog

    Raises
    ------
    ValueError
        If a style does not fit the channels of a content, before any work.
    TransferError
        If a result is silent or not finite.
    """
    setup, pairs = transfer.setup, [*zip(contents, results, strict=True)]
    with one_thread_each:  # already here, because BLAS threads keep polling for work after each call
        if setup.parameters.original:
            originals = [plan_original(dry, wet, setup) for dry, wet in pairs]
            plans = [original.mono for original in originals]
            style_all_sections(plans, transfer, progress)
            for original in originals:
                finish_original(original, setup)
        else:
            plans = [plan_recording(dry, wet, setup) for dry, wet in pairs]
            style_all_sections(plans, transfer, progress)
            for recording in plans:
                finish_recording(recording, setup.parameters)
    return [recording.log for recording in plans]


def transfer_texture(result: Samples, transfer: PreparedTransfer, progress: Progress = None) -> TransferLog:
    """Make a texture with the channels and the level of the first style.

    Parameters
    ----------
    result : Samples (channels, samples)
        All zero; the texture is written to it.
    transfer : PreparedTransfer
    progress : Progress
    """
    style, setup = transfer.styles.samples[0], transfer.setup
    texture = plan_texture(result, style, setup)
    with one_thread_each:
        style_all_sections([texture], transfer, progress)
        finish_texture(texture, style, setup.parameters)
    return texture.log


def style_all_sections(recordings: Sequence[RecordingPlan], transfer: PreparedTransfer, progress: Progress) -> None:
    """Style the sections of recordings of one length: every second section first, then the sections between them."""
    setup = transfer.setup
    if setup.parameters.equalize:
        recordings = [with_bands(recording, transfer) for recording in recordings]
    # Sections with the same silent channels, of recordings in one key, have the same styles and are styled together.
    groups: dict[tuple[bool, tuple[bool, ...], tuple[float, ...]], list[tuple[RecordingPlan, int]]] = {}
    for recording in recordings:
        semitones = recording.log.semitones = style_semitones(transfer.styles, recording.dry, setup)
        for k, (section, active) in enumerate(zip(recording.sections, recording.active, strict=True)):
            if active.any():
                groups.setdefault((section.second, tuple(map(bool, active)), semitones), []).append((recording, k))
    targets = {
        (channels, moves): match_styles(transfer.styles, np.array(channels), setup, moves)
        for _, channels, moves in groups
    }
    costs = iteration_costs(setup.windows)
    with reporting(progress, setup.parameters.iterations, costs, sum(map(len, groups.values()))) as report:
        for second, channels, moves in sorted(groups):
            style_sections(groups[second, channels, moves], targets[channels, moves], setup, report)


def with_bands(recording: RecordingPlan, transfer: PreparedTransfer) -> RecordingPlan:
    """Return the plan with the equaliser that gives the recording the levels of the styles."""
    setup, sounding = transfer.setup, [k for k, active in enumerate(recording.active) if active.any()]
    if not sounding:
        return recording
    levels = ContentLevels(setup, len(sounding))
    for k in sounding:
        levels.add(*section_content(recording, k))
    unmoved = (0.0,) * len(transfer.styles.samples)
    style = style_levels(match_styles(transfer.styles, recording.sounding, setup, unmoved), setup)
    return replace(recording, bands=levels.matching(style))


def style_sections(
    sections: list[tuple[RecordingPlan, int]],
    target: StyleTarget,
    setup: TransferSetup,
    report: Callable[[int], StageReport | None],
) -> None:
    """Style sections with the same silent channels, given as recordings and numbers, in batches of the best size.

    Parameters
    ----------
    sections : list of (RecordingPlan, int)
    target : StyleTarget
        The styles for the channels that sound.
    setup : TransferSetup
    report : callable
        Returns the report for a batch, given its number of sections; see `reporting`.
    """
    recording, k = sections[0]
    window, channels = recording.sections[k].window, len(target.samples[0])
    style_samples = sum(style.shape[1] for style in target.samples)
    size = item_bytes(setup.parameters, setup.stfts, channels, window.stop - window.start, style_samples)
    style_batch = functools.partial(_style_batch, target, setup, report)
    in_batches(style_batch, sections, setup.parameters.device, size)


def _style_batch(
    target: StyleTarget,
    setup: TransferSetup,
    report: Callable[[int], StageReport | None],
    sections: list[tuple[RecordingPlan, int]],
    device: str,
) -> None:
    """Style sections together on a device, and keep their results."""
    start = time.perf_counter()
    batch = SectionBatch.of([section_input(recording, k) for recording, k in sections])
    styled = three_stages(batch, target, setup, device, report(len(sections)))
    counts = Counter(recording for recording, _ in sections)  # the sections of a recording share its time
    for (recording, k), samples, stages in zip(sections, styled.samples, styled.stages, strict=True):
        shared = {name: replace(stage, seconds=stage.seconds / counts[recording]) for name, stage in stages.items()}
        keep_section(recording, k, samples, shared)
    for recording in counts:
        recording.log.seconds += time.perf_counter() - start
