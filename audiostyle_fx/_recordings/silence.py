"""Digital silence."""

from __future__ import annotations

import numpy as np

from .disk_samples import Samples

SILENCE_SECONDS = 0.01
"""A run of exact zeros at least this long is digital silence; a shorter one happens within a sound."""


FADE_SECONDS = 0.001
"""How long sound takes to rise and fall next to digital silence."""


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
