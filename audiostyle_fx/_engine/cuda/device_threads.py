"""The thread of each GPU, which computes for other threads, and combines their batches."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import ref

from .memory import is_out_of_memory, items_that_fit, release_memory
from .warnings_of_work import kept_warnings, warn


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


class Submission(Protocol):
    """A batch that waits for a GPU."""

    def result(self) -> Any:
        """Wait for the GPU, and return the result, once.

        Raises
        ------
        Exception
            The error of the batch, or of those that were combined with it.

        Warns
        -----
        RuntimeWarning
            The warnings of their work.
        """

    def cancel(self) -> None:
        """Give the batch up if it still waits."""


class Queue(Protocol):
    """Computes the batches of several threads on a GPU.

    Attributes
    ----------
    device : str
        Its name in messages.
    copies_to : str
        The device to which this process copies the batches.
    """

    device: str
    copies_to: str

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the GPU's memory, at least one."""

    def submit(self, prepared: PreparedBatch) -> Submission:
        """Let a batch wait for the GPU."""


_this_thread = threading.local()


@contextmanager
def combining_batches(turns: threading.Semaphore, stopped: threading.Event) -> Iterator[None]:
    """Return a context in which a GPU computes this thread's batches together with those of other such threads.

    Threads that each process one recording of many then use a GPU as well as one call with all recordings.

    Parameters
    ----------
    turns : threading.Semaphore
        Is held in this context, except while the thread waits for a GPU. So many threads can wait, without too many at
        work on the cores.
    stopped : threading.Event
        While it is set, batches are refused with a `CancelledError`.
    """
    with turns:
        _this_thread.turns, _this_thread.stopped = turns, stopped
        try:
            yield
        finally:
            del _this_thread.turns, _this_thread.stopped


def combines_batches() -> bool:
    """Return whether this thread is inside of `combining_batches`, or this process computes in another one."""
    return _elsewhere is not None or hasattr(_this_thread, "turns")


_elsewhere: Callable[[Sequence[str]], Queue] | None = None


def compute_elsewhere(queue: Callable[[Sequence[str]], Queue] | None) -> None:
    """Let another process compute the batches of this one: the function returns a queue of some GPUs. None ends it."""
    global _elsewhere
    _elsewhere = queue


def least_busy(devices: Sequence[str]) -> Queue:
    """Return the queue of the GPU for which the fewest batches wait, or that of `compute_elsewhere`."""
    if _elsewhere is not None:
        return _elsewhere(devices)
    return min(map(device_queue, devices), key=len)


def items_that_fit_all(devices: Sequence[str], item_bytes: int) -> int:
    """Return the number of items that fit into the memory of each GPU when it computes nothing else, at least one."""
    if _elsewhere is not None:
        return _elsewhere(devices).items_that_fit(item_bytes)
    return min(device_queue(name).items_that_fit(item_bytes) for name in devices)


def device_queue(device: str) -> BatchQueue:
    """Return the queue of a GPU; it is kept, with its thread, and that thread's stream and plans."""
    key = os.getpid(), device
    queue = _queues.get(key)
    return _queues.setdefault(key, BatchQueue(device)) if queue is None else queue  # several threads may ask for it


_queues: dict[tuple[int, str], BatchQueue] = {}


def forget_threads() -> None:
    """Forget the threads of GPUs, and what they keep; none may be at work."""
    _queues.clear()


@dataclass(eq=False)
class _Waiting:
    """A batch that waits for a GPU, with the future of its result, and the warnings on its way."""

    prepared: PreparedBatch
    future: Future[Any] = field(default_factory=Future)
    texts: list[str] = field(default_factory=list)


class _OwnSubmission:
    """A batch that waits for a GPU of this process, see `Submission`."""

    def __init__(self, waiting: _Waiting) -> None:
        self._waiting: _Waiting | None = waiting
        self._reference = ref(waiting)  # while another thread waits for the result

    def result(self) -> Any:
        waiting, self._waiting = self._waiting, None
        assert waiting is not None, "a result is returned once"
        turns = getattr(_this_thread, "turns", None)
        try:
            if turns is not None:
                turns.release()
            try:
                result = waiting.future.result()
            finally:
                if turns is not None:
                    turns.acquire()
            for text in waiting.texts:
                warn(text, stacklevel=2)
            return result
        finally:
            del waiting  # the frames of an error refer to this one, and would keep the error alive

    def cancel(self) -> None:
        waiting = self._reference()
        if waiting is not None:
            waiting.future.cancel()


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
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx {device}")
        self._waiting: list[_Waiting] = []  # those that are computed included
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of batches that wait or are computed."""
        return len(self._waiting)

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the GPU's memory when it computes nothing else, at least one."""
        return items_that_fit(self.device, item_bytes, when_idle=True)

    def submit(self, prepared: PreparedBatch) -> Submission:
        """Let a batch wait for the GPU."""
        stopped = getattr(_this_thread, "stopped", None)
        if stopped is not None and stopped.is_set():
            raise CancelledError
        own = _Waiting(prepared)
        with self._lock:
            self._waiting.append(own)
        try:
            self.executor.submit(self._compute_all)
        except BaseException:  # no thread can be started
            with self._lock:
                self._waiting.remove(own)
            raise
        return _OwnSubmission(own)

    def _compute_all(self) -> None:
        """Compute batches until none waits: the one that has waited longest, and those that are combined with it."""
        while taken := self._waiting[:1]:  # only this thread removes some
            try:
                if taken[0].future.set_running_or_notify_cancel():
                    taken = self._with_others(taken[0])
                    with kept_warnings() as texts:
                        self._compute_together(taken, texts)
            except BaseException as error:  # the threads that wait must not wait forever
                for waiting in taken:
                    if not waiting.future.done():
                        waiting.future.set_exception(error)
            finally:
                with self._lock:
                    self._waiting = [waiting for waiting in self._waiting if waiting not in taken]

    def _with_others(self, first: _Waiting) -> list[_Waiting]:
        """Return a batch with the others that are computed with it."""
        with self._lock:
            others = [waiting for waiting in self._waiting[1:] if waiting.prepared.kind == first.prepared.kind]
        taken, total = [first], first.prepared.size
        if others:
            item_bytes = max(waiting.prepared.item_bytes for waiting in [first, *others])
            most = items_that_fit(self.device, item_bytes)
            for waiting in others:
                if total + waiting.prepared.size <= most and waiting.future.set_running_or_notify_cancel():
                    taken.append(waiting)
                    total += waiting.prepared.size
        return taken

    def _compute_together(self, taken: list[_Waiting], texts: list[str]) -> None:
        """Set the results of batches, with the warnings on the way; without enough memory, those of both halves."""
        first, *others = (waiting.prepared for waiting in taken)
        sizes, half = [waiting.prepared.size for waiting in taken], len(taken) // 2
        try:
            combined = first.combined(others, self.device) if half else first
            result = combined.compute(self.device)
            for waiting, part in zip(taken, result.split(sizes) if half else [result], strict=True):
                waiting.texts = list(texts)
                waiting.future.set_result(part)
            return
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            shortage = MemoryError(str(error))  # without the frames of the other, which keep its arrays alive
        combined = first
        release_memory(self.device)
        if not half:
            taken[0].future.set_exception(shortage)
            return
        warn(halving(self.device, sum(sizes), sum(sizes[:half])))
        for some in (taken[:half], taken[half:]):
            self._compute_together(some, texts)


def halving(device: str, size: int, half: int) -> str:
    """Return the warning that a batch runs out of memory."""
    return f"{device} ran out of memory with {size} recordings at once: continuing with {half}"
