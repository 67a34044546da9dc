"""Tags of sound files: title, artist and the like.

libsndfile knows ten: title, artist, album, date, genre, tracknumber, comment, copyright, license and software. Each
format holds some of them; WAV, for example, has no license, and W64 and AU have no tags at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import soundfile


def read_tags(file: soundfile.SoundFile) -> dict[str, str]:
    """Return the tags of an open file by name, without empty ones."""
    return {name: text for name, text in file.copy_metadata().items() if text}


def write_tags(file: soundfile.SoundFile, tags: Mapping[str, str]) -> None:
    """Set tags of a file that is open for writing, before its first sample; skip those that its format can't hold."""
    for name, text in tags.items():
        with contextlib.suppress(soundfile.SoundFileError):  # the format has no such tag
            setattr(file, name, text)
