"""Which array module an array belongs to, and the few operations whose spelling depends on it.

Every numerical function of the package starts with ``xp = get_array_module(x)`` and then runs on NumPy or on CuPy
arrays alike. This is the only room that knows both exist.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft
from threadpoolctl import ThreadpoolController

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""

DEVICES = ("auto", "cpu")

BLOCK = 1 << 16
"""Elements that one core works on at a time: with the temporaries of a dozen operations they fit its cache."""


def get_array_module(*arrays: Array) -> ModuleType:
    """CuPy if any of the arrays lives there, otherwise NumPy; never imports CuPy by itself."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


def check_device(device: str) -> None:
    """Raise ValueError unless ``device`` names somewhere this version can compute; "auto" is the CPU here."""
    if device not in DEVICES:
        raise ValueError(
            f"device={device!r} must be {' or '.join(map(repr, DEVICES))}: this version computes on the CPU alone"
        )


def fft(x: Array) -> Array:
    """Complex FFT over the last axis; keeps complex64."""
    xp = get_array_module(x)
    return scipy.fft.fft(x, axis=-1) if xp is np else xp.fft.fft(x, axis=-1)


def rfft(frames: Array) -> Array:
    """FFT of real input over the last axis; float32 gives complex64."""
    xp = get_array_module(frames)
    return scipy.fft.rfft(frames, axis=-1) if xp is np else xp.fft.rfft(frames, axis=-1)


def irfft(spectrum: Array, n_fft: int) -> Array:
    """Inverse of `rfft`, for frames of ``n_fft`` samples."""
    xp = get_array_module(spectrum)
    return scipy.fft.irfft(spectrum, n=n_fft, axis=-1) if xp is np else xp.fft.irfft(spectrum, n=n_fft, axis=-1)


def in_blocks(function: Callable[[slice], None], length: int, size: int, xp: ModuleType, at_least: int = 1) -> None:
    """Have ``function`` fill its rows of arrays it knows, a slice of 0 to ``length`` at a time, on every core.

    On the CPU a block has about `BLOCK` elements, ``size`` of them a row: what a function makes on the way then stays
    in a core's cache, and is never large enough to be fetched from the system anew each time, which would cost more
    than the arithmetic. On a GPU it is one call.

    Parameters
    ----------
    function : callable
        Gets a slice of rows; may run on several threads, so that no two calls may write to the same place.
    length, size : int
        Number of rows, and elements of one.
    xp : module
        Where the arrays live.
    at_least : int
        Rows of a block, of all but the last.
    """
    rows = max(at_least, BLOCK // max(1, size)) if xp is np else max(1, length)
    _share(function, [slice(start, min(start + rows, length)) for start in range(0, length, rows)])


def matmul(a: Array, b: Array, add_to: Array = None) -> Array:
    """Matrix products a @ b for a of shape (batch or 1, m, k) and b of shape (batch or 1, k, n), or added to an array.

    On the CPU each core computes a share of the result's longer side by itself: within `one_thread_each` no thread of
    the BLAS has to wait for another, which on a busy machine makes a product ten times slower.
    """
    if get_array_module(a) is not np:
        return a @ b if add_to is None else add_to.__iadd__(a @ b)
    batch, m, n = max(len(a), len(b)), a.shape[1], b.shape[2]
    out = np.empty((batch, m, n), np.result_type(a, b)) if add_to is None else add_to
    bounds = np.linspace(0, max(m, n), _cores() + 1).astype(int)

    def fill(at: slice) -> None:
        left, right, part = (a[:, at], b, out[:, at]) if m >= n else (a, b[:, :, at], out[:, :, at])
        if add_to is None:
            np.matmul(left, right, out=part)
        else:
            part += left @ right

    _share(fill, [slice(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop])
    return out


class _OneThreadEach:
    """Keeps the BLAS on one thread while any thread of the process is inside; used through `one_thread_each`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget who is inside: what a forked process starts with."""
        self._lock, self._inside = threading.Lock(), 0
        self._threads: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:  # counted, as each caller would otherwise restore what another had set
            if not self._inside:
                libraries = ThreadpoolController().select(user_api="blas").lib_controllers
                self._threads = [(library, library.num_threads) for library in libraries]
                for library, _ in self._threads:
                    _set_threads(library, 1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._threads:
                    _set_threads(library, threads)


def _set_threads(library: Any, threads: int) -> None:
    """Set a BLAS's threads; newer releases of threadpoolctl ignore the public method on all threads but one."""
    getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


one_thread_each = _OneThreadEach()
"""A context in which the cores are this package's to share out, and the BLAS uses only the one it is called on.

Only a BLAS that threadpoolctl knows is limited: OpenBLAS, MKL, BLIS and FlexiBLAS, not Apple's Accelerate.
"""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=one_thread_each.reset)


def _share(function: Callable[[slice], None], blocks: list[slice]) -> None:
    """Call the function for each block, on every core."""
    workers = max(1, min(_cores(), len(blocks)))
    shares = [_pool(os.getpid()).submit(_each, function, blocks[i::workers]) for i in range(1, workers)]
    try:
        _each(function, blocks[::workers])
    finally:
        wait(shares)
    for share in shares:
        share.result()


def _each(function: Callable[[slice], None], blocks: list[slice]) -> None:
    for block in blocks:
        function(block)


@lru_cache(maxsize=1)
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool(process_id: int) -> ThreadPoolExecutor:
    """The threads of this process; a forked one must not wait for those of its parent."""
    return ThreadPoolExecutor(_cores(), thread_name_prefix="audiostyle_fx")


def to_host(x: Array) -> np.ndarray:
    """The array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()


def sum_of_products(a: Array, b: Array) -> Array:
    """Sum of a * b per batch item, float64, for a and b of shape (batch, rows, columns).

    Rows are summed in the arrays' own precision and then among each other in float64: the squared norms that the
    style loss subtracts cancel to a thousandth of their size, which float32 alone does not survive.
    """
    xp = get_array_module(a)
    return xp.einsum("bij,bij->bi", a, b).sum(axis=-1, dtype=xp.float64)
