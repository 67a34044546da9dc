"""The choice of a decoder for a file."""

from __future__ import annotations

import os
from importlib.util import find_spec

import soundfile

from .aiff import inspect_aiff
from .decoder import Decoder
from .flac import bits_per_sample, inspect_flac, last_sample
from .inspection import Inspection
from .lengths import inspect_length
from .mp4 import inspect_mp4
from .mpeg import frame_header, inspect_mpeg, tag_size
from .ogg import inspect_ogg
from .riff import inspect_riff
from .sndfile_decoder import SndfileDecoder

HEAD = 1 << 16


def open_decoder(path: str | os.PathLike[str]) -> Decoder:
    """Open a file with the first library that reads it: libsndfile, pedalboard for FLAC, PyAV if it is installed.

    Raises
    ------
    OSError
        If the file can't be opened.
    ValueError
        If no library reads the file; the message says how it could be read.
    """
    inspection = inspect(path)
    try:
        return SndfileDecoder(path, inspection)
    except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:  # TypeError: a headerless file
        reason = _reason(error)
    if find_spec("av"):
        from .av_decoder import AvDecoder

        try:
            return AvDecoder(path, inspection)
        except ValueError as error:
            raise ValueError(f"neither libsndfile ({reason}) nor FFmpeg ({error}) can read it") from error
    bits = bits_per_sample(path)
    if bits is not None:
        from .pedalboard_decoder import PedalboardDecoder

        try:
            return PedalboardDecoder(path, bits, last_sample(path), inspection.notes)
        except ValueError as error:
            reason = f"{reason}; pedalboard: {error}"
    raise ValueError(
        f"{reason} PyAV may read it: `pip install av`; or convert it: `ffmpeg -i {os.fspath(path)} -f wav - | "
        "audiostyle - ...`"
    )


def _reason(error: Exception) -> str:
    """Return the reason why libsndfile does not read an existing file."""
    reason = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error)
    return "its format is not recognised." if "not exist" in reason or "headerless" in reason else reason


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Inspect a file of a format whose headers may be wrong, such as WAV, AIFF, FLAC, Ogg and MP3.

    Raises
    ------
    ValueError
        If the file is empty, or a WAV or AIFF file without sound.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
        if not head:
            raise ValueError("the file is empty")
        start = tag_size(head, 0)
        for inspect_kind in (inspect_riff, inspect_aiff, inspect_length, inspect_mp4):
            file.seek(0)
            inspection = inspect_kind(file)
            if inspection is not None:
                return inspection
        for inspect_tagged in (inspect_flac, inspect_ogg):
            inspection = inspect_tagged(file, start)
            if inspection is not None:
                return inspection
        if start or frame_header(head, 0) or (is_named_mpeg(path) and head[4:8] != b"ftyp"):
            return inspect_mpeg(file, start) or Inspection()
    return Inspection()


def is_named_mpeg(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name has an ending of MP3 or MP2."""
    return os.path.splitext(path)[1].lower() in (".mp3", ".mp2", ".mpga")
