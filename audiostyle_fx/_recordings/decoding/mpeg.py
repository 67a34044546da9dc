"""MP3 files: a walk over their frames, and a repaired file with the right frame count for the decoder.

Without a count, decoders guess the length by the first frame's bit rate; with a wrong one, as in joined files, they
stop early; and they stop at damaged frames. So the decoder gets a frame with the true count, and then only intact
frames. Silent frames replace missing ones, so that later frames keep their position.

References: ISO/IEC 11172-3, section 2.4.1 (frames); the "Xing" and "LAME" tags as LAME writes them.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import BinaryIO, NamedTuple

from .byte_view import Piece, Span
from .inspection import Inspection

_BIT_RATES = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates in kbit/s by version (3 is MPEG-1, 2 and 0 are MPEG-2 and 2.5) and layer (3 is layer I, 1 is layer III)."""

_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}

LAYER_III = 1
JUNK_BEFORE = 1 << 17
"""Bytes at the beginning of a file in which the first frame is searched."""

_SAME = 0xFFFE0C00
"""The bits of a header that all frames of a file share: version, layer and sample rate."""

FOREIGN_BYTES = 1024
"""Bytes after the last frame in which frames of another kind are searched."""


class Header(NamedTuple):
    """The header of a frame: its size in bytes and samples, its bits, and the fields in them."""

    size: int
    n_samples: int
    word: int
    version: int
    layer: int
    is_mono: bool

    @property
    def kind(self) -> tuple[int, bool]:
        """The properties that all frames of a recording share."""
        return self.word & _SAME, self.is_mono


def frame_header(data: bytes | mmap.mmap, position: int) -> Header | None:
    """Return the header of the frame at a position, or None if there is no frame."""
    if position < 0 or position + 4 > len(data) or data[position] != 0xFF or data[position + 1] < 0xE0:
        return None
    (word,) = struct.unpack_from(">I", data, position)
    version, layer = word >> 19 & 3, word >> 17 & 3
    bit_rate, rate = word >> 12 & 15, word >> 10 & 3
    if version == 1 or layer == 0 or bit_rate in (0, 15) or rate == 3:
        return None
    return _header(word, version, layer, bit_rate, rate)


def _header(word: int, version: int, layer: int, bit_rate: int, rate: int) -> Header:
    table = _BIT_RATES[3 if version == 3 else 2, layer if version == 3 or layer == 3 else 1]
    bits_per_second, padding = 1000 * table[bit_rate], word >> 9 & 1
    sample_rate = _SAMPLE_RATES[version][rate]
    n_samples = 384 if layer == 3 else 576 if layer == LAYER_III and version != 3 else 1152
    if layer == 3:
        size = (12 * bits_per_second // sample_rate + padding) * 4
    else:
        size = n_samples // 8 * bits_per_second // sample_rate + padding
    return Header(size, n_samples, word, version, layer, word >> 6 & 3 == 3)


def first_frame(data: bytes | mmap.mmap, position: int, stop: int, kind: tuple[int, bool] | None = None) -> int | None:
    """Return the first position where two frames of one kind follow each other, or one frame ends the file."""
    while (position := data.find(b"\xff", position, stop)) >= 0:
        header = frame_header(data, position)
        if header and (kind is None or header.kind == kind):
            after = position + header.size
            following = frame_header(data, after)
            if (following and following.kind == header.kind) or after == len(data):
                return position
        position += 1
    return None


def inspect_mpeg(file: BinaryIO, start: int) -> Inspection | None:
    """Inspect a file whose tag, if there is one, ends at ``start``; return None unless it is an MP3 file.

    Layers I and II have no frame with a count; the decoder gets their frames as they are.
    """
    if os.fstat(file.fileno()).st_size <= start:
        return None
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        first = first_frame(data, start, min(len(data), start + JUNK_BEFORE))
        header = None if first is None else frame_header(data, first)
        if first is None or header is None:
            return None
        return _inspect_frames(data, first, header)


class _Info(NamedTuple):
    """The contents of an MP3 file's first frame: the number of frames, and the bytes after it with the delays."""

    n_frames: int | None
    lame: bytes


def _info(data: bytes | mmap.mmap, position: int, header: Header) -> _Info | None:
    """Return the information in a frame about the file, or None for a frame with sound."""
    at = position + 4 + _side_bytes(header)
    if data[at : at + 4] in (b"Xing", b"Info") and at + 8 <= len(data):
        (flags,) = struct.unpack_from(">I", data, at + 4)
        n_frames = struct.unpack_from(">I", data, at + 8)[0] if flags & 1 and at + 12 <= len(data) else None
        lame = at + 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) // 2
        return _Info(n_frames, bytes(data[lame : min(lame + 36, position + header.size)]))
    if data[position + 36 : position + 40] == b"VBRI":
        return _Info(None, b"")
    return None


def _side_bytes(header: Header) -> int:
    if header.version == 3:
        return 17 if header.is_mono else 32
    return 9 if header.is_mono else 17


def _inspect_frames(data: mmap.mmap, first: int, header: Header) -> Inspection:
    """Walk over the frames, and return a file with the intact ones and their number."""
    info = _info(data, first, header)
    spans, gaps, n_joined, is_whole = _walk(data, first + (header.size if info else 0), header)
    n_found = sum(n for _, n in spans)
    claimed = info.n_frames if info and not n_joined else None
    sample_rate = _SAMPLE_RATES[header.version][header.word >> 10 & 3]
    n_bytes = sum(span.stop - span.start for span, _ in spans)
    kbits = n_bytes / 125 / (n_found * header.n_samples / sample_rate) if n_found else None
    damaged = sum(gap > 0 for gap in gaps)
    notes = []
    last = spans[-1][0].stop if spans else first
    if len(data) - last >= FOREIGN_BYTES and first_frame(data, last + tag_size(data, last), len(data)) is not None:
        notes.append("holds several recordings of different kinds; the first was read")
        claimed = None
    if damaged:
        notes.append(f"is damaged in {damaged} place{'s' * (damaged != 1)}; silence replaces the lost sound")
    if not gaps and not notes and info and claimed == n_found:
        return Inspection(kbits=kbits, is_placed=bool(info.lame[:4].strip(b"\0")))
    n_silent = _silent_frames(gaps, spans, n_found, claimed if is_whole else None)
    pieces: list[Piece] = []
    for k, (span, _) in enumerate(spans):
        pieces.append(span)
        if k < len(n_silent):
            pieces.append(_empty_frame(header) * n_silent[k])
    total = n_found + sum(n_silent)
    lame = info.lame if info else b""
    if header.layer != LAYER_III:
        return Inspection(parts=[pieces], claimed=total * header.n_samples, kbits=kbits, notes=notes, is_placed=False)
    # For a file that was cut short, the count stays the promised one, so that the reader can report the difference.
    pieces.insert(0, _info_frame(header, max(total, claimed or 0), lame))
    return Inspection(parts=[pieces], kbits=kbits, notes=notes, is_placed=bool(lame[:4].strip(b"\0")))


def _walk(data: mmap.mmap, position: int, like: Header) -> tuple[list[tuple[Span, int]], list[int], int, bool]:
    """Walk over frames.

    Returns
    -------
    spans : list of (Span, int)
        Spans of consecutive frames, and the number of frames in each.
    gaps : list of int
        Bytes between one span and the next that are neither frames nor tags.
    n_joined : int
        Number of recordings joined after the first.
    is_whole : bool
        Whether the file ends with a whole frame or a tag.
    """
    spans: list[tuple[Span, int]] = []
    gaps: list[int] = []
    n_joined, start, n_frames = 0, position, 0

    def close(stop: int) -> None:
        if n_frames:
            spans.append((Span(start, stop), n_frames))

    while True:
        frame = frame_header(data, position)
        if frame and frame.kind == like.kind and position + frame.size <= len(data):
            if _info(data, position, frame) is None:
                position += frame.size
                n_frames += 1
                continue
            n_joined += 1
            after, gap = position + frame.size, 0
        else:
            tag = tag_size(data, position)
            found = first_frame(data, position + tag, len(data), like.kind)
            if found is None:
                close(position)
                return spans, gaps, n_joined, position + tag >= len(data)
            after, gap = found, found - position - tag
        close(position)
        if n_frames and (gap or after != position):
            gaps.append(gap)
        position = start = after
        n_frames = 0


def tag_size(data: bytes | mmap.mmap, position: int) -> int:
    """Return the bytes of ID3 and APE tags at a position."""
    size = 0
    while True:
        at = position + size
        if data[at : at + 3] == b"ID3" and at + 10 <= len(data):
            n = data[at + 6 : at + 10]
            size += 10 + (n[0] << 21 | n[1] << 14 | n[2] << 7 | n[3]) + 10 * (data[at + 5] >> 4 & 1)
        elif data[at : at + 3] == b"TAG":
            size += 128
        elif data[at : at + 8] == b"APETAGEX" and at + 32 <= len(data):
            size += struct.unpack_from("<I", data, at + 12)[0] + 32 * (data[at + 23] >> 7)
        else:
            return size


def _silent_frames(gaps: list[int], spans: list[tuple[Span, int]], n_found: int, claimed: int | None) -> list[int]:
    """Return how many frames are missing in each gap: by the file's own count, or without one by the bytes."""
    if not gaps:
        return []
    mean = max(1.0, sum(span.stop - span.start for span, _ in spans) / max(1, n_found))
    missing = [gap / mean for gap in gaps]
    if claimed and claimed > n_found and len(gaps) == 1:
        return [claimed - n_found]
    return [round(n) for n in missing]


def _small_frame(header: Header, n_bytes: int) -> tuple[int, int]:
    """Return header and size of the smallest frame of the same kind that can hold ``n_bytes``."""
    for bit_rate in range(1, 15):
        word = (header.word & ~0x0000F200) | bit_rate << 12 | 0x00010000  # without padding and checksum
        frame = frame_header(struct.pack(">I", word), 0)
        if frame is not None and frame.size >= n_bytes:
            return word, frame.size
    raise ValueError("this MP3 file has frames too small to be repaired")


def _empty_frame(header: Header) -> bytes:
    word, size = _small_frame(header, 4 + _side_bytes(header))
    return struct.pack(">I", word).ljust(size, b"\0")


def _info_frame(header: Header, n_frames: int, lame: bytes) -> bytes:
    """Return a frame with the number of frames that follow, and the delays of the encoder if they are known."""
    side = 4 + _side_bytes(header)
    word, size = _small_frame(header, side + 12 + max(36, len(lame)))
    frame = struct.pack(">I", word).ljust(side, b"\0") + b"Xing" + struct.pack(">II", 1, n_frames) + lame
    return frame.ljust(size, b"\0")
