"""The memory of a GPU: how much is free, how to free it, which errors say that it is used up; copies to and from it."""

from __future__ import annotations

import importlib
import math
import re

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.fft import forget_plans
from .devices import device_index
from .streams import device_stream


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error of any of CUDA's libraries means that memory is exhausted."""
    return isinstance(error, MemoryError) or (
        type(error).__name__ in ("CUDARuntimeError", "CUDADriverError", "CuFFTError")
        and bool(re.search("(?i)out.?of.?memory|alloc", str(error)))
    )


def items_that_fit(device: str, item_bytes: int, *, when_idle: bool = False) -> int:
    """Return the number of items that fit into a GPU's free memory, at least one.

    With ``when_idle``, memory that this process uses now counts as free.
    """
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(device_index(device)) as current:
        pool = cupy.get_default_memory_pool()
        free = current.mem_info[0] + (pool.total_bytes() if when_idle else pool.free_bytes())
        return max(1, int(0.8 * free) // item_bytes)


def release_memory(device: str) -> None:
    """Return the GPU memory that no array uses to the GPU."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(device_index(device)):
        forget_plans()  # plans hold work areas
        device_stream(device).graph_pool.free_all_blocks()
        cupy.get_default_memory_pool().free_all_blocks()


def host_array(shape: tuple[int, ...], device: str) -> np.ndarray:
    """Return a float32 array of the host that nothing has written to, for copies to or from a device.

    For a GPU its memory is pinned: a copy then needs no second one into a buffer of the driver, and does not wait for
    pages of the system. CuPy keeps freed pinned memory for the next array of that size. Where the system pins no more
    memory, as in some containers, it is ordinary memory.
    """
    if device == "cpu":
        return np.empty(shape, np.float32)
    cupy = importlib.import_module("cupy")
    try:
        with cupy.cuda.Device(device_index(device)):
            memory = cupy.cuda.alloc_pinned_memory(4 * math.prod(shape))
    except Exception as error:
        if is_out_of_memory(error):
            return np.empty(shape, np.float32)
        raise
    return np.frombuffer(memory, np.float32, math.prod(shape)).reshape(shape)


def to_device(x: np.ndarray, device: str) -> Array:
    """Return an array of the host as an array on the current device, ``device``; on the CPU it is the array itself.

    On a GPU the copy is only queued: the array has to stay as it is until the stream's work has ended.
    """
    if device == "cpu":
        return x
    cupy = importlib.import_module("cupy")
    copy = cupy.empty(x.shape, x.dtype)
    copy.set(x, cupy.cuda.get_current_stream())
    return copy


def to_pinned_host(x: Array) -> np.ndarray:
    """Return a float32 array as one of the host; from a GPU it comes into pinned memory, see `host_array`."""
    if get_array_module(x) is np:
        return np.asarray(x)
    return np.asarray(x.get(out=host_array(x.shape, f"cuda:{x.device.id}")))
