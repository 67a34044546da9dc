"""A lock that lets one process at a time work in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def folder_lock(folder: str | os.PathLike[str], path: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system releases it when the process ends, however it ends.

    Some network and cluster file systems have no locks. There `filelock` warns and uses a marker file, which counts as
    long as its process lives, or, with older releases or other errors, nothing keeps two processes
    apart: whoever starts them has to.

    Parameters
    ----------
    folder : path
        The folder, as error messages name it.
    path : Path
        The lock's file. It stays there; what counts is whether a process has it locked.

    Raises
    ------
    RuntimeError
        If another process holds the lock, or another call in this process.
    """
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise RuntimeError(
            f"another process is at work in {os.fspath(folder)!r}; wait until it has ended, or stop it"
        ) from None
    except (NotImplementedError, OSError):  # the file system has no locks
        yield
        return
    try:
        yield
    finally:
        lock.release()
