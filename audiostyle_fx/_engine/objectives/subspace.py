r"""A subspace that nearly contains the frames, in which their inner products take fewer operations.

The frames of recordings are nearly dependent: some tens of directions hold nearly all that a thousand bins do. With an
orthonormal basis :math:`V` of such directions the products of varying frames :math:`X` with fixed ones :math:`Y` are
:math:`XV^T (YV^T)^T + X_\perp Y_\perp^T`. The second part is small, and hardly changes with X, so it is computed for a
given :math:`X_0`; if X differs from :math:`X_0` only in the directions of V, this is exact.

References
----------
N. Halko, P.-G. Martinsson and J. Tropp, "Finding structure with randomness", SIAM Review 53, 2011, algorithms 4.4
(the range finder, with one iteration) and 5.3 (the directions in it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays.array_module import Array
from ..arrays.matmul import matmul

MOST_DIRECTIONS = 160

OVERSAMPLING = 16
"""Additional random directions, which make the range finder more accurate."""

LEAST_ENERGY = 0.02
"""Share of the frames' energy that may lie outside of a basis."""


@dataclass(frozen=True, eq=False)
class Subspace:
    """Directions in which the frames of each item of a batch lie.

    Attributes
    ----------
    basis : real NumPy array (batch, directions, bins)
        Orthonormal rows.
    """

    basis: Array

    @classmethod
    def of(cls, frames: Sequence[Array], most: int = MOST_DIRECTIONS, energy: float = LEAST_ENERGY) -> Subspace:
        """Return the directions that hold all but a share of the energy, at most ``most`` of them.

        Parameters
        ----------
        frames : sequence of real array (batch or 1, frames, bins)
        most : int
        energy : float
            The share of the energy of all frames that may be left out, in each item.
        """
        batch, bins = max(map(len, frames)), frames[0].shape[2]
        n_sketch = min(most + OVERSAMPLING, bins, sum(part.shape[1] for part in frames))
        sketch = np.random.default_rng(0).standard_normal((1, bins, n_sketch)).astype(frames[0].dtype)
        for _ in range(2):
            image: Array = sum(matmul(part.swapaxes(1, 2), matmul(part, sketch)) for part in frames)
            sketch = np.linalg.qr(image)[0]
        gram: Array = sum(matmul(coords.swapaxes(1, 2), coords) for coords in (matmul(part, sketch) for part in frames))
        energies, directions = np.linalg.eigh(gram)
        total: Array = sum(np.broadcast_to((part * part).sum(axis=(1, 2), dtype=np.float64), batch) for part in frames)
        left_out = total[:, None] - np.cumsum(energies[:, ::-1].astype(np.float64), axis=1)
        enough = (left_out > energy * total[:, None]).sum(axis=1).max() + 1
        rank = min(int(enough), most, n_sketch)
        basis = matmul(directions[:, :, ::-1][:, :, :rank].swapaxes(1, 2), sketch.swapaxes(1, 2))
        return cls(np.ascontiguousarray(basis))

    def project(self, frames: Array) -> Array:
        """Return the coordinates, (batch, n, k * directions), of frames (batch or 1, n, k * bins)."""
        return self._through(frames, self.basis.swapaxes(1, 2))

    def lift(self, coordinates: Array) -> Array:
        """Return the adjoint of `project`: the frames that have these coordinates and nothing outside of the basis."""
        return self._through(coordinates, self.basis)

    @staticmethod
    def _through(rows: Array, matrix: Array) -> Array:
        size = matrix.shape[1]
        out = matmul(rows.reshape(len(rows), -1, size), matrix)
        return out.reshape(len(out), rows.shape[1], -1)
