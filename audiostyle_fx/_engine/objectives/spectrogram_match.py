"""The distance of log-magnitudes from given ones, as an objective."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from ..kernels.patches import row_dots
from ..kernels.spectra import match_spectrum


class SpectrogramMatch:
    """Half the squared distance of log-magnitudes from given ones.

    A waveform that minimises it has phases that fit these log-magnitudes. The gradient needs no products of frames, and
    the logarithm is the scale of the losses: a quiet cell counts as much as a loud one.

    Parameters
    ----------
    target : real array (batch, frames, bins)
        Log-magnitudes, log(1 + m).

    Attributes
    ----------
    inconsistency : float64 array (batch,)
        At the latest point, zero before the first: the distance of the magnitudes m from the target's, relative to the
        target's norm. In float32 its error is 1e-7 of 1 + m.
    """

    def __init__(self, target: Array) -> None:
        xp = get_array_module(target)
        self.inconsistency = xp.zeros(len(target))  # written in place, so that a recorded iteration finds it again
        self._target, self._exponentials = target, xp.exp(target)
        magnitudes = xp.expm1(target)
        self._size = xp.maximum(_norms(row_dots(magnitudes, magnitudes)), 1e-30)

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Return the distance as the first of two parts, float64 (2, batch), and its gradient at x."""
        xp = get_array_module(x)
        difference, squares = xp.empty_like(x), xp.empty((2, *x.shape[:2]), x.dtype)

        def fill(rows: slice) -> None:
            by_log, part = difference[:, rows], xp.exp(x[:, rows])
            xp.subtract(x[:, rows], self._target[:, rows], out=by_log)
            part -= self._exponentials[:, rows]
            squares[0, :, rows], squares[1, :, rows] = row_dots(by_log, by_log), row_dots(part, part)

        in_blocks(fill, x.shape[1], x[:, :1].size, xp)
        xp.divide(_norms(squares[1]), self._size, out=self.inconsistency)
        losses = xp.zeros((2, len(x)))
        losses[0] = squares[0].sum(axis=1, dtype=np.float64) / 2
        return losses, difference

    def at_spectrum(
        self, spectrum: Array, scale: float, losses: Array, *, weight: float = 1.0, add: bool = False
    ) -> Array:
        """Compute the distance from a spectrum on a GPU; the parameters are those of `FusedClosedForm.at_spectrum`."""
        assert not add, "a spectrum is matched at one window"
        distances, magnitude_distances, grad = match_spectrum(spectrum, self._target, scale, weight)
        distances.sum(axis=1, out=losses[0])
        losses[1:] = 0
        get_array_module(spectrum).divide(_norms(magnitude_distances), self._size, out=self.inconsistency)
        return grad


def _norms(squares: Array) -> Array:
    """Return the root of the sum of squares, float64 (batch,), from sums over rows or parts."""
    return get_array_module(squares).sqrt(squares.sum(axis=1, dtype=np.float64))
