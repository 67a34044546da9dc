"""Recordings: files, sample rates, channel layouts and levels. Arrays are float32 (channels, samples)."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soundfile

from .parameters import sample_rate as check_rate

MAX_CHANNELS = 32
"""An array of more channels than this, and than it has samples, is taken for a transposed one."""

WRITE_SAMPLES = 1 << 16
"""Samples written at a time: Vorbis takes as much of the stack as it is given to encode at once."""

VORBIS_MAX_RATE = 200_000
"""In Hz; libvorbis crashes beyond it."""

RMS = 0.1
"""The level recordings are brought to, -20 dBFS."""

GATE_SECONDS, GATE_DB = 0.05, -60.0
"""Pauses are blocks of this length below this level, relative to the loudest block."""

SILENCE_SECONDS = 0.01
"""A run of exact zeros at least this long is digital silence; a shorter one happens within a sound."""

FADE_SECONDS = 0.001
"""How long sound takes to rise and fall next to digital silence."""


# ---------------------------------------------------------------- arguments
def check_audio(name: str, audio: np.ndarray) -> np.ndarray:
    """The array ``name``, (channels, samples) or (samples,), as float32 (channels, samples).

    Raises
    ------
    TypeError
        If it is not a float32 or float64 array.
    ValueError
        If it has another shape, more channels than samples, or a value that is not finite.
    """
    if not isinstance(audio, np.ndarray) or audio.dtype not in (np.float32, np.float64):
        kind = f"{audio.dtype} array" if isinstance(audio, np.ndarray) else type(audio).__name__
        raise TypeError(f"{name} is a {kind}; it must be a NumPy array of float32 or float64")
    if audio.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {audio.shape}; it must be (channels, samples) or (samples,)")
    if audio.ndim == 2 and audio.shape[0] > max(MAX_CHANNELS, audio.shape[1]) and audio.size:
        raise ValueError(f"{name} has shape {audio.shape}, more channels than samples; it must be (channels, samples)")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is reported as that
        audio = np.atleast_2d(audio).astype(np.float32, order="C")
    if not np.isfinite(audio).all():
        raise ValueError(f"{name} holds NaN or infinite samples; all must be finite in float32")
    return audio


def read_style(
    style: Any, style_sample_rate: float | None = None, style_weights: Any = None
) -> tuple[np.ndarray, float | None]:
    """A style's samples, float32 (channels, samples), and its rate in Hz, None where it is the content's.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is missing, unreadable, empty, silent or not finite, or its rate or weights are not what they may be.
    """
    if isinstance(style, (list, tuple)):
        if len(style) != 1:
            raise ValueError(f"style is a list of {len(style)}; this version takes one style")
        style = style[0]
    if style_weights is not None:
        _check_weights(style_weights)
    rate = None if style_sample_rate is None else check_rate("style_sample_rate", style_sample_rate)
    if isinstance(style, (str, os.PathLike)):
        if rate is not None:
            raise ValueError(f"style_sample_rate={style_sample_rate!r} must be None for a file, which has its own")
        samples, rate = read_audio(style, "style")
    elif isinstance(style, np.ndarray):
        samples = style
    else:
        raise TypeError(f"style={style!r} must be a path or a NumPy array")
    name = f"style={os.fspath(style)!r}" if isinstance(style, (str, os.PathLike)) else "style"
    samples = check_audio(name, samples)
    if not samples.any():
        raise ValueError(f"{name} is {'silent' if samples.size else 'empty'}; it must be a recording with sound")
    return samples, rate


def _check_weights(weights: Any) -> None:
    listed = isinstance(weights, (Sequence, np.ndarray)) and not isinstance(weights, str) and np.shape(weights) == (1,)
    if not listed or not isinstance(weights[0], Real) or not 0 < float(weights[0]) < np.inf:
        raise ValueError(f"style_weights={weights!r} must hold one positive number for each style")


# ---------------------------------------------------------------- files
def read_audio(path: str | os.PathLike[str], name: str) -> tuple[np.ndarray, int]:
    """The file's samples, float32 (channels, samples), and its rate in Hz; ``name`` is the parameter that errors name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read as audio.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{name}={os.fspath(path)!r}: there is no such file")
    try:
        samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:  # TypeError: a headerless file
        raise ValueError(f"{name}={os.fspath(path)!r} can't be read as audio: {error}") from error
    return np.ascontiguousarray(samples.T), sample_rate


def check_writable(path: str | os.PathLike[str], sample_rate: int, channels: int) -> None:
    """Raise ValueError unless a file of this rate and number of channels can be written at ``path``."""
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"output {str(path)!r} must name a file in a folder that exists")
    file_format = _format(path)
    known = soundfile.available_formats().keys() - {"RAW", "SD2"}  # without a header; in two files
    if file_format not in known:
        allowed = ", ".join(f".{name.lower()}" for name in sorted(known))
        raise ValueError(f"output {str(path)!r}: the format must be one of {allowed}")
    if not _takes(file_format, soundfile.default_subtype(file_format), sample_rate, channels):
        raise ValueError(f"output {str(path)!r}: {file_format} can't hold {channels} channels at {sample_rate} Hz")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(f"output {str(path)!r} must be in a folder that can be written to: {error}") from error


def write_audio(path: str | os.PathLike[str], audio: np.ndarray, sample_rate: int, subtype: str | None = None) -> None:
    """Write (channels, samples) to ``path``, which is replaced only by the finished file.

    A link is followed, and a file that is replaced passes on its permissions.

    Parameters
    ----------
    subtype : str, optional
        libsndfile's name of the sample format; the format's default where it has no such one.

    Warns
    -----
    UserWarning
        If the format clips at full scale and the audio had to be turned down to fit.
    """
    path = Path(os.path.realpath(path))
    file_format = _format(path)
    if subtype is None or not _takes(file_format, subtype, sample_rate, len(audio)):
        subtype = soundfile.default_subtype(file_format)
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 1 and subtype not in ("FLOAT", "DOUBLE"):
        decibels = 20 * np.log10(peak)
        warnings.warn(f"{path}: turned down by {decibels:.1f} dB, as {subtype} clips at full scale", stacklevel=2)
        audio = audio / peak
    partial = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        with soundfile.SoundFile(partial, "w", sample_rate, len(audio), subtype, format=file_format) as file:
            for start in range(0, audio.shape[1], WRITE_SAMPLES):
                file.write(audio[:, start : start + WRITE_SAMPLES].T)
        if path.exists():
            shutil.copymode(path, partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _format(path: Path) -> str:
    """The name that libsndfile gives the format of a file's ending."""
    ending = path.suffix[1:].upper()
    return {"AIF": "AIFF", "OGA": "OGG"}.get(ending, ending)


def _takes(file_format: str, subtype: str, sample_rate: int, channels: int) -> bool:
    """Whether the format can be written so; only trying tells, and Vorbis at rates beyond its own must not be tried."""
    if file_format == "OGG" and sample_rate > VORBIS_MAX_RATE:
        return False
    try:
        soundfile.SoundFile(io.BytesIO(), "w", sample_rate, channels, subtype, format=file_format).close()
    except (ValueError, soundfile.SoundFileError):
        return False
    return True


# ---------------------------------------------------------------- rates and channels
def resample(audio: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """The audio, (channels, samples), at another rate in Hz."""
    ratio = Fraction(float(to_rate) / float(from_rate)).limit_denominator(10_000)
    if ratio == 1:
        return audio
    return scipy.signal.resample_poly(audio, ratio.numerator, ratio.denominator, axis=-1).astype(np.float32)


def match_channels(style: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The style for each active channel of the content, (active channels, samples).

    Parameters
    ----------
    style : (channels, samples)
    active : bool (content channels,)
        False where the content's channel is digital silence.

    Raises
    ------
    ValueError
        If the style has to be mixed to mono and its channels cancel.
    """
    if len(style) == len(active) and style[active].any(axis=-1).all():
        return style[active]
    mono = style.mean(axis=0, dtype=np.float64).astype(np.float32)
    if rms(mono) < 1e-3 * rms(style):
        raise ValueError(f"style has {len(style)} channels that cancel when mixed to mono; give one of them alone")
    return np.repeat(mono[None], np.count_nonzero(active), axis=0)


# ---------------------------------------------------------------- levels
def rms(audio: np.ndarray) -> float:
    """Root mean square over everything."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def gated_rms(audio: np.ndarray, sample_rate: float) -> float:
    """RMS of (channels, samples) over the blocks that are not pauses, so that those don't count; 0 for silence."""
    block = max(1, round(GATE_SECONDS * sample_rate))
    starts = np.arange(0, audio.shape[-1], block)
    energy = np.concatenate(
        [  # some blocks at a time, since squares take more memory than the recording
            np.add.reduceat(np.square(audio[:, at : at + 100 * block], dtype=np.float64).mean(axis=0), some - at)
            for some in np.split(starts, range(100, len(starts), 100))
            for at in some[:1]
        ]
    )
    lengths = np.diff(np.append(starts, audio.shape[-1]))
    sounding = energy / lengths > 10 ** (GATE_DB / 10) * (energy / lengths).max()
    return float(np.sqrt(energy[sounding].sum() / lengths[sounding].sum())) if sounding.any() else 0.0


def silence_mask(audio: np.ndarray, sample_rate: float, window: slice = slice(None)) -> np.ndarray:
    """A factor for each sample of (channels, samples), float32: 0 in digital silence, 1 elsewhere, with short fades.

    With a window, the part of it there, without working through the rest.
    """
    shortest, fade = max(2, round(SILENCE_SECONDS * sample_rate)), max(1, round(FADE_SECONDS * sample_rate))
    begin, end, _ = window.indices(audio.shape[-1])
    first = max(0, begin - shortest - fade)  # from there, and as far behind, silence has a fade that reaches the window
    audio = audio[:, first : end + shortest + fade]
    mask = np.ones(audio.shape, np.float32)
    ramp = np.sin(0.5 * np.pi * np.arange(1, fade + 1) / (fade + 1)).astype(np.float32) ** 2
    for channel, samples in zip(mask, audio, strict=True):
        runs = np.flatnonzero(np.diff(np.concatenate([[0], samples == 0, [0]]))).reshape(-1, 2)
        for start, stop in runs[runs[:, 1] - runs[:, 0] >= shortest]:
            before, after = channel[max(0, start - fade) : start], channel[stop : stop + fade]
            np.minimum(before, ramp[::-1][fade - len(before) :], out=before)
            np.minimum(after, ramp[: len(after)], out=after)
            channel[start:stop] = 0
    return mask[:, begin - first : end - first]
