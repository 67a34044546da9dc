"""The stream of each thread on a GPU, and the context in which a thread computes there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.allocation import keep_freed_memory
from ..arrays.array_module import OVERFLOW, Array, get_array_module, thread_state
from ..arrays.fft import MOST_PLANS, forget_plans
from ..arrays.threads import one_thread_each
from .devices import device_index

REPORT_EVERY = 10
"""Iterations between two reports of losses on a GPU: reading losses waits for all work launched before."""


@contextmanager
def computing_on(device: str, precision: str = "float32") -> Iterator[ModuleType]:
    """Return a context for all the work of one transfer on one device.

    On a GPU the work runs on the thread's own stream. It is complete when the context ends.

    Parameters
    ----------
    device : str
        One of the names that `device_names` returns.
    precision : {"float32", "tf32"}
        Precision of matrix products on a GPU: "tf32" rounds their factors to 10 bits of mantissa, on tensor cores. The
        CPU ignores it.

    Yields
    ------
    module
        The array module: NumPy or CuPy.
    """
    if device == "cpu":
        keep_freed_memory()
        with one_thread_each, np.errstate(**OVERFLOW):
            yield np
        return
    cupy, own = importlib.import_module("cupy"), device_stream(device)
    with cupy.cuda.Device(device_index(device)), own.stream as stream:
        thread_state.tf32, thread_state.constants = precision == "tf32", {}
        try:
            yield cupy
        finally:
            try:
                stream.synchronize()
            finally:  # now all work that used them has ended
                thread_state.tf32, thread_state.constants = False, {}
                forget_plans(MOST_PLANS)
                own.graph_pool.free_all_blocks()


class DeviceStream:
    """A thread's stream on the current device, and the memory pool of its CUDA graphs.

    Graphs refer to addresses, so the memory of their pool must not serve anything else. Both objects are kept for all
    transfers of the thread: CuPy keeps the freed memory of each stream apart, and a pool that is dropped never returns
    its memory.
    """

    def __init__(self) -> None:
        cupy = importlib.import_module("cupy")
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.graph_pool = cupy.cuda.MemoryPool(cupy.get_default_memory_pool().malloc)


def device_stream(device: str) -> DeviceStream:
    """Return this thread's stream on a GPU; the first call makes it."""
    streams: dict[str, DeviceStream] = thread_state.__dict__.setdefault("device_streams", {})
    if device not in streams:
        with importlib.import_module("cupy").cuda.Device(device_index(device)):
            streams[device] = DeviceStream()
            _graph_pools.append(streams[device].graph_pool)
    return streams[device]


_graph_pools: list[Any] = []  # of all threads, even ended ones: a dropped pool never returns its memory


def forget_thread() -> None:
    """Forget this thread's streams, constants and precision."""
    thread_state.__dict__.clear()


def losses_due(iteration: int, n_iter: int, losses: Array) -> bool:
    """Return whether the losses of this iteration should be reported; on a GPU, first wait until they are computed.

    The wait keeps the host from running far ahead of the GPU: an interrupt is noticed only between two waits, and
    would otherwise be delayed by all work launched so far.
    """
    xp = get_array_module(losses)
    if xp is np:
        return True
    if iteration != n_iter and iteration % REPORT_EVERY:
        return False
    xp.cuda.get_current_stream().synchronize()
    return True
