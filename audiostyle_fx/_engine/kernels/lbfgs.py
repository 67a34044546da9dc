"""A step of L-BFGS on a GPU, without decisions of the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .launch import PARTS, THREADS, launch_kernel, n_blocks


class DeviceSteps:
    """The state of L-BFGS on a GPU.

    The host launches four kernels for a step and waits for none of them, so it doesn't know which points are accepted.
    All steps have the same arguments, so that one can be recorded.

    Parameters
    ----------
    x : float32 array (batch, size)
        The start.
    slots : int
        Number of pairs that are kept.
    first : float
        Share of the loss that the first step removes according to the linear model.
    sufficient : float
        A point is accepted if its loss decreases by this share of the decrease that the slope predicts.

    Attributes
    ----------
    base : float32 array (batch, size)
        The accepted point.
    losses : float64 array (parts, batch)
        Its losses, after the first step.
    """

    def __init__(self, x: Array, slots: int, first: float, sufficient: float) -> None:
        xp, (batch, size), count = get_array_module(x), x.shape, 2 * slots + 1
        self._slots, self._first, self._sufficient = slots, first, sufficient
        self._vectors, self.base = xp.zeros((batch, count, size), np.float32), x.copy()
        self._direction, self._accepted = xp.zeros((batch, size), np.float32), xp.zeros(batch, np.int32)
        self._products, self._factors = xp.zeros((batch, count, count)), xp.zeros((batch, count))
        self._states, self._curvatures = xp.zeros((batch, 4)), xp.zeros((batch, slots))
        self._steps = xp.zeros(1, np.int32)
        self.losses: Any = None

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next point, in the memory of x, after an evaluation there with losses, float64 (parts, batch)."""
        xp, (batch, size), slots = get_array_module(x), x.shape, self._slots
        if self.losses is None:
            self.losses = losses.copy()
        parts, count, limit = np.int32(len(losses)), np.int32(slots), np.float64(self._sufficient)
        sizes, first = (np.int32(batch), np.int64(size)), np.float64(self._first)
        known, kept = (losses, self.losses, self._states), (self._vectors, self.base, self._steps)
        launch_kernel("lbfgs_keep", n_blocks(x.size), x, grad, *known, *kept, *sizes, parts, count, limit)
        in_parts = xp.empty((batch, PARTS, 3, 2 * slots + 1))
        compared, shared = (self._vectors, in_parts, self._steps), 8 * 3 * (2 * slots + 1) * (THREADS // 32)
        launch_kernel("lbfgs_products", (PARTS, batch), *compared, np.int64(size), count, shared=shared)
        state = (self._products, self._states, self._curvatures, self._factors, self._accepted, self._steps)
        numbers = (np.int32(batch), parts, count, np.int32(PARTS), limit, first)
        launch_kernel("lbfgs_plan", batch, losses, self.losses, in_parts, *state, *numbers, threads=64)
        arrays = (self._vectors, self.base, self._factors, self._states, self._accepted, self._direction, x)
        launch_kernel("lbfgs_move", n_blocks(x.size), *arrays, self._steps, *sizes, count)
        return x
