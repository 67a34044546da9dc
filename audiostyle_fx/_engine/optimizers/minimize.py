"""The loop that runs an optimizer.

An optimizer returns the first point from ``init(x)``, the next one from ``step(x, losses, grad)`` after each
evaluation, and at the end the point to keep, with its losses, from ``best(x, losses)``. Losses are float64 (parts,
batch); the optimizer minimizes their sum over the parts, for each item of the batch independently.
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
    """Run ``n_iter`` steps of one evaluation each, and evaluate the result once more.

    Parameters
    ----------
    value_and_grad : callable
        Returns the losses, float64 (2 or more, batch), and the gradient of their sum at x.
    x : real array (batch, ...)
        The start; it is not changed.
    optimizer : Adam or LBFGS
        An optimizer that has not been used yet.
    report : callable
        Gets each iteration, 0 to ``n_iter``, and its losses; until the last iteration a GPU may still be computing
        them.

    Returns
    -------
    x : array
        The best point.
    history : float64 array (n_iter + 1, 2, batch)
        The first two losses before each step; the last row has those of the returned point.
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
            history[iteration] = step()[:2]
            report(iteration, history[iteration])
    x, losses = optimizer.best(x, value_and_grad(x)[0])
    history[n_iter] = losses[:2]
    report(n_iter, history[n_iter])
    return x, history
