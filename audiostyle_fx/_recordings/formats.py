"""Formats of sound files: which formats can be written, and which recordings each can hold."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

VORBIS_MAX_RATE = 200_000
"""The highest sample rate in Hz that is written to OGG."""

RIFF_BYTES = 2**32 - 2**20
"""The most bytes of samples in a file with 32-bit length fields, less a margin for its header and tags."""

LOSSY = ("MPEG_LAYER_III", "VORBIS", "OPUS")
"""Sample formats that are written with a bit rate."""

OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
"""The sample rates in Hz of Opus."""

SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Bytes per sample of the sample formats without compression. The others need at most one."""

UNLIMITED = {"RF64", "W64", "CAF", "FLAC", "OGG", "MP3"}
"""Formats that can hold more than `RIFF_BYTES`; WAV becomes RF64 then."""

NO_HEADER = {"RAW", "SD2"}
"""Formats whose files don't contain their rate and channels; they are neither read nor written."""

ONLY_READ = {"SDS"}
"""Formats that libsndfile 1.2.2 writes without their last samples."""


_SYNONYMS = {
    "AIF": "AIFF",
    "AIFC": "AIFF",
    "BWF": "WAV",
    "OGA": "OGG",
    "OPUS": "OGG",
    "SND": "AU",
    "WAVE": "WAV",
}
"""Formats by endings that are not libsndfile's names."""

USUAL_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".caf", ".w64", ".au")
"""Endings that errors suggest."""

TRIAL_SAMPLES = (1, 1001, 4099)
"""Lengths that a format must keep; formats with blocks of fixed size or an even number of bytes don't."""


def endings(*, written: bool = False) -> set[str]:
    """Return the endings of sound files that can be read, or that can also be written, such as ".wav"."""
    names = {*soundfile.available_formats(), *_SYNONYMS} - NO_HEADER
    return {f".{name.lower()}" for name in names - (ONLY_READ if written else set())}


def check_subtype(subtype: str | None) -> None:
    """Raise ValueError unless ``subtype`` is None or libsndfile's name of a sample format."""
    known = soundfile.available_subtypes()
    if subtype is not None and subtype not in known:
        raise ValueError(f"subtype={subtype!r} must be None or one of {', '.join(known)}")


def check_quality(quality: float | None, path: Path, sample_rate: float, subtype: str) -> None:
    """Raise ValueError unless ``quality`` is None, or a bit rate in kbit/s and the format is lossy."""
    if quality is None:
        return
    if subtype not in LOSSY:
        raise ValueError(f"quality={quality!r} only applies to MP3, Vorbis and Opus, not to {os.fspath(path)!r}")
    least = least_kbits(subtype, sample_rate)
    if not least <= quality <= 512:
        raise ValueError(f"quality={quality!r} must be from {least:g} to 512 kbit/s")


def least_kbits(subtype: str, sample_rate: float) -> float:
    """Return the lowest bit rate in kbit/s: below it, MP3 frames have no room for the length of the recording."""
    if subtype != "MPEG_LAYER_III":
        return 8
    return 56 if sample_rate >= 16000 else 24


def clips(subtype: str) -> bool:
    """Return whether a sample format can't hold samples beyond full scale."""
    return subtype not in ("FLOAT", "DOUBLE")


def format_written(
    path: Path, sample_rate: float, channels: int, n_samples: int, subtype: str | None
) -> tuple[str, str]:
    """Return the format and sample format in which `write_audio` writes a recording, by libsndfile's names.

    Parameters
    ----------
    path : Path
        Its ending names the format.
    sample_rate : float
        In Hz.
    channels, n_samples : int
        Shape of the recording.
    subtype : str, optional
        The wanted sample format; if the format doesn't have it, the format's default is used.

    Raises
    ------
    ValueError
        If there is no such format, or it can't hold the rate, the channels or the number of samples.
    """
    file_format, known = _format_of_ending(path), soundfile.available_formats().keys() - NO_HEADER - ONLY_READ
    if file_format not in known:
        others = len(endings(written=True)) - len(USUAL_ENDINGS)
        raise ValueError(
            f"output {str(path)!r}: the format must be one of {', '.join(USUAL_ENDINGS)}, or one of {others} others"
        )
    if not float(sample_rate).is_integer():
        raise ValueError(
            f"output {str(path)!r}: sound files can't hold a sample rate of {sample_rate} Hz; it must be a whole number"
        )
    usual = "OPUS" if path.suffix.lower() == ".opus" else soundfile.default_subtype(file_format)
    if usual == "OPUS" or subtype is None or not _can_write(file_format, subtype, sample_rate, channels):
        subtype = usual
        if usual == "OPUS" and sample_rate not in OPUS_RATES:
            rates = ", ".join(str(rate) for rate in OPUS_RATES)
            raise ValueError(
                f"output {str(path)!r}: Opus can't hold {sample_rate:.0f} Hz, only {rates} Hz; rate=48000 converts the "
                "result"
            )
        if not _can_write(file_format, subtype, sample_rate, channels):
            raise ValueError(
                f"output {str(path)!r}: {file_format} can't hold {channels} channel{'s' * (channels != 1)} "
                f"at {sample_rate:.0f} Hz"
            )
    size = channels * n_samples * SAMPLE_BYTES.get(subtype, 1)
    if size > RIFF_BYTES and file_format in ("WAV", "WAVEX"):
        file_format = "RF64"
        if not _can_write(file_format, subtype, sample_rate, channels):
            subtype = soundfile.default_subtype(file_format)
    elif size > RIFF_BYTES and file_format not in UNLIMITED:
        raise ValueError(f"output {str(path)!r}: {file_format} can't hold {size / 2**30:.1f} GiB; .wav can")
    return file_format, subtype


def _format_of_ending(path: Path) -> str:
    """Return libsndfile's name of the format that the ending of a file names."""
    ending = path.suffix[1:].upper()
    return _SYNONYMS.get(ending, ending)


@contextmanager
def _trial(file_format: str) -> Iterator[io.BytesIO | str]:
    """Give a place to write: memory, or a file for MP3, which libsndfile can't open in memory next to a file "._"."""
    if file_format != "MP3":
        yield io.BytesIO()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield os.path.join(folder, "trial.mp3")


@lru_cache(maxsize=256)
def _can_write(file_format: str, subtype: str, sample_rate: float, channels: int) -> bool:
    """Try with a few samples whether a format keeps such a recording.

    A trial is needed because some formats open at any rate and fail at the first sample, write another rate into their
    header, or change the length. OGG beyond `VORBIS_MAX_RATE` is refused without a trial.
    """
    if file_format == "OGG" and sample_rate > VORBIS_MAX_RATE:
        return False
    try:
        for n_samples in TRIAL_SAMPLES:
            with _trial(file_format) as trial:
                with soundfile.SoundFile(trial, "w", int(sample_rate), channels, subtype, format=file_format) as file:
                    file.write(np.zeros((n_samples, channels), np.float32))
                if isinstance(trial, io.BytesIO):
                    trial.seek(0)
                with soundfile.SoundFile(trial) as file:
                    if (file.samplerate, file.channels, file.frames) != (sample_rate, channels, n_samples):
                        return False
        return True
    except (ValueError, TypeError, OverflowError, soundfile.SoundFileError):
        return False
