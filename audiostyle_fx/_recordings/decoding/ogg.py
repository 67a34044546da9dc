"""Ogg files: chains of recordings, whose parts are called links, and files that were cut short.

Reference: RFC 3533 (pages), section 4 (chains) and section 6.
"""

from __future__ import annotations

import mmap
import os
from typing import BinaryIO

from .byte_view import Span
from .inspection import Inspection

_BEGIN, _END = 2, 4
"""Bits of a page's type: it begins, or ends, a logical stream."""


def inspect_ogg(file: BinaryIO, start: int) -> Inspection | None:
    """Inspect a file whose tag, if there is one, ends at ``start``; return None if it is not an Ogg file."""
    file.seek(start)
    if file.read(4) != b"OggS":
        return None
    size = os.fstat(file.fileno()).st_size
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        links, is_cut = _walk(data, start)
    notes = ["ends within a page or without its end mark: it may have been cut short"] if is_cut else []
    if len(links) == 1:
        return Inspection(parts=[[Span(start, size)] if start else None], notes=notes)
    stops = [*links[1:], size]
    return Inspection(parts=[[Span(*span)] for span in zip(links, stops, strict=True)], notes=notes)


def _walk(data: mmap.mmap, position: int) -> tuple[list[int], bool]:
    """Return the positions of the links, and whether the last one is cut short."""
    links: list[int] = []
    in_head, has_ended, is_whole = False, False, True
    while (position := data.find(b"OggS", position)) >= 0:
        if position + 27 > len(data):
            return links, True
        kind, n_segments = data[position + 5], data[position + 26]
        end = position + 27 + n_segments + sum(data[position + 27 : position + 27 + n_segments])
        if kind & _BEGIN and not in_head:  # streams that begin together belong to one link
            links.append(position)
            has_ended = False
        in_head = bool(kind & _BEGIN)
        has_ended = has_ended or bool(kind & _END)
        is_whole = end <= len(data)
        # The size of a damaged page may be too large, so the next page is searched from its head on.
        position = end if data[end : end + 4] == b"OggS" or end == len(data) else position + 4
    return links, not (has_ended and is_whole)
