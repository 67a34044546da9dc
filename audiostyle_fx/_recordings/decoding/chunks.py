"""Walks over files that consist of chunks, each with its name and size in front."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

MAX_CHUNKS = 100_000
"""A damaged file is not searched further."""

IGNORED_BYTES = 4096
"""Bytes after the sound that are not worth a word, where they are no chunks."""


class Chunk(NamedTuple):
    """A chunk: its name, where its contents begin, and how many bytes they claim."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True)
class ChunkForm:
    """How a format writes its chunks.

    Attributes
    ----------
    magic : bytes
        What files begin with: a chunk whose name does is a second file.
    head : str
        The name and the size in front of each chunk, for `struct`.
    alignment : int
        Of the chunks' sizes with their heads.
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
            if position > n_file - n_head:  # which may be too far to seek
                return
            file.seek(position)
            name, size = struct.unpack(self.head, file.read(n_head))
            size -= n_head if self.counts_head else 0
            yield Chunk(name, position + n_head, size)
            if size < 0:
                return
            position = self.end(position + n_head + size)

    def end(self, position: int) -> int:
        """Return where the chunk after one that ends at a position begins."""
        return position + -position % self.alignment

    def are_chunks(self, file: BinaryIO, position: int) -> bool:
        """Whether the bytes of a file from a position on are chunks, or nothing."""
        end = os.fstat(file.fileno()).st_size
        for chunk in self.walk(file, self.end(position)):
            if chunk.name.startswith(self.magic) or not 0 <= chunk.size <= end - chunk.start:
                return False
        return True


def note_on_rest(n_bytes: int) -> str:
    """Return what is said of bytes after the sound that are not read."""
    return f"holds {n_bytes} bytes after the length that its header names; they were not read"
