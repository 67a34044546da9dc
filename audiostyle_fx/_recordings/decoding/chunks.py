"""Walks over files that consist of chunks, each after its name and size."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

MAX_CHUNKS = 100_000
"""The most chunks that are read: a damaged file is not searched further."""

IGNORED_BYTES = 4096
"""The most bytes after the sound that are ignored without a note if they are not chunks."""


class Chunk(NamedTuple):
    """A chunk: its name, where its contents begin, and how many bytes they claim."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True)
class ChunkForm:
    """The layout of chunks in a format.

    Attributes
    ----------
    magic : bytes
        The first bytes of files; a chunk whose name begins with them is a second file.
    head : str
        The name and the size before each chunk, as a format of `struct`.
    alignment : int
        The sizes of chunks with their heads are multiples of it.
    counts_head : bool
        Whether the size counts the head.
    """

    magic: bytes
    head: str
    alignment: int = 1
    counts_head: bool = False

    def walk(self, file: BinaryIO, position: int) -> Iterator[Chunk]:
        """Yield the chunks of a file from a position on; a negative size ends the walk after its chunk."""
        n_head, n_file = struct.calcsize(self.head), os.fstat(file.fileno()).st_size
        for _ in range(MAX_CHUNKS):
            if position > n_file - n_head:  # the position may be too far to seek
                return
            file.seek(position)
            name, size = struct.unpack(self.head, file.read(n_head))
            size -= n_head if self.counts_head else 0
            yield Chunk(name, position + n_head, size)
            if size < 0:
                return
            position = self.end(position + n_head + size)

    def end(self, position: int) -> int:
        """Return the beginning of the chunk after one that ends at a position."""
        return position + -position % self.alignment

    def are_chunks(self, file: BinaryIO, position: int) -> bool:
        """Whether all bytes of a file from a position on are chunks; True at the end of the file."""
        end = os.fstat(file.fileno()).st_size
        for chunk in self.walk(file, self.end(position)):
            if chunk.name.startswith(self.magic) or not 0 <= chunk.size <= end - chunk.start:
                return False
        return True


def note_on_rest(n_bytes: int) -> str:
    """Return the note about bytes after the sound that are not read."""
    return f"has {n_bytes} bytes after the length in its header; they were not read"
