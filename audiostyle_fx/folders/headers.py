"""What the headers of recordings say, read without decoding them."""

from __future__ import annotations

import os
from typing import NamedTuple

import soundfile

from .._recordings.files import SoundFileReader, soundfile_name

UNKNOWN_LENGTH = 2**62
"""libsndfile's lengths above this say that a header has none."""


class Header(NamedTuple):
    """The format of a recording.

    Attributes
    ----------
    sample_rate : float
        In Hz.
    channels : int
    subtype : str
        The sample format, by libsndfile's name.
    n_samples : int
        Length in samples per channel.
    decoder : str
        What reads the recording.
    """

    sample_rate: float
    channels: int
    subtype: str
    n_samples: int
    decoder: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a recording; where it gives no length, the samples are decoded and counted.

    Raises
    ------
    FileNotFoundError, ValueError
        As by `SoundFileReader`; the errors call the recording ``input``.
    """
    with SoundFileReader(path, "input") as reader:
        n_samples = int(soundfile.info(soundfile_name(path)).frames)
        if not 0 <= n_samples < UNKNOWN_LENGTH:
            n_samples = sum(block.shape[1] for block in reader.blocks())
        decoder = getattr(reader, "decoder", "libsndfile")
        return Header(reader.sample_rate, reader.channels, reader.subtype, n_samples, decoder)
