"""The length that AU, CAF and Wave64 files claim, next to the bytes that they hold.

References: Sun, "The Audio/AU file format"; Apple, "Core Audio Format specification 1.0"; Sonic Foundry, "The Wave64
file format".
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from .inspection import Inspection

MAX_CHUNKS = 100_000
_WAVE64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")


def inspect_length(file: BinaryIO) -> Inspection | None:
    """Compare the claimed length of an AU, CAF or Wave64 file with its bytes; return None if it is none of these."""
    head, size = file.read(16), os.fstat(file.fileno()).st_size
    sound = None
    if head[:4] == b".snd" and len(head) == 16:
        start, n_bytes = struct.unpack(">II", head[4:12])
        sound = start, None if n_bytes == 0xFFFFFFFF else n_bytes
    elif head[:4] == b"caff":
        sound = _caf_sound(file)
    elif head == _WAVE64:
        sound = _wave64_sound(file)
    else:
        return None
    if sound is None or sound[1] is None or not 0 < size - sound[0] < sound[1]:
        return Inspection()
    return Inspection(claimed_ratio=sound[1] / (size - sound[0]))


def _caf_sound(file: BinaryIO) -> tuple[int, int | None] | None:
    """Return where the sound of a CAF file begins and how many bytes it claims, None where it claims nothing."""
    position = 8
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(12)
        if len(head) < 12:
            return None
        (size,) = struct.unpack(">q", head[4:])
        if head[:4] == b"data":
            return position + 12, size if size >= 0 else None
        if size < 0:
            return None
        position += 12 + size
    return None


def _wave64_sound(file: BinaryIO) -> tuple[int, int | None] | None:
    """Return where the sound of a Wave64 file begins and how many bytes it claims."""
    position = 40
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(24)
        if len(head) < 24:
            return None
        (size,) = struct.unpack("<Q", head[16:])
        if head[:4] == b"data":
            return position + 24, size - 24
        position += max(24, size + -size % 8)
    return None
