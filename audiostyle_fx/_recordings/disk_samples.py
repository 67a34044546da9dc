"""Samples of a recording that is longer than memory, in an unnamed file."""

from __future__ import annotations

import os
import tempfile
import threading
from types import TracebackType
from typing import Protocol

import numpy as np


class Samples(Protocol):
    """What a transfer needs of a recording: an array (channels, samples), or what is read and written like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, samples)."""

    def __getitem__(self, key: tuple[slice, slice], /) -> np.ndarray: ...

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray, /) -> None: ...


class SampleFile:
    """Samples (channels, samples), float32, on disk: ``file[:, start:stop]`` reads some, and may be set.

    The file has no name, so that nothing of it stays behind however the process ends. Samples never written are zero
    and take no room. Threads may share it.

    Parameters
    ----------
    folder : path
        On whose disk it is made.
    channels, n_samples : int
        Its shape; it grows when more is appended.
    """

    def __init__(self, folder: str | os.PathLike[str], channels: int, n_samples: int = 0) -> None:
        self.shape = (channels, n_samples)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()

    def __enter__(self) -> SampleFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        channels, samples = key
        start, stop = self._range(samples)
        block = np.zeros((stop - start, self.shape[0]), np.float32)
        rest = block.reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(start * self._frame_bytes)
            while rest and (n_bytes := self._file.readinto(rest)):
                rest = rest[n_bytes:]
        return np.ascontiguousarray(block.T[channels])

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray) -> None:
        channels, samples = key
        start, stop = self._range(samples)
        if channels != slice(None) or value.shape != (self.shape[0], stop - start):
            raise ValueError(f"{value.shape} samples can't be written to [{channels}, {samples}] of {self.shape}")
        rest = value.T.astype(np.float32, order="C").reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(start * self._frame_bytes)
            while rest:
                rest = rest[self._file.write(rest) :]

    def append(self, block: np.ndarray) -> None:
        """Put samples (channels, any number) behind the last."""
        start = self.shape[1]
        self.shape = (self.shape[0], start + block.shape[1])
        self[:, start:] = block

    @property
    def _frame_bytes(self) -> int:
        return 4 * self.shape[0]

    def _range(self, samples: slice) -> tuple[int, int]:
        start, stop, _ = samples.indices(self.shape[1])
        return start, max(start, stop)
