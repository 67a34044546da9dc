"""Writing of sound files: the finished file replaces an existing one in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from .disk_samples import SampleFile, Samples
from .encoding import Kept, encoder_options, set_mask
from .formats import check_quality, check_subtype, clips, format_written
from .layouts import vorbis_order
from .levels import fitting_scale, peak, ratio_to_db
from .limiter import ChosenLimiter, choose_limiter
from .names import soundfile_name
from .resampling import resample_blocks

WRITE_SAMPLES = 1 << 16
"""The most samples per channel in one write."""


class WrittenLevel(NamedTuple):
    """Changes of level that made a written recording fit into full scale.

    Attributes
    ----------
    gain_db : float
        The gain of the whole recording in dB: 0.0, or negative if it was turned down.
    limited_db : float
        Additional reduction of the highest peak by the limiter in dB; 0.0 if the limiter did not act.
    """

    gain_db: float = 0.0
    limited_db: float = 0.0

    @property
    def changes(self) -> str:
        """The changes of level, in words; empty if there are none."""
        words = {"peaks limited by up to": self.limited_db, "turned down by": -self.gain_db}
        return " and ".join(f"{what} {much:.1f} dB" for what, much in words.items() if much)


def check_writable(
    path: str | os.PathLike[str],
    sample_rate: float,
    channels: int,
    n_samples: int = 0,
    subtype: str | None = None,
    asked: str | None = None,
    quality: float | None = None,
) -> None:
    """Raise ValueError unless `write_audio` can write such a recording to ``path``; see `subtype_written`."""
    check_place(path)
    subtype_written(path, sample_rate, channels, n_samples, subtype, asked, quality)
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path))):
            pass
    except OSError as error:
        raise ValueError(
            f"output {str(path)!r} must be in a folder that can be written to: {error.strerror}"
        ) from error


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if no file can be written at ``path``; nothing is written."""
    target = Path(os.path.realpath(path))
    try:
        is_other = target.exists() and not target.is_file()
    except OSError as error:
        raise ValueError(f"output {os.fspath(path)!r} can't be the name of a file: {error.strerror}") from error
    if is_other or not target.parent.is_dir():
        raise ValueError(f"output {os.fspath(path)!r} must name a file in a folder that exists")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise ValueError(f"output {os.fspath(path)!r} must be in a folder that can be written to")


def subtype_written(
    path: str | os.PathLike[str],
    sample_rate: float,
    channels: int,
    n_samples: int = 0,
    subtype: str | None = None,
    asked: str | None = None,
    quality: float | None = None,
) -> str:
    """Return the sample format that `write_audio` writes to ``path``.

    Parameters
    ----------
    path : path
    sample_rate : float
        In Hz.
    channels, n_samples : int
    subtype : str, optional
        The recording's sample format, which is kept if the format has it.
    asked : str, optional
        The sample format that the user asks for instead.
    quality : float, optional
        Bit rate that the user asks for, in kbit/s.

    Raises
    ------
    ValueError
        If the format does not have the sample format or bit rate that the user asks for.
    """
    check_subtype(asked)
    container, written = format_written(Path(path), sample_rate, channels, n_samples, asked or subtype)
    if asked not in (None, written):
        raise ValueError(f"subtype={asked!r} can't be written to {os.fspath(path)!r}: {container} doesn't have it")
    check_quality(quality, Path(path), sample_rate, written)
    return written


@contextlib.contextmanager
def writing_errors(target: str | os.PathLike[str]) -> Iterator[None]:
    """Name the output in errors of the operating system and of libsndfile; reading raises ValueError instead."""
    try:
        yield
    except BrokenPipeError:  # from the caller's progress function
        raise
    except (OSError, soundfile.SoundFileError) as error:
        if isinstance(error, OSError) and error.errno is None:  # an error of this package, which already names the file
            raise
        reason = error.strerror if isinstance(error, OSError) else error
        raise OSError(f"output {os.fspath(target)!r} can't be written: {reason}") from error


def write_audio(
    path: str | os.PathLike[str],
    audio: Samples,
    sample_rate: float,
    subtype: str | None = None,
    kept: Kept | None = None,
    full_scale: float | None = None,
    *,
    limit: bool = False,
    warn: bool = True,
    rate: float | None = None,
) -> WrittenLevel:
    """Write a recording to ``path``, and replace an existing file only when the new one is finished.

    A symbolic link is followed, but its own ending names the format. The new file gets the permissions of the replaced
    one. A WAV file that would be too large is written as RF64.

    Parameters
    ----------
    path : path
        The ending names the format.
    audio : Samples (channels, samples), or array (samples,)
    sample_rate : float
        In Hz; a whole number.
    subtype : str, optional
        libsndfile's name of the sample format; if the format doesn't have it, the format's default is used.
    kept : Kept, optional
        Properties that are kept of the recording from which the audio was made.
    full_scale : float, optional
        The amplitude that becomes full scale, in any format. By default 1, or for audio that would clip the amplitude
        that brings its true peak to 1 dB below full scale.
    limit : bool
        Whether peaks that would clip are limited, as far as that loses at most 1 dB of RMS, before the audio is turned
        down: see `limiter`. It does not apply with ``full_scale``.
    warn : bool
        Whether to warn if the audio was limited or turned down.
    rate : float, optional
        The sample rate to write, in Hz; by default that of the audio.

    Returns
    -------
    WrittenLevel

    Raises
    ------
    ValueError
        If the folder doesn't exist, or the format can't hold the rate, the channels or the number of samples, or if the
        written file does not have them.
    OSError, soundfile.SoundFileError
        If the file can't be written.

    Warns
    -----
    UserWarning
        When the file is finished: if the format clips at full scale and the audio had to be limited or turned down to
        fit, or if the format can't hold all properties in ``kept``.
    """
    path, target = Path(path), Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise ValueError(f"output {str(path)!r} must name a file in a folder that exists")
    kept = kept or Kept()
    with contextlib.ExitStack() as files:
        if isinstance(audio, np.ndarray):
            audio = np.atleast_2d(audio)
        if rate not in (None, sample_rate):
            converted = files.enter_context(SampleFile(target.parent, audio.shape[0]))
            for block in resample_blocks(audio, sample_rate, rate):
                converted.append(block)
            audio, sample_rate = converted, rate
        file_format, subtype = format_written(path, sample_rate, audio.shape[0], audio.shape[1], subtype)
        limited, is_given = None, full_scale is not None
        if full_scale is None:
            loudest = peak(audio) if clips(subtype) else 0.0
            limited = choose_limiter(audio, sample_rate, loudest) if limit and loudest > 1 else None
            full_scale = fitting_scale(limited.limiter.ceiling if limited else loudest, _blocks(audio, limited))
        lost = _write(path, target, audio, sample_rate, (file_format, subtype), kept, full_scale, limited)
    level = _written_level(full_scale, limited)
    if warn and level.changes and not is_given:
        remedy = "subtype='FLOAT' avoids this"
        warnings.warn(f"{path}: {level.changes}, because {subtype} clips at full scale; {remedy}", stacklevel=2)
    if warn and lost:
        warnings.warn(f"{path}: {file_format} can't hold the {', '.join(lost)} of the recording", stacklevel=2)
    return level


def _write(
    path: Path,
    target: Path,
    audio: Samples,
    sample_rate: float,
    coding: tuple[str, str],
    kept: Kept,
    full_scale: float,
    limited: ChosenLimiter | None,
) -> tuple[str, ...]:
    """Write a recording, check the new file, and move it to its place; return names of the parts that were lost."""
    (channels, n_samples), (file_format, subtype) = audio.shape, coding
    has_mask = kept.layout is not None and kept.layout.is_needed(channels) and file_format in ("WAV", "RF64")
    options = encoder_options(subtype, sample_rate, channels, kept.kbits)
    with _replacement(target, path.suffix) as partial:
        written_format = "WAVEX" if has_mask and file_format == "WAV" else file_format
        with soundfile.SoundFile(
            soundfile_name(partial), "w", int(sample_rate), channels, subtype, format=written_format, **options
        ) as file:
            for block in _blocks(audio, limited):
                scaled = block / np.float32(full_scale)
                file.write((vorbis_order(scaled) if file_format == "OGG" else scaled).T)
        if not n_samples and not partial.stat().st_size:
            raise ValueError(f"output {str(path)!r}: {file_format} can't hold an empty recording")
        if has_mask and kept.layout is not None:
            set_mask(partial, kept.layout)
        lost = kept.write_metadata(partial, written_format)
        _check_written(path, partial, (int(sample_rate), channels, n_samples))
    return lost


def _check_written(path: Path, partial: Path, shape: tuple[int, int, int]) -> None:
    """Raise ValueError unless the header of a file has the expected rate, channels and samples."""
    info = soundfile.info(soundfile_name(partial))
    written = info.samplerate, info.channels, info.frames
    if written != shape and shape[2]:
        raise ValueError(
            f"output {str(path)!r}: the file has {written[2]} samples at {written[0]} Hz in {written[1]} channels "
            f"instead of {shape[2]} samples at {shape[0]} Hz in {shape[1]} channels"
        )


def _written_level(full_scale: float, limited: ChosenLimiter | None) -> WrittenLevel:
    """Return the level of a recording that is divided by ``full_scale`` after its limiter."""
    gains = full_scale, 1 / limited.reduction if limited else 1.0
    return WrittenLevel(0.0 - ratio_to_db(gains[0]), ratio_to_db(gains[1]))  # not -0.0 at full scale


def _blocks(audio: Samples, limited: ChosenLimiter | None) -> Iterator[np.ndarray]:
    """Yield a recording block by block, limited if it has a limiter."""
    if limited:
        yield from (block for block, _ in limited.limiter.blocks(audio))
    else:
        yield from (audio[:, i : i + WRITE_SAMPLES] for i in range(0, audio.shape[1], WRITE_SAMPLES))


@contextlib.contextmanager
def _replacement(target: Path, suffix: str) -> Iterator[Path]:
    """Yield the path of a new file, which then replaces ``target`` and takes over its permissions.

    After an error the new file is deleted, and ``target`` is not changed.
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
    """Force a file's data to disk; a file that is renamed before could be empty after a loss of power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
