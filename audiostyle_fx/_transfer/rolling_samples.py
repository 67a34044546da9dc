"""The latest samples of a stream."""

from __future__ import annotations

import numpy as np


class RollingSamples:
    """The latest samples of a stream, (channels, samples so far), as an array of all of them is read and written."""

    def __init__(self, channels: int) -> None:
        self._parts, self._first, self._stop = [np.zeros((channels, 0), np.float32)], 0, 0

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and samples so far, those forgotten included."""
        return len(self._parts[0]), self._stop

    @property
    def held(self) -> slice:
        """Those that can be read."""
        return slice(self._first, self._stop)

    def append(self, block: np.ndarray) -> None:
        """Put samples (channels, any number) behind the last."""
        self._parts.append(block.astype(np.float32))
        self._stop += block.shape[1]

    def forget(self, before: int) -> None:
        """Let go of all samples before one."""
        held = self._held()
        self._parts = [held[:, max(0, before - self._first) :].copy()]
        self._first = self._stop - self._parts[0].shape[1]

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        return self._held()[key[0], self._at(key[1])].copy()

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray) -> None:
        self._held()[key[0], self._at(key[1])] = value

    def _held(self) -> np.ndarray:
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts, axis=1)]
        return self._parts[0]

    def _at(self, samples: slice) -> slice:
        start, stop, _ = samples.indices(self._stop)
        if start < self._first:
            raise IndexError(f"sample {start} is forgotten; the first held is {self._first}")
        return slice(start - self._first, max(start, stop) - self._first)
