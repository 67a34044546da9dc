"""Recordings that come and go through pipes: copied to temporary files once, since nobody can seek in a pipe."""

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
"""What can't be read as a recording, by the type that the file system gives it."""


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


class PipeCopies:
    """Temporary files in the place of pipes, which messages call by the pipes' names; a context manager.

    A pipe that stands in several places, or is a style of several recordings, is read once.
    """

    def __init__(self, wording: Wording) -> None:
        self._wording, self._paths, self._folder = wording, dict[str, str](), ""
        self._stack = ExitStack()

    def __enter__(self) -> PipeCopies:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of_input(self, path: str, place: str = "IN") -> str:
        """Return a path that can be read often; ``place`` is where the pipe stands.

        Raises
        ------
        OSError
            Naming the pipe, if it can't be read or the temporary folder has no space.
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
        """Return effects that read files in the place of pipes; errors as of `of_input`."""
        return [step.with_files(partial(self.of_input, place=step.effect.name)) for step in chain]

    @contextmanager
    def of_output(self, path: str) -> Iterator[str]:
        """Give a path to write to, from where a pipe is written after the block within.

        Raises
        ------
        OSError
            Naming the pipe, if it can't be written to.
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
    except BrokenPipeError:  # the reader went: no error of the command
        raise
    except OSError as error:
        raise OSError(f"{subject} can't be copied: {error.strerror or error}") from error
