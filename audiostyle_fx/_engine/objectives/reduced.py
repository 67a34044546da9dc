"""An objective of spectrograms in the coordinates of its subspace, where it has one."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays.array_module import Array
from .subspace import Subspace
from .waveform import Objective


@dataclass(frozen=True, eq=False)
class Reduced:
    """A search that changes frames only within a subspace, with a fraction of the operations.

    Gradients of products of frames are combinations of these frames. A search that starts among them and uses
    gradients alone, as L-BFGS does but not Adam, therefore stays in their subspace by itself.

    Attributes
    ----------
    objective : Objective
        A function of coordinates, (batch, frames, directions), or of the frames themselves without a subspace.
    start : array
        The coordinates to start from.
    origin : array (batch, frames, bins)
        The frames to start from.
    subspace : Subspace or None
    """

    objective: Objective
    start: Array
    origin: Array
    subspace: Subspace | None

    @classmethod
    def of(cls, objective: Objective, origin: Array) -> Reduced:
        """Return the search from frames (batch, frames, bins)."""
        subspace = getattr(objective, "subspace", None)
        if subspace is None:
            return cls(objective, origin, origin, None)
        within = objective.within_subspace(origin)  # type: ignore[attr-defined]  # it comes with a subspace
        return cls(within, subspace.project(origin), origin, subspace)

    def value_and_grad(self, z: Array) -> tuple[Array, Array]:
        """Return the losses, float64 (2, batch), and the gradient of their sum at coordinates."""
        return self.objective.value_and_grad(z)

    def frames(self, z: Array) -> Array:
        """Return the frames at coordinates."""
        return z if self.subspace is None else self.origin + self.subspace.lift(z - self.start)

    def projected(self, x: Array) -> Array:
        """Return frames without their changes outside of the subspace."""
        return x if self.subspace is None else self.frames(self.subspace.project(x))

    @property
    def of_frames(self) -> Objective:
        """The objective of the frames, which ignores changes outside of the subspace."""
        return self.objective if self.subspace is None else _Projected(self.objective, self.subspace)


@dataclass(frozen=True, eq=False)
class _Projected:
    objective: Objective
    subspace: Subspace

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        losses, grad = self.objective.value_and_grad(self.subspace.project(x))
        return losses, self.subspace.lift(grad)
