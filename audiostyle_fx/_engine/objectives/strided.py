"""Objectives of patches a stride apart: groups of consecutive frames are joined to one frame with all their bins.

Neighbouring patches are much alike. If frames are joined in pairs and only every second patch counts, the products of
all frames with all frames take half of the operations, and the work on these products takes a quarter.
"""

from __future__ import annotations

from typing import Any

from ..arrays.array_module import Array, get_array_module
from .subspace import Subspace
from .waveform import Objective


def joined_frames(frames: Array, stride: int) -> Array:
    """Return joined frames (batch, n // stride, stride * bins) of frames (batch, n, bins); the rest is dropped."""
    batch, n, bins = frames.shape
    return frames[:, : n - n % stride].reshape(batch, n // stride, stride * bins)


def strided(objective: Objective, stride: int) -> Objective:
    """Return the objective of single frames, from one of joined frames."""
    return objective if stride == 1 else StridedObjective(objective, stride)


class StridedObjective:
    """An objective of joined frames as a function of the frames.

    Parameters
    ----------
    objective : Objective
    stride : int
        Number of frames that are joined.
    """

    def __init__(self, objective: Any, stride: int) -> None:
        self._objective, self._stride = objective, stride

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Return the losses, float64 (2, batch), and the gradient of their sum at x, (batch, frames, bins)."""
        losses, joined = self._objective.value_and_grad(joined_frames(x, self._stride))
        grad = joined.reshape(len(x), -1, x.shape[2])
        if grad.shape == x.shape:
            return losses, grad
        whole = get_array_module(x).zeros_like(x)
        whole[:, : grad.shape[1]] = grad
        return losses, whole

    @property
    def subspace(self) -> Subspace | None:
        """The subspace of the objective of joined frames, which is one of single frames; None where it has none."""
        return getattr(self._objective, "subspace", None)

    def within_subspace(self, origin: Array) -> StridedObjective:
        """Return the objective of coordinates, (batch, frames, directions); see `InfiniteWidth.within_subspace`."""
        return StridedObjective(self._objective.within_subspace(joined_frames(origin, self._stride)), self._stride)
