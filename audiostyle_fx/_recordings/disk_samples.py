"""Samples on disk, for recordings that are longer than memory."""

from __future__ import annotations

import os
import tempfile
import threading
from types import TracebackType
from typing import Protocol

import numpy as np


class Samples(Protocol):
    """A recording for transfers: a float32 array (channels, samples), or an object that is indexed like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, samples)."""

    def __getitem__(self, key: tuple[slice, slice], /) -> np.ndarray: ...

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray, /) -> None: ...


class SampleFile:
    """Samples (channels, samples), float32, in an unnamed temporary file; a context manager that closes the file.

    ``samples[:, start:stop]`` reads samples and can be assigned to. The file has no name, so the system deletes it
    however the process ends. Samples that were never written are zero and take no space on disk. Threads may share a
    file.

    Parameters
    ----------
    folder : path
        The file is made on the disk of this folder.
    channels, n_samples : int
        Initial shape; `append` adds samples.
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
        start, stop = self._bounds(samples)
        block = np.zeros((stop - start, self.shape[0]), np.float32)
        unread = block.reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(start * self._frame_bytes)
            while unread and (n_bytes := self._file.readinto(unread)):
                unread = unread[n_bytes:]
        return np.ascontiguousarray(block.T[channels])

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray) -> None:
        channels, samples = key
        start, stop = self._bounds(samples)
        if channels != slice(None) or value.shape != (self.shape[0], stop - start):
            raise ValueError(f"{value.shape} samples can't be written to [{channels}, {samples}] of {self.shape}")
        unwritten = value.T.astype(np.float32, order="C").reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(start * self._frame_bytes)
            while unwritten:
                unwritten = unwritten[self._file.write(unwritten) :]

    def append(self, block: np.ndarray) -> None:
        """Add samples (channels, any number) at the end."""
        start = self.shape[1]
        self.shape = (self.shape[0], start + block.shape[1])
        self[:, start:] = block

    @property
    def _frame_bytes(self) -> int:
        return 4 * self.shape[0]

    def _bounds(self, samples: slice) -> tuple[int, int]:
        start, stop, _ = samples.indices(self.shape[1])
        return start, max(start, stop)
