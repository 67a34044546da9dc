"""Channel layouts."""

from __future__ import annotations

import numpy as np

from .levels import rms


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
