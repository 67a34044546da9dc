"""Metadata of AIFF files: text chunks, an ID3 chunk, markers and the loops of an instrument.

libsndfile can't open files in which a text chunk is longer than about 8 kB, although it writes them. So text chunks are
kept short, and the ID3 chunk, which has no such limit, contains all tags.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
from pathlib import Path
from typing import Literal

from .bounded_file import BoundedFile
from .chunks import MAX_SIZE, append_chunks, chunks
from .id3 import id3_bytes, read_id3
from .losses import beyond, losses
from .model import CuePoint, Loop, Metadata
from .names import decoded, usable_tags

TEXT_CHUNKS = {b"NAME": "title", b"AUTH": "artist", b"(c) ": "copyright", b"ANNO": "comment"}
MAX_TEXT = 4000
"""Bytes of the longest text chunk that is written."""

MAX_READ = 1 << 20
"""Bytes of the largest text chunk, or chunk of markers, that is read."""

MAX_MARKERS = 32767
MAX_LABEL = 255
LOOP_MODES: dict[int, Literal["forward", "alternating"]] = {1: "forward", 2: "alternating"}
LOOP_LABELS = ("", "beg loop", "end loop")
"""Names of markers that only mark the ends of a loop."""

INSTRUMENT = ">6bh3h3h"
MIDDLE_C = 60


def read_aiff(file: BoundedFile) -> Metadata:
    """Return the metadata of an AIFF file, as far as it can be read."""
    texts: list[tuple[str, str]] = []
    tagged, markers, instrument = Metadata(), dict[int, tuple[int, str]](), b""
    with contextlib.suppress(OSError):  # reading the file takes too many bytes
        for chunk in chunks(file, ">"):
            with contextlib.suppress(struct.error, ValueError, IndexError):  # a damaged chunk
                if chunk.name == b"ID3 ":
                    tagged = read_id3(io.BytesIO(file.at(chunk.start, chunk.size)))
                elif chunk.size > MAX_READ:
                    continue
                elif name := TEXT_CHUNKS.get(chunk.name):
                    texts.append((name, _text(file.at(chunk.start, chunk.size))))
                elif chunk.name == b"MARK":
                    markers = _markers(file.at(chunk.start, chunk.size))
                elif chunk.name == b"INST":
                    instrument = file.at(chunk.start, chunk.size)
    loops, root_note, ends = _loops(instrument, markers)
    points = tuple(
        CuePoint(position, label)
        for identifier, (position, label) in sorted(markers.items(), key=lambda item: item[1][0])
        if identifier not in ends or label not in LOOP_LABELS
    )
    return Metadata({**usable_tags(texts), **tagged.tags}, tagged.pictures, loops, root_note, points)


def _text(data: bytes) -> str:
    """Return the text of a chunk: valid UTF-8, else Mac Roman if it has letters where Latin-1 has none."""
    return decoded(data, "mac-roman" if any(0x80 <= byte < 0xA0 for byte in data) else "latin-1")


def _markers(data: bytes) -> dict[int, tuple[int, str]]:
    """Return positions and labels by identifier."""
    markers: dict[int, tuple[int, str]] = {}
    start = 2
    for _ in range(struct.unpack_from(">H", data)[0]):
        if start + 7 > len(data):
            break
        identifier, position, length = struct.unpack_from(">hIB", data, start)
        markers[identifier] = position, _text(data[start + 7 : start + 7 + length])
        start += 7 + length + (length + 1) % 2
    return markers


def _loops(instrument: bytes, markers: dict[int, tuple[int, str]]) -> tuple[tuple[Loop, ...], float | None, set[int]]:
    """Return the loops of an INST chunk, its root note, and the identifiers of the markers that the loops name."""
    if len(instrument) < struct.calcsize(INSTRUMENT):
        return (), None, set()
    fields = struct.unpack_from(INSTRUMENT, instrument)
    loops, ends = [], set()
    for mode, first, last in (fields[7:10], fields[10:13]):
        if mode in LOOP_MODES and first in markers and last in markers and markers[first][0] < markers[last][0]:
            loops.append(Loop(markers[first][0], markers[last][0], LOOP_MODES[mode]))
            ends |= {first, last}
    root_note = fields[0] - fields[1] / 100 if 0 <= fields[0] - fields[1] / 100 < 128 else None
    return tuple(loops), root_note, ends


def write_aiff(path: Path, metadata: Metadata) -> list[str]:
    """Append metadata to an AIFF file; return names of the parts that it can't hold."""
    added = [
        (name, metadata.tags[tag].encode())
        for name, tag in TEXT_CHUNKS.items()
        if (text := metadata.tags.get(tag)) and text.isascii() and len(text) <= MAX_TEXT
    ]
    whole, metadata = metadata, metadata.within(MAX_SIZE)
    lost = beyond(whole, metadata) + losses(
        metadata, "pictures", "loops", "root note", "cue points", tags=metadata.tags
    )
    added += _positions(metadata, lost)
    if metadata.tags or metadata.pictures:
        added.append((b"ID3 ", id3_bytes(metadata)))
    if added and not append_chunks(path, ">", added):
        return losses(whole)
    return lost


def _positions(metadata: Metadata, lost: list[str]) -> list[tuple[bytes, bytes]]:
    """Return the names and data of the chunks of markers and loops, and add names of lost parts to ``lost``."""
    loops = [loop for loop in metadata.loops if loop.kind in LOOP_MODES.values()][:2]
    points = metadata.cue_points[: MAX_MARKERS - 2 * len(loops)]
    losing = {
        "loops beyond the second, or backward": len(loops) < len(metadata.loops),
        "play counts of loops": any(loop.play_count for loop in loops),
        f"cue points beyond {MAX_MARKERS}": len(points) < len(metadata.cue_points),
        "notes of cue points": any(point.note for point in points),
        "lengths of cue points": any(point.length for point in points),
        f"labels of cue points beyond {MAX_LABEL} bytes": any(
            len(point.label.encode()) > MAX_LABEL for point in points
        ),
    }
    lost += [words for words, loses in losing.items() if loses]
    markers = [(point.position, point.label) for point in points]
    fields = []
    for loop in loops:
        fields += [1 if loop.kind == "forward" else 2, len(markers) + 1, len(markers) + 2]
        markers += [(loop.start, "beg loop"), (loop.end, "end loop")]
    added = []
    if markers:
        marks = b"".join(_marker(i, position, label) for i, (position, label) in enumerate(markers, 1))
        added.append((b"MARK", struct.pack(">H", len(markers)) + marks))
    if loops or metadata.root_note is not None:
        pitch = MIDDLE_C if metadata.root_note is None else metadata.root_note
        note = min(math.ceil(pitch - 0.5), 127)
        detune = round((note - pitch) * 100)
        loop_fields = fields + [0] * (6 - len(fields))
        added.append((b"INST", struct.pack(INSTRUMENT, note, detune, 0, 127, 1, 127, 0, *loop_fields)))
    return added


def _marker(identifier: int, position: int, label: str) -> bytes:
    """Return a marker; its label is a byte with the length and the text, padded to an even size."""
    text = label.encode()[:MAX_LABEL].decode(errors="ignore").encode()
    return struct.pack(">hIB", identifier, position, len(text)) + text + bytes((len(text) + 1) % 2)
