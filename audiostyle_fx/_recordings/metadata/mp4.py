"""Tags of MP4 and M4A files; these are only read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mutagen.mp4 import MP4, AtomDataType

from .bounded_file import BoundedFile
from .model import Metadata, Picture
from .names import usable_tags

ATOMS = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "\xa9alb": "album",
    "\xa9day": "date",
    "\xa9gen": "genre",
    "trkn": "tracknumber",
    "\xa9cmt": "comment",
    "cprt": "copyright",
    "aART": "albumartist",
    "\xa9wrt": "composer",
    "\xa9grp": "grouping",
    "\xa9lyr": "lyrics",
    "desc": "description",
    "disk": "discnumber",
    "tmpo": "bpm",
    "soal": "albumsort",
    "soar": "artistsort",
    "sonm": "titlesort",
    "soaa": "albumartistsort",
    "soco": "composersort",
}
MIME_TYPES = {AtomDataType.PNG: "image/png", AtomDataType.BMP: "image/bmp", AtomDataType.GIF: "image/gif"}
FRONT_COVER = 3


def read_mp4(file: BoundedFile) -> Metadata:
    """Return the metadata of an MP4 file."""
    tags: Any = MP4(file).tags or {}
    pictures = tuple(
        Picture(MIME_TYPES.get(cover.imageformat, "image/jpeg"), FRONT_COVER, "", bytes(cover))
        for cover in tags.get("covr", ())
    )
    return Metadata(usable_tags(pair for name, values in tags.items() for pair in _texts(name, values)), pictures)


def _texts(atom: str, values: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each value of an atom."""
    if atom.startswith("----:"):
        yield from ((atom.split(":", 2)[-1], bytes(value).decode(errors="replace")) for value in values)
    elif atom == "cpil":
        yield from [("compilation", "1")] if values else []
    elif name := ATOMS.get(atom):
        for value in values:
            yield name, "/".join(str(part) for part in value if part) if isinstance(value, tuple) else str(value)
