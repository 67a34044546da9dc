"""Parts of recordings, from a file or from memory, as browsers can play them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from .._recordings.arrays import check_audio, check_finite
from .._recordings.files import READ_SAMPLES, SoundFileReader
from .._validation import sample_rate as check_rate

LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
"""Sample rates in Hz that every browser plays. Recordings outside this range are resampled to its nearer end."""


@dataclass(frozen=True, eq=False)
class ArrayRecording:
    """A recording in memory; two of them are equal if they hold the same array object at the same rate.

    The samples are not copied: don't change them before the page is written.

    Attributes
    ----------
    audio : float32 or float64 array, (channels, samples) or (samples,)
    sample_rate : float
        In Hz, from 1,000 to 1,000,000.
    name : str
        Shown on the page in place of a file name.

    Raises
    ------
    TypeError, ValueError
        If the array is not a recording, or the rate is outside its range.
    """

    audio: np.ndarray
    sample_rate: float
    name: str = "array"

    def __post_init__(self) -> None:
        check_audio("audio", self.audio)
        check_rate("sample_rate", self.sample_rate)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ArrayRecording)
            and self.audio is other.audio
            and (self.sample_rate, self.name) == (other.sample_rate, other.name)
        )

    def __hash__(self) -> int:
        return hash((id(self.audio), self.sample_rate, self.name))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(np.atleast_2d(self.audio))

    def blocks(self, start: float = 0.0, duration: float = math.inf) -> Iterator[np.ndarray]:
        """Yield the samples from ``start`` on, float32 (channels, samples), in blocks; see `SoundFileReader.blocks`.

        Raises
        ------
        ValueError
            If there are no samples at ``start``.
        """
        audio = np.atleast_2d(self.audio)
        first = round(start * self.sample_rate)
        if first and first >= audio.shape[1]:
            seconds = audio.shape[1] / self.sample_rate
            raise ValueError(f"start={start:g} s is not within {self.name!r}, which is {seconds:g} s long")
        last = first + max(1, round(duration * self.sample_rate)) if duration < math.inf else audio.shape[1]
        for begin in range(first, min(last, audio.shape[1]), READ_SAMPLES):
            yield audio[:, begin : min(begin + READ_SAMPLES, last)].astype(np.float32)


class Clip(NamedTuple):
    """A part of a recording.

    Attributes
    ----------
    recording : str or ArrayRecording
        A path, or samples in memory.
    start, duration : float
        In seconds.
    """

    recording: str | ArrayRecording
    start: float = 0.0
    duration: float = math.inf

    @property
    def name(self) -> str:
        """Name to show; the name of a file is without its folder."""
        return self.recording.name if isinstance(self.recording, ArrayRecording) else Path(self.recording).name

    def open(self, kind: str) -> contextlib.AbstractContextManager[SoundFileReader | ArrayRecording]:
        """Open the recording, which errors call ``kind``, for reading."""
        if isinstance(self.recording, ArrayRecording):
            return contextlib.nullcontext(self.recording)
        return SoundFileReader(self.recording, kind)


class Measurements(NamedTuple):
    """Properties of a clip that are measured before it is written.

    Attributes
    ----------
    peak : float
        Largest absolute sample of the clip as browsers play it.
    rms : float
        Root mean square of the clip as it was recorded, over all channels.
    n_samples, sample_rate : int
        Of the clip as browsers play it; the rate is in Hz.
    source_rate : float
        Sample rate of the recording in Hz.
    source_channels : int
        Channels of the recording.
    """

    peak: float
    rms: float
    n_samples: int
    sample_rate: int
    source_rate: float
    source_channels: int


def measure(clip: Clip, kind: str) -> Measurements:
    """Read a clip, which errors call ``kind``, and measure it.

    Raises
    ------
    OSError, ValueError
        If it can't be read, is empty, or has samples that are not finite.
    """
    label = f"{kind}={clip.recording!r}" if isinstance(clip.recording, str) else f"{kind} {clip.name!r}"
    energy, n_values, peak, n_samples = 0.0, 0, 0.0, 0

    def measured(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        nonlocal energy, n_values
        for block in blocks:
            check_finite(label, block)
            energy += float(np.sum(np.square(block, dtype=np.float64)))
            n_values += block.size
            yield block

    with clip.open(kind) as source:
        for block in _playable(measured(source.blocks(clip.start, clip.duration)), source):
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            n_samples += block.shape[1]
        if not n_samples:
            raise ValueError(f"{label} is empty")
        rms = math.sqrt(energy / n_values)
        return Measurements(peak, rms, n_samples, _playable_rate(source), source.sample_rate, source.channels)


def playable_blocks(clip: Clip) -> Iterator[np.ndarray]:
    """Yield a clip as browsers play it, float32 (channels, samples), in blocks.

    There are at most two channels: more are mixed to mono. The sample rate is that of its `Measurements`.
    """
    with clip.open("recording") as source:
        yield from _playable(source.blocks(clip.start, clip.duration), source)


def _playable(blocks: Iterator[np.ndarray], source: SoundFileReader | ArrayRecording) -> Iterator[np.ndarray]:
    rate = _playable_rate(source)
    channels = source.channels if source.channels <= 2 else 1
    resampler = None if rate == source.sample_rate else soxr.ResampleStream(source.sample_rate, rate, channels)
    for block in blocks:
        mixed = block if source.channels <= 2 else block.mean(axis=0, keepdims=True, dtype=np.float32)
        yield mixed if resampler is None else resampler.resample_chunk(np.ascontiguousarray(mixed.T)).T
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T


def _playable_rate(source: SoundFileReader | ArrayRecording) -> int:
    """The whole number of Hz within the browsers' range that is nearest to a recording's sample rate."""
    return min(max(round(source.sample_rate), LOWEST_RATE), HIGHEST_RATE)
