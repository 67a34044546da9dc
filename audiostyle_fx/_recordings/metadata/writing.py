"""Writing of metadata to finished sound files."""

from __future__ import annotations

import os
from pathlib import Path

from .aiff import write_aiff
from .caf import write_caf
from .id3 import write_mp3
from .losses import losses
from .model import Metadata
from .riff import write_riff
from .vorbis_comments import write_flac, write_ogg

WRITERS = {
    "WAV": write_riff,
    "WAVEX": write_riff,
    "RF64": write_riff,
    "AIFF": write_aiff,
    "CAF": write_caf,
    "FLAC": write_flac,
    "OGG": write_ogg,
    "MP3": write_mp3,
}
"""Functions by libsndfile's names of formats. Files of other formats are not changed."""


def write_metadata(path: str | os.PathLike[str], file_format: str, metadata: Metadata) -> tuple[str, ...]:
    """Add metadata to a finished sound file without metadata; its audio is not changed.

    Parameters
    ----------
    path : path
    file_format : str
        libsndfile's name of the file's format.
    metadata : Metadata

    Returns
    -------
    tuple of str
        Names of the parts that the format can't hold, such as "pictures", "cue points" or "tag composer".

    Raises
    ------
    OSError, mutagen.MutagenError
        If the file can't be written.
    """
    writer = WRITERS.get(file_format)
    return tuple(writer(Path(path), metadata) if writer else losses(metadata))
