"""Writing sound files: the finished file replaces an earlier one in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from .disk_samples import Samples
from .formats import check_subtype, clips, format_written
from .levels import peak, ratio_to_db
from .limiter import ChosenLimiter, choose_limiter
from .names import soundfile_name
from .tags import write_tags

WRITE_SAMPLES = 1 << 16
"""The most samples per channel in one write."""


class WrittenLevel(NamedTuple):
    """How a written recording was fitted into full scale.

    Attributes
    ----------
    gain_db : float
        The gain of the whole recording in dB: 0.0, or negative where it was turned down.
    limited_db : float
        By how much the highest peak was limited, in dB, in addition to that; 0.0 where the limiter did not act.
    """

    gain_db: float = 0.0
    limited_db: float = 0.0

    @property
    def changes(self) -> str:
        """What was done to the recording, in words; empty where it fitted."""
        words = {"peaks limited by up to": self.limited_db, "turned down by": -self.gain_db}
        return " and ".join(f"{what} {much:.1f} dB" for what, much in words.items() if much)


def check_writable(
    path: str | os.PathLike[str], sample_rate: float, channels: int, n_samples: int = 0, subtype: str | None = None
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


def check_subtype_fits(path: str | os.PathLike[str], sample_rate: float, channels: int, subtype: str | None) -> None:
    """Raise ValueError unless the format of ``path`` has a sample format that the user asked for."""
    check_subtype(subtype)
    if subtype is not None and (written := format_written(Path(path), sample_rate, channels, 0, subtype))[1] != subtype:
        raise ValueError(f"subtype={subtype!r} can't be written to {os.fspath(path)!r}: {written[0]} doesn't have it")


def write_audio(
    path: str | os.PathLike[str],
    audio: Samples,
    sample_rate: float,
    subtype: str | None = None,
    tags: Mapping[str, str] | None = None,
    full_scale: float | None = None,
    *,
    limit: bool = False,
    warn: bool = True,
) -> WrittenLevel:
    """Write a recording to ``path``, and replace an earlier file only when the new one is finished.

    A symbolic link is followed, but its own ending names the format. A replaced file passes on its permissions. A WAV
    file that would be too large is written as RF64.

    Parameters
    ----------
    path : path
        The ending names the format.
    audio : Samples (channels, samples), or array (samples,)
    sample_rate : float
        In Hz; a whole number.
    subtype : str, optional
        libsndfile's name of the sample format; the format's default where it doesn't have this one.
    tags : mapping of str to str, optional
        By the names of `tags`; those that the format can't hold are left out.
    full_scale : float, optional
        The amplitude that becomes full scale, in any format. By default 1, or the peak of audio that would clip.
    limit : bool
        Whether peaks that would clip are limited, as far as that loses at most 1 dB of RMS, before the audio is turned
        down: see `limiter`. It does not apply with ``full_scale``.
    warn : bool
        Whether to warn where the audio was changed to fit.

    Returns
    -------
    WrittenLevel

    Raises
    ------
    ValueError
        If the folder doesn't exist, or the format can't hold the rate, the channels or so many samples.
    OSError, soundfile.SoundFileError
        If the file can't be written.

    Warns
    -----
    UserWarning
        If the format clips at full scale and the audio had to be limited or turned down to fit.
    """
    path, target = Path(path), Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise ValueError(f"output {str(path)!r} must name a file in a folder that exists")
    if isinstance(audio, np.ndarray):
        audio = np.atleast_2d(audio)
    channels, n_samples = audio.shape
    file_format, subtype = format_written(path, sample_rate, channels, n_samples, subtype)
    limited = None
    if full_scale is None:
        loudest = peak(audio) if clips(subtype) else 0.0
        limited = choose_limiter(audio, sample_rate, loudest) if limit and loudest > 1 else None
        full_scale = limited.limiter.ceiling if limited else max(1.0, loudest)
        level = _written_level(full_scale, limited)
        if warn and level.changes:
            warnings.warn(f"{path}: {level.changes}, as {subtype} clips at full scale", stacklevel=2)
    with (
        _replacement(target, path.suffix) as partial,
        soundfile.SoundFile(
            soundfile_name(partial), "w", int(sample_rate), channels, subtype, format=file_format
        ) as file,
    ):
        write_tags(file, tags or {})
        for block in _blocks(audio, limited):
            file.write((block / np.float32(full_scale)).T)
        file.close()
        if not n_samples and not partial.stat().st_size:
            raise ValueError(f"output {str(path)!r}: {file_format} can't hold an empty recording")
    return _written_level(full_scale, limited)


def _written_level(full_scale: float, limited: ChosenLimiter | None) -> WrittenLevel:
    """Return the level of a recording that is divided by ``full_scale`` after its limiter."""
    gains = full_scale, 1 / limited.reduction if limited else 1.0
    return WrittenLevel(0.0 - ratio_to_db(gains[0]), ratio_to_db(gains[1]))  # not -0.0 at full scale


def _blocks(audio: Samples, limited: ChosenLimiter | None) -> Iterator[np.ndarray]:
    """Give a recording, limited where it has a limiter, block by block."""
    if limited:
        yield from (block for block, _ in limited.limiter.blocks(audio))
    else:
        yield from (audio[:, i : i + WRITE_SAMPLES] for i in range(0, audio.shape[1], WRITE_SAMPLES))


@contextlib.contextmanager
def _replacement(target: Path, suffix: str) -> Iterator[Path]:
    """Yield the path of a new file, which then replaces ``target`` and takes over its permissions.

    After an error the new file is deleted, and ``target`` stays as it was.
    """
    partial = target.with_name(f".{uuid.uuid4().hex}{suffix}")
    try:
        yield partial
        if target.exists():
            shutil.copymode(target, partial)
        sync(partial)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Force a file's data to disk. A file that is renamed before that could be empty after a loss of power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
