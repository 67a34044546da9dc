"""Writing sound files: the finished file replaces an earlier one in one step."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from .disk_samples import Samples
from .files import _name
from .formats import clips, format_written
from .levels import decibels

WRITE_SAMPLES = 1 << 16
"""Samples written at a time: Vorbis takes as much of the stack as it is given to encode at once."""


def check_writable(
    path: str | os.PathLike[str], sample_rate: int, channels: int, n_samples: int = 0, subtype: str | None = None
) -> None:
    """Raise ValueError unless `write_audio` can write such a recording to ``path``."""
    path, target = Path(path), Path(os.path.realpath(path))
    if (target.exists() and not target.is_file()) or not target.parent.is_dir():
        raise ValueError(f"output {str(path)!r} must name a file in a folder that exists")
    format_written(path, sample_rate, channels, n_samples, subtype)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise ValueError(f"output {str(path)!r} must be in a folder that can be written to: {error}") from error


def write_audio(
    path: str | os.PathLike[str],
    audio: Samples,
    sample_rate: int,
    subtype: str | None = None,
    tags: Mapping[str, str] | None = None,
    full_scale: float | None = None,
) -> float:
    """Write a recording, (channels, samples), to ``path``, which is replaced only by the finished file.

    A link is followed, but its own ending names the format. A file that is replaced passes on its permissions. More
    than fits into WAV becomes RF64.

    Parameters
    ----------
    subtype : str, optional
        libsndfile's name of the sample format; the format's default where it has no such one.
    tags : mapping of str to str, optional
        As `read_format` gives them; those that the format can't hold are left out.
    full_scale : float, optional
        The level that becomes full scale, also in formats that don't clip; by default 1, or the peak where it clips.

    Returns
    -------
    float
        Gain in dB by which the audio was turned down: 0 or negative.

    Raises
    ------
    ValueError
        If the format can't hold the rate, the channels or so many samples.

    Warns
    -----
    UserWarning
        If the format clips at full scale and the audio had to be turned down to fit.
    """
    path, target = Path(path), Path(os.path.realpath(path))
    channels, n_samples = audio.shape
    file_format, subtype = format_written(path, sample_rate, channels, n_samples, subtype)
    starts = range(0, n_samples, WRITE_SAMPLES)
    if full_scale is None:
        full_scale = max(1.0, peak(audio)) if clips(subtype) else 1.0
        if full_scale > 1:
            how = f"turned down by {decibels(full_scale)}, as {subtype} clips at full scale"
            warnings.warn(f"{path}: {how}", stacklevel=2)
    partial = target.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        with soundfile.SoundFile(_name(partial), "w", sample_rate, channels, subtype, format=file_format) as file:
            for name, value in (tags or {}).items():
                with contextlib.suppress(soundfile.SoundFileError):  # a format without this tag
                    setattr(file, name, value)
            for at in starts:
                file.write((audio[:, at : at + WRITE_SAMPLES] / np.float32(full_scale)).T)
        if target.exists():
            shutil.copymode(target, partial)
        sync(partial)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return -20 * math.log10(full_scale) if full_scale > 1 else 0.0


def sync(path: Path) -> None:
    """Bring a file to the disk: renamed before, it could be empty after a loss of power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def peak(audio: Samples) -> float:
    """The largest magnitude of samples (channels, samples)."""
    starts = range(0, audio.shape[1], WRITE_SAMPLES)
    return max((float(np.abs(audio[:, at : at + WRITE_SAMPLES]).max(initial=0.0)) for at in starts), default=0.0)
