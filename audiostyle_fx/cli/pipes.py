"""Recordings from and to pipes: they are copied to temporary files, because seeking in a pipe is impossible."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from .._effects_chain.step import Step
from .._recordings.formats import endings
from .wording import Wording

STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")

UNREADABLE = {stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
"""Names of file types that can't be read as a recording."""


def is_input_pipe(path: str | None) -> bool:
    """Whether a path is standard input or a pipe, which can be read only once."""
    return path is not None and (path in STANDARD_INPUT or _file_type(path) == stat.S_IFIFO)


def is_output_pipe(path: str) -> bool:
    """Whether a path is standard output or a pipe, where seeking is impossible."""
    return path in STANDARD_OUTPUT or _file_type(path) == stat.S_IFIFO


def check_pipes(source: str | None, target: str, chain: Sequence[Step]) -> None:
    """Raise ValueError if a standard stream is closed or a terminal, or a path is a device instead of a file."""
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
        raise ValueError(f"{subject} is a terminal; it must be a pipe or a file")


def _file_type(path: str) -> int:
    """Return the type of a file as `stat.S_IFMT` does; 0 if there is no file."""
    try:
        return stat.S_IFMT(os.stat(path).st_mode)
    except (OSError, ValueError):  # ValueError: a null byte
        return 0


class PipeCopies:
    """Temporary files that replace pipes, while messages show the pipes' names; a context manager.

    A pipe that is used several times, such as the style of several recordings, is read once.
    """

    def __init__(self, wording: Wording) -> None:
        self._wording, self._paths, self._folder = wording, dict[str, str](), ""
        self._stack = ExitStack()

    def __enter__(self) -> PipeCopies:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of_input(self, path: str, place: str = "IN") -> str:
        """Return a path that can be read several times; ``place`` is the pipe's role in messages.

        Raises
        ------
        OSError
            If the pipe can't be read or the temporary folder has no space; the message names the pipe.
        """
        if not is_input_pipe(path):
            return path
        pipe = "-" if path in STANDARD_INPUT else path
        if pipe not in self._paths:
            copy = self._new_path(f"input{len(self._paths)}")
            shown = self._wording.add_copy(copy, path, "standard input")
            with _errors_name(f"{place} {shown}"), open(copy, "wb") as file, _open_input(path) as data:
                shutil.copyfileobj(data, file)
            self._paths[pipe] = copy
        return self._paths[pipe]

    def of_chain(self, chain: Sequence[Step]) -> list[Step]:
        """Return effects that read files instead of pipes; raise as `of_input`."""
        return [step.with_files(partial(self.of_input, place=step.effect.name)) for step in chain]

    @contextmanager
    def of_output(self, path: str) -> Iterator[str]:
        """Give a path to write to; a pipe gets the file's content at the end of the ``with`` block.

        Raises
        ------
        OSError
            If the pipe can't be written to; the message names it.
        """
        if not is_output_pipe(path):
            yield path
            return
        ending = Path(path).suffix
        copy = self._new_path("output" + (ending if ending.lower() in endings(written=True) else ".wav"))
        shown = self._wording.add_copy(copy, path, "standard output")
        yield copy
        with _errors_name(f"OUT {shown}"), open(copy, "rb") as file, _open_output(path) as data:
            shutil.copyfileobj(file, data)
            data.flush()

    def _new_path(self, name: str) -> str:
        if not self._folder:
            self._folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="audiostyle-"))
        return os.path.join(self._folder, name)


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
    except BrokenPipeError:  # the reader has closed the pipe: not an error of the command
        raise
    except OSError as error:
        raise OSError(f"{subject} can't be copied: {error.strerror or error}") from error
