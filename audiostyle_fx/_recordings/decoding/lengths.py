"""Comparison of the length in the headers of AU, CAF and Wave64 files with the bytes in the files.

References: Sun, "The Audio/AU file format"; Apple, "Core Audio Format specification 1.0"; Sonic Foundry, "The Wave64
file format".
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from .byte_view import Span
from .chunks import IGNORED_BYTES, ChunkForm, note_on_rest
from .inspection import Inspection

_CAF, _WAVE64 = ChunkForm(b"caff", ">4sq"), ChunkForm(b"riff", "<16sQ", alignment=8, counts_head=True)
_WAVE64_START = bytes.fromhex("726966662e91cf11a5d628db04c10000")


def inspect_length(file: BinaryIO) -> Inspection | None:
    """Compare the claimed length of an AU, CAF or Wave64 file with its bytes; return None for other files."""
    head = file.read(16)
    if head[:4] == b".snd" and len(head) == 16:
        start, n_bytes = struct.unpack(">II", head[4:12])
        return _inspection(file, start, -1 if n_bytes == 0xFFFFFFFF else n_bytes, None)
    form, start = (_CAF, 8) if head[:4] == b"caff" else (_WAVE64, 40)
    if form is _WAVE64 and head != _WAVE64_START:
        return None
    for chunk in form.walk(file, start):
        if chunk.name[:4] == b"data":
            return _inspection(file, chunk.start, chunk.size, form)
    return Inspection()


def _inspection(file: BinaryIO, start: int, n_bytes: int, form: ChunkForm | None) -> Inspection:
    """Return the inspection for the claimed bytes of sound; a negative number means that none are claimed."""
    n_held = os.fstat(file.fileno()).st_size - start
    if n_bytes < 0 or n_held <= 0:
        return Inspection()
    if n_held < n_bytes:
        return Inspection(claimed_ratio=n_bytes / n_held)
    rest = n_held - n_bytes
    if not n_bytes or not rest:
        return Inspection()
    is_noted = rest >= IGNORED_BYTES and not (form is not None and form.are_chunks(file, start + n_bytes))
    notes = [note_on_rest(rest)] if is_noted else []
    if form is _WAVE64:  # libsndfile would read all bytes to the end of the file
        return Inspection(parts=[[Span(0, start + n_bytes)]], notes=notes)
    return Inspection(notes=notes)
