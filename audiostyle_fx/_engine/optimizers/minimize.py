"""Adam and L-BFGS on arrays with a batch axis, and the one loop that runs either.

An optimiser is asked for the first point with ``init(x)``, then for the next one with ``step(x, losses, grad)``, once
for each evaluation, and at the end, by ``best(x, losses)``, for the one to keep and its losses. Losses are float64
(parts, batch), and their sum over the parts is what falls; items of a batch never mix.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from ..arrays.array_module import Array, get_array_module
from ..cuda.graphs import captured
from .adam import Adam
from .lbfgs import LBFGS


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
