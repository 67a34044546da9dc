"""The memory of a GPU: how much is free, how to free it, and which errors say that it is used up."""

from __future__ import annotations

import importlib
import re

from ..arrays.fft import forget_plans
from .devices import device_index
from .streams import device_stream


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error of any of CUDA's libraries means that memory is exhausted."""
    return isinstance(error, MemoryError) or (
        type(error).__name__ in ("CUDARuntimeError", "CUDADriverError", "CuFFTError")
        and bool(re.search("(?i)out.?of.?memory|alloc", str(error)))
    )


def items_that_fit(device: str, item_bytes: int) -> int:
    """Return the number of items that fit into a GPU's free memory, at least one."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(device_index(device)) as current:
        free = current.mem_info[0] + cupy.get_default_memory_pool().free_bytes()
        return max(1, int(0.8 * free) // item_bytes)


def release_memory(device: str) -> None:
    """Return the GPU memory that no array uses to the GPU."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(device_index(device)):
        forget_plans()  # plans hold work areas
        device_stream(device).graph_pool.free_all_blocks()
        cupy.get_default_memory_pool().free_all_blocks()
