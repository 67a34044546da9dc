"""The memory of a GPU: how much is free, and whether an error says that it is short."""

from __future__ import annotations

import importlib
import importlib.util
import re

from .devices import _number
from .streams import _own


def _out_of_memory(error: Exception) -> bool:
    """Tell whether an error of any of CUDA's libraries says that memory is short."""
    return isinstance(error, MemoryError) or (
        type(error).__name__ in ("CUDARuntimeError", "CUDADriverError", "CuFFTError")
        and bool(re.search("(?i)out.?of.?memory|alloc", str(error)))
    )


def _room(place: str, item_bytes: int) -> int:
    """Items that fit into a card's free memory, one at least."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(_number(place)) as card:
        free = card.mem_info[0] + cupy.get_default_memory_pool().free_bytes()
        return max(1, int(0.8 * free) // item_bytes)


def _release(place: str) -> None:
    """Give a card's memory that no array uses back to it."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(_number(place)):
        cupy.fft.config.get_plan_cache().clear()  # their work areas
        _own(place).graph_pool.free_all_blocks()
        cupy.get_default_memory_pool().free_all_blocks()
