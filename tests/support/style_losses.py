"""How far audio is from a style."""

import math

import numpy as np

from audiostyle_fx import Window, stylize
from audiostyle_fx._recordings.levels import rms


def style_loss(audio, style, rate, n_filters=math.inf):
    """How far the audio is from the style, at the gain that suits it best: the loss at which a transfer starts."""
    only = {
        "preset": "plain",
        "alpha": 0,
        "windows": Window(n_fft=256),
        "kernel_width": 3,
        "phase_iters": 0,
        "waveform_iters": 0,
        "n_filters": n_filters,
    }
    audio, style = (0.1 / rms(a) * a for a in (audio, style))
    return min(
        stylize(gain * audio, style, rate, spectrogram_iters=1, normalize=False, **only)
        .stages["spectrogram"]
        .style_loss[0]
        for gain in 10 ** (np.arange(-8, 13, 4) / 20)
    )
