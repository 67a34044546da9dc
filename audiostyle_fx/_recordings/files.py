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
from .tags import read_tags

READ_SAMPLES = 1 << 20
"""Samples per channel read at a time. No more memory is taken, whatever length a damaged header claims."""


class SoundFileReader:
    """A sound file that is read block by block; a context manager that closes it.

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
        The sample format, by libsndfile's name, such as "PCM_16".
    tags : dict of str to str
        By the names of `tags`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read as audio.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self._argument = f"{name}={os.fspath(path)!r}"
        if not Path(path).exists():
            raise FileNotFoundError(f"{self._argument}: there is no such file")
        with self._errors_as_value_error():
            self._file = soundfile.SoundFile(soundfile_name(path))
            self.sample_rate = int(check_rate("its sample rate", self._file.samplerate))
            self.channels, self.subtype = self._file.channels, self._file.subtype
            self.tags = read_tags(self._file)

    def __enter__(self) -> SoundFileReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, start: float = 0.0, duration: float = math.inf) -> Iterator[np.ndarray]:
        """Yield the samples of a part of the file, float32 (channels, samples), in blocks of any length.

        Parameters
        ----------
        start, duration : float
            The part, in seconds; at least one sample.

        Raises
        ------
        ValueError
            If samples can't be read, or the file ends before ``start``.
        """
        first = round(start * self.sample_rate)
        last = first + max(1, round(duration * self.sample_rate)) if duration < math.inf else math.inf
        n_read = 0
        while n_read < last:
            with self._errors_as_value_error():
                block = self._file.read(READ_SAMPLES, dtype="float32", always_2d=True).T
            if not block.shape[1]:
                break
            part = block[:, max(0, first - n_read) : int(min(last - n_read, block.shape[1]))]
            n_read += block.shape[1]
            if part.shape[1]:
                yield part
        if first and n_read <= first:
            seconds = n_read / self.sample_rate
            raise ValueError(f"start={start:g} must be within {self._argument}, which is {seconds:g} s long")

    @contextlib.contextmanager
    def _errors_as_value_error(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:  # TypeError: a headerless file
            raise ValueError(f"{self._argument} can't be read as audio: {error}") from error


def read_audio(path: str | os.PathLike[str], name: str) -> tuple[np.ndarray, int]:
    """Read a whole file: its samples, float32 (channels, samples), and its rate in Hz.

    Parameters and errors are those of `SoundFileReader`.
    """
    with SoundFileReader(path, name) as reader:
        blocks = [np.zeros((reader.channels, 0), np.float32), *reader.blocks()]
        return np.concatenate(blocks, axis=1, dtype=np.float32), reader.sample_rate


def read_format(path: str | os.PathLike[str]) -> tuple[str, dict[str, str]]:
    """Read the sample format of a file, by libsndfile's name, and its tags; errors call the file ``input``."""
    with SoundFileReader(path, "input") as reader:
        return reader.subtype, reader.tags


def soundfile_name(path: str | os.PathLike[str]) -> str | bytes:
    """Return the name of a file as soundfile accepts it: in bytes where it is not valid text."""
    name = os.fspath(path)
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return os.fsencode(name)
