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
    shortest, fade = max(2, round(SILENCE_SECONDS * sample_rate)), max(1, round(SILENCE_FADE_SECONDS * sample_rate))
    start, stop, _ = window.indices(audio.shape[1])
    # Silence outside the window fades the sound inside it, if it is at most this far away.
    first = max(0, start - shortest - fade)
    nearby = audio[:, first : stop + shortest + fade]
    mask = np.ones(nearby.shape, np.float32)
    ramp = np.sin(0.5 * np.pi * np.arange(1, fade + 1) / (fade + 1)).astype(np.float32) ** 2
    for factors, samples in zip(mask, nearby, strict=True):
        runs = np.flatnonzero(np.diff(np.concatenate([[0], samples == 0, [0]]))).reshape(-1, 2)
        for run_start, run_stop in runs[runs[:, 1] - runs[:, 0] >= shortest]:
            before, after = factors[max(0, run_start - fade) : run_start], factors[run_stop : run_stop + fade]
            np.minimum(before, ramp[::-1][fade - len(before) :], out=before)
            np.minimum(after, ramp[: len(after)], out=after)
            factors[run_start:run_stop] = 0
    return mask[:, start - first : stop - first]
