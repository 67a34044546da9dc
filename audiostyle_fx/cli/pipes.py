"""Recordings that come and go through pipes: copied to temporary files once, since nobody can seek in a pipe."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from .._effects_chain.step import Step
from .._recordings.formats import endings
from .wording import Wording

STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")

UNREADABLE = {stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
"""What can't be read as a recording, by the type that the file system gives it."""


@dataclass(frozen=True)
class LocalFiles:
    """Files to process in the place of pipes.

    Attributes
    ----------
    source : str or None
        None for a texture.
    target : str
    chain : list of Step
    """

    source: str | None
    target: str
    chain: list[Step]


def is_input_pipe(path: str | None) -> bool:
    """Whether a path is standard input or a pipe, which can be read only once."""
    return path is not None and (path in STANDARD_INPUT or _file_type(path) == stat.S_IFIFO)


def is_output_pipe(path: str) -> bool:
    """Whether a path is standard output or a pipe, in which nobody can seek."""
    return path in STANDARD_OUTPUT or _file_type(path) == stat.S_IFIFO


def check_pipes(source: str | None, target: str, chain: Sequence[Step]) -> None:
    """Raise ValueError where a standard stream is closed or a terminal, or a device stands in the place of a file."""
    inputs = [("IN", source), *((step.effect.name, path) for step in chain for path in step.files)]
    for place, path in inputs:
        if path in STANDARD_INPUT:
            _check_stream(f"{place} is {path}, but standard input", sys.stdin)
        elif path is not None and _file_type(path) in UNREADABLE and not (place == "IN" and os.path.isdir(path)):
            raise ValueError(f"{place} {path!r} is {UNREADABLE[_file_type(path)]}; it must be a recording")
    if target in STANDARD_OUTPUT:
        _check_stream(f"OUT is {target}, but standard output", sys.stdout)
    elif _file_type(target) in UNREADABLE and not os.path.isdir(target):
        raise ValueError(f"OUT {target!r} is {UNREADABLE[_file_type(target)]}; it must be a file, a folder or a pipe")


def _check_stream(subject: str, stream: Any) -> None:
    if stream is None:
        raise ValueError(f"{subject} is closed")
    if stream.isatty():
        raise ValueError(f"{subject} is a terminal")


def _file_type(path: str) -> int:
    """Return the type of a file as `stat.S_IFMT` has it; 0 where there is none."""
    try:
        return stat.S_IFMT(os.stat(path).st_mode)
    except (OSError, ValueError):  # ValueError: a null byte
        return 0


@contextmanager
def files_for_pipes(source: str | None, target: str, chain: Sequence[Step], wording: Wording) -> Iterator[LocalFiles]:
    """Give the files to read and to write: for pipes temporary files, which messages call by the pipes' names.

    Pipes are read before, and written after, the block within. A pipe that stands in two places is read once.

    Raises
    ------
    OSError
        Naming the pipe, if it can't be read or written, or the temporary folder has no space.
    """
    with tempfile.TemporaryDirectory(prefix="audiostyle-") as folder:
        copies: dict[str, str] = {}

        def readable(place: str, path: str) -> str:
            if not is_input_pipe(path):
                return path
            pipe = "-" if path in STANDARD_INPUT else path
            if pipe not in copies:
                copies[pipe] = os.path.join(folder, f"input{len(copies)}")
                shown = wording.add_copy(copies[pipe], path, "standard input")
                with _errors_name(f"{place} {shown}"), open(copies[pipe], "wb") as file, _open_input(path) as data:
                    shutil.copyfileobj(data, file)
            return copies[pipe]

        local_source = source and readable("IN", source)
        local_chain = [step.with_files(partial(readable, step.effect.name)) for step in chain]
        if not is_output_pipe(target):
            yield LocalFiles(local_source, target, local_chain)
            return
        ending = Path(target).suffix
        result = os.path.join(folder, "output" + (ending if ending.lower() in endings(written=True) else ".wav"))
        shown = wording.add_copy(result, target, "standard output")
        yield LocalFiles(local_source, result, local_chain)
        with _errors_name(f"OUT {shown}"), open(result, "rb") as file, _open_output(target) as data:
            shutil.copyfileobj(file, data)
            data.flush()


@contextmanager
def _open_input(path: str) -> Iterator[BinaryIO]:
    if path in STANDARD_INPUT:
        yield sys.stdin.buffer
    else:
        with open(path, "rb") as file:
            yield file


@contextmanager
def _open_output(path: str) -> Iterator[BinaryIO]:
    if path in STANDARD_OUTPUT:
        yield sys.stdout.buffer
    else:
        with open(path, "wb") as file:
            yield file


@contextmanager
def _errors_name(subject: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader went: no error of the command
        raise
    except OSError as error:
        raise OSError(f"{subject} can't be copied: {error.strerror or error}") from error
