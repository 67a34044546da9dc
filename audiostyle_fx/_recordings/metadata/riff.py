"""Metadata of WAV, RF64 and BW64 files: INFO, ID3, smpl, cue and bext chunks."""

from __future__ import annotations

import contextlib
import io
import struct
from dataclasses import replace
from pathlib import Path

from .bounded_file import BoundedFile
from .broadcast import broadcast_chunk, read_broadcast
from .chunks import MAX_SIZE, Chunk, Order, append_chunks, chunks
from .id3 import id3_bytes, read_id3
from .losses import beyond, losses
from .model import Metadata
from .names import usable_tags
from .riff_info import info_chunk, is_enough, read_info
from .riff_positions import cue_chunks, cue_points, read_labels, read_positions, read_sampler, sampler_chunk

MAX_POSITIONS = 1 << 20
"""Bytes of the largest chunk of loops or cue points that is read."""


class _Reader:
    """Collects the metadata of a file chunk by chunk."""

    def __init__(self, file: BoundedFile, order: Order) -> None:
        self.file, self.order = file, order
        self.info: list[tuple[str, str]] = []
        self.positions: dict[int, int] = {}
        self.labels: dict[int, dict[str, str | int]] = {}
        self.id3 = Metadata()
        self.found = Metadata()

    def read(self, chunk: Chunk) -> None:
        """Read one chunk if its name is known."""
        file, order, name = self.file, self.order, chunk.name
        if name == b"LIST":
            kind = file.at(chunk.start, 4)
            if kind == b"INFO":
                self.info += read_info(file, order, chunk)
            elif kind == b"adtl":
                self.labels |= read_labels(file, order, chunk)
        elif name.upper() == b"ID3 ":
            self.id3 = read_id3(io.BytesIO(file.at(chunk.start, chunk.size)))
        elif chunk.size > MAX_POSITIONS:
            return
        elif name == b"bext":
            self.found = replace(self.found, broadcast=read_broadcast(file.at(chunk.start, chunk.size), order))
        elif name == b"smpl":
            loops, root_note = read_sampler(file, order, chunk)
            self.found = replace(self.found, loops=loops, root_note=root_note)
        elif name == b"cue ":
            self.positions |= read_positions(file, order, chunk)

    def metadata(self) -> Metadata:
        """Return the metadata that were read; a tag of the ID3 chunk replaces one in INFO."""
        tags = {**usable_tags(self.info), **self.id3.tags}
        points = cue_points(self.positions, self.labels)
        return replace(self.found, tags=tags, pictures=self.id3.pictures, cue_points=points)


def read_riff(file: BoundedFile, order: Order) -> Metadata:
    """Return the metadata of a WAV file, as far as it can be read."""
    reader = _Reader(file, order)
    with contextlib.suppress(OSError):  # reading the file takes too many bytes
        for chunk in chunks(file, order):
            with contextlib.suppress(struct.error, ValueError, IndexError):  # a damaged chunk
                reader.read(chunk)
    return reader.metadata()


def write_riff(path: Path, metadata: Metadata) -> list[str]:
    """Append metadata to a WAV file; return names of the parts that it can't hold."""
    whole, metadata = metadata, metadata.within(MAX_SIZE)
    added: list[tuple[bytes, bytes]] = []
    if metadata.broadcast:
        added.append((b"bext", broadcast_chunk(metadata.broadcast)))
    if metadata.loops or metadata.root_note is not None:
        added.append((b"smpl", sampler_chunk(metadata.loops, metadata.root_note, _sample_rate(path))))
    if metadata.cue_points:
        added += cue_chunks(metadata.cue_points)
    if info := info_chunk(metadata.tags):
        added.append((b"LIST", info))
    if metadata.pictures or not is_enough(metadata.tags):
        added.append((b"id3 ", id3_bytes(metadata)))
    if added and not append_chunks(path, "<", added):
        return losses(whole)
    return beyond(whole, metadata)


def _sample_rate(path: Path) -> int:
    """Return the sample rate in the header of a WAV file, in Hz."""
    with path.open("rb") as file:
        bounded = BoundedFile(file)
        found = next(chunk for chunk in chunks(bounded, "<") if chunk.name == b"fmt ")
        return int(struct.unpack("<I", bounded.at(found.start + 4, 4))[0])
