"""Samples on disk, for recordings that are longer than memory; short ones stay in memory."""

from __future__ import annotations

import os
import tempfile
import threading
from types import TracebackType
from typing import IO, Protocol

import numpy as np


class Samples(Protocol):
    """A recording for transfers: a float32 array (channels, samples), or an object that is indexed like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, samples)."""

    def __getitem__(self, key: tuple[slice, slice], /) -> np.ndarray: ...

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray, /) -> None: ...


IN_MEMORY = 1 << 22
"""Samples of all channels, 16 MiB, up to which a recording stays in memory."""


class SampleFile:
    """Samples (channels, samples), float32, in an unnamed temporary file; a context manager that closes the file.

    ``samples[:, start:stop]`` reads samples and can be assigned to. The file has no name, so the system deletes it
    however the process ends. Samples that were never written are zero and take no space on disk. Threads may share a
    file. Up to `IN_MEMORY` samples are kept in memory instead, without a file.

    Parameters
    ----------
    folder : path
        The file is made on the disk of this folder.
    channels, n_samples : int
        Initial shape; `append` adds samples.
    """

    def __init__(self, folder: str | os.PathLike[str], channels: int, n_samples: int = 0) -> None:
        self.shape, self._folder, self._lock = (channels, n_samples), folder, threading.Lock()
        self._in_memory: np.ndarray | None = None
        self._file: IO[bytes] | None = None
        if channels * n_samples <= IN_MEMORY:
            self._in_memory = np.zeros(self.shape, np.float32)
        else:
            self._open()

    def _open(self) -> None:
        self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115

    def __enter__(self) -> SampleFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_memory = None
        if self._file is not None:
            self._file.close()

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        channels, samples = key
        start, stop = self._bounds(samples)
        with self._lock:
            if self._in_memory is not None:
                return self._in_memory[channels, start:stop].copy()
            block = np.zeros((stop - start, self.shape[0]), np.float32)
            self._read(block, start)
        return np.ascontiguousarray(block.T[channels])

    def __setitem__(self, key: tuple[slice, slice], value: np.ndarray) -> None:
        channels, samples = key
        start, stop = self._bounds(samples)
        if channels != slice(None) or value.shape != (self.shape[0], stop - start):
            raise ValueError(f"{value.shape} samples can't be written to [{channels}, {samples}] of {self.shape}")
        with self._lock:
            if self._in_memory is not None:
                self._in_memory[:, start:stop] = value
            else:
                self._write(value, start)

    def append(self, block: np.ndarray) -> None:
        """Add samples (channels, any number) at the end."""
        channels, start = self.shape
        stop = start + block.shape[1]
        with self._lock:
            if self._in_memory is not None:
                self._make_room(start, stop)
            self.shape = channels, stop
        self[:, start:] = block

    def _make_room(self, start: int, stop: int) -> None:
        """Make room for samples up to ``stop``, of which those from ``start`` on are new: in memory, or in a file."""
        assert self._in_memory is not None
        channels, capacity = self._in_memory.shape
        if channels * stop > IN_MEMORY:
            self._open()
            self._write(self._in_memory[:, :start], 0)
            self._in_memory = None
        elif stop > capacity:
            larger = np.zeros((channels, max(stop, min(2 * capacity, IN_MEMORY // channels))), np.float32)
            larger[:, :start] = self._in_memory[:, :start]
            self._in_memory = larger

    def _read(self, block: np.ndarray, start: int) -> None:
        """Fill a block (samples, channels) from the file; samples that were never written stay."""
        assert self._file is not None
        unread = block.reshape(-1).view(np.uint8).data
        self._file.seek(start * self._frame_bytes)
        while unread and (n_bytes := self._file.readinto(unread)):  # type: ignore[attr-defined]  # it is unbuffered
            unread = unread[n_bytes:]

    def _write(self, value: np.ndarray, start: int) -> None:
        """Write samples (channels, samples) to the file."""
        assert self._file is not None
        unwritten = value.T.astype(np.float32, order="C").reshape(-1).view(np.uint8).data
        self._file.seek(start * self._frame_bytes)
        while unwritten:
            unwritten = unwritten[self._file.write(unwritten) :]

    @property
    def _frame_bytes(self) -> int:
        return 4 * self.shape[0]

    def _bounds(self, samples: slice) -> tuple[int, int]:
        start, stop, _ = samples.indices(self.shape[1])
        return start, max(start, stop)
