"""The headers of recordings, read without decoding."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from .._recordings.files import SoundFileReader


class Header(NamedTuple):
    """The format of a recording.

    Attributes
    ----------
    sample_rate : float
        In Hz.
    channels : int
    subtype : str or None
        libsndfile's name of the sample format; None if libsndfile does not have it.
    n_samples : int
        Length in samples per channel.
    decoder : str
        Library, container and codec that read the recording, in words.
    notes : sequence of str
        Problems of the file that its header shows.
    """

    sample_rate: float
    channels: int
    subtype: str | None
    n_samples: int
    decoder: str
    notes: Sequence[str] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def read_header(path: str | os.PathLike[str], name: str = "input") -> Header:
    """Read the header of a recording; if the header has no length, the samples are decoded and counted.

    Raises
    ------
    FileNotFoundError, ValueError
        As `SoundFileReader`; the errors call the recording ``name``.
    """
    with SoundFileReader(path, name, warn=False) as reader:
        n_samples = reader.n_expected
        if n_samples is None:
            n_samples = sum(block.shape[1] for block in reader.blocks())
        return Header(
            reader.sample_rate, reader.channels, reader.subtype, n_samples, reader.decoder, reader.early_notes
        )
