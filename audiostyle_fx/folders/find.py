"""Which recordings of a folder there are to do, and what the results are called."""

from __future__ import annotations

import fnmatch
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._recordings.formats import endings
from .._validation import flag, number
from ..report.media import is_page_media


class FolderError(ValueError):
    """The folders are not such that one's recordings can be made into the other's."""


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
        if self.format is not None and ending(self.format) not in endings(written=True):
            formats = ", ".join(sorted(one[1:] for one in endings(written=True)))
            raise FolderError(f"format={self.format!r} must be one of {formats}")
        number(0)("start", self.start)
        if self.duration != math.inf and number(0)("duration", self.duration) == 0:
            raise ValueError(f"duration={self.duration!r} must be above 0")
        flag("independent", self.independent)


def ending(format: str) -> str:
    """The ending of files of a format, such as ``.flac``, in small letters."""
    return "." + format.lstrip(".").lower()


def find(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    selection: Selection,
    others: Iterable[str] = (),
) -> dict[str, str]:
    """The paths of the recordings in a folder and below it, by the relative names of what is made of them.

    Links are followed; names that begin with a dot, what is neither a file nor a folder, and what listening pages play
    are left out.

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
    known, written = endings(), selection.format and ending(selection.format)
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
                if real not in above and not is_page_media(entry.path):
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
