"""The run of a folder: tasks from the plan to an executor, answers back to the plan, and events to the caller."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._effects_chain.checks import check_chain, check_files
from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from .._recordings.files import SoundFileReader
from .._transfer.parameters.parameter_list import DEFAULTS, ORIGINAL_RATE
from .._validation import flag, integer, number
from ..errors import FolderError
from ..progress import Progress, ProgressEvent
from .executors.processes import LocalProcesses
from .executors.task_executors import ExternalExecutor, SerialExecutor, TaskExecutor
from .find import Selection, find, recording_names
from .keys import ResultKeys
from .one_file import Task, failure, open_recording, perform
from .plan import Plan
from .progress_display import folder_progress
from .records.manifest import NAME, Manifest, has_records
from .records.manifest_json import Record, plain
from .results import FolderResult
from .settings import FileSettings, checked_settings
from .stems import songs_of

PACKAGES = ("audiostyle-fx", "numpy", "scipy", "soxr", "soundfile", "pedalboard")
"""Packages whose versions the manifest names."""

MAX_PASSED_OVER = 1000
"""Files that are no recordings that the manifest names; it counts all."""


def run_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    chain: Sequence[Step],
    selection: Selection,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    overwrite: bool = True,
    jobs: int = 1,
    executor: Executor | None = None,
    time_limit: float = math.inf,
    progress: Progress = None,
) -> FolderResult:
    """Process all recordings in a folder with any chain of effects; see `style_folder`.

    Without ``overwrite``, a `FolderError` is raised before any work if a result would replace a file that no run into
    the folder has made.
    """
    start, report = time.perf_counter(), folder_progress(progress)
    jobs, force = integer(1)("jobs", jobs), flag("force", force)
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor={executor!r} must be a concurrent.futures.Executor, or None")
    if executor is not None and jobs > 1:
        raise ValueError(f"jobs={jobs} must be 1 when executor is given: the executor sets its own number of workers")
    if time_limit != math.inf and number(0)("time_limit", time_limit) == 0:
        raise ValueError(f"time_limit={time_limit!r} must be above 0")
    if time_limit != math.inf and executor is not None:
        raise ValueError(f"time_limit={time_limit!r} does not apply with executor, whose processes can't be killed")
    check_chain(chain, without_input=False)
    settings = checked_settings(settings, chain)
    recordings, passed_over = find(in_folder, out_folder, selection, [path for step in chain for path in step.files])
    if settings:
        FileSettings(chain, settings).check(recordings, recording_names(in_folder, out_folder))
    check_files(chain, first_rate(recordings.values()), lengths=False)  # its errors name paths as the user wrote them
    chain = [step.with_files(os.path.abspath) for step in chain]  # valid in other processes
    file_settings = FileSettings(chain, settings)
    out = Path(os.path.realpath(out_folder))
    existing = [] if overwrite else [name for name in recordings if os.path.lexists(out / name)]
    if existing and not has_records(out):
        raise _would_replace(out_folder, existing)
    _make_folders(out, recordings)
    description = _description(in_folder, file_settings, selection, passed_over)
    with Manifest(out, {"last_run": description}) as manifest:
        if existing and (foreign := manifest.foreign(existing)):
            raise _would_replace(out_folder, foreign)
        manifest.add_own(recordings)
        keys = ResultKeys.of(file_settings, selection, recordings)
        songs = songs_of(recordings, selection.levels)
        plan = Plan(manifest, recordings, keys, file_settings, selection, songs, force=force)
        report(
            ProgressEvent(
                kind="start",
                files=len(recordings),
                skipped=plan.skipped,
                bytes=plan.size_unprocessed(),
                passed_over=passed_over,
            )
        )
        with _executor(jobs, executor, time_limit, chain, report) as workers:
            _do_tasks(plan, workers, keys, report)
        plan.remove_leftovers()
        files = manifest.records(recordings)
    seconds = time.perf_counter() - start
    failures = dict(plan.failed)
    result = FolderResult(Path(out_folder, NAME), files, recordings, failures, plan.skipped, passed_over, seconds)
    failed = len(failures)
    done = len(recordings) - failed - plan.skipped
    report(ProgressEvent(kind="end", done=done, skipped=plan.skipped, failed=failed, seconds=round(seconds, 3)))
    return result


def _do_tasks(
    plan: Plan, workers: TaskExecutor[Task, Record], keys: ResultKeys, report: Callable[[ProgressEvent], None]
) -> None:
    """Do the tasks of a plan until there are none."""
    _report_again(plan.finish_complete_groups(), keys, report)
    while True:
        while workers.has_capacity() and (next_task := plan.next_task()):
            workers.submit(next_task)
        if not workers.has_tasks():
            return
        task, answer = workers.next_answer()
        record, again = plan.take(task, answer)
        for message in answer.get("warnings", []):
            warnings.warn(f"{task.name}: {message}", stacklevel=2)
        _report_record(task, record, keys.sizes[task.name], report)
        _report_again(again, keys, report)


def _report_record(task: Task, record: Record, size: int, report: Callable[[ProgressEvent], None]) -> None:
    """Report that a file has been processed, and that it is finished or has failed."""
    if task.full_scale is None and record["status"] != "failed":
        times = {"duration": record["duration"], "seconds": record["seconds"]}
        report(ProgressEvent(kind="made", file=task.name, bytes=size, **times))
    if record["status"] != "staged":
        report(ProgressEvent(kind="file", file=task.name, bytes=size, record=record))


def _report_again(names: Sequence[str], keys: ResultKeys, report: Callable[[ProgressEvent], None]) -> None:
    """Report that finished files are processed again."""
    if names:
        report(ProgressEvent(kind="again", files=len(names), bytes=keys.size(names)))


def _executor(
    jobs: int,
    executor: Executor | None,
    time_limit: float,
    chain: Sequence[Step],
    report: Callable[[ProgressEvent], None],
) -> TaskExecutor[Task, Record]:
    """Return the executor of the tasks."""
    if executor is not None:
        return ExternalExecutor(executor, perform, failure)
    if jobs > 1 or time_limit < math.inf:
        devices = [step.values.get("device", DEFAULTS.device) for step in chain if is_style(step)]
        device = devices[0] if devices else "cpu"
        return LocalProcesses(jobs, perform, failure, device, prepare=open_recording, time_limit=time_limit)

    def work(task: Task) -> Record:
        raised: list[BaseException] = []

        def forward(event: ProgressEvent) -> None:
            try:
                report(replace(event, file=task.name))
            except BaseException as error:
                raised.append(error)
                raise

        record = perform(task, forward)
        if raised:  # the caller's function failed, not the recording
            raise raised[0]
        return record

    return SerialExecutor(work)


def _would_replace(out_folder: str | os.PathLike[str], names: Sequence[str]) -> FolderError:
    """Return the error for results that would replace files of other makers."""
    files = f"{len(names)} files" if len(names) > 1 else "a file"
    return FolderError(
        f"output {os.fspath(out_folder)!r} holds {files} that would be replaced and that no earlier run made, as "
        f"{names[0]!r}; overwrite=True replaces them"
    )


def first_rate(paths: Iterable[str]) -> float:
    """Return the rate of the first recording that can be read, at which styles are needed first; or any rate."""
    for path in paths:
        with contextlib.suppress(ValueError, OSError), SoundFileReader(path, "input") as source:
            return source.sample_rate
    return ORIGINAL_RATE


def _make_folders(out: Path, recordings: Mapping[str, str]) -> None:
    """Make the folders of the results; raise OSError where they can't be written to."""
    for folder in {out / os.path.dirname(name) for name in recordings}:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"output {str(folder)!r} must be a folder that can be written to")


def _description(
    in_folder: str | os.PathLike[str], settings: FileSettings, selection: Selection, passed_over: Sequence[str]
) -> Record:
    """Return what the manifest says of the run."""
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "input": os.path.abspath(in_folder),
        "effects": [[step.effect.name, plain(step.values)] for step in settings.chain],
        "settings": plain(settings.settings),
        "selection": plain(vars(selection)),
        "n_passed_over": len(passed_over),
        "passed_over": list(passed_over[:MAX_PASSED_OVER]),
    }
