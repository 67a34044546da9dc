"""AIFF and AIFC files: a walk over their chunks, and a clean header for the decoder, as in `riff`.

Reference: Apple, "Audio interchange file format AIFF-C" (1991).
"""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from typing import BinaryIO

from .byte_view import Piece, Span
from .chunks import IGNORED_BYTES, ChunkForm, note_on_rest
from .inspection import Inspection

_PLAIN = (b"NONE", b"twos", b"sowt", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64", b"raw ")
"""Encodings of AIFC in which each sample has its own bytes."""

_BYTES = {b"in24": 3, b"in32": 4, b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"raw ": 1}

CHUNKS = ChunkForm(b"FORM", ">4sI", alignment=2)

MAX_BYTES = 2**32 - 2**12
"""The most bytes of sound that a header with 32-bit sizes allows, next to the header's own bytes."""


def inspect_aiff(file: BinaryIO) -> Inspection | None:
    """Inspect an AIFF or AIFC file; return None for other files.

    Raises
    ------
    ValueError
        If the file contains no readable sound.
    """
    head = file.read(12)
    if head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
        return None
    end, common, sound = os.fstat(file.fileno()).st_size, b"", None
    for name, start, size in CHUNKS.walk(file, 12):
        if name == b"COMM" and not common:
            common = file.read(min(size, 1024))
        elif name == b"SSND" and sound is None and len(offsets := file.read(8)) == 8:
            offset = int(struct.unpack(">II", offsets)[0])
            sound = start + 8 + offset, max(0, size - 8 - offset)
        if common and sound:
            break
    if len(common) < 18 or sound is None:
        missing = "sound" if len(common) >= 18 else "sample format"
        raise ValueError(f"this AIFF file has no chunk with its {missing}: it may be cut short")
    inspection = _inspection(head[8:], common, *sound, end)
    rest = end - CHUNKS.end(8 + int(struct.unpack(">I", head[4:8])[0]))
    if inspection.notes or rest < IGNORED_BYTES or CHUNKS.are_chunks(file, end - rest):
        return inspection
    return replace(inspection, notes=[note_on_rest(rest)])


def _inspection(kind: bytes, common: bytes, start: int, size: int, end: int) -> Inspection:
    """Return how to decode the sound; its length is that in the format chunk or of the bytes, whichever is shorter."""
    channels, n_samples, bits = struct.unpack(">HIH", common[:8])
    coding = common[18:22] if kind == b"AIFC" else b"NONE"
    notes: list[str] = []
    claimed = None
    n_bytes = max(0, end - start)
    if coding in _PLAIN and channels and bits:
        block = channels * _BYTES.get(coding, -(-bits // 8))
        if not size and n_bytes >= block:
            notes.append("has an unfinished header: all bytes to its end were read as sound")
            n_samples = n_bytes // block
        elif n_samples > (n_held := min(size, n_bytes) // block):
            claimed, n_samples = n_samples, n_held
        n_bytes = n_samples * block
    if n_bytes > MAX_BYTES:
        raise ValueError("this AIFF file holds more than 4 GiB of sound, more than its header allows")
    common = common[:2] + struct.pack(">I", n_samples) + common[6:]
    chunk = b"COMM" + struct.pack(">I", len(common)) + common + b"\0" * (len(common) % 2)
    version = b"FVER" + struct.pack(">II", 4, 0xA2805140) if kind == b"AIFC" else b""
    total = 4 + len(version) + len(chunk) + 16 + n_bytes + n_bytes % 2
    pieces: list[Piece] = [
        b"FORM" + struct.pack(">I", total) + kind + version + chunk + b"SSND" + struct.pack(">III", n_bytes + 8, 0, 0),
        Span(start, start + n_bytes),
        b"\0" * (n_bytes % 2),
    ]
    return Inspection(parts=[pieces], claimed=claimed, notes=notes)
