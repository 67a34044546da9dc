"""Which formats can be written, and what they can hold."""

from __future__ import annotations

import io
from pathlib import Path

import soundfile

VORBIS_MAX_RATE = 200_000
"""In Hz; libvorbis crashes beyond it."""


RIFF_BYTES = 2**32 - 2**20
"""Samples that a file whose lengths have 32 bits holds, less a margin for its header and tags."""


SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Of the sample formats that do not compress; those that do need at most one."""


UNLIMITED = {"RF64", "W64", "CAF", "FLAC", "OGG", "MP3"}
"""Formats that hold more than that; WAV does as RF64."""


NO_HEADER = {"RAW", "SD2"}
"""Formats whose files do not say themselves what is in them."""


def endings(*, written: bool = False) -> set[str]:
    """The endings of sound files, in small letters, with their dots; all that can be read, or those written too."""
    names = {*soundfile.available_formats(), "AIF", "OGA", "OPUS"} - NO_HEADER
    return {f".{name.lower()}" for name in names - {"OPUS" if written else None}}


def check_subtype(subtype: str | None) -> None:
    """Raise ValueError unless it is None or the name of a sample format."""
    known = soundfile.available_subtypes()
    if subtype is not None and subtype not in known:
        raise ValueError(f"subtype={subtype!r} must be None or one of {', '.join(known)}")


def clips(subtype: str) -> bool:
    """Whether a sample format holds nothing beyond full scale."""
    return subtype not in ("FLOAT", "DOUBLE")


def format_written(path: Path, sample_rate: int, channels: int, n_samples: int, subtype: str | None) -> tuple[str, str]:
    """Format and sample format that `write_audio` writes, by libsndfile's names.

    Raises
    ------
    ValueError
        If there is no such format, or if it can't hold the rate, the channels or so many samples.
    """
    file_format, known = _format(path), soundfile.available_formats().keys() - NO_HEADER
    if file_format not in known:
        allowed = ", ".join(f".{name.lower()}" for name in sorted(known))
        raise ValueError(f"output {str(path)!r}: the format must be one of {allowed}")
    if subtype is None or not _takes(file_format, subtype, sample_rate, channels):
        subtype = soundfile.default_subtype(file_format)
        if not _takes(file_format, subtype, sample_rate, channels):
            raise ValueError(f"output {str(path)!r}: {file_format} can't hold {channels} channels at {sample_rate} Hz")
    size = channels * n_samples * SAMPLE_BYTES.get(subtype, 1)
    if size > RIFF_BYTES and file_format in ("WAV", "WAVEX"):
        file_format = "RF64"
        if not _takes(file_format, subtype, sample_rate, channels):
            subtype = soundfile.default_subtype(file_format)
    elif size > RIFF_BYTES and file_format not in UNLIMITED:
        raise ValueError(f"output {str(path)!r}: {file_format} can't hold {size / 2**30:.1f} GiB; .wav can")
    return file_format, subtype


def _format(path: Path) -> str:
    """The name that libsndfile gives the format of a file's ending."""
    ending = path.suffix[1:].upper()
    return {"AIF": "AIFF", "OGA": "OGG"}.get(ending, ending)


def _takes(file_format: str, subtype: str, sample_rate: int, channels: int) -> bool:
    """Whether the format can be written so, and keeps the rate; only trying tells.

    Some open at any rate and fail at the first sample, or write another rate into their header; and Vorbis at rates
    beyond its own must not be tried.
    """
    if file_format == "OGG" and sample_rate > VORBIS_MAX_RATE:
        return False
    held = io.BytesIO()
    try:
        with soundfile.SoundFile(held, "w", sample_rate, channels, subtype, format=file_format) as file:
            file.buffer_write(bytes(4 * channels), "float32")
        held.seek(0)
        with soundfile.SoundFile(held) as file:
            return (file.samplerate, file.channels) == (sample_rate, channels)
    except (ValueError, TypeError, soundfile.SoundFileError):
        return False
