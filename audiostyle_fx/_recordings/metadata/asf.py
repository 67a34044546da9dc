"""Tags of ASF (WMA) files; these are only read."""

from __future__ import annotations

import struct
from typing import Any

from mutagen.asf import ASF

from .bounded_file import BoundedFile
from .model import Metadata, Picture
from .names import usable_tags

NAMES = {
    "Title": "title",
    "Author": "artist",
    "Copyright": "copyright",
    "Description": "comment",
    "WM/AlbumTitle": "album",
    "WM/AlbumArtist": "albumartist",
    "WM/BeatsPerMinute": "bpm",
    "WM/Composer": "composer",
    "WM/Conductor": "conductor",
    "WM/ContentGroupDescription": "grouping",
    "WM/Genre": "genre",
    "WM/InitialKey": "initialkey",
    "WM/ISRC": "isrc",
    "WM/Language": "language",
    "WM/Lyrics": "lyrics",
    "WM/Mood": "mood",
    "WM/PartOfSet": "discnumber",
    "WM/Publisher": "label",
    "WM/SubTitle": "subtitle",
    "WM/TrackNumber": "tracknumber",
    "WM/Writer": "lyricist",
    "WM/Year": "date",
}


def read_asf(file: BoundedFile) -> Metadata:
    """Return the metadata of an ASF file."""
    attributes: Any = ASF(file).tags or ()
    texts = usable_tags((NAMES[name], str(value)) for name, value in attributes if name in NAMES)
    return Metadata(texts, tuple(_picture(value.value) for name, value in attributes if name == "WM/Picture"))


def _picture(data: bytes) -> Picture:
    """Return a picture; the data are its kind, its size, two UTF-16 texts that end with NUL, and its file."""
    kind, size = struct.unpack_from("<BI", data)
    texts, start = [], 5
    for _ in range(2):
        end = next(i for i in range(start, len(data) - 1, 2) if data[i : i + 2] == b"\0\0")
        texts.append(data[start:end].decode("utf-16-le"))
        start = end + 2
    return Picture(texts[0], kind, texts[1], data[start : start + size])
