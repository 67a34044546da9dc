"""Compilation and launch of the CUDA kernels in ``kernels.cu``."""

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
"""Threads of a block, for the kernels that process an array element by element."""


def is_on_gpu(x: Array) -> bool:
    """Return whether x is a CuPy array."""
    return get_array_module(x) is not np


def n_blocks(size: int) -> int:
    """Return the number of blocks for ``size`` elements, at most as many as fill any GPU; threads then take several."""
    return max(1, min(math.ceil(size / THREADS), 1 << 14))


def launch_kernel(name: str, grid: int | tuple[int, ...], *args: Any, threads: int = THREADS, shared: int = 0) -> None:
    """Launch a kernel on the current stream.

    Parameters
    ----------
    name : str
        The kernel's name in ``kernels.cu``.
    grid : int or tuple of int
        Number of blocks.
    *args : CuPy array or NumPy scalar
        The kernel's arguments. Arrays that it reads are copied if they are not contiguous, so those that it writes must
        be contiguous.
    threads : int
        Threads of a block.
    shared : int
        Bytes of dynamic shared memory of a block.

    Raises
    ------
    TypeError
        If an array is not float32, complex64 or integer.
    """
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
    """Return all kernels; CuPy compiles them for each GPU at their first use there."""
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=OPTIONS)


def forget_kernels() -> None:
    """Forget the compiled kernels."""
    _kernel.cache_clear()
    _module.cache_clear()
