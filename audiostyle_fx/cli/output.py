"""Checks of OUT: whether results may be written there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Hashable, Iterator, Sequence

from ..folders.find import has_sound_ending
from .pipes import STANDARD_INPUT, STANDARD_OUTPUT
from .request import Request


def check_outputs(requests: Sequence[Request]) -> list[Request]:
    """Return the requests whose results may be written; on a terminal the user is asked about existing files.

    Raises
    ------
    ValueError
        If a result would replace an input, or an existing file without ``--overwrite`` or the user's consent.
    """
    sources = {_identity(request.source): request.source for request in requests if request.source is not None}
    targets: dict[Hashable, str] = {}
    for request in requests:
        _check_output(request, sources)
        if (other := targets.setdefault(_identity(request.target), request.target)) != request.target:
            raise ValueError(f"OUT {other!r} and {request.target!r} are links to the same file")
    kept = [request for request in requests if _may_write(request, alone=len(requests) == 1)]
    if not kept:
        raise ValueError(f"OUT {requests[0].target!r} stays as it is")
    return kept


def _check_output(request: Request, sources: dict[Hashable, str]) -> None:
    """Raise if a result would replace a file that is read; ``sources`` are all inputs."""
    if request.target in STANDARD_OUTPUT:
        return
    if request.of_folder:
        _check_folder(request.target)
        return
    source = sources.get(_identity(request.target))
    if source is not None:
        subject = "IN" if len(sources) == 1 else f"IN {source!r}"
        raise ValueError(f"OUT {request.target!r} is the same file as {subject}; give the result another name")
    for step in request.chain:
        if any(_identity(path) == _identity(request.target) for path in step.files):
            raise ValueError(f"OUT {request.target!r} is a recording that {step.effect.name} reads; give another name")


def _check_folder(target: str) -> None:
    """Raise unless OUT can be meant as a folder."""
    if not os.path.exists(target) and has_sound_ending(target):
        raise ValueError(f"OUT {target!r} must be a folder because IN is one, but it has the name of a file")


def _may_write(request: Request, *, alone: bool) -> bool:
    """Whether a result may be written; on a terminal the user is asked whether an existing file is replaced.

    Raises ValueError without a terminal.
    """
    source, target = request.source, request.target
    options = request.options
    if target in STANDARD_OUTPUT or request.of_folder or options.overwrite or options.dry_run:
        return True
    if not os.path.isfile(target):
        return True
    if source is not None and source not in STANDARD_INPUT and not os.path.exists(source):
        return True  # the error that follows names the input
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ValueError(f"OUT {target!r} exists; --overwrite replaces it")
    print(f"replace {target}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    if not alone:
        print(f"audiostyle: OUT {target!r} stays as it is", file=sys.stderr)
    return False


@contextlib.contextmanager
def new_folder(path: str | None) -> Iterator[None]:
    """Make a folder if a path is given; remove it again if nothing was written to it.

    Raises
    ------
    OSError
        If the folder can't be made; the message names it.
    """
    if path is None:
        yield
        return
    try:
        os.makedirs(path)
    except OSError as error:
        raise OSError(f"OUT {path!r} can't be made: {error.strerror}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(path)


def _identity(path: str) -> Hashable:
    """Return a key that is equal for paths to the same file, links included."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # it does not exist
        return os.path.realpath(path)
    return status.st_dev, status.st_ino
