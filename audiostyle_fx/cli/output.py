"""OUT: the path of the result, and whether a result may be written there."""

from __future__ import annotations

import os
import sys

from ..folders.find import has_sound_ending
from .request import Request


def check_output(request: Request) -> None:
    """Raise ValueError if the result would replace a file that is read, or another one that nobody wants replaced.

    On a terminal the user is asked about an existing file.
    """
    if request.target == "-":
        return
    if request.of_folder:
        _check_folder(request.target)
        return
    if request.source not in (None, "-") and _is_same_file(str(request.source), request.target):
        raise ValueError(f"OUT {request.target!r} is the same file as IN; give the result another name")
    for step in request.chain:
        if any(_is_same_file(path, request.target) for path in step.files):
            raise ValueError(f"OUT {request.target!r} is a recording that {step.effect.name} reads; give another name")
    if request.source not in (None, "-") and not os.path.exists(str(request.source)):
        return  # the error that follows names the input
    if request.target.endswith(("/", os.sep)):
        raise ValueError(f"OUT {request.target!r} must be a folder that exists, or a file")
    if os.path.isfile(request.target) and not request.options.overwrite:
        _ask(request.target)


def _check_folder(target: str) -> None:
    """Raise unless OUT can be meant as a folder."""
    if not os.path.exists(target) and has_sound_ending(target):
        raise ValueError(f"OUT {target!r} must be a folder, as IN is one, but is named as a file")


def _ask(path: str) -> None:
    """Raise unless the user of a terminal wants a file to be replaced."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ValueError(f"OUT {path!r} exists; --overwrite replaces it")
    print(f"replace {path}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ValueError(f"OUT {path!r} stays as it is")


def _is_same_file(path: str, other: str) -> bool:
    """Whether two paths lead to one file, also by links."""
    try:
        return os.path.samefile(path, other)
    except OSError:  # one of them does not exist
        return os.path.realpath(path) == os.path.realpath(other)
