"""Reading of the metadata of sound files of any format."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from .aiff import read_aiff
from .apev2 import read_apev2
from .asf import read_asf
from .bounded_file import BoundedFile
from .caf import read_caf
from .id3 import read_id3
from .model import Metadata
from .mp4 import read_mp4
from .riff import read_riff
from .vorbis_comments import read_flac, read_ogg


def read_metadata(path: str | os.PathLike[str]) -> Metadata:
    """Return the readable metadata of a sound file; they are empty for an unknown or damaged file.

    Tags that describe the file rather than the recording, such as ReplayGain and encoders, are left out.
    """
    metadata = Metadata()
    with contextlib.suppress(Exception), Path(path).open("rb") as file:  # mutagen raises all kinds of errors
        bounded = BoundedFile(file)
        start = bounded.read(16)
        bounded.seek(0)
        metadata = _reader(start)(bounded)
    return metadata


def _reader(start: bytes) -> Callable[[BoundedFile], Metadata]:
    """Return the function that reads the metadata of a file with these first bytes."""
    if start[:4] in (b"RIFF", b"RF64", b"BW64") and start[8:12] == b"WAVE":
        return lambda file: read_riff(file, "<")
    if start[:4] == b"RIFX":
        return lambda file: read_riff(file, ">")
    if start[:4] == b"FORM":
        return read_aiff
    if start[4:8] == b"ftyp":
        return read_mp4
    if start.startswith(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")):
        return read_asf
    readers = {b"caff": read_caf, b"fLaC": read_flac, b"OggS": read_ogg}
    packed = dict.fromkeys((b"wvpk", b"MAC ", b"MPCK", b"MP+\x07", b"OFR "), read_apev2)
    return {**readers, **packed}.get(start[:4], read_id3)
