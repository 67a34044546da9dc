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
import time
import uuid
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from . import audio as recordings
from .chain import Job, Made, check_chain, check_files, effects, is_style, run
from .grammar import Step
from .manifest import HIDDEN, NAME, Manifest, Record, plain
from .parameters import DEFAULTS, integer, number
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
    files : dict of str to dict
        The same, of the files of this run, by name relative to the folder.
    skipped : int
        How many of them had been finished before.
    seconds : float
        Time of the whole.
    """

    manifest: Path
    files: dict[str, Record]
    skipped: int
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        """The error of each file that failed."""
        return {name: str(record["error"]) for name, record in self.files.items() if record["status"] == "failed"}


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
    styles = [style] if isinstance(style, (str, os.PathLike)) else list(style)
    for one in styles:
        if not isinstance(one, (str, os.PathLike)):
            raise TypeError(f"style={type(one).__name__} must be a file, or a list of files")
    DEFAULTS.changed(**parameters)
    values = {"style": [os.fspath(one) for one in styles], **parameters}
    if style_weights is not None:
        values["style_weights"] = tuple(style_weights)
    selection = Selection(include, exclude, format, number(0)("start", start), duration, independent)
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
    jobs = integer(1)("jobs", jobs)
    check_chain(chain, without_input=False)
    check_files(chain)
    chain = [_absolute(step) for step in chain]
    if selection.duration != math.inf and number(0)("duration", selection.duration) == 0:
        raise ValueError(f"duration={selection.duration!r} must be above 0")
    found = find(in_folder, out_folder, selection)
    out = Path(out_folder)
    for folder in {out / name for name in found}:
        folder.parent.mkdir(parents=True, exist_ok=True)
    header = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "input": os.path.abspath(in_folder),
        "effects": [[step.effect.name, plain(step.values)] for step in chain],
        "selection": plain(vars(selection)),
    }
    with Manifest(out, header) as manifest:
        work = _Work(manifest, chain, selection, found, force)
        tasks = work.tasks()
        to_read = _bytes(found[name] for name in work.to_do)
        tell({"event": "start", "files": len(found), "skipped": work.skipped, "bytes": to_read})
        with _crew(jobs, executor, chain, tell) as crew:
            queue = deque(tasks)
            while queue or crew.busy():
                while queue and crew.room():
                    crew.submit(queue.popleft())
                task, record = crew.next()
                queue.extendleft(reversed(more := work.take(task, record)))
                anew = [one for one in more if one.full_scale is None]
                if anew:
                    tell({"event": "again", "files": len(anew), "bytes": _bytes(one.source for one in anew)})
                if task.full_scale is None and record["status"] != "failed":
                    times = {name: record[name] for name in ("duration", "seconds")}
                    tell({"event": "made", "file": task.name, "bytes": _bytes([task.source]), **times})
                record = manifest.records[task.name]
                for message in record.get("warnings", []):
                    warnings.warn(f"{task.name}: {message}", stacklevel=2)
                if record["status"] != "staged":
                    tell({"event": "file", "file": task.name, "bytes": _bytes([task.source]), **record})
        files = {name: manifest.records[name] for name in found}
    outcome = FolderOutcome(out / NAME, files, work.skipped, time.perf_counter() - began)
    counts = {"done": len(found) - len(outcome.failed) - work.skipped, "skipped": work.skipped}
    tell({"event": "end", **counts, "failed": len(outcome.failed), "seconds": round(outcome.seconds, 3)})
    return outcome


def _bytes(paths: Iterable[str | os.PathLike[str]]) -> int:
    return sum(os.stat(path).st_size for path in paths)


# ---------------------------------------------------------------- what there is to do
def find(
    in_folder: str | os.PathLike[str], out_folder: str | os.PathLike[str], selection: Selection
) -> dict[str, Path]:
    """The recordings in a folder and below it, by the relative names of what is made of them.

    Links are followed; names that begin with a dot are left out.

    Raises
    ------
    ValueError
        If one folder is the other, or in it; if there is no recording; if two would have one name.
    """
    source, target = Path(os.path.realpath(in_folder)), Path(os.path.realpath(out_folder))
    if not source.is_dir():
        raise FolderError(f"input {os.fspath(in_folder)!r} must be a folder that exists")
    if target.exists() and not target.is_dir():
        raise FolderError(f"output {os.fspath(out_folder)!r} must be a folder, as the input is one")
    if target == source or source in target.parents or target in source.parents:
        raise FolderError(
            f"output {os.fspath(out_folder)!r} and input {os.fspath(in_folder)!r} must not be the same folder, nor one "
            "in the other"
        )
    known = recordings.endings()
    ending = None if selection.format is None else "." + selection.format.lstrip(".").lower()
    if ending is not None and ending not in known:
        raise FolderError(f"format={selection.format!r} must be one of {', '.join(sorted(one[1:] for one in known))}")
    found: dict[str, Path] = {}
    for path in _files(source, target, frozenset([source])):
        name = path.relative_to(source)
        if path.suffix.lower() not in known or not _taken(name, selection):
            continue
        made = (name if ending is None else name.with_suffix(ending)).as_posix()
        if made in found:
            raise FolderError(f"{str(found[made])!r} and {str(path)!r} would both become {made!r}")
        found[made] = path
    if not found:
        chosen = " that --include and --exclude leave" if selection.include or selection.exclude else ""
        raise FolderError(f"input {os.fspath(in_folder)!r} holds no recordings{chosen}")
    return found


def _files(folder: Path, target: Path, above: frozenset[Path]) -> Iterator[Path]:
    """The files below a folder, in the order of their names; a link that leads back up ends there."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            yield Path(entry.path)
            continue
        real = Path(os.path.realpath(entry.path))
        if real == target:
            raise FolderError(f"output {str(target)!r} must not be in the input, as by the link {entry.path!r}")
        if real not in above:
            yield from _files(Path(entry.path), target, above | {real})


def _taken(name: Path, selection: Selection) -> bool:
    def matches(globs: Iterable[str]) -> bool:
        return any(fnmatch.fnmatchcase(name.as_posix() if "/" in glob else name.name, glob) for glob in globs)

    return (not selection.include or matches(selection.include)) and not matches(selection.exclude)


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
    source, target, staged : str
        Paths: the recording, what is made of it, and where that waits until it is finished.
    links : tuple of (str, dict)
        The effects by name, with their values.
    start, duration : float
        The part of the recording, in seconds.
    shared : bool
        Whether the result waits for those in the same folder.
    full_scale : float, optional
        In a second task of such a file, the level that they are all brought down by.
    """

    name: str
    source: str
    target: str
    staged: str
    links: tuple[tuple[str, dict[str, Any]], ...]
    start: float
    duration: float
    shared: bool
    full_scale: float | None = None


class _Work:
    """What is to be done in a folder, and what each answer asks for next.

    Parameters
    ----------
    manifest : Manifest
        Of the folder; forgets what does not hold any more.
    chain : sequence of Step
        With paths that hold anywhere.
    selection : Selection
    found : mapping of str to Path
        As by `find`.
    force : bool
        Whether nothing holds.
    """

    def __init__(
        self, manifest: Manifest, chain: Sequence[Step], selection: Selection, found: Mapping[str, Path], force: bool
    ) -> None:
        self.manifest, self.chain, self.selection, self.found = manifest, chain, selection, found
        self.out = Path(os.path.realpath(manifest.path.parent))
        common = self._identity()
        self.keys = {name: self._key(common, name) for name in found}
        groups = Counter(map(_group, found))
        self._shared = {group for group, n in groups.items() if n > 1 and not selection.independent}
        manifest.begin([name for name, record in manifest.records.items() if self._holds(name, record, force)])
        staged = {self._staged(name) for name, record in manifest.records.items() if record["status"] == "staged"}
        for path in manifest.hidden.iterdir():  # of a process that was killed
            if path.suffix == ".wav" and str(path) not in staged:
                path.unlink()
        self.to_do = [name for name in found if name not in manifest.records]
        self.skipped = sum(manifest.records[name]["status"] == "done" for name in found if name in manifest.records)
        self._missing: dict[str, set[str]] = {}
        for name in self.to_do:
            self._missing.setdefault(_group(name), set()).add(name)

    def tasks(self) -> list[Task]:
        """What there is to do first."""
        made = {_group(name) for name in self.found if self.manifest.records.get(name, {}).get("status") == "staged"}
        first = [task for group in sorted(made - self._missing.keys()) for task in self._finishing(group)]
        return first + [self._task(name) for name in self.to_do]

    def take(self, task: Task, record: Record) -> list[Task]:
        """Keep an answer; what there is to do now."""
        if task.full_scale is not None:  # the second half of one
            record = {**self.manifest.records[task.name], **record}
        self.manifest.add(task.name, {"source": task.source, **record, "key": self.keys[task.name]})
        if record["status"] != "staged":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(task.staged)
        group = _group(task.name)
        if task.full_scale is not None:
            return []
        self._missing[group].discard(task.name)
        return [] if self._missing[group] or not task.shared else self._finishing(group)

    def _finishing(self, group: str) -> list[Task]:
        """Tasks that finish a folder of which all has been made, or make anew what was finished at another level."""
        records = self.manifest.records
        made = {name: records[name] for name in self.found if _group(name) == group}
        made = {name: record for name, record in made.items() if record["status"] != "failed"}
        full_scale = max([1.0, *(record["peak"] for record in made.values() if record["clips"])])
        anew = [name for name, record in made.items() if record.get("full_scale", full_scale) != full_scale]
        if anew:
            self._missing[group] = set(anew)
            self.skipped -= len(anew)
            return [self._task(name) for name in anew]
        waiting = [name for name, record in made.items() if record["status"] == "staged"]
        if waiting and full_scale > 1:
            decibels = 20 * math.log10(full_scale)
            where = f"{group}: its" if group else "all"
            warnings.warn(
                f"{where} files turned down by {decibels:.1f} dB, as one would clip at full scale", stacklevel=2
            )
        return [self._task(name, full_scale) for name in waiting]

    def _holds(self, name: str, record: Record, force: bool) -> bool:
        """Whether a record need not be made again; those that this run is not about are left alone."""
        if name not in self.found:
            return record["status"] != "staged"
        if force or record.get("key") != self.keys[name]:
            return False
        there = {"done": str(self.out / name), "staged": self._staged(name)}.get(record["status"])
        return there is not None and os.path.isfile(there)

    def _task(self, name: str, full_scale: float | None = None) -> Task:
        return Task(
            name,
            str(self.found[name]),
            str(self.out / name),
            self._staged(name),
            tuple((step.effect.name, step.values) for step in self.chain),
            self.selection.start,
            self.selection.duration,
            _group(name) in self._shared,
            full_scale,
        )

    def _staged(self, name: str) -> str:
        return str(self.out / HIDDEN / f"{_digest(name)}.wav")

    def _identity(self) -> list[Any]:
        """What all results depend on; of files what is in them."""
        links = []
        for step in self.chain:
            values = plain(step.values)
            for name, one in step.effect.parameters.items():
                if one.is_file:
                    paths = step.values[name] if step.effect.several else [step.values[name]]
                    values[name] = [_content(path) for path in paths]
            links.append([step.effect.name, values])
        part = (self.selection.start, str(self.selection.duration))
        return [version(PACKAGES[0]), links, *part, self.selection.independent]

    def _key(self, common: list[Any], name: str) -> str:
        """What a result depends on, in short."""
        status = os.stat(self.found[name])
        return _digest(json.dumps([*common, name, status.st_size, status.st_mtime_ns]))


def _group(name: str) -> str:
    """The folder that a file is directly in."""
    return os.path.dirname(name)


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
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            record = _make(task, progress) if task.full_scale is None else {}
            if not task.shared:
                task = replace(task, full_scale=max(1.0, record["peak"]) if record["clips"] else 1.0)
            if task.full_scale is not None:
                record.update(_finish(task, task.full_scale))
        except Exception as error:
            record = failure(task, str(error) or type(error).__name__)
    if caught:
        record["warnings"] = [str(warning.message) for warning in caught]
    return record


def failure(task: Task, error: str) -> Record:
    """The record of a task that failed."""
    return {"status": "failed", "error": error}


def _make(task: Task, progress: Progress) -> Record:
    """Put what is made of a recording where it waits, in floating point."""
    with recordings.Source(task.source, "input") as source:
        format = (source.sample_rate, source.channels)
        recordings.check_writable(task.target, *format, subtype=source.subtype)
        _, subtype = recordings.format_written(Path(task.target), *format, 0, source.subtype)
    chain = [Step(effects()[name], values) for name, values in task.links]
    made = run(Job(task.source, task.staged, task.start, task.duration, "FLOAT"), chain, progress)
    with recordings.Source(task.staged, "result") as source:
        peak = max((recordings.peak(block) for block in source.blocks()), default=0.0)
    return {
        "status": "staged",
        "channels": format[1],
        "subtype": subtype,
        "clips": recordings.clips(subtype),
        "peak": peak,
        **record_of(made),
    }


def _finish(task: Task, full_scale: float) -> Record:
    """Bring what waits to its level and its format, and to its place."""
    target, partial = Path(task.target), Path(task.staged).with_name(f"{uuid.uuid4().hex}{Path(task.target).suffix}")
    subtype, tags = recordings.read_format(task.source)
    if full_scale > 1 and not task.shared:
        warnings.warn(
            f"turned down by {20 * math.log10(full_scale):.1f} dB, as it would clip at full scale", stacklevel=2
        )
    with recordings.Source(task.staged, "result") as source, SampleFile(partial.parent, source.channels) as samples:
        for block in source.blocks():
            samples.append(block)
        rate = source.sample_rate
        recordings.check_writable(target, rate, *samples.shape, subtype)
        try:
            recordings.write_audio(partial, samples, rate, subtype, tags, full_scale)
            if target.exists():
                shutil.copymode(target, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
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
