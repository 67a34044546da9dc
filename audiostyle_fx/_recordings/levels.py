"""Levels of recordings, and their conversion to decibels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from .disk_samples import Samples

RMS = 0.1
"""The level of transfers, -20 dBFS: content and style are brought to this root mean square."""

PEAK_SAMPLES = 1 << 16
"""Samples per channel that are read at a time; the temporary arrays of a computation then stay in a core's cache."""

HEADROOM_DB = 1.0
"""Distance in dB from full scale to the true peak of a recording that is turned down (EBU R 128)."""

OVERLAP = 64
"""Samples before a block that affect its peaks between the samples."""

DECODED_PEAK = 10 ** (3 / 20)
"""The largest peak of recordings that count as within full scale: decoded MP3 and Vorbis files may exceed 1."""


def rms(audio: np.ndarray) -> float:
    """Return the root mean square over all channels and samples; 0 for an empty array."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def peak(audio: Samples) -> float:
    """Return the largest magnitude of a recording (channels, samples); 0 for an empty one."""
    parts = (audio[:, samples] for samples in blocks_of(audio))
    return max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0)


def blocks_of(audio: Samples) -> Iterator[slice]:
    """Yield the samples of a recording (channels, samples) in blocks of `PEAK_SAMPLES`."""
    n_samples = audio.shape[1]
    for start in range(0, n_samples, PEAK_SAMPLES):
        yield slice(start, min(start + PEAK_SAMPLES, n_samples))


def true_peak(blocks: Iterable[np.ndarray]) -> float:
    """Return the largest magnitude of the waveform through the samples of a recording, in blocks (channels, samples).

    It is measured at four times the sample rate. Reference: ITU-R BS.1770-5, annex 2.
    """
    from scipy.signal import resample_poly  # takes a second to import, and only recordings that are too loud need it

    loudest, last = 0.0, None
    for block in blocks:
        joined = block if last is None else np.concatenate([last, block], axis=1)
        oversampled = resample_poly(joined, 4, 1, axis=1)
        loudest = max(loudest, *(float(np.abs(samples).max(initial=0.0)) for samples in (joined, oversampled)))
        last = joined[:, -OVERLAP:]
    return loudest


def fitting_scale(loudest: float, blocks: Iterable[np.ndarray]) -> float:
    """Return the amplitude that has to become full scale so that a recording fits into a format that clips.

    It is 1 for a recording that fits. Otherwise it brings the true peak to `HEADROOM_DB` below full scale, because
    players and lossy encoders can clip at peaks between the samples.

    Parameters
    ----------
    loudest : float
        The recording's peak.
    blocks : iterable of array (channels, samples)
        The recording; not read if it fits.
    """
    return 1.0 if loudest <= 1 else true_peak(blocks) * 10 ** (HEADROOM_DB / 20)


def within_full_scale(audio: Samples) -> bool:
    """Return whether a recording (channels, samples) is within full scale, apart from overshoots of a decoder."""
    return peak(audio) <= DECODED_PEAK


def ratio_to_db(ratio: float) -> float:
    """Convert a positive ratio of amplitudes to dB: 2 becomes 6.02."""
    return 20 * math.log10(ratio)


def format_db(ratio: float) -> str:
    """Format a positive ratio of amplitudes for messages: 2 becomes "6.0 dB"."""
    return f"{ratio_to_db(ratio):.1f} dB"
