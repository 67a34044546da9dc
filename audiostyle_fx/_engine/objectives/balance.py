"""The balance of style and content: a fixed alpha, or an alpha that is steered to a target content loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..arrays.array_module import Array, get_array_module

HALF_SHARE_ALPHA = 0.01
"""The alpha at which the content's share in the target has half its value; at alpha 0 the share is 0."""

FIRST_ALPHA, LEAST_ALPHA, MOST_ALPHA = 0.1, 1e-3, 1e2

RATE, AHEAD = 1.2, 4.0
"""Exponent of the correction in one iteration, and iterations by which the content loss is extrapolated for it. The
loss responds to alpha with a delay: without extrapolation it overshoots, and the last steps are too small to return.
"""

AHEAD_LIMITS, STEP_LIMITS = (0.5, 2.0), (0.3, 3.0)
"""Limits of the extrapolated ratio of losses, and of alpha's factor in one iteration."""


@dataclass(eq=False)
class Balance:
    """The weight of the content in the objectives of a batch, and its share in their target.

    The arrays are changed in place, so that an iteration recorded on a GPU reads the new values.

    Attributes
    ----------
    alpha : real array (batch,)
        Factor of content losses whose terms have a weight of 1.
    content_share : float
        Share of the content's own Gram matrix in the target where alpha is large.
    target : float64 array (batch,), optional
        The content loss to reach, between the result and the song. None for a fixed alpha.
    latest : float64 array (batch,), optional
        The content loss of the previous evaluation; negative before the first one.
    """

    alpha: Array
    content_share: float
    target: Array = None
    latest: Array = None

    @contextmanager
    def unsteered(self) -> Iterator[None]:
        """Return a context whose evaluations leave no trace."""
        alpha, latest = self.alpha.copy(), None if self.latest is None else self.latest.copy()
        try:
            yield
        finally:
            self.alpha[...] = alpha
            if latest is None:
                self.latest = None
            else:
                self.latest[...] = latest

    @property
    def share(self) -> Array:
        """The share of the content's Gram matrix in the target, (batch,)."""
        return self.content_share * self.alpha / (self.alpha + HALF_SHARE_ALPHA)

    def steer(self, content_loss: Array) -> None:
        """Correct alpha after an evaluation with a content loss, (batch,); does nothing without a target."""
        if self.target is None:
            return
        xp = get_array_module(self.alpha)
        if self.latest is None:
            self.latest = content_loss.copy()
        latest = xp.where(self.latest < 0, content_loss, self.latest)
        loss, last = (xp.maximum(value, 1e-30) for value in (content_loss, latest))
        ahead = xp.clip((loss / last) ** AHEAD, *AHEAD_LIMITS)
        factor = (loss * ahead / xp.maximum(self.target, 1e-30)) ** RATE
        xp.multiply(self.alpha, xp.clip(factor, *STEP_LIMITS).astype(self.alpha.dtype), out=self.alpha)
        self.latest[:] = content_loss
        xp.clip(self.alpha, LEAST_ALPHA, MOST_ALPHA, out=self.alpha)
