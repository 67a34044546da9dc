"""A lock that lets one process at a time work in a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""Errors of file systems without locks."""


@contextmanager
def folder_lock(folder: str | os.PathLike[str], path: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system releases it when the process ends for any reason.

    Some network file systems have no locks. `filelock` then warns and uses a marker file, which is valid while its
    process lives. If even that fails, as with older releases or if the file system has run out of locks, the folder is
    used without a lock, and the caller must start only one process.

    Parameters
    ----------
    folder : path
        The folder in error messages.
    path : Path
        The lock's file. It is never deleted; a process locks it.

    Raises
    ------
    RuntimeError
        If another process, or another call in this process, holds the lock.
    OSError
        If the lock's file can't be created or locked for any other reason.
    """
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise RuntimeError(
            f"another process is working in {os.fspath(folder)!r}; wait until it has ended, or stop it"
        ) from None
    except NotImplementedError:  # the file system has no locks
        yield
        return
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        yield
        return
    try:
        yield
    finally:
        lock.release()
