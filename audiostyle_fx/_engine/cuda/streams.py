"""Each thread's stream on a GPU, and the context in which it computes there."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.array_module import OVERFLOW, Array, get_array_module, here
from ..arrays.threads import one_thread_each
from .devices import _number

LOOK_EVERY = 10
"""Iterations between two looks at the losses on a card: each waits for all that was asked of it before."""


@contextmanager
def computing_on(place: str, precision: str = "float32") -> Iterator[ModuleType]:
    """A context for all the work of one transfer: gives the array module, NumPy with all cores or CuPy on a card.

    On a card it works on the thread's own stream, and has ended when the context does.

    Parameters
    ----------
    place : str
        One of those that `places` gives.
    precision : {"float32", "tf32"}
        Of matrix products on a card; "tf32" rounds their factors to 10 bits of mantissa, on tensor cores. The CPU
        computes in float32 in either case.
    """
    if place == "cpu":
        with one_thread_each, np.errstate(**OVERFLOW):
            yield np
        return
    cupy, own = importlib.import_module("cupy"), _own(place)
    with cupy.cuda.Device(_number(place)), own.stream as stream:
        here.tf32, here.held = precision == "tf32", {}
        try:
            yield cupy
        finally:
            try:
                stream.synchronize()
            finally:  # not before all that used it has ended
                here.tf32, here.held = False, {}
                own.graph_pool.free_all_blocks()


class _Own:
    """A thread's stream on a card, and the pool of what its graphs have addresses of, which nobody else may be given.

    Both are kept for all its transfers: CuPy keeps freed memory apart by streams, and never gives back what a pool
    holds that is dropped.
    """

    def __init__(self) -> None:
        cupy = importlib.import_module("cupy")
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.graph_pool = cupy.cuda.MemoryPool(cupy.get_default_memory_pool().malloc)


def _own(place: str) -> _Own:
    owned: dict[str, _Own] = here.__dict__.setdefault("owned", {})
    if place not in owned:
        with importlib.import_module("cupy").cuda.Device(_number(place)):
            owned[place] = _Own()
            _pools.append(owned[place].graph_pool)
    return owned[place]


_pools: list[Any] = []  # of every thread there was, see `_Own`


def look(iteration: int, total: int, of: Array) -> bool:
    """Tell whether it is time to look at losses; on a card, wait for them then, so that the host can't run far ahead.

    An interrupt is noticed between two looks, and would otherwise wait for all that the host has asked for.
    """
    xp = get_array_module(of)
    if xp is np:
        return True
    if iteration != total and iteration % LOOK_EVERY:
        return False
    xp.cuda.get_current_stream().synchronize()
    return True
