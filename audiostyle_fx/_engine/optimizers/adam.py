"""Adam for arrays with a batch axis."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..kernels.adam import adam_step


class Adam:
    """Adam with bias correction, a cosine schedule to zero and an optional projection onto x >= 0.

    Its state is on the device of x, and each step works in place, so a GPU never waits for the host.

    Parameters
    ----------
    learning_rate : float
        Rate of the first step, in the units of x.
    n_iter : int
        Steps until the rate reaches zero.
    beta1, beta2 : float
        Decay of the running means of the gradients and of their squares.
    nonnegative : bool
        Set negative elements to zero after each step.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1. I. Loshchilov and F.
    Hutter, "SGDR", ICLR 2017, eq. 5, for the schedule.
    """

    def __init__(
        self, learning_rate: float, n_iter: int, *, beta1: float, beta2: float, nonnegative: bool = False
    ) -> None:
        self.learning_rate, self.n_iter, self.beta1, self.beta2 = learning_rate, n_iter, beta1, beta2
        self.nonnegative, self.epsilon = nonnegative, 1e-8

    def init(self, x: Array) -> Array:
        """Start at x, and return the first point to evaluate; x is not changed."""
        xp = get_array_module(x)
        self._mean, self._square = xp.zeros(x.shape, x.dtype), xp.zeros(x.shape, x.dtype)
        self._step_count = xp.zeros(1, np.int32)  # on the device, so that the host need not wait for it
        return x.copy()

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next point, in the memory of x; grad is overwritten."""
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
        """Return the last point and its losses."""
        return x, losses
