"""Progress of transfers and of folders: one event, given to the caller's function or shown as a tqdm bar."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

from tqdm import tqdm

EventKind: TypeAlias = Literal["stage", "start", "made", "file", "again", "end"]

BAR_FORMAT = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"

_FIELDS: dict[str, tuple[str, ...]] = {
    "stage": ("file", "stage", "iteration", "iterations", "losses", "section", "sections"),
    "start": ("files", "skipped", "bytes", "passed_over"),
    "made": ("file", "bytes", "duration", "seconds"),
    "file": ("file", "bytes"),
    "again": ("files", "bytes"),
    "end": ("done", "skipped", "failed", "seconds"),
}
"""The fields that have a meaning for each kind of event."""


@dataclass(frozen=True, kw_only=True)
class ProgressEvent:
    """One moment of a transfer or of a folder. More fields and kinds may be added.

    A recording gives "stage" events only. A folder begins with "start" and ends with "end". For each of its files it
    gives "stage" events, where the work is done in the calling process, then "made" when the file is processed, and
    "file" when the file is finished or has failed. "again" says that finished stems have to be processed again,
    because a louder stem of the same song reduces their common gain.

    Attributes
    ----------
    kind : {"stage", "start", "made", "file", "again", "end"}
    file : str or None
        Name of the file, relative to the folder; None for a recording that is not in a folder.
    stage : {"spectrogram", "phase", "waveform"} or None
    iteration, iterations : int
        Iterations of the stage that are done, from 0, and their total. Every section runs every stage.
    losses : mapping of str to float
        Losses at this iteration by name, "style" and "content", or "inconsistency" in the phase stage.
    section, sections : int
        Sections that are finished, and their total over all recordings of the call.
    files, skipped, done, failed : int
        Numbers of files.
    bytes : int
        Size of the input file, or of all input files that have to be read.
    duration : float
        Length of the processed recording in seconds.
    seconds : float
        Computing time in seconds.
    passed_over : sequence of str
        Names of files in the folder that are not recordings.
    record : mapping or None
        The manifest's record of the file, for the kind "file".
    """

    kind: EventKind
    file: str | None = None
    stage: str | None = None
    iteration: int = 0
    iterations: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    section: int = 0
    sections: int = 1
    files: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    bytes: int = 0
    duration: float = 0.0
    seconds: float = 0.0
    passed_over: Sequence[str] = ()
    record: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that this kind of event has, merged with the record's entries."""
        values = {name: getattr(self, name) for name in _FIELDS[self.kind]}
        if values.get("file", "") is None:
            del values["file"]
        return {"kind": self.kind, **values, **(self.record or {})}


Progress: TypeAlias = bool | Callable[[ProgressEvent], None] | None
"""True for a bar with the time left, a function that is called with every event, or False for neither.

None is for a bar that appears after a second where a person waits, see `is_interactive`, and for neither elsewhere.
"""

PATIENCE = 1.0
"""Seconds after which a bar appears that nobody asked for."""

StageReport: TypeAlias = Callable[[str, int, int, Mapping[str, float]], None]
"""A function of stage, iteration, iterations and losses by name, which a stage calls as it runs."""


def check_progress(progress: Progress) -> Progress:
    """Return the value; raise TypeError unless it is True, False, None or callable."""
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress
    raise TypeError(f"progress={progress!r} must be True, False, None or a function")


def is_interactive() -> bool:
    """Return whether a person waits: in a notebook, or in the shell of Python or IPython on a terminal."""
    return hasattr(sys, "ps1") and ("ipykernel" in sys.modules or sys.stderr.isatty())


@contextmanager
def reporting(
    progress: Progress, iterations: Mapping[str, int], costs: Mapping[str, float], sections: int
) -> Iterator[Callable[[int], StageReport | None]]:
    """Give a function that returns the report for a batch, given its number of sections, or None for no progress.

    Parameters
    ----------
    progress : Progress
    iterations : mapping of str to int
        Iterations of each stage, the same for every section.
    costs : mapping of str to float
        Relative duration of one iteration of each stage.
    sections : int
        Sections of all recordings together.
    """
    check_progress(progress)
    lock, finished = threading.Lock(), 0
    *_, last_stage = (stage for stage, n in iterations.items() if n)

    def counted(items: int, stage: str, iteration: int, n_iter: int) -> int:
        """Return the number of finished sections; with its last iteration, a batch of so many items has finished."""
        nonlocal finished
        with lock:  # several GPUs report
            before = min(finished, sections - items)  # a batch that ran out of memory begins again
            if stage == last_stage and iteration == n_iter:
                finished = min(finished + items, sections)
            return before

    if callable(progress):
        yield lambda items: _event_report(progress, partial(counted, items), sections)
    elif progress or (progress is None and is_interactive()):
        patience = 0.0 if progress else PATIENCE
        total = sum(iterations[stage] * costs[stage] for stage in iterations) * sections
        with tqdm(total=total, bar_format=BAR_FORMAT, smoothing=0, dynamic_ncols=True, delay=patience) as bar:
            yield lambda items: _bar_report(bar, costs, items, partial(counted, items), sections)
            if bar.format_dict["elapsed"] >= patience:
                bar.refresh()
    else:
        yield lambda items: None


def _event_report(
    progress: Callable[[ProgressEvent], None], counted: Callable[[str, int, int], int], sections: int
) -> StageReport:
    """Return a report that calls the user's function with an event."""

    def report(stage: str, iteration: int, iterations: int, losses: Mapping[str, float]) -> None:
        progress(
            ProgressEvent(
                kind="stage",
                stage=stage,
                iteration=iteration,
                iterations=iterations,
                losses=dict(losses),
                section=counted(stage, iteration, iterations),
                sections=sections,
            )
        )

    return report


def _bar_report(
    bar: tqdm[Any], costs: Mapping[str, float], items: int, counted: Callable[[str, int, int], int], sections: int
) -> StageReport:
    """Return a report that advances a bar by the cost of the finished iterations."""
    last = 0

    def report(stage: str, iteration: int, iterations: int, losses: Mapping[str, float]) -> None:
        nonlocal last
        cost = items * (iteration - last) * costs[stage]
        last = iteration % iterations  # the next stage begins at 0
        position = f"{counted(stage, iteration, iterations) + 1}/{sections} " if sections > 1 else ""
        bar.set_description(position + stage, refresh=False)
        bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
        bar.update(min(cost, bar.total - bar.n))  # repeated work does not count twice

    return report
