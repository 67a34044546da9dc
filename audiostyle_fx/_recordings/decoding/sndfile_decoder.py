"""Decoding by libsndfile."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import soundfile

from ..formats import SAMPLE_BYTES
from ..layouts import USUAL_MASKS, Layout, wav_order
from ..names import soundfile_name
from .byte_view import ByteView, Piece
from .flac import FlacChecksum, resumptions
from .inspection import Inspection, say_damaged

_UNKNOWN = 2**62
"""Lengths from here on mean "unknown" in libsndfile."""

MAX_PADDING = 1 << 14
"""The most samples of padding in a block of fixed size."""


PROBE_SAMPLES = 1 << 12
"""Samples that have to be readable after a damaged place."""


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]  # it has no types
    """A sound file without seeking after each block, because libsndfile can't seek at the end of some files."""

    def seekable(self) -> bool:
        return False


class SndfileDecoder:
    """The parts of a file, one after the other, as libsndfile decodes them; see `Decoder`.

    Raises
    ------
    soundfile.SoundFileError, TypeError, ValueError
        If libsndfile can't read the file.
    """

    name = "libsndfile"

    def __init__(self, path: str | os.PathLike[str], inspection: Inspection) -> None:
        self._path, self._parts = path, list(inspection.parts)
        self._file, self._source = self._open(self._parts[0])
        if self._file.format == "RAW":  # libsndfile reads unknown files with some endings as raw samples
            self.close()
            raise ValueError("its format is not recognised.")
        self._checksum = FlacChecksum.of(path, self._file) if self._parts == [None] else None
        self._n_read = self._part = self._part_start = self._resumed_at = 0
        self._is_damaged = False
        self.notes = list(inspection.notes)
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        self.container, self.codec = self._file.format, self._file.subtype
        self.subtype: str | None = inspection.subtype or self._file.subtype
        has_places = self.container in ("FLAC", "OGG") and self.channels in USUAL_MASKS
        self.layout = Layout(USUAL_MASKS[self.channels]) if has_places else inspection.layout
        self.is_placed = inspection.is_placed
        self._rest = np.zeros((0, self.channels), np.float32)
        self._limit = self._length(inspection)
        self.n_samples = inspection.promised(self._limit)
        self.n_held = self._limit if self.codec in SAMPLE_BYTES and self.container != "FLAC" else None
        self.kbits = inspection.kbits
        if self.codec in ("VORBIS", "OPUS") and self._limit:
            self.kbits = os.path.getsize(path) / 125 / (self._limit / self.sample_rate)

    def _open(self, pieces: Sequence[Piece] | None) -> tuple[_Sequential, ByteView | None]:
        source = None if pieces is None else ByteView(self._path, pieces)
        try:
            return _Sequential(soundfile_name(self._path) if source is None else source), source
        except BaseException:
            if source is not None:
                source.close()
            raise

    def _length(self, inspection: Inspection) -> int | None:
        """Return the samples of all parts, or None if libsndfile does not know."""
        lengths = [self._file.frames]
        for pieces in self._parts[1:]:
            file, source = self._open(pieces)
            lengths.append(file.frames)
            if (file.samplerate, file.channels) != (self.sample_rate, self.channels):
                self.notes.append("holds several recordings of different rates or channels; the first was read")
                del self._parts[1:], lengths[1:]
            _close(file, source)
            if len(self._parts) == 1:
                break
        total = sum(lengths)
        if total >= _UNKNOWN:
            return None
        named = inspection.n_samples
        return named if named is not None and 0 <= total - named < MAX_PADDING else total

    def read(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32 (channels, at most ``n_samples``); an empty array only at the end."""
        if self._limit is not None:
            n_samples = min(n_samples, self._limit - self._n_read)
        if n_samples <= 0:
            return np.zeros((self.channels, 0), np.float32)
        block = self._of_part(n_samples)
        while not len(block) and self._next_part():
            block = self._of_part(n_samples)
        self._n_read += len(block)
        self._check(block)
        if not len(block) and self.container == "OGG" and not self.notes and self._limit is not None:
            self.notes.append("is damaged: part of the sound can't be decoded")
        audio = np.ascontiguousarray(block.T)
        return wav_order(audio) if self.codec in ("VORBIS", "OPUS") else audio

    def _check(self, block: np.ndarray) -> None:
        """Compare the checksum of all samples, (samples, channels), with the file's own at the end of the sound."""
        if self._checksum is None:
            return
        self._checksum.add(block)
        if self._n_read == self._limit and not (self._checksum.is_right() or say_damaged(self.notes)):
            self.notes.append("is damaged: the sound does not match its checksum, and silence may replace parts")

    def _of_part(self, n_samples: int) -> np.ndarray:
        """Return the next samples of the part, (at most ``n_samples``, channels); an empty array only at its end."""
        if not len(self._rest) and not self._is_damaged:
            block, self._is_damaged = _decoded(self._file, n_samples)
            if len(block) or not self._is_damaged:
                return block
        if not len(self._rest):
            self._rest, self._is_damaged = self._resumed(), False
        block, self._rest = self._rest[:n_samples], self._rest[n_samples:]
        return block

    def skip(self, n_samples: int) -> int:
        """Skip samples in formats in which libsndfile seeks exactly, and return the number of skipped samples."""
        if len(self._parts) > 1 or self._limit is None or self.codec not in SAMPLE_BYTES:
            return 0
        n_samples = min(n_samples, self._limit - self._n_read)
        if not n_samples:
            return 0
        try:
            self._file.seek(self._n_read + n_samples)
        except soundfile.SoundFileError:  # a damaged file: all of it is decoded from its beginning
            self.close()
            self._file, self._source = self._open(self._parts[0])
            return 0
        self._checksum = None
        self._n_read += n_samples
        return n_samples

    def close(self) -> None:
        """Close the file."""
        _close(self._file, self._source)

    def _next_part(self) -> bool:
        if self._part + 1 >= len(self._parts):
            return False
        self.close()
        self._part, self._part_start, self._resumed_at = self._part + 1, self._n_read, 0
        self._file, self._source = self._open(self._parts[self._part])
        return True

    def _resumed(self) -> np.ndarray:
        """Continue after a damaged place of a FLAC file; return silence for the lost sound and the sound after it.

        The array is empty if no intact frame follows, and for other formats.
        """
        nothing = np.zeros((0, self.channels), np.float32)
        if self.container != "FLAC":
            return nothing
        position = self._n_read - self._part_start
        for place in resumptions(self._path, self._parts[self._part], position, self._resumed_at):
            try:
                file, source = self._open(place.pieces)
            except soundfile.SoundFileError:
                continue
            block, _ = _decoded(file, PROBE_SAMPLES)
            if not len(block):
                _close(file, source)
                continue
            self.close()
            self._file, self._source, self._resumed_at = file, source, place.byte
            if not say_damaged(self.notes):
                self.notes.append("is damaged: silence replaces the lost sound")
            return np.concatenate([np.zeros((place.sample - position, self.channels), np.float32), block])
        return nothing


def _decoded(file: soundfile.SoundFile, n_samples: int) -> tuple[np.ndarray, bool]:
    """Return samples (samples, channels) up to an error, and whether there was one."""
    block = np.full((n_samples, file.channels), np.nan, np.float32)
    try:
        return file.read(out=block, dtype="float32", always_2d=True), False
    except soundfile.SoundFileError:
        return block[: _n_written(block)], True


def _n_written(block: np.ndarray) -> int:
    unwritten = np.isnan(block[:, 0])
    return int(unwritten.argmax()) if unwritten.any() else len(block)


def _close(file: soundfile.SoundFile, source: ByteView | None) -> None:
    file.close()
    if source is not None:
        source.close()
