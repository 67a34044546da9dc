"""Batches that fit a GPU's memory, shared out among several GPUs."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from .devices import places
from .memory import _out_of_memory, _release, _room

Item = TypeVar("Item")


def in_batches(run: Callable[[list[Item], str], None], items: list[Item], device: str, item_bytes: int) -> None:
    """Call ``run`` with the items a batch at a time, and a place to compute.

    On the CPU a batch is one item, for the caches' sake. On a card it is all that its free memory holds at
    ``item_bytes`` an item; a batch that runs out of memory all the same is tried again in halves, with a warning.
    Several cards take batches in turn.
    """
    where = places(device)
    if where == ["cpu"]:
        for item in items:
            run([item], "cpu")
        return
    share = -(-len(items) // len(where))
    size = 1 if len(items) == 1 else min(share, *(_room(place, item_bytes) for place in where))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    where = where[: len(batches)]
    stopped = threading.Event()

    def on_card(number: int) -> None:
        for batch in batches[number :: len(where)]:
            if stopped.is_set():
                return
            _halving(run, batch, where[number])

    if len(where) == 1:
        on_card(0)
        return
    cards = [_thread_of(os.getpid(), place).submit(on_card, number) for number, place in enumerate(where)]
    try:
        for card in cards:
            card.result()
    except BaseException:
        stopped.set()
        raise


@lru_cache(maxsize=64)
def _thread_of(process_id: int, place: str) -> ThreadPoolExecutor:
    """The thread that works on a card among several; kept, with its stream and its libraries' plans."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx {place}")


def _halving(run: Callable[[list[Item], str], None], batch: list[Item], place: str) -> None:
    """Run a batch, in halves where it runs out of memory."""
    try:
        run(batch, place)
        return
    except Exception as error:
        if not _out_of_memory(error):
            raise
        if len(batch) == 1:
            raise MemoryError(
                f"{place} has too little memory for one recording, or section of one ({error})"
            ) from error
    half = len(batch) // 2
    warnings.warn(
        f"{place} ran out of memory with {len(batch)} recordings at once: goes on with {half}",
        RuntimeWarning,
        stacklevel=2,
    )
    for part in (batch[:half], batch[half:]):  # outside the handler, which keeps the failed batch's arrays alive
        _release(place)
        _halving(run, part, place)
