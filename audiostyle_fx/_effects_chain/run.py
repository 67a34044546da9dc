"""Processing of a recording by a chain of effects, from file to file."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pedalboard import Pedalboard

from .._recordings.encoding import Kept
from .._recordings.files import SoundFileReader, read_audio, read_format
from .._recordings.levels import within_full_scale
from .._recordings.writing import WrittenLevel, check_writable, write_audio, writing_errors
from .._transfer.api import style_file, stylize, texture
from .._transfer.results import Result
from ..progress import Progress
from .checks import check_files
from .step import Step
from .style_effect import is_style


@dataclass(frozen=True)
class Job:
    """A recording to process, and the file to write.

    Attributes
    ----------
    source : str or None
        None for a texture, which has no input.
    target : str
        The file to write.
    start, duration : float
        The part of the source to process, in seconds.
    subtype : str or None
        libsndfile's name of the sample format to write; None for the source's, or for a texture the first style's.
    rate : float or None
        The sample rate to write, in Hz; None for the source's, or for a texture the first style's.
    quality : float or None
        Bit rate of lossy formats, in kbit/s; None for the source's.
    """

    source: str | None
    target: str
    start: float = 0.0
    duration: float = math.inf
    subtype: str | None = None
    rate: float | None = None
    quality: float | None = None


@dataclass(frozen=True)
class JobResult:
    """Summary of a finished job.

    Attributes
    ----------
    sample_rate : float
        In Hz.
    duration, seconds : float
        Length and computing time in seconds.
    transfers : tuple of Result
    level : WrittenLevel
        Limiting and gain that keep the file below full scale.
    limits_peaks : bool
        Whether peaks are limited where a format clips: True after a transfer of a recording within full scale.
    """

    sample_rate: float
    duration: float
    seconds: float
    transfers: tuple[Result, ...]
    level: WrittenLevel
    limits_peaks: bool


def run(job: Job, chain: Sequence[Step], progress: Progress = None) -> JobResult:
    """Process a recording: in bounded memory if a transfer is the only effect, otherwise in memory as a whole.

    Raises
    ------
    TypeError, ValueError, OSError, RuntimeError, MemoryError
        As `style_file`, and as the effects.
    """
    began = time.perf_counter()
    if os.path.realpath(job.target) in {os.path.realpath(path) for step in chain for path in step.files}:
        raise ValueError(f"output {job.target!r} must not replace a recording that an effect reads; give another name")
    with writing_errors(job.target):
        if job.source is None:
            result = _texture_file(job, chain, progress)
        elif len(chain) == 1 and is_style(chain[0]):
            result = _style_file(job, job.source, chain[0].values, progress)
        else:
            result = _chain_file(job, job.source, chain, progress)
    return replace(result, seconds=time.perf_counter() - began)


def _style_file(job: Job, source: str, values: dict[str, Any], progress: Progress) -> JobResult:
    read_format(source)  # its errors name the input
    result = style_file(
        source,
        job.target,
        start=job.start,
        duration=job.duration,
        subtype=job.subtype,
        rate=job.rate,
        quality=job.quality,
        progress=progress,
        **values,
    )
    level = WrittenLevel(result.gain_db, result.limited_db)
    return JobResult(result.sample_rate, result.duration, 0.0, (result,), level, result.limits_peaks)


def _chain_file(job: Job, source: str, chain: Sequence[Step], progress: Progress) -> JobResult:
    with SoundFileReader(source, "input") as recording:
        empty = np.zeros((recording.channels, 0), np.float32)
        audio = np.concatenate([empty, *recording.blocks(job.start, job.duration)], axis=1, dtype=np.float32)
        sample_rate, subtype = recording.sample_rate, job.subtype or recording.subtype
        rate = job.rate or sample_rate
        kept = recording.kept(job.start, audio.shape[1], rate).at(job.quality)
    _check_output(job, sample_rate, audio.shape, subtype)
    check_files(chain, sample_rate)
    limit = any(map(is_style, chain)) and within_full_scale(audio)
    audio, transfers = _through(chain, audio, sample_rate, progress)
    level = write_audio(job.target, audio, sample_rate, subtype, kept, limit=limit, rate=rate)
    return JobResult(sample_rate, audio.shape[1] / sample_rate, 0.0, transfers, level, limit)


def _texture_file(job: Job, chain: Sequence[Step], progress: Progress) -> JobResult:
    """Write a texture with the following effects, at the rate and in the sample format of its first style."""
    first, *others = chain
    values = {name: value for name, value in first.values.items() if name != "alpha"}
    style, sample_rate = read_audio(values["style"][0], "style")
    subtype = job.subtype or read_format(values["style"][0])[0]
    _check_output(job, sample_rate, (len(style), round(values["duration"] * sample_rate)), subtype)
    check_files(others, sample_rate)
    result = texture(sample_rate=sample_rate, progress=progress, **values)
    audio, transfers = _through(others, result.audio, sample_rate, progress)
    kept = Kept(job.quality)
    level = write_audio(job.target, audio, sample_rate, subtype, kept, limit=result.limits_peaks, rate=job.rate)
    duration = audio.shape[1] / sample_rate
    return JobResult(sample_rate, duration, 0.0, (result, *transfers), level, result.limits_peaks)


def _check_output(job: Job, sample_rate: float, shape: tuple[int, ...], subtype: str | None) -> None:
    """Raise ValueError unless a recording of a shape (channels, samples) can be written as the job asks."""
    rate = job.rate or sample_rate
    n_written = math.ceil(shape[1] * rate / sample_rate)
    check_writable(job.target, rate, shape[0], n_written, subtype, job.subtype, job.quality)


def _through(
    chain: Sequence[Step], audio: np.ndarray, sample_rate: float, progress: Progress
) -> tuple[np.ndarray, tuple[Result, ...]]:
    """Return the audio, (channels, samples), after the effects, and the results of the transfers among them."""
    results: list[Result] = []
    for transfers, steps in itertools.groupby(chain, is_style):
        if not transfers:
            audio = _through_native(list(steps), audio, sample_rate)
            continue
        for step in steps:
            result = stylize(audio, sample_rate=sample_rate, progress=progress, **step.values)
            audio = result.audio
            results.append(result)
    return audio, tuple(results)


def _through_native(steps: Sequence[Step], audio: np.ndarray, sample_rate: float) -> np.ndarray:
    channels, samples = audio.shape
    if samples <= channels:  # pedalboard would confuse the axes; appended silence makes time the longer one
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    audio = np.asarray(Pedalboard([step.make() for step in steps])(audio, sample_rate))[:, :samples]
    if not np.isfinite(audio).all():
        raise RuntimeError(
            "The effects returned NaN or infinite samples. Check the input for non-finite samples and the parameters "
            "for extreme values."
        )
    return audio
