"""The latest samples of a stream."""

from __future__ import annotations

import numpy as np


class RollingSamples:
    """The latest samples of a stream, indexed like an array (channels, samples) of the whole stream.

    Reading or assigning samples that `forget` has discarded raises IndexError.
    """

    def __init__(self, channels: int) -> None:
        self._blocks, self._start, self._stop = [np.zeros((channels, 0), np.float32)], 0, 0

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and samples of the stream so far, including the discarded ones."""
        return len(self._blocks[0]), self._stop

    @property
    def stored(self) -> slice:
        """The samples that are not discarded."""
        return slice(self._start, self._stop)

    def append(self, block: np.ndarray) -> None:
        """Add samples (channels, any number) at the end."""
        self._blocks.append(block.astype(np.float32))
        self._stop += block.shape[1]

    def forget(self, before: int) -> None:
        """Discard all samples before a number."""
        latest = self._joined()[:, max(0, before - self._start) :].copy()
        self._blocks = [latest]
        self._start = self._stop - latest.shape[1]

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        return self._joined()[key[0], self._offsets(key[1])].copy()

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray) -> None:
        self._joined()[key[0], self._offsets(key[1])] = value

    def _joined(self) -> np.ndarray:
        """Return the stored samples as one array, which takes the place of the blocks."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks, axis=1)]
        return self._blocks[0]

    def _offsets(self, samples: slice) -> slice:
        """Convert samples of the stream to samples of `_joined`."""
        start, stop, _ = samples.indices(self._stop)
        if start < self._start:
            raise IndexError(f"sample {start} is forgotten; the first stored one is {self._start}")
        return slice(start - self._start, max(start, stop) - self._start)
