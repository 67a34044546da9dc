"""Phase reconstruction: samples whose spectrum has given magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..arrays.array_module import Array
from ..cuda.graphs import captured
from ..kernels.spectra import magnitude_distance, with_magnitude
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
) -> Iterator[tuple[Array, Array, Array]]:
    """Run the fast Griffin-Lim algorithm, and yield the samples and their spectrum after each iteration.

    Two iterations are computed at once, from one spectrum to another and back, so that a GPU can record them as a
    graph. What is yielded is valid until the next iteration.

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
    distance : float64 array (batch,)
        See `magnitude_distance`.

    References
    ----------
    N. Perraudin, P. Balazs and P. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013, algorithm 2.
    """

    def iterate(spectrum: Array, previous: Array = None, out: Array = None) -> tuple[Array, Array, Array]:
        y = stft.inverse(with_magnitude(spectrum, magnitude, previous, momentum), n_samples, consumed=True)
        if pin is not None:
            y = pin(y)
        rebuilt = stft.forward(y, out)
        return y, rebuilt, magnitude_distance(rebuilt, magnitude)

    # The change from the given phases gives no momentum.
    first = iterate(spectrum)
    yield first
    if n_iter == 1:
        return
    second = iterate(first[1])
    yield second
    older, newer = first[1], second[1]

    def iterate_twice() -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        return iterate(newer, older, older), iterate(older, newer, newer)

    pairs, rest = divmod(n_iter - 2, 2)
    with captured(iterate_twice, magnitude, pairs) as twice:
        for _ in range(pairs):
            yield from twice()
    if rest:
        yield iterate(newer, older, older)
