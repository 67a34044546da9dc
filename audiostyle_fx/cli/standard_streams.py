"""Standard streams that are closed, or that nobody reads any more."""

from __future__ import annotations

import contextlib
import os
import sys


def open_closed_streams() -> None:
    """Put the null device in the place of closed standard streams.

    Otherwise the next file that is opened would get the number of a standard stream, and messages would be written into
    it. `sys.stdin` and `sys.stdout` stay None where they are closed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def silence_broken_streams() -> None:
    """Let standard streams that nobody reads write to the null device: Python flushes them when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            with contextlib.suppress(OSError):  # a stream of the calling program need not be a file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
