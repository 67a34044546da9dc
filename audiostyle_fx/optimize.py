"""Adam and L-BFGS on arrays with a batch axis, and the one loop that runs either.

An optimiser is asked for the first point with ``init(x)``, then for the next one with ``step(x, losses, grad)``, once
for each evaluation, and at the end, by ``best(x, losses)``, for the one to keep and its losses. Losses are float64
(parts, batch), and their sum over the parts is what falls; items of a batch never mix.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from .backend import Array, get_array_module, in_blocks
from .cards import captured
from .kernels import adam_step, dots


class Adam:
    """Adam with bias correction, a cosine schedule to zero and an optional projection onto x >= 0.

    All that it remembers lies beside x, and each step is made in place, so that a GPU never waits for the host.

    Parameters
    ----------
    learning_rate : float
        Rate of the first step, in the units of x.
    n_iter : int
        Steps until the rate is zero.
    beta1, beta2 : float
        Decay of the mean of gradients and of their squares.
    nonnegative : bool
        Set negative elements to zero after each step.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1. I. Loshchilov and F.
    Hutter, "SGDR", ICLR 2017, eq. 5, for the schedule.
    """

    in_place = True

    def __init__(
        self, learning_rate: float, n_iter: int, *, beta1: float, beta2: float, nonnegative: bool = False
    ) -> None:
        self.learning_rate, self.n_iter, self.beta1, self.beta2 = learning_rate, n_iter, beta1, beta2
        self.nonnegative, self.epsilon = nonnegative, 1e-8

    def init(self, x: Array) -> Array:
        """Start at x, which is kept."""
        xp = get_array_module(x)
        self._mean, self._square = xp.zeros(x.shape, x.dtype), xp.zeros(x.shape, x.dtype)
        self._step_count = xp.zeros(1, np.int32)  # beside x, so that on a GPU nothing waits for the host
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """The next point, in place of x; grad is overwritten."""
        adam_step(
            x,
            grad,
            self._mean,
            self._square,
            self._step_count,
            learning_rate=self.learning_rate,
            n_iter=self.n_iter,
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.epsilon,
            nonnegative=self.nonnegative,
        )
        self._step_count += 1
        return x

    def best(self, x: Array, losses: Array) -> tuple[Array, Array]:
        """The last point."""
        return x, losses


class LBFGS:
    """Limited-memory BFGS with backtracking; each item of the batch has its own step, history and acceptance.

    One evaluation is one call of `step`: a trial point that lowers the loss enough is accepted and gives the next
    direction, another makes the step along the present direction shorter.

    Parameters
    ----------
    memory : int
        Pairs of steps and gradient differences that are kept.
    renewal : (int, callable), optional
        After how many evaluations to go on in other coordinates, with no memory of the pairs before; the callable
        gets the accepted point and returns it in those that losses and gradients are taken at from then on.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical optimization", 2006, algorithm 7.4, eq. 7.20 for the scale of the first
    guess, 3.4 for sufficient decrease and 3.57 for the shortened step. Deviation: pairs without positive curvature
    are left out, so that the search needs no second Wolfe condition.
    """

    in_place = False  # the host decides which point comes next

    def __init__(self, memory: int = 10, renewal: tuple[int, Callable[[Array], Array]] | None = None) -> None:
        self.memory, self.renewal, self.sufficient, self._evaluations = memory, renewal, 1e-4, 0

    def init(self, x: Array) -> Array:
        """Start at x, which is kept."""
        xp, batch = get_array_module(x), x.shape[0]
        self._steps = xp.zeros((self.memory, batch, x[0].size), x.dtype)
        self._changes = xp.zeros_like(self._steps)
        self._curvature = xp.zeros((self.memory, batch))  # 1 / (s . y); zero where there is no pair yet
        self._newest, self._guess = xp.full(batch, -1), xp.zeros(batch)
        self._rate, self._slope = xp.ones(batch), xp.zeros(batch)
        self._base: Any = None  # the accepted point, its losses and its gradient
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """The next trial point; x and grad are kept."""
        xp, shape = get_array_module(x), x.shape
        x, grad, loss = x.reshape(shape[0], -1), grad.reshape(shape[0], -1), losses.sum(axis=0)
        if self._base is None:
            self._base = x, losses, grad
            # Along a straight line the loss would fall by a tenth.
            self._guess = 0.1 * loss / xp.maximum(dots(grad, grad), 1e-30)
            accepted = xp.ones(shape[0], bool)
        else:
            accepted = loss <= self._base[1].sum(axis=0) + self.sufficient * self._rate * self._slope
            self._accept(accepted, x, losses, grad)
        base, base_losses, base_grad = self._base
        self._evaluations += 1
        if self.renewal and self._evaluations == self.renewal[0]:
            return self.init(self.renewal[1](base.reshape(shape)))
        base_loss = base_losses.sum(axis=0)
        if accepted.any():  # the direction of the others comes out as it was
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
        """The accepted point, or x where its loss is lower."""
        if self._base is None:
            return x, losses
        xp, (base, base_losses, _) = get_array_module(x), self._base
        better = losses.sum(axis=0) < base_losses.sum(axis=0)
        kept = xp.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, base.reshape(x.shape))
        return kept, xp.where(better, losses, base_losses)

    def _accept(self, accepted: Array, x: Array, losses: Array, grad: Array) -> None:
        """Move the base of the accepted items, and remember their steps of positive curvature."""
        xp, (base, base_losses, base_grad) = get_array_module(x), self._base
        step, change = x - base, grad - base_grad
        curvature, change_norm = dots(step, change), dots(change, change)
        kept = xp.nonzero(accepted & (curvature > 1e-10 * change_norm))[0]
        self._newest[kept] = (self._newest[kept] + 1) % self.memory
        slot = self._newest[kept]
        self._steps[slot, kept], self._changes[slot, kept] = step[kept], change[kept]
        self._curvature[slot, kept] = 1 / curvature[kept]
        self._guess[kept] = curvature[kept] / change_norm[kept]
        if accepted.all():
            self._base = x, losses, grad
        else:
            x, grad = (xp.where(accepted[:, None], new, old) for new, old in ((x, base), (grad, base_grad)))
            self._base = x, xp.where(accepted, losses, base_losses), grad

    def _search_direction(self, grad: Array) -> Array:
        """Minus the inverse Hessian's estimate times the gradient, by the two-loop recursion on each item's history."""
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
        """The step, gradient difference and inverse curvature that each item kept ``age`` acceptances ago."""
        slots = (self._newest - age) % self.memory
        if (slots == slots[0]).all():  # as long as every item has accepted alike nothing has to be gathered
            at: Any = (int(slots[0]), slice(None))
        else:
            at = (slots, get_array_module(slots).arange(len(slots)))
        return self._steps[at], self._changes[at], self._curvature[at]


def minimize(
    value_and_grad: Callable[[Array], tuple[Array, Array]],
    x: Array,
    optimizer: Adam | LBFGS,
    n_iter: int,
    report: Callable[[int, Array], None],
) -> tuple[Array, Array]:
    """Run ``n_iter`` steps, each of one evaluation, and one more evaluation that measures the point kept.

    Parameters
    ----------
    value_and_grad : callable
        Gives the losses, float64 (2, batch), and the gradient of their sum at x.
    x : real array (batch, ...)
        Where to start; not changed.
    optimizer : Adam or LBFGS
        A fresh one.
    report : callable
        Called with the iteration and its losses, from 0, and at the end; in the middle, a card may still be at work
        on them.

    Returns
    -------
    x : array
        The point found.
    history : float64 array (n_iter + 1, 2, batch)
        Losses at the start of each step and, last, at the point returned.
    """
    x = optimizer.init(x)
    history = get_array_module(x).empty((n_iter + 1, 2, len(x)))

    def iterate() -> Array:
        nonlocal x
        losses, grad = value_and_grad(x)
        x = optimizer.step(x, losses, grad)
        return losses

    with captured(iterate, x) if optimizer.in_place else nullcontext(iterate) as step:
        for iteration in range(n_iter):
            history[iteration] = step()
            report(iteration, history[iteration])
    x, history[n_iter] = optimizer.best(x, value_and_grad(x)[0])
    report(n_iter, history[n_iter])
    return x, history


def _add_scaled(x: Array, factors: Array, y: Array) -> None:
    """Add factors * y to x, arrays (batch, n), with a factor an item."""
    scales = factors.astype(x.dtype)[:, None]

    def add(at: slice) -> None:
        x[:, at] += scales * y[:, at]

    in_blocks(add, x.shape[1], x.shape[0], get_array_module(x))
