"""The common level of stems: files of one folder are turned down by one factor, so that they still sum to the mix.

Peaks of stems are not limited: limited stems would not sum to the mix, and the level of stems does not matter, because
the mix gets its level later. Only the peaks of single files are limited.

The files directly in one folder count as stems if all have the same sample rate and length. This depends only on the
recordings of the run, not on the results of earlier runs.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Mapping

from .._recordings.levels import format_db
from .find import Levels
from .headers import read_header
from .records.file_state import FileState

SHARED_LEVEL = "all files of the folder"
"""The song of files that share a level because the user asks for it."""


def songs_of(recordings: Mapping[str, str], levels: Levels) -> dict[str, str]:
    """Return the song that each file is a stem of, by name; it is empty for a file with its own level.

    Parameters
    ----------
    recordings : mapping of str to str
        Paths by the names of the results.
    levels : {"auto", "shared", "independent"}
        With "auto", the files directly in one folder are stems of one song if their sample rates and lengths are equal;
        these name the song. Unreadable files are ignored.
    """
    if levels != "auto":
        return dict.fromkeys(recordings, SHARED_LEVEL if levels == "shared" else "")
    folders: dict[str, list[str]] = {}
    for name in recordings:
        folders.setdefault(os.path.dirname(name), []).append(name)
    songs: dict[str, str] = {}
    for names in folders.values():
        songs.update(dict.fromkeys(names, _common_shape(recordings[name] for name in names)))
    return {name: songs[name] for name in recordings}


def _common_shape(paths: Iterable[str]) -> str:
    """Return the common sample rate and length of recordings; empty if they differ."""
    common = ""
    for path in paths:
        with contextlib.suppress(ValueError, OSError):
            header = read_header(path)
            shape = f"{header.n_samples} samples at {header.sample_rate:g} Hz"
            if common not in ("", shape):
                return ""
            common = shape
    return common


class Stems:
    """Groups of files that share a level, with the states of their files.

    Parameters
    ----------
    songs : mapping of str to str
        The song of each file of this run by its name; see `songs_of`. The stems of a song that are directly in one
        folder are a group; a file without a song is its own group.
    """

    def __init__(self, songs: Mapping[str, str]) -> None:
        self._songs = songs
        self._names: dict[str, list[str]] = {}
        for name in songs:
            self._names.setdefault(self.group(name), []).append(name)
        self._song_of_group = {group: songs[names[0]] for group, names in self._names.items()}
        self._processed: dict[str, FileState] = {}
        self._others: dict[str, dict[str, FileState]] = {}
        self._unprocessed = {group: set(group_names) for group, group_names in self._names.items()}

    def group(self, name: str) -> str:
        """Return the folder of a stem, or the name of a file that is not a stem."""
        return os.path.dirname(name) if self._songs[name] else name

    def song(self, name: str) -> str:
        """Return the song whose stems share the file's level; empty if the file has its own level."""
        return self._songs[name] if self.shares_level(name) else ""

    def shares_level(self, name: str) -> bool:
        """Whether the file's level is only known after the others of its group have been processed."""
        return not self.is_alone(self.group(name))

    def is_alone(self, group: str) -> bool:
        """Whether the group is a single file, which has its own level."""
        return len(self._names[group]) == 1 and group not in self._others

    def set_processed(self, name: str, state: FileState) -> None:
        """Add the level of a file of this run that is staged or done."""
        self._processed[name] = state
        self._unprocessed[self.group(name)].discard(name)

    def set_failed(self, name: str) -> None:
        """Mark a file as failed, so that its group no longer waits for its level."""
        self._processed.pop(name, None)
        self._unprocessed[self.group(name)].discard(name)

    def set_unprocessed(self, name: str) -> None:
        """Mark a file as unprocessed, so that its group waits for its level again."""
        self._unprocessed[self.group(name)].add(name)

    def add_other(self, name: str, state: FileState) -> None:
        """Add the level of a file that is in the output folder but not in this run, if it is a stem of a group."""
        group = os.path.dirname(name)
        if self._song_of_group.get(group) in (SHARED_LEVEL, state.song or None):
            self._others.setdefault(group, {})[name] = state

    def is_processed(self, name: str) -> bool:
        """Whether the file is staged or done."""
        return name in self._processed

    def is_complete(self, group: str) -> bool:
        """Whether all files of a group are processed or have failed."""
        return not self._unprocessed[group]

    def complete_groups(self) -> list[str]:
        """Return the groups of which all files are processed or have failed."""
        return [group for group in self._names if self.is_complete(group)]

    def n_done(self) -> int:
        """Return the number of files of this run that are done."""
        return sum(state.status == "done" for state in self._processed.values())

    def staged_names(self) -> list[str]:
        """Return the files of this run that wait for their level."""
        return [name for name, state in self._processed.items() if state.status == "staged"]

    def full_scale(self, group: str) -> float:
        """Return the level that becomes full scale in a group: the level of the loudest file, at least 1."""
        others = self._others.get(group, {})
        finished = [state.full_scale for state in others.values() if state.full_scale is not None]
        return max([1.0, *finished, *(state.level for state in {**others, **self._states(group)}.values())])

    def names_at_other_levels(self, group: str) -> list[str]:
        """Return the files of this run that are done at another level than the group's."""
        states, full_scale = self._states(group), self.full_scale(group)
        if self.is_alone(group):
            return [name for name, state in states.items() if not (state.own_level or state.full_scale in (None, 1))]
        return [name for name, state in states.items() if state.full_scale not in (None, full_scale)]

    def waiting_names(self, group: str) -> list[str]:
        """Return the group's files of this run that wait for their level."""
        return [name for name, state in self._states(group).items() if state.status == "staged"]

    def warn(self, group: str) -> None:
        """Warn that a group is turned down, or that files outside of this run are too loud for its level."""
        full_scale, others = self.full_scale(group), self._others.get(group, {})
        finished = [state.full_scale for state in others.values() if state.full_scale is not None]
        louder = [other for other in finished if other < full_scale]
        if louder:
            prefix, difference = f"{group}: " if group else "", format_db(full_scale / min(louder))
            files = "file of this folder was" if len(louder) == 1 else "files of this folder were"
            warnings.warn(
                f"{prefix}{len(louder)} other {files} finished {difference} louder; run the whole folder so that its "
                "files sum to the mix",
                stacklevel=2,
            )
        states = {**others, **self._states(group)}
        if full_scale > 1 and len(states) > 1:
            subject = f"{group}: its files" if group else "all files"
            loudest = max(states, key=lambda name: states[name].level)
            excess = format_db(states[loudest].level) if states[loudest].level > 1 else ""
            reason = f"{loudest} would clip by {excess}" if excess else "files finished earlier are"
            warnings.warn(f"{subject} turned down by {format_db(full_scale)}, because {reason}", stacklevel=2)

    def _states(self, group: str) -> dict[str, FileState]:
        """Return the states of the group's files of this run that are processed."""
        return {name: self._processed[name] for name in self._names[group] if name in self._processed}
