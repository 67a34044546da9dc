"""Limited-memory BFGS for arrays with a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module, to_host
from ..arrays.matmul import matmul

BLOCK = 1 << 14
"""Elements of each vector whose products the CPU takes at a time; the BLAS takes three times as long for all at once.
"""


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
    guess, 3.4 for sufficient decrease and 3.57 for the shortened step. W. Chen, Z. Wang and J. Zhou, "Large-scale
    L-BFGS using MapReduce", NIPS 2014, for the recursion on inner products. Deviation: pairs without positive curvature
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
        # All steps, all gradient differences, and the gradient at the accepted point. The direction is a combination of
        # them, whose factors need only their inner products: two passes over the memory instead of two for each pair.
        # One slot more than pairs takes the newest pair until it is known to be good.
        self._slots = self.memory + 1
        self._vectors = xp.zeros((batch, 2 * self._slots + 1, x[0].size), x.dtype)
        self._products = xp.zeros((batch, *2 * self._vectors.shape[1:2]))
        self._curvature = xp.zeros((batch, self._slots))  # 1 / (s . y); zero where there is no pair
        self._newest, self._guess = xp.full(batch, -1), xp.zeros(batch)
        self._rate, self._slope = xp.ones(batch), xp.zeros(batch)
        self._base: Any = None  # the accepted point with its losses
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next trial point; x and grad are not changed."""
        xp, shape = get_array_module(x), x.shape
        x, grad, loss = x.reshape(shape[0], -1), grad.reshape(shape[0], -1), losses.sum(axis=0)
        if self._base is None:
            accepted, self._base = xp.ones(shape[0], bool), (x, losses)
            self._vectors[:, -1] = grad
            self._update_products([2 * self._slots])
            self._guess = self.first * loss / xp.maximum(self._products[:, -1, -1], 1e-30)
        else:
            accepted = loss <= self._base[1].sum(axis=0) + self.sufficient * self._rate * self._slope
            self._accept(accepted, x, losses, grad)
        base, base_losses = self._base
        self._evaluations += 1
        if self.renew is not None and self._evaluations in self.renewals:
            return self.init(self.renew(base.reshape(shape), base_losses))
        if accepted.any():  # for the other items the same direction results again
            self._direction, self._slope = self._search_direction()
        if accepted.all():
            self._rate = xp.ones(shape[0])
        else:
            rise = loss - base_losses.sum(axis=0) - self._slope * self._rate
            known = ~accepted & (rise > 0)  # not NaN
            parabola = -self._slope * self._rate**2 / (2 * xp.where(known, rise, xp.inf))
            shorter = xp.clip(parabola, 0.1 * self._rate, 0.5 * self._rate)
            self._rate = xp.where(accepted, 1.0, shorter)
        return (base + self._rate.astype(x.dtype)[:, None] * self._direction).reshape(shape)

    def best(self, x: Array, losses: Array) -> tuple[Array, Array]:
        """Return the accepted point with its losses, or x for items where its loss is lower."""
        if self._base is None:
            return x, losses
        xp, (base, base_losses) = get_array_module(x), self._base
        better = losses.sum(axis=0) < base_losses.sum(axis=0)
        point = xp.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, base.reshape(x.shape))
        return point, xp.where(better, losses, base_losses)

    def _accept(self, accepted: Array, x: Array, losses: Array, grad: Array) -> None:
        """Move the base of the accepted items, and keep their pairs that have positive curvature."""
        xp, (base, base_losses), m = get_array_module(x), self._base, self._slots
        free, items = (self._newest + 1) % m, xp.nonzero(accepted)[0]
        distinct = sorted(set(to_host(free).tolist()))
        if len(distinct) == 1 and accepted.all():  # views will do
            slot = distinct[0]
            xp.subtract(x, base, out=self._vectors[:, slot])
            xp.subtract(grad, self._vectors[:, -1], out=self._vectors[:, m + slot])
            self._vectors[:, -1] = grad
            self._base = x, losses
        else:
            slots = free[items]
            self._vectors[items, slots] = x[items] - base[items]
            self._vectors[items, m + slots] = grad[items] - self._vectors[items, -1]
            self._vectors[items, -1] = grad[items]
            self._base = xp.where(accepted[:, None], x, base), xp.where(accepted, losses, base_losses)
        self._update_products([*distinct, *(m + slot for slot in distinct), 2 * m])
        slots = free[items]
        curvature, change_norm = self._products[items, slots, m + slots], self._products[items, m + slots, m + slots]
        good = curvature > 1e-10 * change_norm
        self._curvature[items, slots] = xp.where(good, 1 / xp.where(good, curvature, 1), 0)
        items, slots = items[good], slots[good]
        self._newest[items], self._guess[items] = slots, curvature[good] / change_norm[good]

    def _update_products(self, rows: list[int]) -> None:
        """Take the inner products of rows of the vectors, with all of them, anew."""
        xp, length = get_array_module(self._vectors), self._vectors.shape[2]
        size = BLOCK if xp is np else length
        products: Array = 0.0
        for start in range(0, length, size):
            part = self._vectors[:, :, start : start + size]
            products = products + matmul(part[:, rows], part.swapaxes(1, 2), exact=True).astype(np.float64)
        self._products[:, rows] = products
        self._products[:, :, rows] = products.swapaxes(1, 2)

    def _search_direction(self) -> tuple[Array, Array]:
        """Return minus the estimated inverse Hessian times the gradient, and its slope; by the two-loop recursion."""
        xp, m = get_array_module(self._vectors), self._slots
        factors = xp.zeros(self._vectors.shape[:2])
        factors[:, -1] = -1.0
        items, shares = xp.arange(len(factors)), []
        slots = [(self._newest - age) % m for age in range(self.memory)]
        for slot in slots:
            share = self._curvature[items, slot] * (self._products[items, slot] * factors).sum(axis=1)
            factors[items, m + slot] -= share
            shares.append(share)
        factors *= self._guess[:, None]
        for slot, share in zip(reversed(slots), reversed(shares), strict=True):
            product = (self._products[items, m + slot] * factors).sum(axis=1)
            factors[items, slot] += share - self._curvature[items, slot] * product
        slope = (self._products[:, -1] * factors).sum(axis=1)
        steepest = xp.zeros_like(factors)
        steepest[:, -1] = -self._guess
        factors = xp.where((slope < 0)[:, None], factors, steepest)
        slope = (self._products[:, -1] * factors).sum(axis=1)
        return matmul(factors.astype(self._vectors.dtype)[:, None], self._vectors, exact=True)[:, 0], slope
