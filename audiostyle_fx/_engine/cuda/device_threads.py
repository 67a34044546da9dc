"""The thread of each GPU, which computes for other threads, and combines their batches."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from .memory import is_out_of_memory, items_that_fit, release_memory


class BatchResult(Protocol):
    """The result of a batch."""

    def split(self, sizes: Sequence[int]) -> list[Any]:
        """Return the results of the batches of these sizes that were combined."""


class PreparedBatch(Protocol):
    """A batch that is ready for a device.

    Attributes
    ----------
    kind : object
        Batches with equal kinds can be combined.
    size, item_bytes : int
        Number of items, and the memory that each needs on a GPU, in bytes.
    """

    @property
    def kind(self) -> object: ...

    @property
    def size(self) -> int: ...

    @property
    def item_bytes(self) -> int: ...

    def combined(self, others: Sequence[Any], device: str) -> PreparedBatch:
        """Return this batch and others of its kind as one, in this order."""

    def compute(self, device: str) -> BatchResult:
        """Return the result of the device's work."""


class Queue(Protocol):
    """Computes the batches of several threads on a GPU.

    Attributes
    ----------
    device : str
    copies_to : str
        The device to which this process copies the batches.
    """

    device: str
    copies_to: str

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the GPU's free memory, at least one."""

    def compute(self, prepared: PreparedBatch) -> Any:
        """Wait for the GPU, and return the result of a batch."""


@lru_cache(maxsize=64)
def device_executor(process_id: int, device: str) -> ThreadPoolExecutor:
    """Return the thread that works on one of several GPUs; it is kept, with its stream and its libraries' plans."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx {device}")


_this_thread = threading.local()


@contextmanager
def combining_batches(turns: threading.Semaphore) -> Iterator[None]:
    """Return a context in which a GPU computes this thread's batches together with those of other such threads.

    Threads that each process one recording of many then use a GPU as well as one call with all recordings.

    Parameters
    ----------
    turns : threading.Semaphore
        Is held in this context, except while the thread waits for a GPU. So many threads can wait, without too many at
        work on the cores.
    """
    with turns:
        _this_thread.turns = turns
        try:
            yield
        finally:
            del _this_thread.turns


def combines_batches() -> bool:
    """Return whether this thread is inside of `combining_batches`, or this process computes in another one."""
    return _elsewhere is not None or hasattr(_this_thread, "turns")


_elsewhere: Queue | None = None


def compute_elsewhere(queue: Queue) -> None:
    """Let a queue compute all batches of this process that are not for the CPU."""
    global _elsewhere
    _elsewhere = queue


def least_busy(devices: Sequence[str]) -> Queue:
    """Return the queue of the GPU for which the fewest batches wait, or that of `compute_elsewhere`."""
    if _elsewhere is not None:
        return _elsewhere
    return min((_queue(os.getpid(), name) for name in devices), key=len)


@lru_cache(maxsize=64)
def _queue(process_id: int, device: str) -> BatchQueue:
    return BatchQueue(device)


def forget_threads() -> None:
    """Forget the threads of GPUs, and what they keep; none may be at work."""
    device_executor.cache_clear()
    _queue.cache_clear()


@dataclass(eq=False)
class _Waiting:
    """A batch that waits for a GPU, with the future of its result."""

    prepared: PreparedBatch
    result: Future[Any] = field(default_factory=Future)


class BatchQueue:
    """Batches of several threads that wait for one GPU.

    Whenever the GPU is free, it takes the batch that has waited longest, together with all others of its kind that fit
    into memory. So batches are the larger, the more threads wait.

    Parameters
    ----------
    device : str
    """

    def __init__(self, device: str) -> None:
        self.device = self.copies_to = device
        self._waiting: list[_Waiting] = []  # those that are computed included
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of batches that wait or are computed."""
        return len(self._waiting)

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the GPU's free memory, at least one."""
        return items_that_fit(self.device, item_bytes)

    def compute(self, prepared: PreparedBatch) -> Any:
        """Wait for the GPU, and return the result of a batch.

        Raises
        ------
        Exception
            The error of this batch. Those of others that were combined with it don't count.
        """
        own = _Waiting(prepared)
        with self._lock:
            self._waiting.append(own)
        device_executor(os.getpid(), self.device).submit(self._compute_next)
        turns: threading.Semaphore | None = getattr(_this_thread, "turns", None)
        if turns is None:
            return own.result.result()
        turns.release()
        try:
            return own.result.result()
        finally:
            turns.acquire()

    def _compute_next(self) -> None:
        """Compute the batch that has waited longest, if any is left, and those that are combined with it."""
        taken = self._waiting[:1]  # only this thread removes some
        if not taken:
            return
        try:
            taken = self._with_others(taken[0])
            self._compute_together(taken)
        except BaseException as error:  # the threads that wait must not wait forever
            for waiting in taken:
                if not waiting.result.done():
                    waiting.result.set_exception(error)
        finally:
            with self._lock:
                self._waiting = [waiting for waiting in self._waiting if waiting not in taken]

    def _with_others(self, first: _Waiting) -> list[_Waiting]:
        """Return a batch with the others that are computed with it."""
        with self._lock:
            others = [waiting for waiting in self._waiting[1:] if waiting.prepared.kind == first.prepared.kind]
        taken, total = [first], first.prepared.size
        if others:
            most = items_that_fit(self.device, first.prepared.item_bytes)
            for waiting in others:
                if total + waiting.prepared.size <= most:
                    taken.append(waiting)
                    total += waiting.prepared.size
        return taken

    def _compute_together(self, taken: list[_Waiting]) -> None:
        """Set the results of batches; if they fail together, those of both halves, so that each fails for itself."""
        first, *others = (waiting.prepared for waiting in taken)
        sizes, half = [waiting.prepared.size for waiting in taken], len(taken) // 2
        try:
            combined = first.combined(others, self.device) if half else first
            result = combined.compute(self.device)
            for waiting, part in zip(taken, result.split(sizes) if half else [result], strict=True):
                waiting.result.set_result(part)
            return
        except Exception as error:
            out_of_memory = is_out_of_memory(error)
            if not half:
                taken[0].result.set_exception(error)
        combined = first
        if out_of_memory:  # outside of the handler, which keeps the failed batch's arrays alive
            release_memory(self.device)
        if out_of_memory and half:
            warn_of_halving(self.device, sum(sizes), sum(sizes[:half]))
        for some in (taken[:half], taken[half:]) if half else ():
            self._compute_together(some)


def warn_of_halving(device: str, size: int, half: int) -> None:
    """Warn that a batch runs out of memory."""
    warnings.warn(
        f"{device} ran out of memory with {size} recordings at once: continuing with {half}",
        RuntimeWarning,
        stacklevel=3,
    )
