"""The losses of all iterations."""

from __future__ import annotations

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .launch import launch_kernel


def record_losses(losses: Array, history: Array, count: Array) -> None:
    """Keep the losses of an iteration, and count it.

    Parameters
    ----------
    losses : float64 array (parts, batch)
    history : float64 array (iterations, kept parts, batch)
        Receives the first parts.
    count : int32 array (1,)
        The number of iterations so far.
    """
    if get_array_module(losses) is not np:
        launch_kernel("record_losses", 1, losses, history, count, np.int32(history[0].size))
        return
    history[count[0]] = losses[: history.shape[1]]
    count += 1
