"""Phase reconstruction: samples whose spectrum has given magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..arrays.array_module import Array
from ..kernels.spectra import with_magnitude
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
        The iteration starts from its phases.
    n_samples : int
        Length of the recording.
    n_iter : int
        At least 1; the first iteration uses the given phases.
    momentum : float
        0 gives the original algorithm of Griffin and Lim.
    pin : callable, optional
        Receives the samples of each iteration and returns the samples to continue with; it may replace known samples.

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
        y = stft.inverse(with_magnitude(spectrum, magnitude, previous, momentum), n_samples, consumed=True)
        if pin is not None:
            y = pin(y)
        previous = spectrum if i else None  # the change from the given phases gives no momentum
        spectrum = stft.forward(y)
        yield y, spectrum
