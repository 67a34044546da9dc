"""Standard streams that are closed, or whose output is no longer read."""

from __future__ import annotations

import contextlib
import os
import sys


def open_closed_streams() -> None:
    """Replace closed standard streams by the null device.

    Otherwise the next opened file would get the number of a standard stream, and messages would be written into that
    file. `sys.stdin` and `sys.stdout` stay None if they are closed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def silence_broken_streams() -> None:
    """Let standard streams without a reader write to the null device, because Python flushes them at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            with contextlib.suppress(OSError):  # a stream of the calling program need not be a file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
