"""Channel matching: a style gets the channels of a content."""

from __future__ import annotations

import numpy as np

from .levels import rms


def match_channels(style: np.ndarray, active: np.ndarray, name: str = "style") -> np.ndarray:
    """Return the style for each channel of the content that has sound.

    If style and content have equally many channels, and the style's have sound wherever the content's do, each channel
    gets the style's channel of the same number. Otherwise every channel gets the style's mix to mono.

    Parameters
    ----------
    style : float32 array (channels, samples)
    active : bool array (content channels,)
        For each channel of the content, whether it has sound.
    name : str
        Name of the style in the error.

    Returns
    -------
    float32 array (active channels, samples)

    Raises
    ------
    ValueError
        If the style has to be mixed to mono and its channels cancel.
    """
    if len(style) == len(active) and style[active].any(axis=-1).all():
        return style[active]
    mono = style.mean(axis=0, dtype=np.float64).astype(np.float32)
    if rms(mono) < 1e-3 * rms(style):
        raise ValueError(f"{name} has {len(style)} channels that cancel when mixed to mono; pass only one of them")
    return np.repeat(mono[None], np.count_nonzero(active), axis=0)
