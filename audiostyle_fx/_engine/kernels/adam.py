"""One step of Adam."""

from __future__ import annotations

import math

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import _blocks, _launch


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
    """One step of Adam in place on x, mean and square; ``step_count``, int32 (1,), is left alone, grad is not."""
    xp, arrays = get_array_module(x), [a.reshape(-1) for a in (x, grad, mean, square)]
    if xp is not np:
        schedule = [np.float64(learning_rate), np.int32(n_iter), np.float64(beta1), np.float64(beta2)]
        options = [*schedule, np.float64(epsilon), np.int32(nonnegative)]
        _launch("adam_step", _blocks(x.size), *arrays, step_count, np.int64(x.size), *options)
        return
    done = int(step_count[0])
    rate = learning_rate * 0.5 * (1 + math.cos(math.pi * done / n_iter)) / (1 - beta1 ** (done + 1))
    correction = 1 / (1 - beta2 ** (done + 1))

    def fill(at: slice) -> None:
        x, grad, mean, square = (a[at] for a in arrays)
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
