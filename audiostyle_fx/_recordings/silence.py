"""Digital silence: a styled result is exactly zero wherever its recording is."""

from __future__ import annotations

import numpy as np

from .disk_samples import Samples

SILENCE_SECONDS = 0.01
"""The shortest run of exact zeros that counts as digital silence. Shorter runs occur within sounds."""

SILENCE_FADE_SECONDS = 0.001
"""Duration of the fade of a sound next to digital silence."""


def silence_mask(audio: Samples, sample_rate: float, window: slice = slice(None)) -> np.ndarray:
    """Return a factor for each sample: 0 in digital silence, 1 elsewhere, with short fades between them.

    Parameters
    ----------
    audio : Samples (channels, samples)
    sample_rate : float
        In Hz.
    window : slice
        The samples whose factors are returned. Only these and a few neighbours are read.

    Returns
    -------
    float32 array (channels, samples of the window)
    """
    start, stop, _ = window.indices(audio.shape[1])
    nearby, first = _nearby(audio, sample_rate, window)
    shortest, fade = _spans(sample_rate)
    mask = np.ones(nearby.shape, np.float32)
    ramp = np.sin(0.5 * np.pi * np.arange(1, fade + 1) / (fade + 1)).astype(np.float32) ** 2
    for factors, samples in zip(mask, nearby, strict=True):
        for run_start, run_stop in _silent_runs(samples, shortest):
            before, after = factors[max(0, run_start - fade) : run_start], factors[run_stop : run_stop + fade]
            np.minimum(before, ramp[::-1][fade - len(before) :], out=before)
            np.minimum(after, ramp[: len(after)], out=after)
            factors[run_start:run_stop] = 0
    return mask[:, start - first : stop - first]


def has_silence(audio: Samples, sample_rate: float, window: slice = slice(None)) -> bool:
    """Return whether any factor of `silence_mask` may differ from 1; most recordings have no digital silence."""
    nearby, _ = _nearby(audio, sample_rate, window)
    shortest, _ = _spans(sample_rate)
    return any(len(_silent_runs(samples, shortest)) for samples in nearby)


def _spans(sample_rate: float) -> tuple[int, int]:
    """Return the samples of the shortest silence, and of the fade next to it."""
    return max(2, round(SILENCE_SECONDS * sample_rate)), max(1, round(SILENCE_FADE_SECONDS * sample_rate))


def _nearby(audio: Samples, sample_rate: float, window: slice) -> tuple[np.ndarray, int]:
    """Return the samples that affect the mask of a window, and the number of the first one."""
    start, stop, _ = window.indices(audio.shape[1])
    # Silence outside the window fades the sound inside it, if it is at most this far away.
    distance = sum(_spans(sample_rate))
    first = max(0, start - distance)
    return audio[:, first : stop + distance], first


def _silent_runs(samples: np.ndarray, shortest: int) -> np.ndarray:
    """Return the first sample of each run of at least ``shortest`` zeros, and the one after it: int array (runs, 2)."""
    zeros = np.flatnonzero(samples == 0)  # usually few
    first, last = np.diff(zeros, prepend=-2) > 1, np.diff(zeros, append=len(samples) + 1) > 1
    runs = np.stack([zeros[first], zeros[last] + 1], axis=1)
    return np.asarray(runs[runs[:, 1] - runs[:, 0] >= shortest])
