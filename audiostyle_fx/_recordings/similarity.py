"""What a recording keeps of another: its melody, its attacks and its dynamics.

The features are those of short-time spectra, so that they cost little beside a transfer. The benchmark
`tests/benchmarks/ear.py` has the same definitions, but for three things: its pitch classes (of a constant-Q transform)
and its onsets are librosa's, which this package does not need; what is expected by chance is the mean of ten random
orders there, and exact here; and it has no correlation of levels. Measured on transfers, equalised contents and
mixtures of content and style: melody differs from its chroma by at most 0.02 in 19 results, attacks from its onsets by
at most 0.1 in 31 of 34 results, and by 0.31 in a mixture of 70 % style.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from .._engine.arrays.fft import rfft
from .._engine.spectra.mel_bands import MelBands
from .._engine.spectra.stft import STFT

RATE = 22_050
"""Sample rate in Hz at which recordings are compared."""

HOP, N_FFT = 256, 2048
"""Of attacks and levels, in samples."""

LONG_HOP, LONG_N_FFT = 4 * HOP, 4 * N_FFT
"""Of pitch classes, in samples: the longer window parts neighbouring semitones from 100 Hz on."""

LOW_HZ, HIGH_HZ = 60.0, 2000.0
"""Where pitch classes are measured: above, most partials are high harmonics, which blur them."""

FLOOR = 1e-6
"""Power of a band, over that of the whole recording, below which its changes are no attacks: -60 dB."""

LOUD_DB = 20.0
"""Frames further below the content's loudest don't count for its melody."""

RANGE_DB = 40.0
"""Levels further below a recording's loudest count as this: pauses are pauses, however silent they are."""

MAX_SHIFT = 3
"""Hops by which the attacks of two recordings may be apart: 35 ms."""

LEAST_FRAMES = 20
"""Least number of frames that say something: 0.2 s of attacks and levels, 0.9 s of pitch classes."""

LEAST_MELODY = 0.1
"""Least variance of the pitch classes, at unit norm, of a content that has a melody. Measured: 0.007 for noise, 0.03
for drums, 0.27 to 0.46 for four pieces of music."""

LEAST_ATTACKS = 0.12
"""Least standard deviation, in dB, of the onsets of a content that has attacks. Measured: 0.08 for noise, 0.23 to 0.86
for four pieces of music, 2.9 for drums."""

LEAST_DYNAMICS = 0.5
"""Least standard deviation, in dB, of the level of a content that has dynamics."""

_FRAMES = 64
"""Long frames that are transformed at a time."""


class Features(NamedTuple):
    """What is compared of a recording.

    Attributes
    ----------
    pitch_classes : float32 array (frames, 12)
        Magnitude of each pitch class from C on, every 1024 samples at 22,050 Hz.
    onsets : float32 array (short frames,)
        Mean over the mel bands of the rise in dB since the hop before, every 256 samples.
    levels : float32 array (short frames,)
        In dB from a level in proportion to the recording's, at the same places; minus infinity in silence.
    """

    pitch_classes: np.ndarray
    onsets: np.ndarray
    levels: np.ndarray

    @classmethod
    def of(cls, blocks: Iterable[np.ndarray], sample_rate: float, rms: float) -> Features:
        """Measure a recording that comes in blocks; its samples are not kept.

        Parameters
        ----------
        blocks : iterable of float32 array (channels, samples)
            The powers of the channels are averaged.
        sample_rate : float
            In Hz.
        rms : float
            Level of the recording, to which all features are relative; positive.
        """
        classes, mel = _pitch_class_weights(), MelBands(STFT(N_FFT, HOP), RATE).weights
        pitch_classes, onsets, levels, before = [np.zeros((0, 12))], [np.zeros(0)], [np.zeros(0)], None
        for frames in _long_frames(_padded(blocks, sample_rate, rms)):
            pitch_classes.append(np.sqrt(_power(frames)) @ classes)
            power = _power(_short_frames(frames))
            bands = 10 * np.log10(power @ mel / N_FFT**2 + FLOOR)
            rises = np.diff(bands, axis=0, prepend=bands[:1] if before is None else before)
            onsets.append(np.maximum(0, rises).mean(axis=1))
            with np.errstate(divide="ignore"):
                levels.append(10 * np.log10(power.sum(axis=1)))
            before = bands[-1:]
        return cls(*(np.concatenate(parts).astype(np.float32) for parts in (pitch_classes, onsets, levels)))


class Kept(NamedTuple):
    """What a result keeps of its content: 1 all of it, about 0 nothing; None where there is nothing to keep.

    Attributes
    ----------
    melody : float or None
        Covariance of the pitch classes at unit norm, over the content's with itself, at most 1; None where the
        content's hardly change, as those of drums, noise or one long tone. Quiet frames don't count. A transfer moves
        styles, not contents, so the pitch classes are compared as they are.
    attacks : float or None
        Correlation of the attacks' strengths over time, the best of shifts up to 35 ms; None where the content has no
        attacks.
    dynamics : float or None
        Correlation of the levels in dB over time, whatever their range; None where the content's hardly changes.
    """

    melody: float | None = None
    attacks: float | None = None
    dynamics: float | None = None


def kept(content: Features, result: Features) -> Kept:
    """Compare a result with its content, of which the longer counts as far as the shorter goes."""
    return Kept(
        _melody_kept(*_cut(content.pitch_classes, result.pitch_classes)),
        _attacks_kept(*_cut(content.onsets, result.onsets)),
        _dynamics_kept(*_cut(content.levels, result.levels)),
    )


def best_correlation(content: np.ndarray, result: np.ndarray, max_shift: int) -> float:
    """Correlation of two courses (frames,), the best of shifts up to a number of frames."""
    theirs, ours = ((x - x.mean()) / (x.std() + 1e-9) for x in (content, result))
    n = len(ours)
    shifts = range(-max_shift, max_shift + 1)
    products = (ours[max(0, s) : n + min(0, s)] * theirs[max(0, -s) : n - max(0, s)] for s in shifts)
    return float(max(product.mean() for product in products))


def _covariance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean product of the frames (frames, 12) at equal times, less that of frames in random order."""
    return float(np.mean(np.sum(one * other, axis=1)) - one.mean(axis=0) @ other.mean(axis=0))


def _melody_kept(content: np.ndarray, result: np.ndarray) -> float | None:
    norms = np.linalg.norm(content, axis=1)
    loud = norms > 10 ** (-LOUD_DB / 20) * norms.max(initial=0)
    if loud.sum() < LEAST_FRAMES or not result.any():
        return None
    theirs, ours = _unit_norm(content[loud]), _unit_norm(result[loud])
    variance = _covariance(theirs, theirs)
    return min(1.0, _covariance(theirs, ours) / variance) if variance >= LEAST_MELODY else None


def _attacks_kept(content: np.ndarray, result: np.ndarray) -> float | None:
    if len(content) < LEAST_FRAMES or not result.any():
        return None
    return best_correlation(content, result, MAX_SHIFT) if content.std() >= LEAST_ATTACKS else None


def _dynamics_kept(content: np.ndarray, result: np.ndarray) -> float | None:
    if len(content) < LEAST_FRAMES or np.isneginf([content.max(), result.max()]).any():
        return None
    theirs, ours = (np.maximum(x, x.max() - RANGE_DB) for x in (content, result))
    return best_correlation(theirs, ours, 0) if theirs.std() >= LEAST_DYNAMICS else None


def _unit_norm(frames: np.ndarray) -> np.ndarray:
    return frames / np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-30)


def _cut(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both, as long as the shorter."""
    n = min(len(one), len(other))
    return one[:n], other[:n]


def _padded(blocks: Iterable[np.ndarray], sample_rate: float, rms: float) -> Iterator[np.ndarray]:
    """Yield blocks (channels, samples) at `RATE` and at a level of 1, with silence before and after them.

    All short frames of the long ones are then within the recording: its ends are neither attacks nor dynamics.
    """
    resampler = None
    for block in blocks:
        if resampler is None:
            resampler = soxr.ResampleStream(sample_rate, RATE, len(block), dtype="float32", quality="MQ")
            yield np.zeros((len(block), LONG_N_FFT // 2 - LONG_HOP), np.float32)
        yield resampler.resample_chunk(np.ascontiguousarray(block.T / np.float64(rms), np.float32)).T
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, len(block)), np.float32), last=True).T
        yield np.zeros((len(block), LONG_N_FFT // 2 - LONG_HOP + HOP - N_FFT // 2), np.float32)


def _long_frames(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield some frames at a time, (channels, frames, long window), of a recording in blocks (channels, samples)."""
    buffer = None
    for block in blocks:
        buffer = block if buffer is None else np.concatenate([buffer, block], axis=1)
        n_frames = max(0, 1 + (buffer.shape[1] - LONG_N_FFT) // LONG_HOP)
        for start in range(0, n_frames, _FRAMES):
            stop = min(start + _FRAMES, n_frames)
            samples = buffer[:, start * LONG_HOP : (stop - 1) * LONG_HOP + LONG_N_FFT]
            yield sliding_window_view(samples, LONG_N_FFT, axis=1)[:, ::LONG_HOP]
        buffer = buffer[:, n_frames * LONG_HOP :]


def _short_frames(frames: np.ndarray) -> np.ndarray:
    """Return the frames (channels, short frames, window) in the middle of long ones, those of a long one together."""
    first = (LONG_N_FFT - N_FFT) // 2
    middle = frames[:, :, first : first + LONG_HOP - HOP + N_FFT]
    return sliding_window_view(middle, N_FFT, axis=2)[:, :, ::HOP].reshape(len(frames), -1, N_FFT)


def _power(frames: np.ndarray) -> np.ndarray:
    """Return the mean power spectrum of the channels, (frames, bins), of frames (channels, frames, samples)."""
    window = np.hanning(frames.shape[2] + 1)[:-1].astype(np.float32)
    spectra = rfft(frames * window)
    return np.mean(spectra.real**2 + spectra.imag**2, axis=0)


def _pitch_class_weights() -> np.ndarray:
    """Return the share of each bin of a long frame in each pitch class, float32 (bins, 12).

    A semitone has more bins the higher it is. It counts by their mean, not by their sum, as in a constant-Q transform.
    """
    hertz = np.maximum(1, np.arange(LONG_N_FFT // 2 + 1) * RATE / LONG_N_FFT)
    semitones = np.round(12 * np.log2(hertz / 440) + 69).astype(int)
    shares = np.where((hertz >= LOW_HZ) & (hertz <= HIGH_HZ), LOW_HZ / hertz, 0)
    return (shares[:, None] * (semitones[:, None] % 12 == np.arange(12))).astype(np.float32)
