"""Where the files of a folder's run are: the results, and the hidden folder of what is not finished."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class ResultPaths:
    """Paths of results, and of files on the way to them.

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
        """Return the path where the result of a key waits in floating point until its level is known."""
        return f"{self.hidden}/staged-{key}.wav"

    def finished(self, key: str, name: str) -> str:
        """Return the path where a result is, in its format, until it is moved to its name."""
        return f"{self.hidden}/finished-{key}{os.path.splitext(name)[1]}"

    def remove_leftovers(self, names: Collection[str], paths: Collection[str]) -> None:
        """Remove files of processes that were killed: all in the hidden folder but these names and paths."""
        for name in os.listdir(self.hidden):
            path = f"{self.hidden}/{name}"
            if name not in names and path not in paths:
                remove(path)


def place(finished: str, target: str) -> None:
    """Move a finished file to its name, with the permissions of the file that it replaces, and to the disk."""
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
    """Write the names in a folder to the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
