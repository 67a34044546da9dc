"""Batches that fit into a GPU's memory, shared among several GPUs, while the host works on other batches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from .device_threads import (
    PreparedBatch,
    Queue,
    Submission,
    combines_batches,
    device_queue,
    halving,
    items_that_fit_all,
    least_busy,
)
from .devices import device_names
from .memory import is_out_of_memory, items_that_fit, release_memory
from .warnings_of_work import warn

Item = TypeVar("Item")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_contra = TypeVar("ResultT_contra", contravariant=True)


class BatchSteps(Protocol[ItemT_contra, ResultT_contra]):
    """The work before and after a batch. All batches of a GPU are computed on one thread, and another one does this."""

    def prepare(self, items: Sequence[ItemT_contra], device: str) -> PreparedBatch:
        """Return what the computation needs; it may run while the device computes another batch."""

    def finish(self, items: Sequence[ItemT_contra], result: ResultT_contra) -> None:
        """Keep the result; it may run while the device computes another batch."""


def in_batches(items: list[Item], device: str, item_bytes: int) -> list[list[Item]]:
    """Divide items into batches.

    On the CPU a batch is one item, because caches are small. On a GPU it is as many items as the free memory holds, and
    with several GPUs at most a fair share of them.

    Parameters
    ----------
    items : list
    device : str
        As in `device_names`.
    item_bytes : int
        Memory that one item needs on a GPU.
    """
    devices = device_names(device)
    if devices == ["cpu"] or len(items) == 1:
        return [[item] for item in items]
    fair_share = -(-len(items) // len(devices))
    if combines_batches():
        size = min(fair_share, items_that_fit_all(devices, item_bytes))
    else:
        size = min(fair_share, *(items_that_fit(name, item_bytes) for name in devices))
    return [items[start : start + size] for start in range(0, len(items), size)]


def run_batches(steps: BatchSteps[Item, Any], batches: list[list[Item]], device: str) -> None:
    """Do the work of batches that don't depend on each other; several GPUs take them in turn.

    While a GPU computes a batch, the host prepares the next one and finishes the last one. So at most three batches
    are in the host's memory, and one in the GPU's. A batch that runs out of the GPU's memory is tried again in halves.
    Inside of `combining_batches`, the batches of other threads keep the GPU busy instead.

    Parameters
    ----------
    steps : BatchSteps
    batches : list of list
    device : str
        As in `device_names`.

    Raises
    ------
    MemoryError
        If a GPU runs out of memory with a single item.
    Exception
        The first error of any step. The batches that run are awaited, also after an interrupt, and no other begins.

    Warns
    -----
    RuntimeWarning
        If a GPU runs out of memory with a larger batch.
    """
    devices = device_names(device)
    if devices == ["cpu"]:
        for batch in batches:
            steps.finish(batch, steps.prepare(batch, "cpu").compute("cpu"))
        return
    if combines_batches():
        _in_queues(steps, batches, devices)
        return
    _on_gpus(steps, batches, devices[: len(batches)])


def _in_queues(steps: BatchSteps[Item, Any], batches: list[list[Item]], devices: list[str]) -> None:
    """Run the batches in the queues of GPUs: as many wait as there are GPUs, and one more is prepared or finished."""
    waiting: deque[tuple[list[Item], Queue, Submission]] = deque()

    def finish_first() -> None:
        batch, queue, submission = waiting.popleft()
        for part, found in _computed(steps, batch, submission.result, queue.device, queue):
            steps.finish(part, found)

    try:
        for batch in batches:
            queue = least_busy(devices)
            waiting.append((batch, queue, queue.submit(steps.prepare(batch, queue.copies_to))))
            if len(waiting) > len(devices):
                finish_first()
        while waiting:
            finish_first()
    finally:
        for _, _, submission in waiting:
            submission.cancel()


def _on_gpus(steps: BatchSteps[Item, Any], batches: list[list[Item]], devices: list[str]) -> None:
    """Run the batches on GPUs in turn; after an error or an interrupt, end when all have ended their current batch."""
    stopped = threading.Event()
    if len(devices) == 1:
        _on_gpu(steps, batches, devices[0], stopped)
        return
    workers = [
        device_queue(name).executor.submit(_on_gpu, steps, batches[number :: len(devices)], name, stopped)
        for number, name in enumerate(devices)
    ]
    try:
        for worker in workers:
            worker.result()
    except BaseException:
        stopped.set()
        raise
    finally:
        wait(workers)


def _on_gpu(steps: BatchSteps[Item, Any], batches: list[list[Item]], device: str, stopped: threading.Event) -> None:
    """Run the batches on one GPU, one after the other, until ``stopped`` is set; an error sets it."""
    try:
        if len(batches) == 1:  # no other batch to work on meanwhile
            compute = partial(steps.prepare(batches[0], device).compute, device)
            for part, result in _computed(steps, batches[0], compute, device):
                steps.finish(part, result)
        else:
            _overlapped(steps, batches, device, stopped)
    except BaseException:
        stopped.set()
        raise


def _overlapped(steps: BatchSteps[Item, Any], batches: list[list[Item]], device: str, stopped: threading.Event) -> None:
    """Run the batches on one GPU, and prepare and finish others on a thread of the host meanwhile."""
    with _host_thread(device) as host:
        prepared = host.submit(steps.prepare, batches[0], device)
        finished: Future[None] | None = None
        for number, batch in enumerate(batches):
            ready = prepared.result()
            if stopped.is_set():
                return
            if number + 1 < len(batches):
                prepared = host.submit(steps.prepare, batches[number + 1], device)
            for part, result in _computed(steps, batch, partial(ready.compute, device), device):
                if finished is not None:
                    finished.result()
                finished = host.submit(steps.finish, part, result)
        if finished is not None:
            finished.result()


@contextmanager
def _host_thread(device: str) -> Iterator[ThreadPoolExecutor]:
    """Give the thread that prepares and finishes the batches of a GPU; its work ends with the context."""
    host = ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx host of {device}")
    try:
        yield host
    finally:
        host.shutdown(cancel_futures=True)


def _computed(
    steps: BatchSteps[Item, Any],
    batch: list[Item],
    compute: Callable[[], Any],
    device: str,
    queue: Queue | None = None,
) -> Iterator[tuple[list[Item], Any]]:
    """Yield a batch and its result; if it runs out of memory, both halves of it and theirs, in a queue if one is given.

    ``compute`` returns the result of the batch.
    """
    try:
        result = compute()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise MemoryError(
                f"{device} has too little memory for one recording, or for one section of a long one ({error})"
            ) from error
    else:
        yield batch, result
        return
    del compute
    half = len(batch) // 2
    warn(halving(device, len(batch), half), stacklevel=2)
    for part in (batch[:half], batch[half:]):  # outside of the handler, which keeps the failed batch's arrays alive
        if queue is not None:
            again = queue.submit(steps.prepare(part, queue.copies_to)).result
        else:
            release_memory(device)
            again = partial(steps.prepare(part, device).compute, device)
        yield from _computed(steps, part, again, device, queue)
