"""Tags of CAF files, in an "info" chunk.

libsndfile would write the chunk before the audio, and only the part that fits there; it also reads a chunk after the
audio. It ignores chunks of more than 16 kB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from .bounded_file import BoundedFile
from .chunks import Chunk
from .losses import losses
from .model import Metadata
from .names import decoded, usable_tags


def read_caf(file: BoundedFile) -> Metadata:
    """Return the tags of a CAF file."""
    texts: list[str] = []
    for chunk in _chunks(file):
        if chunk.name == b"info":
            parts = file.at(chunk.start + 4, chunk.size - 4).split(b"\0")
            texts += [decoded(part) for part in parts[: len(parts) // 2 * 2]]
    return Metadata(usable_tags(zip(texts[::2], texts[1::2], strict=True)))


def write_caf(path: Path, metadata: Metadata) -> list[str]:
    """Append tags to a CAF file; return names of the parts that it can't hold."""
    if metadata.tags:
        texts = b"".join(f"{name}\0{text}\0".encode() for name, text in metadata.tags.items())
        with path.open("rb+") as file:
            end = max(chunk.start + chunk.size for chunk in _chunks(BoundedFile(file)))
            file.truncate(end)  # libsndfile pads odd sizes, but CAF has no such bytes between chunks
            file.seek(end)
            file.write(struct.pack(">4sqI", b"info", 4 + len(texts), len(metadata.tags)) + texts)
    return losses(metadata, tags=metadata.tags)


def _chunks(file: BoundedFile) -> Iterator[Chunk]:
    """Yield the complete chunks of a CAF file."""
    start = 8
    while start + 12 <= file.size:
        name, size = struct.unpack(">4sq", file.at(start, 12))
        start += 12
        if not 0 <= size <= file.size - start:  # -1 means all bytes to the end
            return
        yield Chunk(name, start, size)
        start += size
