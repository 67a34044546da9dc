"""Paths of a folder's run: of the results, and of unfinished files in the hidden folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class ResultPaths:
    """Paths of results and of unfinished files.

    Attributes
    ----------
    out : str
        The output folder.
    hidden : str
        Its hidden folder, on the same disk.
    """

    out: str
    hidden: str

    def target(self, name: str) -> str:
        """Return the path of a result."""
        return f"{self.out}/{name}"

    def staged(self, key: str) -> str:
        """Return the path of the result of a key in floating point, which waits there until its level is known."""
        return f"{self.hidden}/staged-{key}.wav"

    def finished(self, key: str, name: str) -> str:
        """Return the path of a result in its format, until it is moved to its name."""
        return f"{self.hidden}/finished-{key}{os.path.splitext(name)[1]}"

    def remove_leftovers(self, names: Collection[str], paths: Collection[str]) -> None:
        """Remove files of killed processes: all files in the hidden folder except these names and paths."""
        for name in os.listdir(self.hidden):
            path = f"{self.hidden}/{name}"
            if name not in names and path not in paths:
                remove(path)


def place(finished: str, target: str) -> None:
    """Move a finished file to its name, with the permissions of the file it replaces, and force it to disk."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copymode(target, finished)
    os.replace(finished, target)
    sync_folder(os.path.dirname(target))


def remove(*paths: str) -> None:
    """Remove files that may not exist."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Force the names in a folder to disk, if the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
