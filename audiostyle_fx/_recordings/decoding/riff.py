"""WAV and related files (RIFX, RF64, BW64): a walk over their chunks, and a clean header for the decoder.

The decoder gets a new header with only a format and a data chunk. So it is not affected by sizes that recorders and
pipes left open, sound beyond 4 GiB, samples in wider containers, and damaged chunks.

References: Microsoft, "Multimedia programming interface and data specifications 1.0" and "Multiple channel audio data
and WAVE files"; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from ..layouts import AMBISONIC_TAIL, PCM_TAIL, Layout
from .byte_view import Piece, Span
from .chunks import IGNORED_BYTES, MAX_CHUNKS, note_on_rest
from .inspection import Inspection

PCM, FLOAT, MP3, EXTENSIBLE = 0x1, 0x3, 0x55, 0xFFFE
MAGIC = (b"RIFF", b"RIFX", b"RF64", b"BW64")
MAX_CHANNELS = 1024
UNKNOWN_BYTES = 0x7FFFF000
"""A data size from here on means "unknown" in a shorter file; pipes and recorders write such sizes."""


@dataclass
class _Chunks:
    """The chunks that the walk over a file has found."""

    order: str
    format: bytes = b""
    n_samples: int | None = None
    data: Span | None = None
    claimed_bytes: int | None = None
    data64: int | None = None
    notes: tuple[str, ...] = ()


def inspect_riff(file: BinaryIO) -> Inspection | None:
    """Inspect a WAV file; return None for other files.

    Raises
    ------
    ValueError
        If the file contains no readable sound.
    """
    head = file.read(12)
    if head[:4] not in MAGIC or head[8:] != b"WAVE":
        return None
    chunks = _walk(file, "<>"[head[:4] == b"RIFX"])
    if chunks.data is None or len(chunks.format) < 14:
        missing = "sound" if chunks.data is None else "sample format"
        raise ValueError(f"this WAV file has no chunk with its {missing}: it may be cut short")
    return _inspection(file, chunks)


def _walk(file: BinaryIO, order: str) -> _Chunks:
    """Walk over the chunks to the sound, or to the format if that comes later."""
    chunks, position, end = _Chunks(order), 12, os.fstat(file.fileno()).st_size
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8 or (chunks.data and chunks.format):
            break
        name, (size,) = head[:4], struct.unpack(order + "I", head[4:])
        start = position + 8
        if name == b"data" and chunks.data is None:
            size = _take_data(file, chunks, start, end, size)
        elif name == b"fmt " and not chunks.format:
            chunks.format = file.read(min(size, 1024))
        elif name == b"ds64" and size >= 24:
            chunks.data64 = struct.unpack(order + "Q", file.read(24)[8:16].ljust(8, b"\0"))[0]
        elif name == b"fact" and size >= 4:
            chunks.n_samples = struct.unpack(order + "I", file.read(4).ljust(4, b"\0"))[0]
        position = _next_chunk(file, start + size)
    return chunks


def _next_chunk(file: BinaryIO, end: int) -> int:
    """Return the beginning of the chunk after ``end``; not all programs pad chunks of odd size."""
    if end % 2:
        file.seek(end)
        if _is_name(file.read(4)):
            return end
    return end + end % 2


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name) and name != b"    "


def _take_data(file: BinaryIO, chunks: _Chunks, start: int, end: int, size: int) -> int:
    """Set the position of the sound, note a wrong size, and return the number of its bytes in the file."""
    available = end - start
    if size == 0xFFFFFFFF and chunks.data64:
        size = chunks.data64
    if (size > available and size >= UNKNOWN_BYTES and chunks.data64 is None) or size == 0xFFFFFFFF:
        size = available
    elif size > available:
        chunks.claimed_bytes, size = size, available
    elif not _are_chunks(file, start + size, end):
        rest = available - size
        if not size or rest >= 2**32:  # a header that was never finished, or a size that overflowed at 4 GiB
            chunks.notes = ("has an unfinished header: all bytes to its end were read as sound",)
            size = available
        elif rest >= IGNORED_BYTES:
            chunks.notes = (note_on_rest(rest),)
    chunks.data = Span(start, start + size)
    return size


def _are_chunks(file: BinaryIO, position: int, end: int) -> bool:
    """Whether all bytes of a file from a position on are chunks; True at the end of the file."""
    position = _next_chunk(file, position)
    for _ in range(MAX_CHUNKS):
        if position >= end - 8:
            return True
        file.seek(position)
        head = file.read(8)
        if not _is_name(head[:4]) or head[:4] in (*MAGIC, b"data"):  # a second file, or more sound
            return False
        position = _next_chunk(file, position + 8 + int(struct.unpack("<I", head[4:])[0]))
    return False


def _inspection(file: BinaryIO, chunks: _Chunks) -> Inspection:
    """Return how to decode the sound: after a header with a format and a data chunk."""
    assert chunks.data is not None
    tag, channels, rate, _, block, bits = struct.unpack(chunks.order + "HHIIHH", chunks.format[:16].ljust(16, b"\0"))
    rest, subtype, layout = chunks.format[16:], None, None
    if tag == EXTENSIBLE and len(rest) >= 24:
        valid, mask, tag = struct.unpack(chunks.order + "HIH", rest[2:10])
        if rest[10:24] not in (PCM_TAIL, AMBISONIC_TAIL):
            raise ValueError("this WAV file has an unknown sample format")
        layout, rest = Layout(mask, rest[10:24] == AMBISONIC_TAIL), b""
        bits = valid if 0 < valid <= bits else bits
    if not (0 < channels <= MAX_CHANNELS and rate and block):
        raise ValueError(f"this WAV file claims {channels} channels at {rate} Hz in blocks of {block} bytes")
    if tag == MP3:
        return Inspection(parts=[[chunks.data]], notes=chunks.notes, is_placed=False)
    if tag in (PCM, FLOAT):
        if block % channels or block // channels not in ((1, 2, 3, 4) if tag == PCM else (4, 8)):
            raise ValueError(f"this WAV file has blocks of {block} bytes for {channels} channels")
        width, rest = block // channels, b""
        if tag == PCM and 0 < bits <= 8 * (width - 1):
            subtype = {1: "PCM_U8", 2: "PCM_16", 3: "PCM_24"}[-(-bits // 8)]
        bits = 8 * width
    header = struct.pack(chunks.order + "HHIIHH", tag, channels, rate, rate * block % 2**32, block, bits) + rest
    return Inspection(
        parts=[_with_header(chunks, header)],
        claimed=_samples(chunks, chunks.claimed_bytes, block),
        n_samples=None if tag in (PCM, FLOAT) or chunks.claimed_bytes else chunks.n_samples or None,
        subtype=subtype,
        layout=layout,
        notes=chunks.notes,
    )


def _with_header(chunks: _Chunks, header: bytes) -> list[Piece]:
    """Return the sound after a format chunk; long sound becomes RF64."""
    assert chunks.data is not None
    data, order = chunks.data, chunks.order
    n_bytes = data.stop - data.start
    chunk = b"fmt " + struct.pack(order + "I", len(header)) + header + b"\0" * (len(header) % 2)
    if n_bytes > 2**32 - 2**16:
        sizes = struct.pack("<QQQI", n_bytes + len(chunk) + 48, n_bytes, 0, 0)
        long = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", len(sizes)) + sizes + chunk + b"data\xff\xff\xff\xff"
        return [long, data]
    magic = b"RIFX" if order == ">" else b"RIFF"
    size = struct.pack(order + "I", 4 + len(chunk) + 8 + n_bytes + n_bytes % 2)
    return [magic + size + b"WAVE" + chunk + b"data" + struct.pack(order + "I", n_bytes), data, b"\0" * (n_bytes % 2)]


def _samples(chunks: _Chunks, n_bytes: int | None, block: int) -> int | None:
    """Return the number of samples in ``n_bytes``, or None if it is not known."""
    per_block = _samples_per_block(chunks)
    return None if n_bytes is None else n_bytes // block * per_block


def _samples_per_block(chunks: _Chunks) -> int:
    """Return the samples per channel in a block of ADPCM or GSM, from the format chunk; 1 for other formats."""
    tag = struct.unpack(chunks.order + "H", chunks.format[:2])[0]
    if tag in (PCM, FLOAT, EXTENSIBLE) or len(chunks.format) < 20:
        return 1
    return max(1, int(struct.unpack(chunks.order + "H", chunks.format[18:20])[0]))
