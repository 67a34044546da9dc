"""A step of L-BFGS on a GPU, without decisions of the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .launch import PARTS, THREADS, launch_kernel, n_blocks


class DeviceSteps:
    """The state of L-BFGS on a GPU.

    The host launches four kernels for a step and waits for none of them, so it doesn't know which points are accepted.

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
        self._slots, self._first, self._sufficient, self._steps = slots, first, sufficient, 0
        self._vectors, self.base = xp.zeros((batch, count, size), np.float32), x.copy()
        self._direction, self._accepted = xp.zeros((batch, size), np.float32), xp.zeros(batch, np.int32)
        self._products, self._factors = xp.zeros((batch, count, count)), xp.zeros((batch, count))
        self._states, self._curvatures = xp.zeros((batch, 4)), xp.zeros((batch, slots))
        self.losses: Any = None

    def step(self, x: Array, losses: Array, grad: Array) -> Array:
        """Return the next point, (batch, size), after an evaluation at x with losses, float64 (parts, batch)."""
        xp, (batch, size), slots = get_array_module(x), x.shape, self._slots
        if self.losses is None:
            self.losses = losses.copy()
        slot, is_first, parts = self._steps % slots, np.int32(self._steps == 0), len(losses)
        self._steps += 1
        counts = np.array([parts, slots, slot], np.int32)
        sizes, limit = (np.int32(batch), np.int64(size)), np.float64(self._sufficient)
        known = (losses, self.losses, self._states)
        kept = (self._vectors, self.base)
        launch_kernel("lbfgs_keep", n_blocks(x.size), x, grad, *known, *kept, *sizes, *counts, limit, is_first)
        in_parts = xp.empty((batch, PARTS, 3, 2 * slots + 1))
        compared, shared = (self._vectors, in_parts), 8 * 3 * (2 * slots + 1) * (THREADS // 32)
        launch_kernel("lbfgs_products", (PARTS, batch), *compared, np.int64(size), *counts[1:], shared=shared)
        state = (self._products, self._states, self._curvatures, self._factors, self._accepted)
        numbers = (np.int32(batch), *counts, np.int32(PARTS), limit, np.float64(self._first), is_first)
        launch_kernel("lbfgs_plan", batch, losses, self.losses, in_parts, *state, *numbers, threads=64)
        out = xp.empty(x.shape, np.float32)
        plan = (self._factors, self._states, self._accepted)
        arrays = (self._vectors, self.base, *plan, self._direction, out)
        launch_kernel("lbfgs_move", n_blocks(x.size), *arrays, *sizes, np.int32(slots))
        return out
