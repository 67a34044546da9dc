"""Recordings: files, sample rates, channel layouts and levels. Arrays are float32 (channels, samples)."""

from __future__ import annotations

import contextlib
import io
import math
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from .parameters import sample_rate as check_rate
from .sample_file import Samples

MAX_CHANNELS = 32
"""An array of more channels than this, and than it has samples, is taken for a transposed one."""

WRITE_SAMPLES = 1 << 16
"""Samples written at a time: Vorbis takes as much of the stack as it is given to encode at once."""

READ_SAMPLES = 1 << 20
"""Samples a channel read at a time: room for as many as a header claims may be more than there is."""

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

RMS = 0.1
"""The level recordings are brought to, -20 dBFS."""

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
    check_finite(name, audio)
    return audio


def check_finite(name: str, audio: np.ndarray) -> None:
    """Raise ValueError if the recording ``name`` has a sample that is not finite."""
    if not np.isfinite(audio).all():
        raise ValueError(f"{name} holds NaN or infinite samples; all must be finite in float32")


class StyleRecording(NamedTuple):
    """One style: samples, float32 (channels, samples), rate in Hz, None for the content's, and share of the target."""

    samples: np.ndarray
    sample_rate: float | None = None
    share: float = 1.0


def as_list(style: Any) -> list[Any]:
    """Styles given one by one, as a list; numbers in lists, as JSON holds an array, become that array.

    Raises
    ------
    ValueError
        If there is none, or a list of numbers has not one length.
    """
    styles = [_from_numbers(style)]
    if isinstance(styles[0], (list, tuple)):
        styles = [_from_numbers(one) for one in styles[0]]
    if not styles:
        raise ValueError(f"style={style!r} must hold at least one style")
    return styles


def _from_numbers(style: Any) -> Any:
    first, depth = style, 0
    while isinstance(first, (list, tuple)) and first:
        first, depth = first[0], depth + 1
    if depth not in (1, 2) or isinstance(first, bool) or not isinstance(first, Real):
        return style
    try:
        return np.array(style, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("style is a list of numbers that is no array (channels, samples)") from error


def read_styles(style: Any, style_sample_rate: Any = None, style_weights: Any = None) -> list[StyleRecording]:
    """The styles, each with its share of the target; the shares sum to one.

    Parameters
    ----------
    style : path, array, list of numbers, or list of these
    style_sample_rate : float or sequence, optional
        Of the arrays among them, one for all or one each; None where it is the content's, and for a file.
    style_weights : sequence of float, optional
        One each.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If one is missing, unreadable, empty, silent or not finite, or its rate or weight is not what it may be.
    """
    styles = as_list(style)
    weights, rates = check_weights(style_weights, len(styles)), check_rates(style_sample_rate, styles)
    relative = [weight / max(weights) for weight in weights]  # the sum of the weights themselves may be infinite
    shares = [weight / math.fsum(relative) for weight in relative]
    names = ["style"] if len(styles) == 1 else [f"style[{i}]" for i in range(len(styles))]
    recordings = map(_read_style, styles, rates, names)
    return [StyleRecording(*one, share) for one, share in zip(recordings, shares, strict=True)]


def check_weights(weights: Any, n_styles: int) -> tuple[float, ...]:
    """One positive number for each style; ones where none is given."""
    if weights is None:
        return (1.0,) * n_styles
    listed = isinstance(weights, (Sequence, np.ndarray)) and not isinstance(weights, str)
    good = listed and np.shape(weights) == (n_styles,) and all(isinstance(weight, Real) for weight in weights)
    if not good or not all(0 < float(weight) < math.inf for weight in weights):
        raise ValueError(f"style_weights={weights!r} must hold one positive number for each style, {n_styles} in all")
    return tuple(map(float, weights))


def check_rates(rates: Any, styles: Sequence[Any]) -> list[float | None]:
    """The rate of each style in Hz; None where it is the content's, and for files."""
    files = [isinstance(style, (str, os.PathLike)) for style in styles]
    if np.ndim(rates) == 0:
        if rates is not None and all(files):
            raise ValueError(f"style_sample_rate={rates!r} must be None for a file, which has its own")
        rates = [None if file else rates for file in files]
    if len(rates) != len(styles):
        raise ValueError(f"style_sample_rate={rates!r} must be one rate, or one for each style, {len(styles)} in all")
    if any(file and rate is not None for file, rate in zip(files, rates, strict=True)):
        raise ValueError(f"style_sample_rate={rates!r} must be None for a file, which has its own")
    return [None if rate is None else check_rate("style_sample_rate", rate) for rate in rates]


def _read_style(style: Any, rate: float | None, name: str) -> tuple[np.ndarray, float | None]:
    """The samples of one style, float32 (channels, samples), and its rate."""
    samples = style
    if isinstance(style, (str, os.PathLike)):
        samples, rate = read_audio(style, name)
        name = f"{name}={os.fspath(style)!r}"
    elif not isinstance(style, np.ndarray):
        raise TypeError(f"{name}={style!r} must be a path or a NumPy array")
    samples = check_audio(name, samples)
    if not samples.any():
        raise ValueError(f"{name} is {'silent' if samples.size else 'empty'}; it must be a recording with sound")
    return samples, rate


# ---------------------------------------------------------------- files
class Source:
    """A sound file, to be read a block at a time; a context manager.

    Parameters
    ----------
    path : path
    name : str
        The parameter that errors name.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    subtype : str
        The sample format, by libsndfile's name.
    tags : dict of str to str
        Those that libsndfile knows, as far as the file's format has them: title, artist, album, date, genre,
        tracknumber, comment, copyright, license and software.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read as audio.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self._called = f"{name}={os.fspath(path)!r}"
        if not Path(path).exists():
            raise FileNotFoundError(f"{self._called}: there is no such file")
        with self._reading():
            self._file = soundfile.SoundFile(_name(path))
            self.sample_rate = int(check_rate("its sample rate", self._file.samplerate))
            self.channels, self.subtype = self._file.channels, self._file.subtype
            self.tags = {name: text for name, text in self._file.copy_metadata().items() if text}

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, start: float = 0.0, duration: float = math.inf) -> Iterator[np.ndarray]:
        """The samples from one time in seconds on, float32 (channels, samples), some at a time.

        Raises
        ------
        ValueError
            Where they can't be read, or if there is none at ``start``.
        """
        first = round(start * self.sample_rate)
        last = first + max(1, round(duration * self.sample_rate)) if duration < math.inf else math.inf
        length = 0
        while length < last:
            with self._reading():  # a damaged header may claim any length: only what is there counts
                block = self._file.read(READ_SAMPLES, dtype="float32", always_2d=True).T
            if not block.shape[1]:
                break
            wanted = block[:, max(0, first - length) : int(min(last - length, block.shape[1]))]
            length += block.shape[1]
            if wanted.shape[1]:
                yield wanted
        if first and length <= first:
            seconds = length / self.sample_rate
            raise ValueError(f"start={start:g} must be within {self._called}, which is {seconds:g} s long")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:  # TypeError: a headerless file
            raise ValueError(f"{self._called} can't be read as audio: {error}") from error


def read_audio(path: str | os.PathLike[str], name: str) -> tuple[np.ndarray, int]:
    """The file's samples, float32 (channels, samples), and its rate in Hz; parameters and errors are `Source`'s."""
    with Source(path, name) as source:
        blocks = [np.zeros((source.channels, 0), np.float32), *source.blocks()]
        return np.concatenate(blocks, axis=1, dtype=np.float32), source.sample_rate


def read_format(path: str | os.PathLike[str]) -> tuple[str, dict[str, str]]:
    """The sample format of a file that can be read, by libsndfile's name, and its tags: see `Source`."""
    with Source(path, "input") as source:
        return source.subtype, source.tags


def endings(*, written: bool = False) -> set[str]:
    """The endings of sound files, in small letters, with their dots; all that can be read, or those written too."""
    names = {*soundfile.available_formats(), "AIF", "OGA", "OPUS"} - NO_HEADER
    return {f".{name.lower()}" for name in names - {"OPUS" if written else None}}


def check_subtype(subtype: str | None) -> None:
    """Raise ValueError unless it is None or the name of a sample format."""
    known = soundfile.available_subtypes()
    if subtype is not None and subtype not in known:
        raise ValueError(f"subtype={subtype!r} must be None or one of {', '.join(known)}")


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
) -> None:
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


def _name(path: str | os.PathLike[str]) -> str | bytes:
    """A file's name as soundfile takes it, which refuses one that is no text."""
    name = os.fspath(path)
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return os.fsencode(name)


def sync(path: Path) -> None:
    """Bring a file to the disk: renamed before, it could be empty after a loss of power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def clips(subtype: str) -> bool:
    """Whether a sample format holds nothing beyond full scale."""
    return subtype not in ("FLOAT", "DOUBLE")


def peak(audio: Samples) -> float:
    """The largest magnitude of samples (channels, samples)."""
    starts = range(0, audio.shape[1], WRITE_SAMPLES)
    return max((float(np.abs(audio[:, at : at + WRITE_SAMPLES]).max(initial=0.0)) for at in starts), default=0.0)


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


# ---------------------------------------------------------------- rates and channels
def resample(audio: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """The audio, (channels, samples), at another rate in Hz."""
    ratio = Fraction(float(to_rate) / float(from_rate)).limit_denominator(10_000)
    if ratio == 1:
        return audio
    import scipy.signal  # most of a second, which a start of the command need not take

    return scipy.signal.resample_poly(audio, ratio.numerator, ratio.denominator, axis=-1).astype(np.float32)


def match_channels(style: np.ndarray, active: np.ndarray, name: str = "style") -> np.ndarray:
    """The style for each active channel of the content, (active channels, samples).

    Parameters
    ----------
    style : (channels, samples)
    active : bool (content channels,)
        False where the content's channel is digital silence.
    name : str
        Of the style, for the error.

    Raises
    ------
    ValueError
        If the style has to be mixed to mono and its channels cancel.
    """
    if len(style) == len(active) and style[active].any(axis=-1).all():
        return style[active]
    mono = style.mean(axis=0, dtype=np.float64).astype(np.float32)
    if rms(mono) < 1e-3 * rms(style):
        raise ValueError(f"{name} has {len(style)} channels that cancel when mixed to mono; give one of them alone")
    return np.repeat(mono[None], np.count_nonzero(active), axis=0)


# ---------------------------------------------------------------- levels
def rms(audio: np.ndarray) -> float:
    """Root mean square over everything."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def decibels(ratio: float) -> str:
    """A ratio of levels in words."""
    return f"{20 * math.log10(ratio):.1f} dB"


def silence_mask(audio: Samples, sample_rate: float, window: slice = slice(None)) -> np.ndarray:
    """A factor for each sample of (channels, samples), float32: 0 in digital silence, 1 elsewhere, with short fades.

    With a window, the part of it there, without working through the rest.
    """
    shortest, fade = max(2, round(SILENCE_SECONDS * sample_rate)), max(1, round(FADE_SECONDS * sample_rate))
    begin, end, _ = window.indices(audio.shape[1])
    first = max(0, begin - shortest - fade)  # from there, and as far behind, silence has a fade that reaches the window
    part = audio[:, first : end + shortest + fade]
    mask = np.ones(part.shape, np.float32)
    ramp = np.sin(0.5 * np.pi * np.arange(1, fade + 1) / (fade + 1)).astype(np.float32) ** 2
    for channel, samples in zip(mask, part, strict=True):
        runs = np.flatnonzero(np.diff(np.concatenate([[0], samples == 0, [0]]))).reshape(-1, 2)
        for start, stop in runs[runs[:, 1] - runs[:, 0] >= shortest]:
            before, after = channel[max(0, start - fade) : start], channel[stop : stop + fade]
            np.minimum(before, ramp[::-1][fade - len(before) :], out=before)
            np.minimum(after, ramp[: len(after)], out=after)
            channel[start:stop] = 0
    return mask[:, begin - first : end - first]
