"""The loop that runs an optimizer.

An optimizer returns the first point from ``init(x)``, the next one from ``step(x, losses, grad)`` after each
evaluation, and at the end the point to keep, with its losses, from ``best(x, losses)``. L-BFGS may also change the
coordinates: after the evaluations in its ``renewals``, ``renewed`` takes the place of ``step``. Losses are float64
(parts, batch); the optimizer minimizes their sum over the parts, for each item of the batch independently.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..cuda.graphs import captured
from ..kernels.history import record_losses
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
    x, xp = optimizer.init(x), get_array_module(x)
    history, count = xp.empty((n_iter + 1, 2, len(x))), xp.zeros(1, np.int32)

    def iterate(next_point: Callable[[Array, Array, Array], Array]) -> Array:
        nonlocal x
        losses, grad = value_and_grad(x)
        record_losses(losses, history, count)
        x = next_point(x, losses, grad)
        return losses

    start, renewals = 0, optimizer.renewals if isinstance(optimizer, LBFGS) else ()
    for stop in [*(number - 1 for number in renewals if 0 < number <= n_iter), n_iter]:
        with captured(partial(iterate, optimizer.step), x, stop - start) as step:
            for iteration in range(start, stop):
                step()
                report(iteration, history[iteration])
        if stop < n_iter:
            assert isinstance(optimizer, LBFGS)
            iterate(optimizer.renewed)
            report(stop, history[stop])
        start = stop + 1
    x, losses = optimizer.best(x, value_and_grad(x)[0])
    history[n_iter] = losses[:2]
    report(n_iter, history[n_iter])
    return x, history
