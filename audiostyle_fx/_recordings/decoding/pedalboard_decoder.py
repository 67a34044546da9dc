"""Decoding by pedalboard of FLAC files with sample sizes that libsndfile does not read."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from pedalboard.io import AudioFile

from ..layouts import Layout


class PedalboardDecoder:
    """A FLAC file as pedalboard decodes it; see `Decoder`.

    pedalboard returns silence for sound that is missing at the end of a file. So it only reads FLAC files, whose last
    frame gives the length.

    Raises
    ------
    ValueError
        If pedalboard can't read the file.
    """

    name, container, codec = "pedalboard", "FLAC", "FLAC"
    layout: Layout | None = None
    kbits: float | None = None
    is_placed = True
    n_held: int | None = None

    def __init__(self, path: str | os.PathLike[str], bits: int, last_sample: int | None, notes: Sequence[str]) -> None:
        self._file = AudioFile(os.fspath(path))
        self.sample_rate, self.channels = int(self._file.samplerate), self._file.num_channels
        self.subtype: str | None = "PCM_16" if bits <= 16 else "PCM_24"
        self.n_samples: int | None = self._file.frames
        self._left = self._file.frames if last_sample is None else min(self._file.frames, last_sample)
        self.notes = list(notes)

    def read(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32 (channels, at most ``n_samples``); an empty array only at the end."""
        n_samples = min(n_samples, self._left)
        if not n_samples:
            return np.zeros((self.channels, 0), np.float32)
        block = np.asarray(self._file.read(n_samples), np.float32)
        self._left -= block.shape[1]
        return block

    def skip(self, n_samples: int) -> int:
        """Skip samples and return the number of skipped samples."""
        n_samples = min(n_samples, self._left)
        self._file.seek(self._file.tell() + n_samples)
        self._left -= n_samples
        return n_samples

    def close(self) -> None:
        """Close the file."""
        self._file.close()
