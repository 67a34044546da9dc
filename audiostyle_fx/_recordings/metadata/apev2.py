"""APEv2 tags of WavPack, Monkey's Audio, Musepack and the like; these are only read."""

from __future__ import annotations

from typing import Any

from mutagen.apev2 import TEXT, APEv2

from .bounded_file import BoundedFile
from .model import Metadata, Picture
from .names import usable_tags

PICTURES = {"cover art (front)": 3, "cover art (back)": 4}
MIME_TYPES = {b"\x89PNG": "image/png", b"GIF8": "image/gif"}


def read_apev2(file: BoundedFile) -> Metadata:
    """Return the metadata in the APEv2 tag of a file."""
    values: Any = APEv2(file)
    tags = usable_tags((name, text) for name, value in values.items() if value.kind == TEXT for text in value)
    pictures = []
    for name, value in values.items():
        if (kind := PICTURES.get(name.lower())) and value.kind != TEXT:
            data = value.value.partition(b"\0")[2]  # the picture follows its file name
            pictures.append(Picture(MIME_TYPES.get(data[:4], "image/jpeg"), kind, "", data))
    return Metadata(tags, tuple(pictures))
