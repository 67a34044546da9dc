"""A folder of recordings through a chain of effects, file by file, so that it can be stopped and taken up at any point.

Every file is made in a hidden folder and appears by a rename. The files directly in one folder are stems of one song:
where one of them would clip, all of them are turned down by one factor, once the last has been made, so that they still
sum to the mix. Until then they wait in floating point. Stems that another run has finished count for that factor too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import shutil
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .._effects_chain.catalog import effects
from .._effects_chain.checks import check_chain, check_files
from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from .._recordings.files import SoundFileReader
from .._recordings.levels import format_db
from .._transfer.parameters import DEFAULTS, ORIGINAL_RATE
from .._transfer.presets import choose
from .._transfer.style_inputs import check_weights
from .._validation import flag, integer
from ..progress import Progress, ProgressEvent
from .executors import Crew, InTurn, Processes, Through
from .find import Selection, find
from .manifest import NAME, Manifest, Record, plain, sync_folder
from .one_file import Task, failure, perform
from .progress_display import folder_progress

PACKAGES = ("audiostyle-fx", "numpy", "scipy", "soundfile", "pedalboard")


@dataclass(frozen=True)
class FolderOutcome:
    """What became of a folder.

    Attributes
    ----------
    manifest : Path
        A JSON file that says what is known of every file: its losses, seconds, errors.
    files : mapping of str to dict
        The same, of the files of this run, by name relative to the folder; each is read anew when it is asked for.
    sources : mapping of str to str
        The path of the recording that each was made of.
    failed : dict of str to str
        The error of each file that failed.
    skipped : int
        How many files had been finished before.
    seconds : float
        Time of the whole.
    """

    manifest: Path
    files: Mapping[str, Record]
    sources: Mapping[str, str]
    failed: dict[str, str]
    skipped: int
    seconds: float


def style_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    style: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    style_weights: Sequence[float] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    format: str | None = None,
    start: float = 0.0,
    duration: float = math.inf,
    independent: bool = False,
    force: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress = None,
    **parameters: Any,
) -> FolderOutcome:
    """Style all recordings in a folder and those below it, to the same names in another folder.

    Files that an earlier call finished with the same parameters, style and input are skipped, so that a call which was
    stopped, by whatever, is taken up by the same call. A file that can't be styled is recorded, and the others go on.
    The files directly in one folder are taken for stems of one song: each is styled at its own level, with the same
    seed, and if one would clip in its format, all are turned down by the same factor. Those that an earlier call has
    finished, and this one is not about, count with them, and there is a warning where they would have to be softer.

    Parameters
    ----------
    in_folder, out_folder : path
        Neither may be within the other, nor the other, also by links; and no link in the latter may lead a result to a
        file that is read. It is made if it is not there. Links in the former are followed.
    style : path or sequence of paths
        As for `stylize`, but files.
    style_weights
        As for `stylize`.
    include, exclude : sequence of str
        Globs, such as ``"*.wav"`` or ``"drums/*"``, of files to take, all by default, and to leave out.
    format : str, optional
        The ending to write, such as ``"flac"``; by default each file's own.
    start, duration : float
        The part of each recording to style, in seconds.
    independent : bool
        Turn down each file by itself where it would clip.
    force : bool
        Style again what is finished.
    jobs : int
        Processes on this machine to share its cores; of several cards each takes one. They import the program that
        calls this, which therefore must not do so outside of ``if __name__ == "__main__":``.
    executor : Executor, optional
        Instead, whoever does the work: any of `concurrent.futures`, or a cluster's with the same folders. It gets
        paths, not recordings, and is not shut down. What its threads warn of is not recorded.
    progress : bool or callable, optional
        True for a bar, or lines where standard error is no terminal; or a function that gets a dict for all that
        happens, by ``event``: "start" with the numbers of ``files``, of those ``skipped``, and of ``bytes`` to read;
        "stage", if the work is done in this process, with ``file``, ``stage``, ``iteration``, ``total`` and
        ``sections``, finished and in all; "made" with ``file``, its size in ``bytes``, its ``duration`` and the
        ``seconds`` it took; "file" with its record, when it is finished, with all of its song, or has failed; "again"
        with the numbers of ``files`` and ``bytes`` that have to be styled again, since another stem of theirs is louder
        now; "end" with the numbers ``done``, ``skipped`` and ``failed``, and ``seconds``.
    **parameters
        Keyword parameters of `stylize`, without ``progress`` and ``style_sample_rate``.

    Returns
    -------
    FolderOutcome

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work: as by `stylize`, or if the folders, or what there is in them, are not what they may be.
    RuntimeError
        If another process is at work in the folder, or if processes of ``jobs`` end as they are begun.
    BrokenExecutor
        If the given executor is broken. What is finished is kept.
    OSError
        If nothing can be written.
    """
    styles = list(style) if isinstance(style, (Sequence, np.ndarray)) and not isinstance(style, str) else [style]
    for one in styles:
        if not isinstance(one, (str, os.PathLike)):
            raise TypeError(f"style={one!r} must be a file, or a list of files")
    if not styles:
        raise ValueError(f"style={style!r} must hold at least one file")
    checked = choose(parameters)
    values = {"style": [os.fspath(one) for one in styles], **{name: getattr(checked, name) for name in parameters}}
    if style_weights is not None:
        values["style_weights"] = check_weights(style_weights, len(styles))
    selection = Selection(include, exclude, format, start, duration, independent)
    return run_folder(
        in_folder,
        out_folder,
        [Step(effects()["style"], values)],
        selection,
        force=force,
        jobs=jobs,
        executor=executor,
        progress=progress,
    )


def run_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    chain: Sequence[Step],
    selection: Selection,
    *,
    force: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress = None,
) -> FolderOutcome:
    """`style_folder` for any chain of effects."""
    began, tell = time.perf_counter(), folder_progress(progress)
    jobs, force = integer(1)("jobs", jobs), flag("force", force)
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor={executor!r} must be a concurrent.futures.Executor, or None")
    if executor is not None and jobs > 1:
        raise ValueError(f"jobs={jobs} must be 1 where an executor is given, which has its own number")
    check_chain(chain, without_input=False)
    found = find(in_folder, out_folder, selection, [path for step in chain for path in step.files])
    check_files(chain, _first_rate(found.values()), lengths=False)  # whose errors show paths as they were given
    chain = [_absolute(step) for step in chain]
    out = Path(os.path.realpath(out_folder))
    for folder in {out / os.path.dirname(name) for name in found}:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"output {str(folder)!r} must be a folder that can be written to")
    last_run = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "input": os.path.abspath(in_folder),
        "effects": [[step.effect.name, plain(step.values)] for step in chain],
        "selection": plain(vars(selection)),
    }
    with Manifest(out, {"last_run": last_run}) as manifest:
        work = _Work(manifest, chain, selection, found, force)
        tell(ProgressEvent(kind="start", files=len(found), skipped=work.skipped, bytes=work.size(work.to_do)))
        with _crew(jobs, executor, chain, tell) as crew:
            first, rest = deque(work.first()), work.rest()
            _tell_again(tell, work, first)
            while True:
                while crew.room() and (next_task := first.popleft() if first else next(rest, None)):
                    crew.submit(next_task)
                if not crew.busy():
                    break
                task, answer = crew.next()
                record, more = work.take(task, answer)
                first.extendleft(reversed(more))
                for message in answer.get("warnings", []):
                    warnings.warn(f"{task.name}: {message}", stacklevel=2)
                _tell_of(tell, task, record, work.size([task.name]))
                _tell_again(tell, work, more)
        work.clean()
        files = manifest.records.among(found)
    outcome = FolderOutcome(
        Path(out_folder, NAME), files, found, dict(work.failed), work.skipped, time.perf_counter() - began
    )
    tell(
        ProgressEvent(
            kind="end",
            done=len(found) - len(outcome.failed) - work.skipped,
            skipped=work.skipped,
            failed=len(outcome.failed),
            seconds=round(outcome.seconds, 3),
        )
    )
    return outcome


def _first_rate(paths: Iterable[str]) -> float:
    """The rate of the first recording that can be read, or any: that at which styles are needed first."""
    for path in paths:
        with contextlib.suppress(ValueError, OSError), SoundFileReader(path, "input") as source:
            return source.sample_rate
    return ORIGINAL_RATE


def _tell_of(tell: Callable[[ProgressEvent], None], task: Task, record: Record, size: int) -> None:
    """Tell of an answer, and the record that it has led to."""
    if task.full_scale is None and record["status"] != "failed":
        times = {name: record[name] for name in ("duration", "seconds")}
        tell(ProgressEvent(kind="made", file=task.name, bytes=size, **times))
    if record["status"] != "staged":
        tell(ProgressEvent(kind="file", file=task.name, bytes=size, record=record))


def _tell_again(tell: Callable[[ProgressEvent], None], work: _Work, tasks: Iterable[Task]) -> None:
    """Tell which tasks do what had been finished."""
    anew = [task.name for task in tasks if task.anew]
    if anew:
        tell(ProgressEvent(kind="again", files=len(anew), bytes=work.size(anew)))


def _absolute(step: Step) -> Step:
    """The step with paths that hold in other processes."""
    values = dict(step.values)
    for name, one in step.effect.parameters.items():
        if one.is_file and name in values:
            given = values[name]
            values[name] = [os.path.abspath(path) for path in given] if step.effect.several else os.path.abspath(given)
    return Step(step.effect, values)


class _Made(NamedTuple):
    """What has to be known of a file that has been made: the level it needs, and the one it was brought down by."""

    level: float
    full_scale: float | None  # None while it waits

    @classmethod
    def of(cls, record: Record) -> _Made:
        return cls(record["level"], record["full_scale"] if record["status"] == "done" else None)


class _Work:
    """What is to be done in a folder, and what each answer asks for next.

    Parameters
    ----------
    manifest : Manifest
        Of the folder; forgets what does not hold any more.
    chain : sequence of Step
        With paths that hold anywhere.
    selection : Selection
    found : mapping of str to str
        As by `find`.
    force : bool
        Whether nothing holds of the files of this run.

    Attributes
    ----------
    to_do : list of str
        The names of the files that are not made.
    skipped : int
        How many are finished.
    failed : dict of str to str
        The error of each file that failed.
    """

    def __init__(
        self, manifest: Manifest, chain: Sequence[Step], selection: Selection, found: Mapping[str, str], force: bool
    ) -> None:
        self.manifest, self.selection, self.found = manifest, selection, found
        self._out, self._waiting = str(manifest.path.parent), str(manifest.hidden)
        self._links = tuple((step.effect.name, step.values) for step in chain)
        self._sizes: dict[str, int] = {}
        self._common = _digest(json.dumps(_identity(chain, selection)))
        self._keys = {name: self._key(self._common, name) for name in found}
        self._sources = set(found.values())
        self._groups: dict[str, list[str]] = {}
        for name in found:
            self._groups.setdefault(self._group(name), []).append(name)
        self._made: dict[str, _Made] = {}
        self._others: dict[str, list[_Made]] = {}  # of the same folders, which only other runs are about
        self._kept: set[str] = set()  # what those have waiting
        self.failed: dict[str, str] = {}
        manifest.begin(lambda name, record: self._holds(name, record, force))
        self.clean()
        self.to_do = [name for name in found if name not in self._made]
        self.skipped = sum(made.full_scale is not None for made in self._made.values())
        self._missing: dict[str, set[str]] = {}
        for name in self.to_do:
            self._missing.setdefault(self._group(name), set()).add(name)

    def size(self, names: Iterable[str]) -> int:
        """Bytes of the recordings."""
        return sum(self._sizes[name] for name in names)

    def first(self) -> list[Task]:
        """What there is to do in folders of which all has been made."""
        complete = [group for group in self._groups if group not in self._missing]
        return [task for group in complete for task in self._finishing(group)]

    def rest(self) -> Iterator[Task]:
        """What has not been made."""
        return map(self._task, self.to_do)

    def take(self, task: Task, answer: Record) -> tuple[Record, list[Task]]:
        """Keep an answer; the record of the file, and what there is to do now."""
        name, group = task.name, self._group(task.name)
        if answer["status"] == "done":
            try:
                _put(task.finished, task.target)
            except OSError as error:
                answer = failure(task, str(error))
        before = self.manifest.records[name] if task.full_scale is not None else {}
        record = {"source": task.source, **before, **answer, "key": self._keys[name], "identity": self._common}
        self.manifest.add(name, record)
        if record["status"] == "failed":
            self._made.pop(name, None)
            self.failed[name] = record["error"]
        else:
            self._made[name] = _Made.of(record)
        if record["status"] != "staged":
            _remove(task.staged, task.finished)
        if task.full_scale is not None:
            return record, []
        self._missing[group].discard(name)
        return record, [] if self._missing[group] else self._finishing(group)

    def clean(self) -> None:
        """Remove what lies in the hidden folder, of a process that was killed, and nobody waits for."""
        staged = {self._staged(name) for name, made in self._made.items() if made.full_scale is None} | self._kept
        for name in os.listdir(self._waiting):
            if not name.endswith(".jsonl") and self._hidden(name) not in staged:
                _remove(self._hidden(name))

    def _finishing(self, group: str) -> list[Task]:
        """Tasks that finish a folder of which all has been made, or make anew what was finished at another level."""
        made = {name: self._made[name] for name in self._groups[group] if name in self._made}
        others = self._others.get(group, [])
        finished = [one.full_scale for one in others if one.full_scale is not None]
        full_scale = max([1.0, *finished, *(one.level for one in [*made.values(), *others])])
        anew = [name for name, one in made.items() if one.full_scale not in (None, full_scale)]
        if anew:
            self._missing[group] = set(anew)
            self.skipped -= len(anew)
            return [replace(self._task(name), anew=True) for name in anew]
        waiting = [name for name, one in made.items() if one.full_scale is None]
        louder = [one for one in finished if one < full_scale]
        if waiting and louder:
            where, much = f"{group}: " * bool(group), format_db(full_scale / min(louder))
            count = f"{len(louder)} other file" + (
                "s of this folder were" if len(louder) > 1 else " of this folder was"
            )
            warnings.warn(
                f"{where}{count} finished {much} louder; run it whole to have them sum to the mix", stacklevel=2
            )
        if waiting and full_scale > 1 and len(made) + len(others) > 1:
            where = f"{group}: its" if group else "all"
            warnings.warn(
                f"{where} files turned down by {format_db(full_scale)}, as one would clip at full scale", stacklevel=2
            )
        return [replace(self._task(name), full_scale=full_scale) for name in waiting]

    def _group(self, name: str) -> str:
        """The folder that a file is directly in, whose files share a level; by itself its own name."""
        return name if self.selection.independent else os.path.dirname(name)

    def _holds(self, name: str, record: Record, force: bool) -> bool:
        """Whether a record need not be made again; those that this run is not about are left alone."""
        if name not in self.found:
            return self._stays(name, record)
        if force or record["status"] == "failed" or record["key"] != self._keys[name]:
            return False
        there = os.path.isfile(self._target(name) if record["status"] == "done" else self._staged(name))
        if there:
            self._made[name] = _Made.of(record)
        return there

    def _stays(self, name: str, record: Record) -> bool:
        """Whether to keep a record that this run is not about, and what waits with it."""
        done = record["status"] == "done"
        if not done and not os.path.lexists(record["source"]):
            return False
        if record["status"] == "failed":
            return True
        path = self._target(name) if done else self._waits(record["key"])
        there = os.path.isfile(path)
        if there and not done:
            self._kept.add(path)
        # Another file made of a recording of this run, as in another format, is no other stem.
        if there and record.get("identity") == self._common and record["source"] not in self._sources:
            self._others.setdefault(self._group(name), []).append(_Made.of(record))
        return there or done

    def _task(self, name: str) -> Task:
        return Task(
            name,
            self.found[name],
            self._target(name),
            self._staged(name),
            self._hidden(f"finished-{self._keys[name]}{os.path.splitext(name)[1]}"),
            self._links,
            self.selection.start,
            self.selection.duration,
            len(self._groups[self._group(name)]) > 1 or self._group(name) in self._others,
        )

    def _target(self, name: str) -> str:
        return f"{self._out}/{name}"

    def _staged(self, name: str) -> str:
        return self._waits(self._keys[name])

    def _waits(self, key: str) -> str:
        return self._hidden(f"staged-{key}.wav")

    def _hidden(self, name: str) -> str:
        return f"{self._waiting}/{name}"

    def _key(self, common: str, name: str) -> str:
        """What a result depends on, in short."""
        path = self.found[name]
        try:
            status = os.stat(path)
            self._sizes[name], changed = status.st_size, status.st_mtime_ns
        except OSError:  # which its task will tell of
            self._sizes[name], changed = 0, 0
        return _digest(f"{common} {self._sizes[name]} {changed} {os.path.splitext(path)[1]} {name}")


def _identity(chain: Sequence[Step], selection: Selection) -> list[Any]:
    """What all results depend on; of files what is in them."""
    links = []
    for step in chain:
        values = {name: value for name, value in step.values.items() if not step.effect.parameters[name].is_file}
        links.append([step.effect.name, plain(values), [_content(path) for path in step.files]])
    return [version(PACKAGES[0]), links, selection.start, str(selection.duration), selection.independent]


def _put(finished: str, target: str) -> None:
    """Have a finished file take its place, from which it does not vanish when the power does."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copymode(target, finished)
    os.replace(finished, target)
    sync_folder(os.path.dirname(target))


def _remove(*paths: str) -> None:
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _content(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _crew(
    jobs: int, executor: Executor | None, chain: Sequence[Step], tell: Callable[[ProgressEvent], None]
) -> Crew[Task, Record]:
    if executor is not None:
        return Through(executor, perform, failure)
    if jobs > 1:
        devices = [step.values.get("device", DEFAULTS.device) for step in chain if is_style(step)]
        return Processes(jobs, perform, failure, devices[0] if devices else "cpu")

    def work(task: Task) -> Record:
        def progress(event: ProgressEvent) -> None:
            tell(replace(event, file=task.name))

        return perform(task, progress)

    return InTurn(work)
