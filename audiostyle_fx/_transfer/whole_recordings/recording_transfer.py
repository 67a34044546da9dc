"""The transfer of whole recordings: planned, styled section by section, and finished."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..._engine.arrays.allocation import keep_freed_memory
from ..._engine.arrays.threads import one_thread_each
from ..._engine.cuda.batching import in_batches, run_batches
from ..._engine.cuda.device_threads import combines_batches
from ..._engine.cuda.host_threads import at_once, on_all_cores
from ..._engine.cuda.memory import host_array
from ..._recordings.disk_samples import Samples
from ...errors import TransferError
from ...progress import Progress, StageReport, reporting
from ..setup.costs import item_bytes, iteration_costs
from ..setup.mix_shares import FAILED
from ..setup.transfer_setup import TransferSetup
from ..stages.section_batch import SectionBatch
from ..stages.window_objectives import style_kind
from ..styles.matched_styles import StyleTarget, match_styles
from ..styles.style_keys import style_semitones
from ..styles.style_levels import style_levels
from .band_matching import ContentLevels
from .original_transfer import finish_original, plan_original
from .preparation import PreparedTransfer
from .prepared_sections import PreparedSections, StyledSections
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

Report = Callable[[int], StageReport | None]
"""Returns the report for a batch, given its number of sections; see `reporting`."""


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
    keep_freed_memory()
    with one_thread_each:  # already here, because BLAS threads keep polling for work after each call
        if setup.parameters.original:
            originals = on_all_cores(lambda pair: plan_original(*pair, setup), pairs)
            plans = [original.mono for original in originals]
            style_all_sections(plans, transfer, progress, lambda i: finish_original(originals[i], setup))
        else:
            plans = on_all_cores(lambda pair: plan_recording(*pair, setup), pairs)
            style_all_sections(plans, transfer, progress, lambda i: finish_recording(plans[i], setup.parameters))
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
        style_all_sections([texture], transfer, progress, lambda _: finish_texture(texture, style, setup.parameters))
    return texture.log


class SectionTask(NamedTuple):
    """A section to style: the number of its recording, its own number there, and the styles of its channels."""

    recording: int
    k: int
    target: StyleTarget


def style_all_sections(
    recordings: Sequence[RecordingPlan], transfer: PreparedTransfer, progress: Progress, finish: Callable[[int], None]
) -> None:
    """Style the sections of recordings of one length: every second section first, then the sections between them.

    Parameters
    ----------
    recordings : sequence of RecordingPlan
    transfer : PreparedTransfer
    progress : Progress
    finish : callable
        Is called with the number of each recording that has sound when all of its sections are styled, on any thread.
    """
    setup = transfer.setup

    def moves_of(recording: RecordingPlan) -> tuple[float, ...]:
        return style_semitones(transfer.styles, recording.dry, setup)

    # The equalisers of several are set later; in a folder, other files use the other cores.
    if len(recordings) == 1 and setup.parameters.key == "content" and not combines_batches():
        planned, semitones = at_once(partial(with_bands, recordings[0], transfer), partial(moves_of, recordings[0]))
        recordings, moves = [planned], [semitones]
    else:
        moves = on_all_cores(moves_of, recordings, first_alone=True)
    keys: dict[tuple[bool, tuple[bool, ...], tuple[float, ...]], list[tuple[int, int]]] = {}
    for i, (recording, semitones) in enumerate(zip(recordings, moves, strict=True)):
        recording.log.semitones = semitones
        for k, (section, active) in enumerate(zip(recording.sections, recording.active, strict=True)):
            if active.any():
                keys.setdefault((section.second, tuple(map(bool, active)), semitones), []).append((i, k))
    styles = [*dict.fromkeys((channels, semitones) for _, channels, semitones in sorted(keys))]
    matched = on_all_cores(lambda key: match_styles(transfer.styles, np.array(key[0]), setup, key[1]), styles)
    targets = dict(zip(styles, matched, strict=True))
    groups: dict[tuple[bool, Hashable], list[SectionTask]] = {}
    for (second, channels, semitones), sections in sorted(keys.items()):
        i, k = sections[0]
        window, target = recordings[i].sections[k].window, targets[channels, semitones]
        group = groups.setdefault((second, style_kind(target, window.stop - window.start, setup)), [])
        group += [SectionTask(i, k, target) for i, k in sections]
    costs = iteration_costs(setup.windows)
    with reporting(progress, setup.parameters.iterations, costs, sum(map(len, groups.values()))) as report:
        steps = SectionSteps(list(recordings), transfer, report, finish)
        for turn in (False, True):
            style_groups(steps, [tasks for (second, _), tasks in groups.items() if second == turn])


def style_section(
    recording: RecordingPlan, k: int, target: StyleTarget, transfer: PreparedTransfer, report: Report
) -> None:
    """Style one section of a recording, of which others may still be unknown."""
    style_groups(SectionSteps([recording], transfer, report), [[SectionTask(0, k, target)]])


def style_groups(steps: SectionSteps, groups: list[list[SectionTask]]) -> None:
    """Style groups of sections of one length, whose styles are of one kind, see `style_kind`."""
    device = steps.setup.parameters.device
    batches = [batch for group in groups for batch in in_batches(group, device, steps.item_bytes(group))]
    if batches:
        run_batches(steps, batches, device)


class SectionSteps:
    """The steps of a batch of sections, see `BatchSteps`.

    Parameters
    ----------
    recordings : list of RecordingPlan
        Their equaliser is set when their first section is prepared, unless it is set already.
    transfer : PreparedTransfer
    report : callable
    finish : callable, optional
        See `style_all_sections`.
    """

    def __init__(
        self,
        recordings: list[RecordingPlan],
        transfer: PreparedTransfer,
        report: Report,
        finish: Callable[[int], None] | None = None,
    ) -> None:
        self.setup: TransferSetup = transfer.setup
        self._recordings, self._transfer, self._report, self._finish = recordings, transfer, report, finish
        self._unstyled = [sum(map(np.any, recording.active)) for recording in recordings]
        self._lock = threading.Lock()

    def item_bytes(self, group: Sequence[SectionTask]) -> int:
        """Return the most memory that a section of a group needs on a GPU, in bytes."""
        first, targets = group[0], {id(task.target): task.target for task in group}.values()
        window, channels = self._recordings[first.recording].sections[first.k].window, len(first.target.samples[0])
        style_samples = max(sum(style.shape[1] for style in target.samples) for target in targets)
        sizes = (self.setup.stfts, channels, window.stop - window.start, style_samples)
        return item_bytes(self.setup.parameters, *sizes, own_styles=len(targets) > 1 or combines_batches())

    def prepare(self, items: Sequence[SectionTask], device: str) -> PreparedSections:
        """Compute the input of a batch."""
        start = time.perf_counter()
        numbers = [*dict.fromkeys(task.recording for task in items)]
        plans = on_all_cores(lambda i: with_bands(self._recordings[i], self._transfer), numbers, first_alone=True)
        for i, recording in zip(numbers, plans, strict=True):
            self._recordings[i] = recording
        target, window = items[0].target, self._recordings[items[0].recording].sections[items[0].k].window
        contents = host_array((len(items), len(target.samples[0]), window.stop - window.start), device)
        inputs = on_all_cores(
            lambda pair: section_input(self._recordings[pair[0].recording], pair[0].k, pair[1]),
            zip(items, contents, strict=True),
        )
        targets = [task.target for task in items]
        if all(each is target for each in targets):
            targets = [target]
        report = self._report(len(items))
        return PreparedSections(
            SectionBatch.of(contents, inputs),
            targets,
            self.setup,
            self.item_bytes(items),
            [] if report is None else [report],
            time.perf_counter() - start,
        )

    def finish(self, items: Sequence[SectionTask], result: StyledSections) -> None:
        """Keep the results of a batch, and finish the recordings of which it styled the last section.

        Raises
        ------
        TransferError
            If a sample of a result is not finite.
        """
        counts = Counter(task.recording for task in items)  # the sections of a recording share its time
        start = time.perf_counter()

        def keep(number: int) -> None:
            task, stages = items[number], result.styled.stages[number]
            if not np.isfinite(result.styled.samples[number]).all():
                raise TransferError(FAILED)
            count = counts[task.recording]
            shared = {name: replace(stage, seconds=stage.seconds / count) for name, stage in stages.items()}
            keep_section(self._recordings[task.recording], task.k, result.styled.samples[number], shared)

        on_all_cores(keep, range(len(items)))
        with self._lock:  # several GPUs may style sections of one recording
            for i, count in counts.items():
                self._unstyled[i] -= count
            complete = [i for i in counts if not self._unstyled[i]]
        if self._finish is not None:
            on_all_cores(self._finish, complete)
        with self._lock:
            for i in counts:
                self._recordings[i].log.seconds += result.seconds + time.perf_counter() - start


def with_bands(recording: RecordingPlan, transfer: PreparedTransfer) -> RecordingPlan:
    """Return the plan of a recording with the equaliser that gives it the levels of the styles, if it needs one."""
    setup, styles = transfer.setup, transfer.styles
    sounding = [k for k, active in enumerate(recording.active) if active.any()]
    if recording.bands is not None or not setup.parameters.equalize or not sounding:
        return recording
    levels = ContentLevels(setup, len(sounding))
    for k in sounding:
        levels.add(*section_content(recording, k))
    unmoved = match_styles(styles, recording.sounding, setup, (0.0,) * len(styles.samples))
    return replace(recording, bands=levels.matching(style_levels(unmoved, setup)))
