"""Chunks of RIFF and IFF files: a name of four bytes, a size of 32 bits, data, and a zero byte after an odd size.

RIFF (WAV) has little-endian sizes; IFF (AIFF) and RIFX have big-endian ones. RF64 and BW64 are RIFF whose first chunk,
"ds64", has the sizes that don't fit in 32 bits.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from .bounded_file import BoundedFile

Order = Literal["<", ">"]
"""The byte order in the notation of `struct`."""

LARGE = b"RF64", b"BW64"
MAX_SIZE = 0xFFFFFFFF


class Chunk(NamedTuple):
    """A chunk: its name, and the position and size of its data in the file."""

    name: bytes
    start: int
    size: int


def chunks(file: BoundedFile, order: Order, start: int = 12, end: int | None = None) -> Iterator[Chunk]:
    """Yield the complete chunks in a part of a file."""
    end = file.size if end is None else end
    large: dict[bytes, int] = {}
    while start + 8 <= end:
        name, size = struct.unpack(f"{order}4sI", file.at(start, 8))
        if not all(32 <= byte < 127 for byte in name):
            return
        start += 8
        size = large.get(name, size) if size == MAX_SIZE else size
        if start + size > end:
            return
        if name == b"ds64" and size >= 16:
            large = {b"data": struct.unpack("<Q", file.at(start + 8, 8))[0]}
        yield Chunk(name, start, size)
        start += size
        if size % 2 and file.at(start, 1) == b"\0":  # some programs leave the byte out
            start += 1


def append_chunks(path: Path, order: Order, added: list[tuple[bytes, bytes]]) -> bool:
    """Append chunks to a RIFF or IFF file that ends with its last chunk; return False if the file gets too large.

    Parameters
    ----------
    path : Path
    order : "<" or ">"
    added : list of (bytes, bytes)
        Names and data of the chunks.
    """
    data = b"".join(chunk(name, body, order) for name, body in added)
    with path.open("rb+") as file:
        is_large = file.read(4) in LARGE
        end = file.seek(0, os.SEEK_END)
        size = end + end % 2 + len(data) - 8
        if size > MAX_SIZE and not is_large:
            return False
        file.write(bytes(end % 2) + data)
        file.seek(20 if is_large else 4)  # in an RF64 file, the size is in the first chunk, ds64
        file.write(struct.pack(f"{order}Q" if is_large else f"{order}I", size))
    return True


def chunk(name: bytes, data: bytes, order: Order) -> bytes:
    """Return the bytes of a chunk in a file."""
    return struct.pack(f"{order}4sI", name, len(data)) + data + bytes(len(data) % 2)
