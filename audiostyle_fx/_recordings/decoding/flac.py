"""FLAC files: their length, files with several recordings, and frames after a damaged place.

Reference: RFC 9639, sections 8 (metadata) and 9 (frames).
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from .byte_view import Piece, Span
from .inspection import Inspection

_STREAM = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22", re.DOTALL)
"""The beginning of a recording: the marker, and the head of the block that describes the recording."""

TAIL = 1 << 20
"""Bytes at the end of a file in which the last frame is searched."""


class StreamInfo(NamedTuple):
    """The description of the sound in a FLAC file; ``n_samples`` is 0 if it is not known."""

    sample_rate: int
    channels: int
    bits: int
    n_samples: int


def stream_info(data: bytes) -> StreamInfo:
    """Return the description that follows the first eight bytes of a FLAC file."""
    word = int.from_bytes(data[18:26], "big")
    return StreamInfo(word >> 44, (word >> 41 & 7) + 1, (word >> 36 & 31) + 1, word & (1 << 36) - 1)


def inspect_flac(file: BinaryIO, start: int) -> Inspection | None:
    """Inspect a file whose tag, if there is one, ends at ``start``; return None if it is not a FLAC file."""
    file.seek(start)
    if not _STREAM.match(file.read(8)):
        return None
    end = os.fstat(file.fileno()).st_size
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        starts = [match.start() for match in _STREAM.finditer(data, start)]
        infos = [stream_info(data[at : at + 42]) for at in starts]
    same = [at for at, info in zip(starts, infos, strict=True) if info[:3] == infos[0][:3]]
    if len(starts) == 1:
        return Inspection(parts=[[Span(start, end)] if start else None])
    if len(same) < len(starts):  # some may be bytes that only look like the beginning of a recording
        return Inspection(parts=[None], notes=["may hold several recordings of different kinds; the first was read"])
    return Inspection(parts=[[Span(*span)] for span in zip(starts, [*starts[1:], end], strict=True)])


class FlacChecksum:
    """The checksum of the samples of a FLAC file, which shows whether all of them were decoded correctly.

    It is needed because libFLAC returns silence for some damaged frames without an error.
    """

    def __init__(self, expected: bytes, bits: int) -> None:
        self._expected, self._bits, self._digest = expected, bits, hashlib.md5(usedforsecurity=False)

    @classmethod
    def of(cls, path: str | os.PathLike[str], file: soundfile.SoundFile) -> FlacChecksum | None:
        """Return the checksum of an open file; None if it has none, or if float32 can't hold its samples."""
        if file.format != "FLAC":
            return None
        with open(path, "rb") as data:
            head = data.read(42)
        info = stream_info(head)
        has_checksum = _STREAM.match(head) and head[26:42].strip(b"\0") and info.n_samples == file.frames
        return cls(head[26:42], info.bits) if has_checksum and info.bits in (8, 16, 24) else None

    def add(self, samples: np.ndarray) -> None:
        """Add the next samples, float32 (samples, channels)."""
        whole = np.rint(samples * np.float32(2 ** (self._bits - 1))).astype("<i4")
        n_bytes = self._bits // 8
        self._digest.update(whole.view(np.uint8).reshape(*whole.shape, 4)[..., :n_bytes].tobytes())

    def is_right(self) -> bool:
        """Whether the samples are equal to the encoded ones."""
        return self._digest.digest() == self._expected


def bits_per_sample(path: str | os.PathLike[str]) -> int | None:
    """Return the bits of a FLAC file's samples, or None if it is not a FLAC file."""
    with open(path, "rb") as file:
        head = file.read(42)
    return stream_info(head).bits if _STREAM.match(head) else None


class Resumption(NamedTuple):
    """A place after damage: the number of its first sample, its position in bytes, and the bytes from there on."""

    sample: int
    byte: int
    pieces: list[Piece]


def resumptions(
    path: str | os.PathLike[str], pieces: Sequence[Piece] | None, after: int, byte: int = 0
) -> Iterator[Resumption]:
    """Yield the places after a sample at which intact frames may follow, in order.

    Parameters
    ----------
    path : path
    pieces : list of pieces or None
        The recording in the file: one span, or None for the whole file.
    after : int
        The sample up to which the file was decoded.
    byte : int
        The position in bytes at which the search starts.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        span = pieces[0] if pieces else Span(0, len(data))
        assert isinstance(span, Span)
        info = data[span.start : span.start + 42]
        # The new header has no length and no checksum, because both describe the whole recording.
        head = b"fLaC\x80" + info[5:21] + bytes([info[21] & 0xF0]) + bytes(20)
        for position in _sync_codes(data, Span(max(byte + 1, span.start + 42), span.stop)):
            sample = _first_sample(data, position, info)
            if sample is not None and sample > after:
                yield Resumption(sample, position, [head, Span(position, span.stop)])


def _sync_codes(data: mmap.mmap, span: Span) -> Iterator[int]:
    position = span.start
    while (position := data.find(b"\xff", position, span.stop)) >= 0:
        if data[position + 1 : position + 2] in (b"\xf8", b"\xf9"):
            yield position
        position += 1


def _first_sample(data: mmap.mmap, position: int, info: bytes) -> int | None:
    """Return the number of the first sample of a frame, or None if there is no valid frame header."""
    head = data[position : position + 16]
    if len(head) < 16 or head[3] & 1:
        return None
    n_bytes = _number_bytes(head[4])
    if n_bytes not in (1, 2, 3, 4, 5, 6, 7) or (head[4] >= 0x80 and n_bytes == 1):
        return None
    number = head[4] if n_bytes == 1 else head[4] & (1 << 7 - n_bytes) - 1
    for byte in head[5 : 4 + n_bytes]:
        number = number << 6 | byte & 0x3F
    size_bytes = {6: 1, 7: 2}.get(head[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    end = 4 + n_bytes + size_bytes
    if end >= len(head) or _crc8(head[:end]) != head[end]:
        return None
    if head[1] & 1:  # blocks of variable length are numbered by their first sample
        return number
    return number * int.from_bytes(info[8:10], "big")


def _number_bytes(first: int) -> int:
    """Return the length of a frame's number in bytes; its first byte has as many leading ones."""
    return 8 - (~first & 0xFF).bit_length() if first >= 0x80 else 1


def _crc8(data: bytes) -> int:
    """Return the checksum of a frame header, polynomial x^8 + x^2 + x + 1."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value << 1 ^ 0x107 if value & 0x80 else value << 1
    return value


def last_sample(path: str | os.PathLike[str]) -> int | None:
    """Return the number of samples up to the last frame of a file, or None if no frame is found at its end."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        info = data[:42]
        samples = [
            first + (_block_size(data, position) or int.from_bytes(info[8:10], "big"))
            for position in _sync_codes(data, Span(max(42, len(data) - TAIL), len(data)))
            if (first := _first_sample(data, position, info)) is not None
        ]
    return max(samples, default=None)


def _block_size(data: mmap.mmap, position: int) -> int | None:
    """Return the number of samples in a frame's header, or None for the usual number."""
    code, at = data[position + 2] >> 4, position + 4 + _number_bytes(data[position + 4])
    if code in (6, 7):
        return int.from_bytes(data[at : at + code - 5], "big") + 1
    return {1: 192, **{k: 576 << k - 2 for k in range(2, 6)}, **{k: 256 << k - 8 for k in range(8, 16)}}.get(code)
