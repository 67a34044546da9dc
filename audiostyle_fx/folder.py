"""A folder of recordings through a chain of effects, file by file, so that it can be stopped and taken up at any point.

Every file is made in a hidden folder and appears by a rename. The files directly in one folder are stems of one song:
where one of them would clip, all of them are turned down by one factor, once the last has been made, so that they still
sum to the mix. Until then they wait in floating point.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import json
import math
import os
import platform
import shutil
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from . import audio as recordings
from .audio import check_weights
from .chain import Job, Made, check_chain, check_files, effects, is_style, run
from .grammar import Step
from .manifest import NAME, Manifest, Record, plain, sync_folder
from .parameters import DEFAULTS, flag, integer, number
from .progress import Progress
from .sample_file import SampleFile
from .stages import Stage
from .workers import Crew, InTurn, Processes, Through

Event: TypeAlias = dict[str, Any]
"""What happens, as plain values; see `style_folder`."""

MOST_POINTS = 32
"""Of a curve of losses that are kept."""

PACKAGES = ("audiostyle-fx", "numpy", "scipy", "soundfile", "pedalboard")


class FolderError(ValueError):
    """The folders are not such that one's recordings can be made into the other's."""


@dataclass(frozen=True)
class FolderOutcome:
    """What became of a folder.

    Attributes
    ----------
    manifest : Path
        A JSON file that says what is known of every file: its losses, seconds, errors.
    files : mapping of str to dict
        The same, of the files of this run, by name relative to the folder; each is read anew when it is asked for.
    failed : dict of str to str
        The error of each file that failed.
    skipped : int
        How many files had been finished before.
    seconds : float
        Time of the whole.
    """

    manifest: Path
    files: Mapping[str, Record]
    failed: dict[str, str]
    skipped: int
    seconds: float


@dataclass(frozen=True)
class Selection:
    """Which files of a folder are taken, what of them, and how they are written.

    Attributes
    ----------
    include, exclude : sequence of str
        Globs, of a file's name, or where they hold a slash of its path below the folder.
    format : str, optional
        The ending of what is written; each file's own by default.
    start, duration : float
        The part of each recording, in seconds.
    independent : bool
        Whether each file that would clip is turned down by itself.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    format: str | None = None
    start: float = 0.0
    duration: float = math.inf
    independent: bool = False

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            globs = getattr(self, name)
            if isinstance(globs, str) or not all(isinstance(glob, str) for glob in globs):
                raise TypeError(f"{name}={globs!r} must be a list of globs")
        if self.format is not None and not isinstance(self.format, str):
            raise TypeError(f"format={self.format!r} must be a str, or None")
        if self.format is not None and ending(self.format) not in recordings.endings(written=True):
            formats = ", ".join(sorted(one[1:] for one in recordings.endings(written=True)))
            raise FolderError(f"format={self.format!r} must be one of {formats}")
        number(0)("start", self.start)
        if self.duration != math.inf and number(0)("duration", self.duration) == 0:
            raise ValueError(f"duration={self.duration!r} must be above 0")
        flag("independent", self.independent)


def ending(format: str) -> str:
    """The ending of files of a format, such as ``.flac``, in small letters."""
    return "." + format.lstrip(".").lower()


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
    progress: Callable[[Event], None] | None = None,
    **parameters: Any,
) -> FolderOutcome:
    """Style all recordings in a folder and those below it, to the same names in another folder.

    Files that an earlier call finished with the same parameters, style and input are skipped, so that a call which was
    stopped, by whatever, is taken up by the same call. A file that can't be styled is recorded, and the others go on.
    The files directly in one folder are taken for stems of one song: each is styled at its own level, with the same
    seed, and if one would clip in its format, all are turned down by the same factor.

    Parameters
    ----------
    in_folder, out_folder : path
        Neither may be within the other, nor the other. The latter is made if it is not there.
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
        paths, not recordings, and is not shut down.
    progress : callable, optional
        Gets a dict for all that happens, by ``event``: "start" with the numbers of ``files``, of those ``skipped``, and
        of ``bytes`` to read; "stage", if the work is done in this process, with ``file``, ``stage``, ``iteration``,
        ``total`` and ``sections``, finished and in all; "made" with ``file``, its size in ``bytes``, its ``duration``
        and the ``seconds`` it took; "file" with its record, when it is finished, with all of its song, or has failed;
        "again" with the numbers of ``files`` and ``bytes`` that have to be styled again, since another stem of theirs
        is louder now; "end" with the numbers ``done``, ``skipped`` and ``failed``, and ``seconds``.
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
        If another process is at work in the folder.
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
    checked = DEFAULTS.changed(**parameters)
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
    progress: Callable[[Event], None] | None = None,
) -> FolderOutcome:
    """`style_folder` for any chain of effects."""
    began, tell = time.perf_counter(), progress or (lambda event: None)
    jobs, force = integer(1)("jobs", jobs), flag("force", force)
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor={executor!r} must be a concurrent.futures.Executor, or None")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress={progress!r} must be a function, or None")
    check_chain(chain, without_input=False)
    check_files(chain)
    chain = [_absolute(step) for step in chain]
    found = find(in_folder, out_folder, selection, [path for step in chain for path in _paths(step)])
    out = Path(os.path.realpath(out_folder))
    for folder in {out / os.path.dirname(name) for name in found}:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"output {str(folder)!r} must be a folder that can be written to")
    header = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "input": os.path.abspath(in_folder),
        "effects": [[step.effect.name, plain(step.values)] for step in chain],
        "selection": plain(vars(selection)),
    }
    with Manifest(out, header) as manifest:
        work = _Work(manifest, chain, selection, found, force)
        tell({"event": "start", "files": len(found), "skipped": work.skipped, "bytes": work.size(work.to_do)})
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
    outcome = FolderOutcome(Path(out_folder, NAME), files, dict(work.failed), work.skipped, time.perf_counter() - began)
    counts = {"done": len(found) - len(outcome.failed) - work.skipped, "skipped": work.skipped}
    tell({"event": "end", **counts, "failed": len(outcome.failed), "seconds": round(outcome.seconds, 3)})
    return outcome


def _tell_of(tell: Callable[[Event], None], task: Task, record: Record, size: int) -> None:
    """Tell of an answer, and the record that it has led to."""
    what = {"file": task.name, "bytes": size}
    if task.full_scale is None and record["status"] != "failed":
        tell({"event": "made", **what, "duration": record["duration"], "seconds": record["seconds"]})
    if record["status"] != "staged":
        tell({"event": "file", **what, **record})


def _tell_again(tell: Callable[[Event], None], work: _Work, tasks: Iterable[Task]) -> None:
    """Tell which tasks do what had been finished."""
    anew = [task.name for task in tasks if task.anew]
    if anew:
        tell({"event": "again", "files": len(anew), "bytes": work.size(anew)})


# ---------------------------------------------------------------- what there is to do
def find(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    selection: Selection,
    others: Iterable[str] = (),
) -> dict[str, str]:
    """The paths of the recordings in a folder and below it, by the relative names of what is made of them.

    Links are followed; names that begin with a dot, and what is neither a file nor a folder, are left out.

    Parameters
    ----------
    in_folder, out_folder : path
    selection : Selection
    others : iterable of str
        What is read besides, and must not be written to.

    Raises
    ------
    FolderError
        If one folder is the other, or in it, also by links; if there is no recording; if two would have one name; if
        what is read would be written to.
    OSError
        If a folder can't be read.
    """
    source, target = os.path.realpath(in_folder), os.path.realpath(out_folder)
    if not os.path.isdir(source):
        raise FolderError(f"input {os.fspath(in_folder)!r} must be a folder that exists")
    if os.path.exists(target) and not os.path.isdir(target):
        raise FolderError(f"output {os.fspath(out_folder)!r} must be a folder, as the input is one")
    if _related(source, target):
        raise FolderError(
            f"output {os.fspath(out_folder)!r} and input {os.fspath(in_folder)!r} must not be the same folder, nor one "
            "in the other"
        )
    found: dict[str, str] = {}
    read = {os.path.realpath(path) for path in others}
    known, written = recordings.endings(), selection.format and ending(selection.format)
    for name, path, real in _files(source, "", target, (source,)):
        stem, its_ending = os.path.splitext(name)
        if its_ending.lower() not in known or not _taken(name, selection):
            continue
        made = stem + (written or its_ending)
        if made in found:
            raise FolderError(f"{found[made]!r} and {path!r} would both become {made!r}")
        found[made] = path
        read.add(real)
    if not found:
        chosen = " that --include and --exclude leave" if selection.include or selection.exclude else ""
        raise FolderError(f"input {os.fspath(in_folder)!r} holds no recordings{chosen}")
    _check_written(found, target, read)
    return found


def _files(folder: str, below: str, target: str, above: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Relative name, path, and path without links of the files below a folder; what leads back up ends there."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            name, link = below + entry.name, entry.is_symlink()
            real = os.path.realpath(entry.path) if link else os.path.join(above[-1], entry.name)
            if os.path.isdir(entry.path) if link else entry.is_dir():
                if link and _related(real, target):
                    raise FolderError(f"output {target!r} must not be in the input, as by the link {entry.path!r}")
                if real not in above:
                    yield from _files(entry.path, f"{name}/", target, (*above, real))
            elif entry.is_file() if not link else os.path.isfile(real) or not os.path.exists(real):
                yield name, entry.path, real


def _related(one: str, other: str) -> bool:
    """Whether two folders are the same, or one is in the other."""
    return one == other or Path(one) in Path(other).parents or Path(other) in Path(one).parents


def _check_written(names: Iterable[str], target: str, read: set[str]) -> None:
    """Raise if links in the target lead from a name to what is read, or from two names to one file."""
    folders: dict[str, str] = {}
    names_of: dict[str, str] = {}
    for name in names:
        folder, base = os.path.split(name)
        if folder not in folders:
            folders[folder] = os.path.realpath(os.path.join(target, folder))
        written = os.path.join(folders[folder], base)
        if written in read:
            raise FolderError(f"output {os.path.join(target, name)!r} is a file that is read, {written!r}")
        if names_of.setdefault(written, name) != name:
            raise FolderError(f"output {target!r}: {names_of[written]!r} and {name!r} are one file, {written!r}")


def _taken(name: str, selection: Selection) -> bool:
    def matches(globs: Iterable[str]) -> bool:
        return any(fnmatch.fnmatchcase(name if "/" in glob else os.path.basename(name), glob) for glob in globs)

    return (not selection.include or matches(selection.include)) and not matches(selection.exclude)


def _paths(step: Step) -> list[str]:
    """The files that an effect reads."""
    values = [step.values[name] for name, one in step.effect.parameters.items() if one.is_file and name in step.values]
    return [path for given in values for path in (given if step.effect.several else [given])]


def _absolute(step: Step) -> Step:
    """The step with paths that hold in other processes."""
    values = dict(step.values)
    for name, one in step.effect.parameters.items():
        if one.is_file and name in values:
            given = values[name]
            values[name] = [os.path.abspath(path) for path in given] if step.effect.several else os.path.abspath(given)
    return Step(step.effect, values)


@dataclass(frozen=True)
class Task:
    """What there is to do for a file, in plain values, which any process can be told.

    Attributes
    ----------
    name : str
        Of what is made, relative.
    source, target : str
        Paths: the recording, and what is made of it.
    staged, finished : str
        Where that waits, in floating point until its level is known, and in its format until it takes its place: only
        the process that owns the manifest puts it there, so that none which it has lost can.
    links : tuple of (str, dict)
        The effects by name, with their values.
    start, duration : float
        The part of the recording, in seconds.
    shared : bool
        Whether the level is known only when all in the same folder have been made.
    full_scale : float, optional
        In a second task of such a file, the level that they are all brought down by.
    anew : bool
        Whether it had been finished before, at another level.
    """

    name: str
    source: str
    target: str
    staged: str
    finished: str
    links: tuple[tuple[str, dict[str, Any]], ...]
    start: float
    duration: float
    shared: bool
    full_scale: float | None = None
    anew: bool = False


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
        Whether nothing holds.

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
        common = _digest(json.dumps(_identity(chain, selection)))
        self._keys = {name: self._key(common, name) for name in found}
        self._groups: dict[str, list[str]] = {}
        for name in found:
            self._groups.setdefault(self._group(name), []).append(name)
        self._made: dict[str, _Made] = {}
        self.failed: dict[str, str] = {}
        manifest.begin(lambda name, record: not force and self._holds(name, record))
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
        record = {"source": task.source, **before, **answer, "key": self._keys[name]}
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
        staged = {self._staged(name) for name, made in self._made.items() if made.full_scale is None}
        for name in os.listdir(self._waiting):
            if not name.endswith(".jsonl") and self._hidden(name) not in staged:
                _remove(self._hidden(name))

    def _finishing(self, group: str) -> list[Task]:
        """Tasks that finish a folder of which all has been made, or make anew what was finished at another level."""
        made = {name: self._made[name] for name in self._groups[group] if name in self._made}
        full_scale = max([1.0, *(one.level for one in made.values())])
        anew = [name for name, one in made.items() if one.full_scale not in (None, full_scale)]
        if anew:
            self._missing[group] = set(anew)
            self.skipped -= len(anew)
            return [replace(self._task(name), anew=True) for name in anew]
        waiting = [name for name, one in made.items() if one.full_scale is None]
        if waiting and full_scale > 1 and len(made) > 1:
            where = f"{group}: its" if group else "all"
            warnings.warn(
                f"{where} files turned down by {_decibels(full_scale)}, as one would clip at full scale", stacklevel=2
            )
        return [replace(self._task(name), full_scale=full_scale) for name in waiting]

    def _group(self, name: str) -> str:
        """The folder that a file is directly in, whose files share a level; by itself its own name."""
        return name if self.selection.independent else os.path.dirname(name)

    def _holds(self, name: str, record: Record) -> bool:
        """Whether a record need not be made again; those that this run is not about are left alone."""
        if name not in self.found:
            return record["status"] != "staged"
        if record["status"] == "failed" or record["key"] != self._keys[name]:
            return False
        there = os.path.isfile(self._target(name) if record["status"] == "done" else self._staged(name))
        if there:
            self._made[name] = _Made.of(record)
        return there

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
            len(self._groups[self._group(name)]) > 1,
        )

    def _target(self, name: str) -> str:
        return f"{self._out}/{name}"

    def _staged(self, name: str) -> str:
        return self._hidden(f"staged-{self._keys[name]}.wav")

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
        links.append([step.effect.name, plain(values), [_content(path) for path in _paths(step)]])
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


def _decibels(full_scale: float) -> str:
    return f"{20 * math.log10(full_scale):.1f} dB"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _content(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------- doing it
def perform(task: Task, progress: Progress = None) -> Record:
    """Do a task; its record, also where it failed."""
    with _told() as messages:
        try:
            record = _make(task, progress) if task.full_scale is None else {}
            full_scale = task.full_scale
            if full_scale is None and not task.shared:
                full_scale = record["level"]
                if full_scale > 1:
                    messages.append(f"turned down by {_decibels(full_scale)}, as it would clip at full scale")
            if full_scale is not None:
                record.update(_finish(task, full_scale))
        except Exception as error:
            record = failure(task, str(error) or type(error).__name__)
    if messages:
        record["warnings"] = list(dict.fromkeys(messages))
    return record


@contextlib.contextmanager
def _told() -> Iterator[list[str]]:
    """What there is to say of a task: the warnings within, but in other threads than the main one.

    What is done with warnings is the same for all threads, so that none of several can change it for itself alone.
    """
    messages: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield messages
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages.extend(str(warning.message) for warning in caught)


def failure(task: Task, error: str) -> Record:
    """The record of a task that failed."""
    return {"status": "failed", "error": error}


def _make(task: Task, progress: Progress) -> Record:
    """Put what is made of a recording where it waits, in floating point."""
    with recordings.Source(task.source, "input") as source:
        channels = source.channels
        if os.path.isdir(task.target):
            raise ValueError(f"output {task.target!r} must be a file, not a folder")
        written = (source.sample_rate, channels, 0, source.subtype)
        _, subtype = recordings.format_written(Path(task.target), *written)
    chain = [Step(effects()[name], values) for name, values in task.links]
    made = run(Job(task.source, task.staged, task.start, task.duration, "FLOAT"), chain, progress)
    with recordings.Source(task.staged, "result") as source:
        peak = max((recordings.peak(block) for block in source.blocks()), default=0.0)
    return {
        "status": "staged",
        "channels": channels,
        "subtype": subtype,
        "peak": peak,
        "level": max(1.0, peak) if recordings.clips(subtype) else 1.0,
        **record_of(made),
    }


def _finish(task: Task, full_scale: float) -> Record:
    """Bring what waits to its level and its format."""
    subtype, tags = recordings.read_format(task.source)
    with (
        recordings.Source(task.staged, "result") as source,
        SampleFile(os.path.dirname(task.finished), source.channels) as samples,
    ):
        for block in source.blocks():
            samples.append(block)
        recordings.write_audio(task.finished, samples, source.sample_rate, subtype, tags, full_scale)
    return {"status": "done", "full_scale": full_scale}


def record_of(made: Made) -> Record:
    """What there is to say of a recording that was made, as plain values."""
    return {
        "sample_rate": made.sample_rate,
        "duration": made.duration,
        "seconds": round(made.seconds, 3),
        "transfers": [
            {
                "parameters": plain(outcome.parameters),
                "stages": {name: _stage(one) for name, one in outcome.stages.items()},
            }
            for outcome in made.transfers
        ],
    }


def _stage(stage: Stage) -> Record:
    """How a stage went, at no more iterations than a curve needs."""

    def some(values: np.ndarray, figures: int = 6) -> list[float]:
        at = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).round().astype(int))
        return [float(f"{value:.{figures}g}") for value in values[at]]

    record = {"seconds": round(stage.seconds, 3), "iterations": [int(i) for i in some(stage.iterations)]}
    record |= {"style": some(stage.style), "content": some(stage.content)}
    return record if stage.inconsistency is None else {**record, "inconsistency": some(stage.inconsistency)}


def _crew(
    jobs: int, executor: Executor | None, chain: Sequence[Step], tell: Callable[[Event], None]
) -> Crew[Task, Record]:
    if executor is not None:
        return Through(executor, perform, failure)
    if jobs > 1:
        devices = [step.values.get("device", DEFAULTS.device) for step in chain if is_style(step)]
        return Processes(jobs, perform, failure, devices[0] if devices else "cpu")

    def work(task: Task) -> Record:
        def progress(stage: str, iteration: int, total: int, _: Mapping[str, float], sections: tuple[int, int]) -> None:
            where = {"stage": stage, "iteration": iteration, "total": total, "sections": sections}
            tell({"event": "stage", "file": task.name, **where})

        return perform(task, progress)

    return InTurn(work)
