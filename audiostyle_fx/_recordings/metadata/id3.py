"""ID3 tags: of MP3 files, and in a chunk of WAV and AIFF files.

Tags are written as ID3v2.3, with text beyond ASCII in UTF-16: all players read version 2.3, but Windows before version
10 and many car and hi-fi players don't read version 2.4 and its UTF-8. Latin-1 is not used beyond ASCII, because
players on a system with another code page show other letters.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mutagen import id3

from .bounded_file import BoundedFile
from .losses import losses
from .model import Metadata, Picture
from .names import usable_tags

FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "date": "TDRC",
    "genre": "TCON",
    "tracknumber": "TRCK",
    "copyright": "TCOP",
    "software": "TSSE",
    "albumartist": "TPE2",
    "arranger": "TPE4",
    "bpm": "TBPM",
    "compilation": "TCMP",
    "composer": "TCOM",
    "conductor": "TPE3",
    "discnumber": "TPOS",
    "grouping": "TIT1",
    "initialkey": "TKEY",
    "isrc": "TSRC",
    "label": "TPUB",
    "language": "TLAN",
    "lyricist": "TEXT",
    "media": "TMED",
    "originalartist": "TOPE",
    "subtitle": "TIT3",
}
READ_FRAMES = {frame: name for name, frame in FRAMES.items()} | {
    "TDOR": "originaldate",
    "TDRL": "releasedate",
    "TMOO": "mood",
    "TSST": "discsubtitle",
    "TSOA": "albumsort",
    "TSOP": "artistsort",
    "TSOT": "titlesort",
    "TSO2": "albumartistsort",
    "TSOC": "composersort",
}
"""Names of tags by frame. Version 2.3 lacks the frames listed here; their tags are written as user-defined frames."""

WHOLE_DATE = re.compile(r"\d{4}(-\d\d-\d\d)?")
"""The dates that version 2.3 can hold."""

FRONT_COVER = 3
V1_TAGS = ("title", "artist", "album", "date", "genre", "tracknumber", "comment")


def read_id3(file: BinaryIO | BoundedFile) -> Metadata:
    """Return the metadata in the ID3v2 tag at the start of a file, or in an ID3v1 tag at its end."""
    try:
        frames = id3.ID3(file, load_v1=False)
    except id3.ID3NoHeaderError:
        frames = id3.ID3(file)
    pictures = [
        _picture(frame) for frame in frames.getall("APIC") if frame.data and frame.mime != "-->"
    ]  # "-->" marks a link
    pictures.sort(key=lambda picture: picture.kind != FRONT_COVER)  # mutagen writes the smallest picture first
    tags = usable_tags(pair for frame in frames.values() for pair in _texts(frame))
    named = usable_tags((frame.desc, text) for frame in frames.getall("TXXX") for text in _values(frame))
    return Metadata({**tags, **named}, tuple(pictures))


def _picture(frame: Any) -> Picture:
    """Return a picture; in ID3v2.2 its format is three letters."""
    mime = frame.mime if "/" in frame.mime else f"image/{frame.mime.lower()}"
    return Picture(mime, int(frame.type), frame.desc, bytes(frame.data))


def _texts(frame: Any) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of a frame with tags, except user-defined frames."""
    if frame.FrameID in READ_FRAMES:
        values = frame.genres if frame.FrameID == "TCON" else _values(frame)
        yield from ((READ_FRAMES[frame.FrameID], text) for text in values)
    elif frame.FrameID == "COMM":
        name = f"comment:{frame.desc}" if frame.desc else "comment"
        yield from ((name, text) for text in _values(frame))
    elif frame.FrameID == "USLT":
        yield "lyrics", _repaired(frame, frame.text)
    elif frame.FrameID == "WCOP":
        yield "license", frame.url


def _values(frame: Any) -> list[str]:
    return [_repaired(frame, str(value)) for value in frame.text]


def _repaired(frame: Any, text: str) -> str:
    """Return the right text of a frame that is declared as Latin-1 but contains UTF-8.

    libsndfile writes such frames. It is very unlikely that Latin-1 text is also valid UTF-8.
    """
    if frame.encoding == id3.Encoding.LATIN1:
        try:
            return text.encode("latin-1").decode()
        except UnicodeError:
            pass
    return text


def id3_bytes(metadata: Metadata) -> bytes:
    """Return an ID3v2.3 tag with the tags and pictures of a recording."""
    buffer = io.BytesIO()
    _frames(metadata).save(buffer, v1=0, v2_version=3, padding=lambda _: 0)
    return buffer.getvalue()


def write_mp3(path: Path, metadata: Metadata) -> list[str]:
    """Add tags and pictures to an MP3 file; return names of the parts that it can't hold.

    An ID3v1 tag is added if all of its texts can be written in Latin-1.
    """
    if metadata.tags or metadata.pictures:
        _frames(metadata).save(
            path, v1=2 if all(_is_latin1(metadata.tags.get(name, "")) for name in V1_TAGS) else 0, v2_version=3
        )
    return losses(metadata, "pictures", tags=metadata.tags)


def _is_latin1(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)


def _frames(metadata: Metadata) -> id3.ID3:
    """Return the frames of an ID3v2.3 tag."""
    frames = id3.ID3()
    for name, text in metadata.tags.items():
        for frame in _text_frames(name, text):
            frames.add(frame)
    for number, picture in enumerate(metadata.pictures):  # frames.add() would keep only one picture per description
        frame = id3.APIC(id3.Encoding.UTF16, picture.mime, picture.kind, picture.description, picture.data)
        frames[f"APIC:{number}"] = frame
    frames.update_to_v23()
    return frames


def _text_frames(name: str, text: str) -> Iterator[id3.Frame]:
    """Yield the frames of one tag; a date that version 2.3 can't express gets a second frame."""
    encoding = id3.Encoding.LATIN1 if (name + text).isascii() else id3.Encoding.UTF16
    if name == "lyrics":
        yield id3.USLT(encoding, lang="eng", desc="", text=text)
    elif name == "comment" or name.startswith("comment:"):
        yield id3.COMM(encoding, lang="eng", desc=name[len("comment:") :], text=[text])
    elif name in FRAMES:
        yield getattr(id3, FRAMES[name])(encoding, text=[text])
        if name == "date" and not WHOLE_DATE.fullmatch(text):
            yield id3.TXXX(encoding, desc="DATE", text=[text])
    else:
        yield id3.TXXX(encoding, desc=name.upper(), text=[text])
