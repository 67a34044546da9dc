"""One step of Adam."""

from __future__ import annotations

import math

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import launch_kernel, n_blocks


def adam_step(
    x: Array,
    grad: Array,
    mean: Array,
    square: Array,
    step_count: Array,
    *,
    learning_rate: float,
    n_iter: int,
    beta1: float,
    beta2: float,
    epsilon: float,
    nonnegative: bool,
) -> None:
    """Take one step of Adam in place.

    Parameters
    ----------
    x, mean, square : real arrays of one shape
        The point and the running means of gradients and of their squares; all are updated.
    grad : real array of the same shape
        The gradient at x; it is overwritten.
    step_count : int32 array (1,)
        Steps taken before; the caller counts it up.
    learning_rate : float
        Rate of the first step.
    n_iter : int
        Steps until the rate is zero.
    beta1, beta2, epsilon : float
        As in the paper, see `Adam`.
    nonnegative : bool
        Whether negative elements of x become zero.
    """
    xp, arrays = get_array_module(x), [a.reshape(-1) for a in (x, grad, mean, square)]
    if xp is not np:
        schedule = [np.float64(learning_rate), np.int32(n_iter), np.float64(beta1), np.float64(beta2)]
        options = [*schedule, np.float64(epsilon), np.int32(nonnegative)]
        launch_kernel("adam_step", n_blocks(x.size), *arrays, step_count, np.int64(x.size), *options)
        return
    steps = int(step_count[0])
    rate = learning_rate * 0.5 * (1 + math.cos(math.pi * steps / n_iter)) / (1 - beta1 ** (steps + 1))
    correction = 1 / (1 - beta2 ** (steps + 1))

    def fill(elements: slice) -> None:
        x, grad, mean, square = (a[elements] for a in arrays)
        mean *= beta1
        mean += (1 - beta1) * grad
        square *= beta2
        np.square(grad, out=grad)
        grad *= 1 - beta2
        square += grad
        np.multiply(square, correction, out=grad)
        np.sqrt(grad, out=grad)
        grad += epsilon
        np.divide(mean, grad, out=grad)
        grad *= rate
        x -= grad
        if nonnegative:
            np.maximum(x, 0, out=x)

    in_blocks(fill, x.size, 1, xp)
