"""Limited-memory BFGS for arrays with a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from ..kernels.patches import dots


class LBFGS:
    """Limited-memory BFGS with backtracking; each item of the batch has its own step, history and acceptance.

    Each call of `step` follows one evaluation. A trial point that lowers the loss enough is accepted and gives the next
    search direction; any other point makes the step along the current direction shorter.

    Parameters
    ----------
    memory : int
        Number of pairs of steps and gradient differences that are kept.
    renewals : collection of int
        Numbers of evaluations after which the objective, or its coordinates, change.
    renew : callable, optional
        Changes them: it gets the accepted point with its losses, and returns it in the new coordinates, in which all
        later losses and gradients are computed. The pairs kept so far are dropped.
    first : float
        Share of the loss by which the first step lowers it, by the linear model.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical optimization", 2006, algorithm 7.4, eq. 7.20 for the scale of the first
    guess, 3.4 for sufficient decrease and 3.57 for the shortened step. Deviation: pairs without positive curvature
    are left out, so that the search needs no second Wolfe condition.
    """

    in_place = False  # the host decides which point comes next

    def __init__(
        self,
        memory: int = 10,
        renewals: Collection[int] = (),
        renew: Callable[[Array, Array], Array] | None = None,
        first: float = 0.1,
    ) -> None:
        self.memory, self.renewals, self.renew, self.first = memory, renewals, renew, first
        self.sufficient, self._evaluations = 1e-4, 0

    def init(self, x: Array) -> Array:
        """Start at x, and return the first point to evaluate; x is not changed."""
        xp, batch = get_array_module(x), x.shape[0]
        self._steps = xp.zeros((self.memory, batch, x[0].size), x.dtype)
        self._changes = xp.zeros_like(self._steps)
        self._curvature = xp.zeros((self.memory, batch))  # 1 / (s . y); zero where there is no pair yet
        self._newest, self._guess = xp.full(batch, -1), xp.zeros(batch)
        self._rate, self._slope = xp.ones(batch), xp.zeros(batch)
        self._base: Any = None  # the accepted point with its losses and gradient
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next trial point; x and grad are not changed."""
        xp, shape = get_array_module(x), x.shape
        x, grad, loss = x.reshape(shape[0], -1), grad.reshape(shape[0], -1), losses.sum(axis=0)
        if self._base is None:
            self._base = x, losses, grad
            self._guess = self.first * loss / xp.maximum(dots(grad, grad), 1e-30)
            accepted = xp.ones(shape[0], bool)
        else:
            accepted = loss <= self._base[1].sum(axis=0) + self.sufficient * self._rate * self._slope
            self._accept(accepted, x, losses, grad)
        base, base_losses, base_grad = self._base
        self._evaluations += 1
        if self.renew is not None and self._evaluations in self.renewals:
            return self.init(self.renew(base.reshape(shape), base_losses))
        base_loss = base_losses.sum(axis=0)
        if accepted.any():  # for the other items the same direction results again
            self._direction = self._search_direction(base_grad)
            self._slope = dots(self._direction, base_grad)
        if accepted.all():
            self._rate = xp.ones(shape[0])
        else:
            rise = loss - base_loss - self._slope * self._rate
            known = ~accepted & (rise > 0)  # not NaN
            parabola = -self._slope * self._rate**2 / (2 * xp.where(known, rise, xp.inf))
            shorter = xp.clip(parabola, 0.1 * self._rate, 0.5 * self._rate)
            self._rate = xp.where(accepted, 1.0, shorter)
        return (base + self._rate.astype(x.dtype)[:, None] * self._direction).reshape(shape)

    def best(self, x: Array, losses: Array) -> tuple[Array, Array]:
        """Return the accepted point with its losses, or x for items where its loss is lower."""
        if self._base is None:
            return x, losses
        xp, (base, base_losses, _) = get_array_module(x), self._base
        better = losses.sum(axis=0) < base_losses.sum(axis=0)
        point = xp.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, base.reshape(x.shape))
        return point, xp.where(better, losses, base_losses)

    def _accept(self, accepted: Array, x: Array, losses: Array, grad: Array) -> None:
        """Move the base of the accepted items, and keep their pairs that have positive curvature."""
        xp, (base, base_losses, base_grad) = get_array_module(x), self._base
        step, change = x - base, grad - base_grad
        curvature, change_norm = dots(step, change), dots(change, change)
        items = xp.nonzero(accepted & (curvature > 1e-10 * change_norm))[0]
        self._newest[items] = (self._newest[items] + 1) % self.memory
        slot = self._newest[items]
        self._steps[slot, items], self._changes[slot, items] = step[items], change[items]
        self._curvature[slot, items] = 1 / curvature[items]
        self._guess[items] = curvature[items] / change_norm[items]
        if accepted.all():
            self._base = x, losses, grad
        else:
            x, grad = (xp.where(accepted[:, None], new, old) for new, old in ((x, base), (grad, base_grad)))
            self._base = x, xp.where(accepted, losses, base_losses), grad

    def _search_direction(self, grad: Array) -> Array:
        """Return minus the estimated inverse Hessian times the gradient, by the two-loop recursion for each item."""
        xp = get_array_module(grad)
        direction, shares = -grad, []
        for age in range(self.memory):
            step, change, curvature = self._pair(age)
            share = curvature * dots(step, direction)
            _add_scaled(direction, -share, change)
            shares.append(share)
        direction *= self._guess.astype(grad.dtype)[:, None]
        for age, share in reversed(list(enumerate(shares))):
            step, change, curvature = self._pair(age)
            _add_scaled(direction, share - curvature * dots(change, direction), step)
        descends = dots(direction, grad) < 0
        if descends.all():
            return direction
        return xp.where(descends[:, None], direction, -grad * self._guess.astype(grad.dtype)[:, None])

    def _pair(self, age: int) -> tuple[Array, Array, Array]:
        """Return the step, gradient difference and inverse curvature that each item kept ``age`` acceptances ago."""
        slots = (self._newest - age) % self.memory
        if (slots == slots[0]).all():  # all items have accepted equally often: a view will do
            key: Any = (int(slots[0]), slice(None))
        else:
            key = (slots, get_array_module(slots).arange(len(slots)))
        return self._steps[key], self._changes[key], self._curvature[key]


def _add_scaled(x: Array, factors: Array, y: Array) -> None:
    """Add factors * y to x, arrays (batch, n), with one factor for each item."""
    scales = factors.astype(x.dtype)[:, None]

    def add(columns: slice) -> None:
        x[:, columns] += scales * y[:, columns]

    in_blocks(add, x.shape[1], x.shape[0], get_array_module(x))
