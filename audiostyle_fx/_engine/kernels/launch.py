"""Compiling and launching the CUDA kernels of ``kernels.cu``."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module

SOURCE = Path(__file__).with_name("kernels.cu")


OPTIONS = ("-std=c++17",)


THREADS = 256
"""Threads of a block, of the kernels that go over an array element by element."""


def _on_gpu(x: Array) -> bool:
    return get_array_module(x) is not np


def _blocks(size: int) -> int:
    """Blocks for ``size`` elements: enough to fill any card, which then go round."""
    return max(1, min(math.ceil(size / THREADS), 1 << 14))


def _launch(name: str, grid: int | tuple[int, ...], *args: Any, threads: int = THREADS, shared: int = 0) -> None:
    """Launch a kernel on the current stream; an array that it writes to has to be contiguous."""
    cupy = get_array_module(*args)
    single = {"f": np.float32, "c": np.complex64}
    for array in (a for a in args if isinstance(a, cupy.ndarray)):
        if array.dtype != single.get(array.dtype.kind, array.dtype):
            raise TypeError(f"{name} takes float32 on a GPU, not {array.dtype}")
    args = tuple(cupy.ascontiguousarray(a) if isinstance(a, cupy.ndarray) else a for a in args)
    blocks = grid if isinstance(grid, tuple) else (grid,)
    _kernel(cupy, name)(blocks, (threads,), args, shared_mem=shared)


@lru_cache(maxsize=64)
def _kernel(cupy: ModuleType, name: str) -> Any:
    return _module(cupy).get_function(name)


@lru_cache(maxsize=2)
def _module(cupy: ModuleType) -> Any:
    """All kernels, compiled for each card when first used there."""
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=OPTIONS)
