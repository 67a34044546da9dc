"""The run of a folder: it passes tasks from the plan to an executor, answers to the plan, and events to the caller."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._effects_chain.step import Step
from .._validation import flag
from ..errors import FolderError
from ..progress import Progress, ProgressEvent
from .checked_run import CheckedRun, check_folder
from .executors.task_executors import TaskExecutor
from .find import Selection
from .keys import ResultKeys
from .one_file import Task
from .plan import Plan
from .progress_display import folder_progress
from .records.manifest import NAME, Manifest, has_records
from .records.manifest_json import Record, plain
from .results import FolderResult
from .workers import Workers

PACKAGES = ("audiostyle-fx", "numpy", "scipy", "soxr", "soundfile", "pedalboard")
"""Packages whose versions are in the manifest."""

MAX_PASSED_OVER = 1000
"""The most files that are not recordings and whose names are in the manifest; all of them are counted."""


def run_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    chain: Sequence[Step],
    selection: Selection,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    overwrite: bool = True,
    workers: Workers,
    progress: Progress = None,
) -> FolderResult:
    """Process all recordings in a folder with any chain of effects; see `style_folder`.

    Without ``overwrite``, a `FolderError` is raised before any work if a result would replace a file that is not from
    an earlier run.
    """
    start, report = time.perf_counter(), folder_progress(progress)
    force = flag("force", force)
    run = CheckedRun.of(in_folder, out_folder, chain, selection, settings)
    existing = [] if overwrite else run.existing()
    if not has_records(run.out):
        refuse_to_replace(out_folder, existing)
    _make_folders(run.out, run.recordings)
    with Manifest(run.out, {"last_run": _description(in_folder, run)}) as manifest:
        refuse_to_replace(out_folder, manifest.foreign(existing))
        manifest.add_own(run.recordings)
        plan = run.plan(manifest, force=force)
        plan.remove_leftovers()
        report(
            ProgressEvent(
                kind="start",
                files=len(run.recordings),
                skipped=plan.skipped,
                bytes=plan.size_unprocessed(),
                passed_over=run.passed_over,
            )
        )
        with workers.executor(run.settings.chain, report) as executing:
            _do_tasks(plan, executing, run.keys, report)
        plan.remove_leftovers()
        files = manifest.records(run.recordings)
    seconds = time.perf_counter() - start
    failures, n_files = dict(plan.failed), len(run.recordings)
    manifest_path = Path(out_folder, NAME)
    result = FolderResult(manifest_path, files, run.recordings, failures, plan.skipped, run.passed_over, seconds)
    done = n_files - len(failures) - plan.skipped
    report(ProgressEvent(kind="end", done=done, skipped=plan.skipped, failed=len(failures), seconds=round(seconds, 3)))
    return result


def _do_tasks(
    plan: Plan, workers: TaskExecutor[Task, Record], keys: ResultKeys, report: Callable[[ProgressEvent], None]
) -> None:
    """Do the tasks of a plan until none is left."""
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


def refuse_to_replace(out_folder: str | os.PathLike[str], names: Sequence[str]) -> None:
    """Raise FolderError if results would replace files that are not from an earlier run."""
    if not names:
        return
    files = f"{len(names)} files" if len(names) > 1 else "a file"
    raise FolderError(
        f"output {os.fspath(out_folder)!r} holds {files} that would be replaced and that no earlier run made, such as "
        f"{names[0]!r}; overwrite=True replaces them"
    )


def _make_folders(out: Path, recordings: Mapping[str, str]) -> None:
    """Make the folders of the results; raise OSError if they can't be written to."""
    for folder in {out / os.path.dirname(name) for name in recordings}:
        folder.mkdir(parents=True, exist_ok=True)
        check_folder(folder)


def _description(in_folder: str | os.PathLike[str], run: CheckedRun) -> Record:
    """Return the manifest's entries about the run."""
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "input": os.path.abspath(in_folder),
        "effects": [[step.effect.name, plain(step.values)] for step in run.settings.chain],
        "settings": plain(run.settings.settings),
        "selection": plain(vars(run.selection)),
        "n_passed_over": len(run.passed_over),
        "passed_over": list(run.passed_over[:MAX_PASSED_OVER]),
    }
