"""A dry run: the files that a run would process, the decoders that read them, and the estimated time."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from .._effects_chain.catalog import effects
from .._effects_chain.checks import check_files
from .._effects_chain.step import Step
from .checked_run import CheckedRun, check_folder
from .executors.task_executors import TaskExecutor
from .executors.task_types import TaskT
from .find import Selection
from .headers import Header, read_header
from .one_file import Task, check_result
from .plan import Plan
from .records.manifest import DATABASE, HIDDEN, NAME, Manifest
from .records.manifest_json import Record, check_manifest
from .run import refuse_to_replace
from .workers import Workers

EXCERPT_SECONDS = 10.0
"""The longest part of a recording, in seconds, that is processed to measure the time."""

MAX_EXCERPTS = 16
"""The most excerpts that are processed at once; with more workers, the estimate is an upper bound."""

SETTLED_SECONDS = 5.0
"""A measurement that takes longer is not repeated, because loading of modules is only a small part of its time."""

Action: TypeAlias = Literal["process", "finish", "skip", "fail"]


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """The plan for a file.

    Attributes
    ----------
    name : str
        Name of the result.
    action : {"process", "finish", "skip", "fail"}
        "process" if the file would be processed; "finish" if an earlier run processed it and only its level has to be
        set; "skip" if an earlier run finished it; "fail" if it would fail.
    header : Header or None
        The contents of the header; None if it was not read.
    duration : float
        Length in seconds of the part that would be processed.
    work : float
        Number of samples in all channels of this part.
    replaces : bool
        Whether a file with the result's name exists.
    error : str
        Reason why the file would fail.
    """

    name: str
    action: Action
    header: Header | None = None
    duration: float = 0.0
    work: float = 0.0
    replaces: bool = False
    error: str = ""

    @property
    def excerpt_work(self) -> float:
        """The work of the excerpt on which the time is measured."""
        return self.work * min(1.0, EXCERPT_SECONDS / self.duration)

    def as_dict(self) -> Record:
        """Return the plan as JSON values."""
        record: Record = {"file": self.name, "action": self.action, "replaces": self.replaces}
        if self.header is not None:
            record |= {**self.header._asdict(), "notes": list(self.header.notes), "duration": self.duration}
        return {**record, "error": self.error} if self.error else record


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """The plan and the estimated time of a run.

    Attributes
    ----------
    files : sequence of PlannedFile
    passed_over : sequence of str
        Names of files in the folder that are not recordings.
    seconds : float or None
        Estimated time of the run in seconds, by a measured rate; None if it could not be measured.
    unmeasured : str
        Reason why the time could not be measured.
    """

    files: Sequence[PlannedFile]
    passed_over: Sequence[str] = ()
    seconds: float | None = 0.0
    unmeasured: str = ""

    @property
    def duration(self) -> float:
        """Seconds of sound that would be processed."""
        return sum(file.duration for file in self.files)

    def count(self, action: Action) -> int:
        """Return the number of files with a planned action."""
        return sum(file.action == action for file in self.files)

    def as_dict(self) -> Record:
        """Return the totals as JSON values."""
        counts = {action: self.count(action) for action in get_args(Action)}
        seconds = {"seconds": round(self.seconds, 3)} if self.seconds is not None else {"unmeasured": self.unmeasured}
        return {**counts, "duration": self.duration, **seconds, "passed_over": list(self.passed_over)}


def dry_run_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    chain: Sequence[Step],
    selection: Selection,
    workers: Workers,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    overwrite: bool = True,
) -> DryRun:
    """Return the plan of `run_folder` with the same arguments; only temporary files are written.

    The plan can't predict files that have to be processed again because another stem turns out to be louder.
    """
    run = CheckedRun.of(in_folder, out_folder, chain, selection, settings)
    _check_may_be_made(run.out)
    existing = run.existing()
    checked: dict[Any, str] = {}
    with _copy_of_records(run.out) as manifest:
        if not overwrite:
            refuse_to_replace(out_folder, manifest.foreign(existing))
        plan = run.plan(manifest, force=force)
        tasks = {task.name: task for task in _tasks(plan) if task.full_scale is None}
    waiting, replaced = set(plan.staged_names()), set(existing)
    files = [
        _planned(tasks[name], checked, replaces=name in replaced)
        if name in tasks
        else PlannedFile(name=name, action="finish" if name in waiting else "skip", replaces=name in replaced)
        for name in run.recordings
    ]
    with tempfile.TemporaryDirectory() as folder:
        excerpts = (
            (_excerpt(tasks[file.name], f"{folder}/{number}.wav"), file.excerpt_work)
            for number, file in enumerate(files)
            if file.action == "process"
        )
        with workers.executor(run.settings.chain, lambda event: None) as executor:
            return estimated(files, excerpts, executor, run.passed_over)


def planned_file(name: str, header: Header, start: float, duration: float, *, replaces: bool) -> PlannedFile:
    """Return the plan for a part of a recording.

    Raises
    ------
    ValueError
        If the recording ends before the part begins.
    """
    part = min(header.duration - start, duration)
    if start and part <= 0:
        raise ValueError(f"start={start:g} must be within the recording, which is {header.duration:g} s long")
    work = part * header.sample_rate * header.channels
    return PlannedFile(name=name, action="process", header=header, duration=part, work=work, replaces=replaces)


def estimated(
    files: Sequence[PlannedFile],
    excerpts: Iterable[tuple[TaskT, float]],
    executor: TaskExecutor[TaskT, Record],
    passed_over: Sequence[str] = (),
) -> DryRun:
    """Return a dry run with its time, which is measured on as many excerpts as the executor takes at once.

    Parameters
    ----------
    files : sequence of PlannedFile
    excerpts : iterable of (task, float)
        Tasks that process excerpts of the files, and the work of each.
    executor : TaskExecutor
    passed_over : sequence of str
    """
    work = sum(file.work for file in files)
    if not work:
        return DryRun(files=files, passed_over=passed_over)
    try:
        seconds = work / _rate(islice(excerpts, MAX_EXCERPTS), executor)
    except RuntimeError as error:
        return DryRun(files=files, passed_over=passed_over, seconds=None, unmeasured=str(error))
    return DryRun(files=files, passed_over=passed_over, seconds=seconds)


def _rate(excerpts: Iterator[tuple[TaskT, float]], executor: TaskExecutor[TaskT, Record]) -> float:
    """Return the work per second; raise RuntimeError if an excerpt can't be processed."""
    tasks, work, began = [], 0.0, time.perf_counter()
    while executor.has_capacity() and (excerpt := next(excerpts, None)):
        tasks.append(excerpt[0])
        work += excerpt[1]
        executor.submit(excerpt[0])
    _wait(executor)
    if time.perf_counter() - began < SETTLED_SECONDS:
        began = time.perf_counter()
        for task in tasks:
            executor.submit(task)
        _wait(executor)
    return work / (time.perf_counter() - began)


def _wait(executor: TaskExecutor[TaskT, Record]) -> None:
    """Wait for all answers; raise RuntimeError if one of them is a failure."""
    while executor.has_tasks():
        _, answer = executor.next_answer()
        if answer["status"] == "failed":
            raise RuntimeError(answer["error"])


@contextmanager
def _copy_of_records(out: Path) -> Iterator[Manifest]:
    """Give a copy of the records of a folder, which may not exist."""
    if (out / NAME).is_file():
        check_manifest(out / NAME)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, HIDDEN))
        for name in (NAME, f"{HIDDEN}/{DATABASE}", f"{HIDDEN}/{DATABASE}-journal"):
            if (out / name).is_file():
                shutil.copyfile(out / name, os.path.join(folder, name))
        with Manifest(folder, {}) as manifest:
            yield manifest


def _tasks(plan: Plan) -> Iterator[Task]:
    """Yield the tasks of a plan without doing them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself warns of levels
        plan.finish_complete_groups()
    while task := plan.next_task():
        yield task


def _check_may_be_made(out: Path) -> None:
    """Raise OSError if an output folder, or the folder in which it would be made, can't be written to."""
    folder = next(place for place in (out, *out.parents) if place.exists())
    check_folder(folder)


def _planned(task: Task, checked: dict[Any, str], *, replaces: bool) -> PlannedFile:
    """Return the plan for a file that has to be processed; ``checked`` keeps the errors of effects."""
    try:
        header = read_header(task.source)
        key = repr(task.effects), header.sample_rate
        if key not in checked:
            checked[key] = _error_of_effects(task, header.sample_rate)
        if checked[key]:
            raise ValueError(checked[key])
        check_result(task, header.sample_rate, header.channels, header.subtype)
        return planned_file(task.name, header, task.start, task.duration, replaces=replaces)
    except (ValueError, OSError) as error:
        return PlannedFile(name=task.name, action="fail", replaces=replaces, error=str(error))


def _error_of_effects(task: Task, sample_rate: float) -> str:
    """Return the reason why the effects can't process recordings at a rate; empty if they can."""
    try:
        check_files([Step(effects()[name], values) for name, values in task.effects], sample_rate)
    except (TypeError, ValueError, OSError) as error:
        return str(error)
    return ""


def _excerpt(task: Task, path: str) -> Task:
    """Return the task that processes an excerpt into the file at ``path``."""
    return replace(task, staged=path, duration=min(task.duration, EXCERPT_SECONDS), shares_level=True)
