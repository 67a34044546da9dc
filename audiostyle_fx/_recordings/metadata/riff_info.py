"""Tags in the "LIST INFO" chunk of WAV files.

RIFF leaves the encoding to the code page of the machine. Text is written in UTF-8, as by libsndfile and FFmpeg. It is
read as UTF-8 if it is valid, else as Windows-1252, which has all of Latin-1's letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .bounded_file import BoundedFile
from .chunks import Chunk, Order, chunk, chunks
from .names import decoded

NAMES = {
    b"INAM": "title",
    b"IART": "artist",
    b"IPRD": "album",
    b"ICRD": "date",
    b"IGNR": "genre",
    b"ITRK": "tracknumber",
    b"ICMT": "comment",
    b"ICOP": "copyright",
    b"ISFT": "software",
}
READ_NAMES = {
    **NAMES,
    b"IPRT": "tracknumber",
    b"ILNG": "language",
    b"IMUS": "composer",
    b"IWRI": "lyricist",
    b"IENG": "engineer",
    b"IKEY": "keywords",
    b"ISBJ": "subject",
    b"ISRC": "source",
    b"IBPM": "bpm",
}
MAX_TEXT = 1 << 15
"""Bytes of the longest text that is written to the chunk; a longer one is only written to the ID3 chunk."""


def read_info(file: BoundedFile, order: Order, found: Chunk) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the tags in a LIST INFO chunk."""
    for item in chunks(file, order, found.start + 4, found.start + found.size):
        if name := READ_NAMES.get(item.name):
            yield name, decoded(file.at(item.start, item.size), "cp1252")


def info_chunk(tags: Mapping[str, str]) -> bytes | None:
    """Return the data of a LIST chunk with the tags that it can hold, or None if it can hold none of them."""
    items = b"".join(
        chunk(identifier, tags[name].encode() + b"\0", "<")
        for identifier, name in NAMES.items()
        if name in tags and len(tags[name].encode()) <= MAX_TEXT
    )
    return b"INFO" + items if items else None


def is_enough(tags: Mapping[str, str]) -> bool:
    """Return whether every player reads all of these tags from a LIST INFO chunk: it can hold them, in ASCII."""
    return all(name in NAMES.values() and text.isascii() and len(text) <= MAX_TEXT for name, text in tags.items())
