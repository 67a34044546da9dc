"""Adam on arrays with a batch axis."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..kernels.adam import adam_step


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
