"""Vorbis comments: the tags of FLAC and Ogg files."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mutagen.flac import FLAC
from mutagen.flac import Picture as FlacPicture
from mutagen.oggflac import OggFLAC, OggFLACStreamInfo, OggFLACVComment
from mutagen.oggopus import OggOpus, OggOpusInfo, OggOpusVComment
from mutagen.oggspeex import OggSpeex, OggSpeexInfo, OggSpeexVComment
from mutagen.oggvorbis import OggVCommentDict, OggVorbis, OggVorbisInfo

from .bounded_file import BoundedFile
from .losses import losses
from .model import Loop, Metadata, Picture
from .names import usable_tags

CODECS: dict[bytes, tuple[Any, Any, Any]] = {
    b"\x01vorbis": (OggVorbis, OggVorbisInfo, OggVCommentDict),
    b"OpusHead": (OggOpus, OggOpusInfo, OggOpusVComment),
    b"\x7fFLAC": (OggFLAC, OggFLACStreamInfo, OggFLACVComment),
    b"Speex   ": (OggSpeex, OggSpeexInfo, OggSpeexVComment),
}
"""mutagen's classes for the file, its header and its comments, by bytes near the start of the file."""

PICTURE, LOOP_START, LOOP_LENGTH = "metadata_block_picture", "loopstart", "looplength"
MAX_BLOCK = (1 << 24) - (1 << 16)
"""Bytes of the largest block of a FLAC file, less a margin."""


def read_flac(file: BoundedFile) -> Metadata:
    """Return the metadata of a FLAC file."""
    flac: Any = FLAC(file)
    return _metadata(flac.tags or (), map(_picture, flac.pictures))


def read_ogg(file: BoundedFile) -> Metadata:
    """Return the metadata of the first stream of an Ogg file.

    mutagen's classes for whole files are not used, because they read the whole file if its last page is missing.
    """
    start = file.at(0, 512)
    for magic, (_, info_of, tags_of) in CODECS.items():
        if magic in start:
            file.seek(0)
            comments = tags_of(file, info_of(file))
            pictures = [_picture(picture) for name, text in comments if (picture := _coded_picture(name, text))]
            return _metadata(comments, pictures)
    return Metadata()


def _metadata(comments: Iterable[tuple[str, str]], pictures: Iterable[Picture]) -> Metadata:
    tags = usable_tags(pair for pair in comments if pair[0].lower() not in (PICTURE, "coverart", "coverartmime"))
    loops: tuple[Loop, ...] = ()
    with contextlib.suppress(KeyError, ValueError):
        start, length = int(tags[LOOP_START]), int(tags[LOOP_LENGTH])
        if start >= 0 and length > 0:
            loops = (Loop(start, start + length),)
            tags = {name: text for name, text in tags.items() if name not in (LOOP_START, LOOP_LENGTH)}
    return Metadata(tags, tuple(pictures), loops)


def _picture(picture: Any) -> Picture:
    return Picture(picture.mime, int(picture.type), picture.desc, bytes(picture.data))


def _coded_picture(name: str, text: str) -> FlacPicture | None:
    """Return the picture in a comment, or None."""
    if name.lower() == PICTURE:
        with contextlib.suppress(Exception):  # a damaged picture makes mutagen and base64 raise all kinds of errors
            return FlacPicture(base64.b64decode(text))
    return None


def write_flac(path: Path, metadata: Metadata) -> list[str]:
    """Add tags, pictures and one loop to a FLAC file; return names of the parts that it can't hold."""
    flac: Any = FLAC(path)
    comments, lost = _comments(metadata)
    if sum(len(name) + len(text.encode()) for name, text in comments) > MAX_BLOCK:
        comments, lost = [], losses(metadata, "pictures")
    if flac.tags is None:
        flac.add_tags()
    flac.tags.extend(comments)
    for picture in metadata.pictures:
        if len(picture.data) <= MAX_BLOCK:
            flac.add_picture(_flac_picture(picture))
    if comments or flac.pictures:
        flac.save()
    return lost + ["large pictures"] * any(len(picture.data) > MAX_BLOCK for picture in metadata.pictures)


def write_ogg(path: Path, metadata: Metadata) -> list[str]:
    """Add tags, pictures and one loop to an Ogg file; return names of the parts that it can't hold."""
    with path.open("rb") as file:
        start = file.read(512)
    kind = next((kinds[0] for magic, kinds in CODECS.items() if magic in start), None)
    if kind is None:
        return losses(metadata)
    comments, lost = _comments(metadata)
    for picture in metadata.pictures:
        comments.append((PICTURE.upper(), base64.b64encode(_flac_picture(picture).write()).decode()))
    if comments:
        ogg = kind(path)
        ogg.tags.extend(comments)
        ogg.save()
    return lost


def _comments(metadata: Metadata) -> tuple[list[tuple[str, str]], list[str]]:
    """Return comments with the tags and the loop of a recording, and names of the parts that they can't hold."""
    named = [name for name in metadata.tags if _is_name(name)]
    comments = [(name.upper(), metadata.tags[name]) for name in named]
    held = ["pictures"]
    if len(metadata.loops) == 1 and metadata.loops == (Loop(metadata.loops[0].start, metadata.loops[0].end),):
        loop = metadata.loops[0]
        comments += [(LOOP_START.upper(), str(loop.start)), (LOOP_LENGTH.upper(), str(loop.end - loop.start))]
        held.append("loops")
    return comments, losses(metadata, *held, tags=named)


def _is_name(name: str) -> bool:
    """Return whether a comment may have this name: printable ASCII without "="."""
    return bool(name) and all(" " <= letter <= "}" and letter != "=" for letter in name)


def _flac_picture(picture: Picture) -> FlacPicture:
    made = FlacPicture()
    made.mime, made.type, made.desc, made.data = picture.mime, picture.kind, picture.description, picture.data
    return made
