"""Reading sound files."""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .._validation import sample_rate as check_rate
from .decoding.inspection import say_damaged
from .decoding.opening import open_decoder
from .encoding import Kept
from .metadata import read_metadata

READ_SAMPLES = 1 << 20
"""Samples per channel that are read at a time, so that a damaged header with a huge length takes no memory."""


SHORT_SECONDS = 0.002
"""A file may be this much shorter than its header says without a warning: some headers have milliseconds only."""


class SoundFileReader:
    """A sound file that is read block by block; a context manager that closes it.

    The channels come in the order of WAV files, whatever the format's own.

    Parameters
    ----------
    path : path
    name : str
        Name of the parameter in errors and warnings.
    warn : bool
        Whether to warn of missing or damaged sound.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    subtype : str or None
        libsndfile's name of the sample format, such as "PCM_16"; None if libsndfile does not have it.
    layout : Layout or None
        Places of the channels, if the file names them.
    n_samples : int or None
        Length in the header, in samples per channel; None if there is none.
    decoder : str
        Library, container and codec, in words.
    notes : list of str
        Known problems of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read as audio.
    """

    def __init__(self, path: str | os.PathLike[str], name: str, *, warn: bool = True) -> None:
        self._path, self._argument, self._warn = path, f"{name}={os.fspath(path)!r}", warn
        if not Path(path).exists():
            raise FileNotFoundError(f"{self._argument}: there is no such file")
        with self._errors_as_value_error():
            self._decoder = open_decoder(path)
        decoder = self._decoder
        try:
            with self._errors_as_value_error():
                self.sample_rate = int(check_rate("its sample rate", decoder.sample_rate))
        except ValueError:
            self._decoder.close()
            raise
        self.channels, self.subtype, self.layout = decoder.channels, decoder.subtype, decoder.layout
        self.n_samples, self.is_placed = decoder.n_samples, decoder.is_placed
        self.decoder = f"{decoder.name}: {decoder.container}, {decoder.codec}"

    def __enter__(self) -> SoundFileReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()

    def kept(self, start: float = 0.0, n_samples: int | None = None, rate: float | None = None) -> Kept:
        """Return the properties that a result keeps, for ``n_samples`` from ``start`` seconds on, at a rate in Hz."""
        n_samples = (1 << 62) if n_samples is None else n_samples
        first, new_rate = round(start * self.sample_rate), rate or self.sample_rate
        metadata = read_metadata(self._path).in_part(first, n_samples, self.sample_rate, new_rate)
        return Kept(self._decoder.kbits, self.layout, metadata)

    @property
    def notes(self) -> list[str]:
        """Problems of the file that are known so far."""
        return list(self._decoder.notes)

    def _loss(self, n_samples: int) -> str:
        """Return the note about a file with ``n_samples`` samples, fewer than its header promises."""
        assert self.n_samples is not None
        what = "ends early"
        if say_damaged(self.notes):
            what = "is shorter than it should be, and sound after a damaged place comes early"
        seconds = self.n_samples / self.sample_rate, n_samples / self.sample_rate
        return what + ": its header promises {:.2f} s, but it holds {:.2f} s".format(*seconds)

    @property
    def n_expected(self) -> int | None:
        """Samples per channel in the file, as far as this is known before decoding."""
        return self.n_samples if self._decoder.n_held is None else self._decoder.n_held

    @property
    def early_notes(self) -> list[str]:
        """Problems of the file that are known before decoding, including its length."""
        expected = self.n_expected
        is_short = expected is not None and self.n_samples is not None and expected < self.n_samples
        return [*self.notes, self._loss(expected)] if is_short and expected is not None else self.notes

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

        Warns
        -----
        UserWarning
            If the file is shorter than its header says, or is damaged.
        """
        first = round(start * self.sample_rate)
        last = first + max(1, round(duration * self.sample_rate)) if duration < math.inf else math.inf
        with self._errors_as_value_error():
            n_read = self._decoder.skip(first)
        while n_read < last:
            with self._errors_as_value_error():
                block = self._decoder.read(int(min(READ_SAMPLES, last - n_read)))
            if not block.shape[1]:
                break
            part = block[:, max(0, first - n_read) :]
            n_read += block.shape[1]
            if part.shape[1]:
                yield part
        if first and n_read <= first:
            seconds = n_read / self.sample_rate
            raise ValueError(f"start={start:g} must be within {self._argument}, which is {seconds:g} s long")
        self._warn_of_loss(n_read, last)

    def _warn_of_loss(self, n_read: int, last: float) -> None:
        """Warn of known problems of the file and of missing samples."""
        notes, wanted = self.notes, min(self.n_samples or 0, last)
        if self.n_samples is not None and n_read < wanted - SHORT_SECONDS * self.sample_rate:
            notes.append(self._loss(n_read))
        if not self.is_placed and self._decoder.name != "libsndfile":
            notes.append("does not say where its sound begins: it may be shifted by about 1000 samples")
        for note in notes if self._warn else ():
            warnings.warn(f"{self._argument} {note}", stacklevel=2)

    @contextlib.contextmanager
    def _errors_as_value_error(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            raise ValueError(f"{self._argument} can't be read as audio: {error}") from error


def read_audio(path: str | os.PathLike[str], name: str) -> tuple[np.ndarray, int]:
    """Read a whole file: its samples, float32 (channels, samples), and its rate in Hz.

    Parameters and errors are those of `SoundFileReader`.
    """
    with SoundFileReader(path, name) as reader:
        blocks = [np.zeros((reader.channels, 0), np.float32), *reader.blocks()]
        return np.concatenate(blocks, axis=1, dtype=np.float32), reader.sample_rate


def read_format(
    path: str | os.PathLike[str], start: float = 0.0, n_samples: int | None = None, rate: float | None = None
) -> tuple[str | None, Kept]:
    """Read libsndfile's name of a file's sample format, and the properties that a result keeps.

    Errors are those of `SoundFileReader`; they call the file ``input``.
    """
    with SoundFileReader(path, "input", warn=False) as reader:
        return reader.subtype, reader.kept(start, n_samples, rate)
