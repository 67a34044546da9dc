"""The recordings in a folder, and the names of their results."""

from __future__ import annotations

import fnmatch
import math
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from .._recordings.formats import check_subtype, endings
from .._recordings.kinds import SOUND_ENDINGS, sound_kind
from .._validation import number, sample_rate
from ..errors import FolderError

USUAL_FORMATS = ("wav", "flac", "aiff", "mp3", "ogg", "caf", "w64")
"""The formats that an error lists; there are more."""

Levels: TypeAlias = Literal["auto", "shared", "independent"]
"""The files of a folder that share a level: files that look like stems, all files, or none."""


@dataclass(frozen=True)
class Selection:
    """The files of a folder that are processed, the part of each, and the format of the results.

    Attributes
    ----------
    include, exclude : sequence of str
        Globs of files to process and of files to leave out. A glob with a slash is compared with the path below the
        folder, a glob without a slash with the file's name.
    format : str, optional
        Ending of the results; by default each file keeps its ending.
    start, duration : float
        The part of each recording, in seconds.
    levels : {"auto", "shared", "independent"}
        Whether the files directly in one folder share a level: "auto" if they look like stems of one song, "shared"
        always, "independent" never.
    subtype, rate, quality : str, float, float, optional
        Sample format, sample rate in Hz and bit rate in kbit/s of the results; by default those of their recordings.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    format: str | None = None
    start: float = 0.0
    duration: float = math.inf
    levels: Levels = "auto"
    subtype: str | None = None
    rate: float | None = None
    quality: float | None = None

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            globs = getattr(self, name)
            if isinstance(globs, str) or not all(isinstance(glob, str) for glob in globs):
                raise TypeError(f"{name}={globs!r} must be a list of globs")
        if self.format is not None and not isinstance(self.format, str):
            raise TypeError(f"format={self.format!r} must be a str, or None")
        if self.format is not None and ending(self.format) not in endings(written=True):
            others = len(endings(written=True)) - len(USUAL_FORMATS)
            raise FolderError(
                f"format={self.format!r} must be one of {', '.join(USUAL_FORMATS)} or {others} more, which "
                "soundfile.available_formats() lists"
            )
        number(0)("start", self.start)
        if self.duration != math.inf and number(0)("duration", self.duration) == 0:
            raise ValueError(f"duration={self.duration!r} must be above 0")
        check_subtype(self.subtype)
        if self.rate is not None:
            sample_rate("rate", self.rate)
        if self.levels not in get_args(Levels):
            raise ValueError(f"levels={self.levels!r} must be one of {', '.join(get_args(Levels))}")


class Found(NamedTuple):
    """The files of a folder.

    Attributes
    ----------
    recordings : dict of str to str
        Paths of the recordings by the relative names of their results.
    passed_over : tuple of str
        Relative names of the files that are not recordings.
    """

    recordings: dict[str, str]
    passed_over: tuple[str, ...]


def ending(format: str) -> str:
    """Return the ending of a format's files in lower case, such as ``.flac``."""
    return "." + format.lstrip(".").lower()


def find(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    selection: Selection,
    other_inputs: Iterable[str] = (),
) -> Found:
    """Return the recordings in a folder and its subfolders, and the other files there.

    A file is a recording if it has a usual ending of sound files or contents of a sound file: see `sound_kind`. Links
    are followed. Names that begin with a dot, the files of listening pages, and files that the selection leaves out
    are ignored.

    Parameters
    ----------
    in_folder, out_folder : path
    selection : Selection
    other_inputs : iterable of str
        Paths of other input files, which no result may replace.

    Raises
    ------
    FolderError
        If the folders are the same, or one is inside the other, even through links; if there is no recording; if two
        results would have the same name; if a result would replace an input.
    OSError
        If a folder can't be read.
    """
    source, target = os.path.realpath(in_folder), os.path.realpath(out_folder)
    if not os.path.isdir(source):
        raise FolderError(f"input {os.fspath(in_folder)!r} must be a folder that exists")
    if os.path.exists(target) and not os.path.isdir(target):
        raise FolderError(f"output {os.fspath(out_folder)!r} must be a folder because the input is one")
    if _overlap(source, target):
        raise FolderError(
            f"output {os.fspath(out_folder)!r} and input {os.fspath(in_folder)!r} must not be the same folder, and "
            "neither may be inside the other"
        )
    recordings: dict[str, str] = {}
    passed_over: list[str] = []
    inputs = {os.path.realpath(path) for path in other_inputs}
    for name, path, real_path in _files(source, "", target, (source,)):
        if not _is_selected(name, selection):
            continue
        if not is_recording(path):
            passed_over.append(name)
            continue
        result = result_name(name, selection.format)
        if result in recordings:
            both = f"{recordings[result]!r} and {path!r} would both become {result!r}"
            raise FolderError(f"{both}; leave one of them out with exclude")
        recordings[result] = path
        inputs.add(real_path)
    if not recordings:
        selected = " that match include and exclude" if selection.include or selection.exclude else ""
        others = f"; {passed_over_text(passed_over)}" if passed_over else ""
        raise FolderError(f"input {os.fspath(in_folder)!r} contains no recordings{selected}{others}")
    _check_results(recordings, target, inputs)
    return Found(recordings, tuple(passed_over))


def is_recording(path: str) -> bool:
    """Whether a file is a recording, by its ending or its contents; pipes and devices are not.

    A file with the ending of a recording counts even if it can't be read, so that its failure is reported.
    """
    known = has_sound_ending(path)
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and (known or sound_kind(path) is not None)
    except OSError:
        return known


def has_sound_ending(name: str) -> bool:
    """Whether a name has a usual ending of recordings."""
    own_ending = os.path.splitext(name)[1].lower()
    return own_ending in SOUND_ENDINGS or own_ending in _endings(written=False)


def result_name(name: str, format: str | None = None) -> str:
    """Return the name of a recording's result.

    The result keeps the name, except that an ending that can't be written becomes ``.wav``. If the name has no ending
    of recordings, such as ``take 1.2``, an ending is added.

    Parameters
    ----------
    name : str
        Name of the recording.
    format : str, optional
        Ending of all results, such as ``"flac"``.
    """
    stem, own_ending = os.path.splitext(name)
    if format is None and own_ending.lower() in _endings(written=True):
        return name
    kept = stem if has_sound_ending(name) else name
    return kept + (ending(format) if format else ".wav")


@cache
def _endings(*, written: bool) -> frozenset[str]:
    """Return the endings of libsndfile's formats; they are read only once."""
    return frozenset(endings(written=written))


def passed_over_text(names: Sequence[str], most: int = 10) -> str:
    """Return a text with the number of files that are not recordings and at most ``most`` of their names."""
    shown = ", ".join(map(printable, names[:most]))
    others = f" and {len(names) - most} more" if len(names) > most else ""
    files = "1 file that is not a recording" if len(names) == 1 else f"{len(names)} files that are not recordings"
    return f"passed over: {files}: {shown}{others}"


def printable(name: str | None) -> str:
    """Return a file's name on one line, whatever characters it contains."""
    return repr(name) if name is not None and not name.isprintable() else str(name)


def matches(name: str, glob: str) -> bool:
    """Whether a file's path below the folder matches a glob; without a slash, the glob is compared with the name."""
    return fnmatch.fnmatchcase(name if "/" in glob else os.path.basename(name), glob)


def recording_names(in_folder: str | os.PathLike[str], out_folder: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the relative names of all recordings in a folder, whatever the selection; arguments as for `find`."""
    source = os.path.realpath(in_folder)
    for name, path, _ in _files(source, "", os.path.realpath(out_folder), (source,)):
        if is_recording(path):
            yield name


def _files(folder: str, prefix: str, target: str, parents: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield relative name, path, and path without links of all files in a folder and its subfolders.

    Links to a folder's own parents are left out; ``parents`` are the paths without links of the folder and its parents.
    """
    from ..report.media import is_page_media  # loads the listening page, which only folders need

    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            name, is_link = prefix + entry.name, entry.is_symlink()
            real_path = os.path.realpath(entry.path) if is_link else os.path.join(parents[-1], entry.name)
            if os.path.isdir(entry.path) if is_link else entry.is_dir():
                if is_link and _overlap(real_path, target):
                    raise FolderError(f"output {target!r} is inside the input folder through the link {entry.path!r}")
                if real_path not in parents and not is_page_media(entry.path):
                    yield from _files(entry.path, f"{name}/", target, (*parents, real_path))
            else:
                yield name, entry.path, real_path  # a broken link is reported as a file that fails


def _overlap(folder: str, other: str) -> bool:
    """Whether two folders are the same, or one is inside the other."""
    return folder == other or Path(folder) in Path(other).parents or Path(other) in Path(folder).parents


def _check_results(names: Iterable[str], target: str, inputs: set[str]) -> None:
    """Raise if a link in the output would make a result replace an input, or make two results one file."""
    folders: dict[str, str] = {}
    names_of: dict[str, str] = {}
    for name in names:
        folder, base = os.path.split(name)
        if folder not in folders:
            folders[folder] = os.path.realpath(os.path.join(target, folder))
        written = os.path.join(folders[folder], base)
        if written in inputs:
            raise FolderError(f"output {os.path.join(target, name)!r} would overwrite {written!r}, which is an input")
        if names_of.setdefault(written, name) != name:
            raise FolderError(
                f"output {target!r}: {names_of[written]!r} and {name!r} are links to the same file, {written!r}"
            )


def _is_selected(name: str, selection: Selection) -> bool:
    included = not selection.include or any(matches(name, glob) for glob in selection.include)
    return included and not any(matches(name, glob) for glob in selection.exclude)
