"""Phase reconstruction: the samples whose spectrum has given magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .stft import STFT

MOMENTUM = 0.99
"""The value the paper found best."""


def griffin_lim(
    stft: STFT,
    magnitude: Array,
    spectrum: Array,
    n_samples: int,
    n_iter: int,
    momentum: float = MOMENTUM,
    pin: Callable[[Array], Array] | None = None,
) -> Iterator[tuple[Array, Array]]:
    """Fast Griffin-Lim: the samples and their spectrum after each of ``n_iter`` iterations.

    Parameters
    ----------
    magnitude : real array (batch, frames, channels, bins)
        The magnitudes sought.
    spectrum : complex array of the same shape
        Its phases are where the search starts.
    n_samples : int
        Length of the recording.
    n_iter : int
        At least 1; the first takes the phases as they are.
    momentum : float
        0 is Griffin and Lim's own iteration.
    pin : callable, optional
        Gets the samples of each iteration and returns those to go on with, some of which may be known.

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
    """The spectrum's phases with other magnitudes; phase zero where the spectrum is zero."""
    xp = get_array_module(spectrum)
    out = xp.empty_like(spectrum)

    def fill(at: slice) -> None:
        size = xp.abs(spectrum[:, at])
        silent = size < xp.finfo(size.dtype).tiny ** 0.5
        xp.divide(magnitude[:, at], xp.where(silent, 1, size), out=size)
        xp.multiply(xp.where(silent, 1, spectrum[:, at]), size, out=out[:, at])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out
