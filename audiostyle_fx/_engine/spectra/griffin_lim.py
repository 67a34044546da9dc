"""Phase reconstruction: samples whose spectrum has given magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
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
    for _ in range(n_iter):
        y = stft.inverse(with_magnitude(spectrum, magnitude), n_samples)
        if pin is not None:
            y = pin(y)
        rebuilt = stft.forward(y)
        yield y, rebuilt
        spectrum = rebuilt if previous is None else rebuilt + momentum * (rebuilt - previous)
        previous = rebuilt


def with_magnitude(spectrum: Array, magnitude: Array) -> Array:
    """Return a spectrum with these magnitudes and the phases of ``spectrum``; phase zero where that is zero."""
    xp = get_array_module(spectrum)
    out = xp.empty_like(spectrum)

    def fill(frames: slice) -> None:
        size = xp.abs(spectrum[:, frames])
        silent = size < xp.finfo(size.dtype).tiny ** 0.5
        xp.divide(magnitude[:, frames], xp.where(silent, 1, size), out=size)
        xp.multiply(xp.where(silent, 1, spectrum[:, frames]), size, out=out[:, frames])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out
