"""Batches that fit into a GPU's memory, shared among several GPUs."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from .devices import device_names
from .memory import is_out_of_memory, items_that_fit, release_memory

Item = TypeVar("Item")


def in_batches(run: Callable[[list[Item], str], None], items: list[Item], device: str, item_bytes: int) -> None:
    """Call ``run`` with batches of the items, and with the device that computes each batch.

    On the CPU a batch is one item, because caches are small. On a GPU it is as many items as the free memory holds. A
    batch that runs out of memory nevertheless is tried again in halves. Several GPUs take batches in turn.

    Parameters
    ----------
    run : callable
        Gets a list of items and the name of a device. It runs on one thread for each GPU.
    items : list
    device : str
        As in `device_names`.
    item_bytes : int
        Memory that one item needs on a GPU.

    Raises
    ------
    MemoryError
        If a GPU runs out of memory with a single item.

    Warns
    -----
    RuntimeWarning
        If a GPU runs out of memory with a larger batch.
    """
    devices = device_names(device)
    if devices == ["cpu"]:
        for item in items:
            run([item], "cpu")
        return
    fair_share = -(-len(items) // len(devices))
    size = 1 if len(items) == 1 else min(fair_share, *(items_that_fit(name, item_bytes) for name in devices))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    _on_gpus(run, batches, devices[: len(batches)])


def _on_gpus(run: Callable[[list[Item], str], None], batches: list[list[Item]], devices: list[str]) -> None:
    """Run the batches on GPUs in turn; an error on one GPU stops the others after their current batch."""
    stopped = threading.Event()

    def work(number: int) -> None:
        for batch in batches[number :: len(devices)]:
            if stopped.is_set():
                return
            _run_halving(run, batch, devices[number])

    if len(devices) == 1:
        work(0)
        return
    workers = [device_executor(os.getpid(), name).submit(work, number) for number, name in enumerate(devices)]
    try:
        for worker in workers:
            worker.result()
    except BaseException:
        stopped.set()
        raise


@lru_cache(maxsize=64)
def device_executor(process_id: int, device: str) -> ThreadPoolExecutor:
    """Return the thread that works on one of several GPUs; it is kept, with its stream and its libraries' plans."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx {device}")


def _run_halving(run: Callable[[list[Item], str], None], batch: list[Item], device: str) -> None:
    """Run a batch; if it runs out of memory, run both halves of it."""
    try:
        run(batch, device)
        return
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise MemoryError(
                f"{device} has too little memory for one recording, or for one section of a long one ({error})"
            ) from error
    half = len(batch) // 2
    warnings.warn(
        f"{device} ran out of memory with {len(batch)} recordings at once: continuing with {half}",
        RuntimeWarning,
        stacklevel=2,
    )
    for part in (batch[:half], batch[half:]):  # outside of the handler, which keeps the failed batch's arrays alive
        release_memory(device)
        _run_halving(run, part, device)
