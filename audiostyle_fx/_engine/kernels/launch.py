"""Compilation and launch of the CUDA kernels in ``kernels.cu``."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module

SOURCE = Path(__file__).with_name("kernels.cu")


OPTIONS = ("-std=c++17",)


TYPES = {"int": "int32", "long long": "int64", "float": "float32", "double": "float64", "float2": "complex64"}
"""The dtypes of the types in ``kernels.cu``."""


THREADS = 256
"""Threads of a block, for the kernels that process an array element by element."""


ALL_THREADS = 1024
"""The most threads of a block, for kernels with few blocks."""

MOST_BLOCKS = 1 << 16
"""The most blocks of a launch for rows; each then takes several."""

PARTS = 64
"""Blocks for each item, in kernels that sum over an item in parts."""


def is_on_gpu(x: Array) -> bool:
    """Return whether x is a CuPy array."""
    return get_array_module(x) is not np


def n_blocks(size: int) -> int:
    """Return the number of blocks for ``size`` elements, at most enough for any GPU; a thread may process several."""
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
        The kernel's arguments. Arrays that are not contiguous are copied, so arrays that the kernel writes must be
        contiguous.
    threads : int
        Threads of a block.
    shared : int
        Bytes of dynamic shared memory of a block.

    Raises
    ------
    TypeError
        If an argument has another type than the kernel's parameter.
    """
    cupy = get_array_module(*args)
    for array, (parameter, dtype) in zip(args, _parameters(name), strict=True):
        if array.dtype != dtype:
            raise TypeError(f"{name} takes {dtype} as {parameter}, not {array.dtype}")
    args = tuple(cupy.ascontiguousarray(a) if isinstance(a, cupy.ndarray) else a for a in args)
    blocks = grid if isinstance(grid, tuple) else (grid,)
    _kernel(cupy, name)(blocks, (threads,), args, shared_mem=shared)


@lru_cache(maxsize=64)
def _parameters(name: str) -> list[tuple[str, np.dtype]]:
    """Return the names and types of a kernel's parameters; CUDA itself does not check arguments."""
    found = re.search(rf"__global__[^;{{]*\b{name}\(([^)]*)\)", SOURCE.read_text(encoding="utf-8"))
    assert found, f"there is no kernel {name}"
    parameters = [re.fullmatch(r"(?:const )?([\w ]+?) \*?(\w+)", text.strip()) for text in found[1].split(",")]
    return [(parameter[2], np.dtype(TYPES[parameter[1]])) for parameter in parameters if parameter]


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
