"""Phase reconstruction: samples whose spectrum has given magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from ..kernels.patches import row_dots
from .stft import STFT

MOMENTUM = 0.99
"""The best value in the paper."""


def griffin_lim(
    stft: STFT,
    magnitude: Array,
    spectrum: Array,
    n_samples: int,
    n_iter: int,
    momentum: float = MOMENTUM,
    pin: Callable[[Array], Array] | None = None,
) -> Iterator[tuple[Array, Array]]:
    """Run the fast Griffin-Lim algorithm, and yield the samples and their spectrum after each iteration.

    Parameters
    ----------
    magnitude : real array (batch, frames, channels, bins)
        The target magnitudes.
    spectrum : complex array of the same shape
        Its phases are the start.
    n_samples : int
        Length of the recording.
    n_iter : int
        At least 1; the first iteration uses the given phases.
    momentum : float
        0 gives the original algorithm of Griffin and Lim.
    pin : callable, optional
        Gets the samples of each iteration and returns those to continue with; it may replace samples that are known.

    Yields
    ------
    samples : real array (batch, channels, n_samples)
    spectrum : complex array (batch, frames, channels, bins)

    References
    ----------
    N. Perraudin, P. Balazs and P. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013, algorithm 2.
    """
    previous = None
    for i in range(n_iter):
        y = stft.inverse(with_magnitude(spectrum, magnitude, previous, momentum), n_samples)
        if pin is not None:
            y = pin(y)
        previous = spectrum if i else None  # from the given phases to the first spectrum is no step
        spectrum = stft.forward(y)
        yield y, spectrum


def with_magnitude(spectrum: Array, magnitude: Array, previous: Array = None, momentum: float = 0.0) -> Array:
    """Return a spectrum with given magnitudes and the phases of another one; phase zero where that is zero.

    Parameters
    ----------
    spectrum : complex array (batch, frames, channels, bins)
    magnitude : real array of the same shape
    previous : complex array of the same shape, optional
        The phases are those of ``spectrum + momentum * (spectrum - previous)``.
    momentum : float
    """
    xp = get_array_module(spectrum)
    out = xp.empty_like(spectrum)

    def fill(frames: slice) -> None:
        phases = spectrum[:, frames]
        if previous is not None and momentum:
            step = phases - previous[:, frames]
            step *= momentum
            phases = xp.add(step, phases, out=step)
        size = xp.abs(phases)
        silent = size < xp.finfo(size.dtype).tiny ** 0.5
        xp.divide(magnitude[:, frames], xp.where(silent, 1, size), out=size)
        xp.multiply(xp.where(silent, 1, phases), size, out=out[:, frames])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out


def magnitude_distance(spectrum: Array, magnitude: Array) -> Array:
    """Return the distance of a spectrum's magnitudes from given ones, float64 (batch,).

    Both arrays are (batch, frames, channels, bins).
    """
    xp, (batch, n_frames) = get_array_module(spectrum), spectrum.shape[:2]
    squares = xp.empty((batch, n_frames), magnitude.dtype)

    def fill(frames: slice) -> None:
        difference = xp.abs(spectrum[:, frames])
        difference -= magnitude[:, frames]
        rows = difference.reshape(*difference.shape[:2], -1)
        squares[:, frames] = row_dots(rows, rows)

    in_blocks(fill, n_frames, spectrum[:, :1].size, xp)
    return xp.sqrt(squares.sum(axis=1, dtype=np.float64))
