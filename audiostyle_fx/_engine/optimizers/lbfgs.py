"""Limited-memory BFGS for arrays with a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.matmul import matmul
from ..kernels.lbfgs import DeviceSteps

PAIRS, QUICK_PAIRS = 10, 5
"""Pairs that are kept: by default, and for runs of few iterations."""

BLOCK = 1 << 14
"""Elements of each vector in one product on the CPU; the BLAS takes three times as long for all elements at once."""


class LBFGS:
    """Limited-memory BFGS with backtracking; each item of the batch has its own step, history and acceptance.

    Each call of `step` follows one evaluation. A trial point that lowers the loss enough is accepted and gives the next
    search direction; any other point makes the step along the current direction shorter.

    Parameters
    ----------
    memory : int
        Number of pairs of steps and gradient differences that are kept.
    renewals : collection of int
        Numbers of evaluations, in ascending order, after which `renewed` takes the place of `step`: the objective, or
        its coordinates, change.
    renew : callable, optional
        Makes the change: it receives the accepted point with its losses, and returns the point in the new coordinates,
        in which all later losses and gradients are computed. The pairs kept so far are dropped.
    first : float
        Share of the loss that the first step removes according to the linear model.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical optimization", 2006, algorithm 7.4, eq. 7.20 for the scale of the first
    guess, 3.4 for sufficient decrease and 3.57 for the shortened step. W. Chen, Z. Wang and J. Zhou, "Large-scale
    L-BFGS using MapReduce", NIPS 2014, for the recursion on inner products. Deviation: pairs without positive curvature
    are left out, so that the search needs no second Wolfe condition.
    """

    def __init__(
        self,
        memory: int = PAIRS,
        renewals: Collection[int] = (),
        renew: Callable[[Array, Array], Array] | None = None,
        first: float = 0.1,
    ) -> None:
        self.memory, self.renewals, self.renew, self.first = memory, renewals, renew, first
        self.sufficient = 1e-4

    def init(self, x: Array) -> Array:
        """Start at x, and return the first point to evaluate; x is not changed."""
        xp, batch = get_array_module(x), x.shape[0]
        self._base: Any = None  # the accepted point with its losses
        self._steps, self._on_device = 0, None
        if xp is not np:
            self._on_device = DeviceSteps(x.reshape(batch, -1), self.memory, self.first, self.sufficient)
            return x.copy()
        # All steps, all gradient differences, and the gradient at the accepted point. The direction is a combination of
        # them, whose factors need only their inner products: two passes over the memory instead of two for each pair.
        self._vectors = np.zeros((batch, 2 * self.memory + 1, x[0].size), x.dtype)
        self._products = np.zeros((batch, *2 * self._vectors.shape[1:2]))
        self._curvature = np.zeros((batch, self.memory))  # 1 / (s . y); zero where there is no pair
        self._guess, self._rate, self._slope = np.zeros(batch), np.ones(batch), np.zeros(batch)
        self._direction = np.zeros((batch, x[0].size), x.dtype)
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next trial point; on a GPU it is in the memory of x."""
        shape, x, grad = x.shape, x.reshape(len(x), -1), grad.reshape(len(x), -1)
        if self._on_device is not None:
            return self._on_device.step(x, losses, grad).reshape(shape)
        return self._step(x, losses, grad).reshape(shape)

    def renewed(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the first point in new coordinates, after an evaluation at x, see ``renew``."""
        assert self.renew is not None
        self.step(x, losses, grad)
        base, base_losses = self._base if self._on_device is None else (self._on_device.base, self._on_device.losses)
        return self.init(self.renew(base.reshape(x.shape), base_losses))

    def _step(self, x: np.ndarray, losses: np.ndarray, grad: np.ndarray) -> np.ndarray:
        """Return the next trial point, (batch, size)."""
        loss = losses.sum(axis=0)
        if self._base is None:
            accepted, self._base = np.ones(len(x), bool), (x, losses)
            self._vectors[:, -1] = grad
            self._update_products([2 * self.memory])
            self._guess = self.first * loss / np.maximum(self._products[:, -1, -1], 1e-30)
        else:
            accepted = loss <= self._base[1].sum(axis=0) + self.sufficient * self._rate * self._slope
            rise = loss - self._base[1].sum(axis=0) - self._slope * self._rate
            known = ~accepted & (rise > 0)  # not NaN
            parabola = -self._slope * self._rate**2 / (2 * np.where(known, rise, np.inf))
            self._rate = np.where(accepted, 1.0, np.clip(parabola, 0.1 * self._rate, 0.5 * self._rate))
            self._keep(accepted, x, losses, grad)
        if accepted.any():
            direction, slope = self._search_direction()
            if not accepted.all():  # other items keep their direction
                direction = np.where(accepted[:, None], direction, self._direction)
                slope = np.where(accepted, slope, self._slope)
            self._direction, self._slope = direction, slope
        self._steps += 1
        return self._base[0] + self._rate.astype(x.dtype)[:, None] * self._direction

    def best(self, x: Array, losses: Array) -> tuple[Array, Array]:
        """Return the accepted point with its losses, or x for items where its loss is lower."""
        base = self._base if self._on_device is None else (self._on_device.base, self._on_device.losses)
        if base is None or base[1] is None:
            return x, losses
        xp, (point, base_losses) = get_array_module(x), base
        better = losses.sum(axis=0) < base_losses.sum(axis=0)
        point = xp.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, point.reshape(x.shape))
        return point, xp.where(better, losses, base_losses)

    def _keep(self, accepted: np.ndarray, x: np.ndarray, losses: np.ndarray, grad: np.ndarray) -> None:
        """Move the base of the accepted items, and keep their pairs that have positive curvature.

        Every evaluation has a slot for its pair; the slot stays empty for items whose point is not accepted.
        """
        (base, base_losses), m, slot = self._base, self.memory, self._steps % self.memory
        np.subtract(x, base, out=self._vectors[:, slot])
        np.subtract(grad, self._vectors[:, -1], out=self._vectors[:, m + slot])
        if accepted.all():
            self._vectors[:, -1], self._base = grad, (x, losses)
        else:
            self._vectors[~accepted, slot] = self._vectors[~accepted, m + slot] = 0
            self._vectors[accepted, -1] = grad[accepted]
            self._base = np.where(accepted[:, None], x, base), np.where(accepted, losses, base_losses)
        self._update_products([slot, m + slot, 2 * m])
        curvature, change = self._products[:, slot, m + slot], self._products[:, m + slot, m + slot]
        good = curvature > 1e-10 * change
        self._curvature[:, slot] = np.where(good, 1 / np.where(good, curvature, 1), 0)
        self._guess = np.where(good, curvature / np.where(good, change, 1), self._guess)

    def _update_products(self, rows: list[int]) -> None:
        """Update the inner products of some rows of the vectors with all rows."""
        products: Array = 0.0
        for start in range(0, self._vectors.shape[2], BLOCK):
            part = self._vectors[:, :, start : start + BLOCK]
            products = products + matmul(part[:, rows], part.swapaxes(1, 2)).astype(np.float64)
        self._products[:, rows] = products
        self._products[:, :, rows] = products.swapaxes(1, 2)

    def _search_direction(self) -> tuple[np.ndarray, np.ndarray]:
        """Return minus the estimated inverse Hessian times the gradient, and its slope; by the two-loop recursion."""
        m, shares = self.memory, []
        factors = np.zeros(self._vectors.shape[:2])
        factors[:, -1] = -1.0
        slots = [(self._steps - age) % m for age in range(m)]  # the latest first
        for slot in slots:
            share = self._curvature[:, slot] * (self._products[:, slot] * factors).sum(axis=1)
            factors[:, m + slot] -= share
            shares.append(share)
        factors *= self._guess[:, None]
        for slot, share in zip(reversed(slots), reversed(shares), strict=True):
            product = (self._products[:, m + slot] * factors).sum(axis=1)
            factors[:, slot] += share - self._curvature[:, slot] * product
        slope = (self._products[:, -1] * factors).sum(axis=1)
        steepest = np.zeros_like(factors)
        steepest[:, -1] = -self._guess
        factors = np.where((slope < 0)[:, None], factors, steepest)
        slope = (self._products[:, -1] * factors).sum(axis=1)
        return matmul(factors.astype(self._vectors.dtype)[:, None], self._vectors)[:, 0], slope
