"""Loops ("smpl" chunk) and cue points ("cue " chunk, with labels in "LIST adtl") of WAV files."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Literal

from .bounded_file import BoundedFile
from .chunks import Chunk, Order, chunk, chunks
from .model import CuePoint, Loop
from .names import decoded

LOOP_KINDS: tuple[Literal["forward", "alternating", "backward"], ...] = ("forward", "alternating", "backward")
FRACTION = 1 << 32
"""The pitch fraction that stands for a semitone."""

MIDDLE_C = 60


def read_sampler(file: BoundedFile, order: Order, found: Chunk) -> tuple[tuple[Loop, ...], float | None]:
    """Return the loops and the root note in a smpl chunk."""
    data = file.at(found.start, found.size)
    fields = struct.unpack(f"{order}9I", data[:36])
    root_note = fields[3] + fields[4] / FRACTION if fields[3] < 128 else None
    n_loops = min(fields[7], (len(data) - 36) // 24)
    loops = []
    for i in range(n_loops):
        _, kind, start, last, _, play_count = struct.unpack_from(f"{order}6I", data, 36 + 24 * i)
        if start <= last:
            loops.append(Loop(start, last + 1, LOOP_KINDS[kind if kind < 3 else 0], play_count))
    return tuple(loops), root_note


def sampler_chunk(loops: Sequence[Loop], root_note: float | None, sample_rate: int) -> bytes:
    """Return the data of a smpl chunk; an unknown root note becomes middle C."""
    note, fraction = math.modf(MIDDLE_C if root_note is None else root_note)[::-1]
    period = round(1e9 / sample_rate)
    head = struct.pack("<9I", 0, 0, period, int(note), int(fraction * FRACTION), 0, 0, len(loops), 0)
    return head + b"".join(
        struct.pack("<6I", i, LOOP_KINDS.index(loop.kind), loop.start, loop.end - 1, 0, loop.play_count)
        for i, loop in enumerate(loops)
    )


def read_positions(file: BoundedFile, order: Order, found: Chunk) -> dict[int, int]:
    """Return the positions in a cue chunk, in samples, by the cue points' identifiers."""
    data = file.at(found.start, found.size)
    n_points = min(struct.unpack_from(f"{order}I", data)[0], (len(data) - 4) // 24)
    points = (struct.unpack_from(f"{order}II4sIII", data, 4 + 24 * i) for i in range(n_points))
    return {point[0]: point[5] for point in points}


def read_labels(file: BoundedFile, order: Order, found: Chunk) -> dict[int, dict[str, str | int]]:
    """Return labels, notes and lengths in a LIST adtl chunk, by the cue points' identifiers."""
    labels: dict[int, dict[str, str | int]] = {}
    for item in chunks(file, order, found.start + 4, found.start + found.size):
        if item.name not in (b"labl", b"note", b"ltxt") or item.size < 4:
            continue
        data = file.at(item.start, item.size)
        about = labels.setdefault(struct.unpack_from(f"{order}I", data)[0], {})
        if item.name == b"ltxt" and len(data) >= 20:
            about["length"] = struct.unpack_from(f"{order}I", data, 4)[0]
            if text := decoded(data[20:], "cp1252"):
                about.setdefault("label", text)
        elif item.name != b"ltxt":
            about["label" if item.name == b"labl" else "note"] = decoded(data[4:], "cp1252")
    return labels


def cue_points(positions: dict[int, int], labels: dict[int, dict[str, str | int]]) -> tuple[CuePoint, ...]:
    """Return the cue points in order of their positions."""
    points = []
    for identifier, position in sorted(positions.items(), key=lambda item: item[1]):
        about = labels.get(identifier, {})
        label, note, length = about.get("label", ""), about.get("note", ""), about.get("length", 0)
        points.append(CuePoint(position, str(label), str(note), int(length)))
    return tuple(points)


def cue_chunks(points: Sequence[CuePoint]) -> list[tuple[bytes, bytes]]:
    """Return the names and data of a cue chunk and, for labels, notes or regions, of its LIST chunk."""
    cue, labels = struct.pack("<I", len(points)), b""
    for number, point in enumerate(points, 1):
        identifier = struct.pack("<I", number)
        cue += struct.pack("<II4sIII", number, point.position, b"data", 0, 0, point.position)
        if point.label:
            labels += chunk(b"labl", identifier + point.label.encode() + b"\0", "<")
        if point.note:
            labels += chunk(b"note", identifier + point.note.encode() + b"\0", "<")
        if point.length:
            labels += chunk(b"ltxt", identifier + struct.pack("<I4s4H", point.length, b"rgn ", 0, 0, 0, 0), "<")
    return [(b"cue ", cue)] + ([(b"LIST", b"adtl" + labels)] if labels else [])
