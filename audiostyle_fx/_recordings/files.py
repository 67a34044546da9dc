"""Reading sound files."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .._validation import sample_rate as check_rate

READ_SAMPLES = 1 << 20
"""Samples a channel read at a time: room for as many as a header claims may be more than there is."""


class Source:
    """A sound file, to be read a block at a time; a context manager.

    Parameters
    ----------
    path : path
    name : str
        The parameter that errors name.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    subtype : str
        The sample format, by libsndfile's name.
    tags : dict of str to str
        Those that libsndfile knows, as far as the file's format has them: title, artist, album, date, genre,
        tracknumber, comment, copyright, license and software.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read as audio.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self._called = f"{name}={os.fspath(path)!r}"
        if not Path(path).exists():
            raise FileNotFoundError(f"{self._called}: there is no such file")
        with self._reading():
            self._file = soundfile.SoundFile(_name(path))
            self.sample_rate = int(check_rate("its sample rate", self._file.samplerate))
            self.channels, self.subtype = self._file.channels, self._file.subtype
            self.tags = {name: text for name, text in self._file.copy_metadata().items() if text}

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, start: float = 0.0, duration: float = math.inf) -> Iterator[np.ndarray]:
        """The samples from one time in seconds on, float32 (channels, samples), some at a time.

        Raises
        ------
        ValueError
            Where they can't be read, or if there is none at ``start``.
        """
        first = round(start * self.sample_rate)
        last = first + max(1, round(duration * self.sample_rate)) if duration < math.inf else math.inf
        length = 0
        while length < last:
            with self._reading():  # a damaged header may claim any length: only what is there counts
                block = self._file.read(READ_SAMPLES, dtype="float32", always_2d=True).T
            if not block.shape[1]:
                break
            wanted = block[:, max(0, first - length) : int(min(last - length, block.shape[1]))]
            length += block.shape[1]
            if wanted.shape[1]:
                yield wanted
        if first and length <= first:
            seconds = length / self.sample_rate
            raise ValueError(f"start={start:g} must be within {self._called}, which is {seconds:g} s long")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:  # TypeError: a headerless file
            raise ValueError(f"{self._called} can't be read as audio: {error}") from error


def read_audio(path: str | os.PathLike[str], name: str) -> tuple[np.ndarray, int]:
    """The file's samples, float32 (channels, samples), and its rate in Hz; parameters and errors are `Source`'s."""
    with Source(path, name) as source:
        blocks = [np.zeros((source.channels, 0), np.float32), *source.blocks()]
        return np.concatenate(blocks, axis=1, dtype=np.float32), source.sample_rate


def read_format(path: str | os.PathLike[str]) -> tuple[str, dict[str, str]]:
    """The sample format of a file that can be read, by libsndfile's name, and its tags: see `Source`."""
    with Source(path, "input") as source:
        return source.subtype, source.tags


def _name(path: str | os.PathLike[str]) -> str | bytes:
    """A file's name as soundfile takes it, which refuses one that is no text."""
    name = os.fspath(path)
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return os.fsencode(name)
