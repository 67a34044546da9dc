"""Which array module an array belongs to, and the operations whose spelling depends on it.

Every numerical function of the package starts with ``xp = get_array_module(x)`` and then runs on NumPy or on CuPy
arrays alike. This room, `cards` and `kernels` alone know that both exist. Three functions hold all that only a GPU can
run: `_cuda_matmul`, `_cuda_fft` and `_cuda_graph`.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import math
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np
import scipy.fft
from threadpoolctl import ThreadpoolController

from .cublas import Matrices, cublas

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""

Made = TypeVar("Made")

PRECISIONS = ("float32", "tf32")

BLOCK = 1 << 16
"""Elements that one core works on at a time: with the temporaries of a dozen operations they fit its cache."""


FEW_OPERATIONS, FEW_ELEMENTS = 5e7, 1 << 19
"""Those of a product, and those of arrays worked on in blocks, that one core has ended about as soon as two.

Telling a thread costs it and the one that waits for it 0.1 to 0.4 ms on a virtual machine, which is what half of so
many take. Measured there: a texture, of many small steps, takes 0.7 to 0.9 of the time that 1e6 and 0 let it take, and
transfers as long as before with a seventh less of both cores' time.
"""

MOST_OPERATIONS = 2e10
"""Floating-point operations that one call of the BLAS is given, some tenths of a second: nothing interrupts it."""


def get_array_module(*arrays: Array) -> ModuleType:
    """CuPy if any of the arrays lives there, otherwise NumPy; never imports CuPy by itself."""
    cupy = sys.modules.get("cupy")
    # While another thread imports it, it lacks this.
    if cupy is not None and hasattr(cupy, "ndarray") and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


OVERFLOW: dict[str, Any] = {"over": "ignore", "invalid": "ignore"}
"""Of recordings at extreme levels: no warning, as a result that is not finite is refused."""

here = threading.local()
"""Of each thread that computes on a card: ``tf32``, whether products may round, and ``held``, what graphs rest on."""


# ---------------------------------------------------------------- what is made once
def constant(make: Callable[..., np.ndarray], *arguments: Any, like: Array) -> Array:
    """What ``make(*arguments)`` returns, made once, where ``like`` lives and in its precision."""
    xp = get_array_module(like)
    if xp is np:
        return _constant(make, arguments, like.dtype.name, np, 0)
    key = (make, arguments, like.dtype.name, xp, int(like.device.id))
    held = getattr(here, "held", {})  # a graph goes on using what the cache has let go
    if key not in held:
        held[key] = _constant(*key)
    return held[key]


@lru_cache(maxsize=32)
def _constant(make: Callable[..., np.ndarray], arguments: Any, dtype: str, xp: ModuleType, card: int) -> Array:
    made = make(*arguments)
    made = made.astype(np.result_type(dtype, np.complex64) if made.dtype.kind == "c" else dtype)
    if xp is np:
        return made
    with xp.cuda.using_allocator(xp.get_default_memory_pool().malloc):  # it outlives a graph's own pool
        copy = xp.asarray(made)
    xp.cuda.get_current_stream().synchronize()  # other streams will read it
    return copy


class Held:
    """The latest things that were made, by what they were made of, to be used again.

    Threads may share it. It has no lock, which a forked process might inherit locked: two threads that need the same
    thing at the same time may both make it, and then use one of the two.

    Parameters
    ----------
    most : int
        Things that are kept; of more, the one made first is let go.
    """

    def __init__(self, most: int) -> None:
        self.most, self._made = most, dict[Any, Any]()

    def get(self, key: Any, make: Callable[[], Made]) -> Made:
        """What was made under a key, or else what ``make`` returns, which is kept unless it raises."""
        if (found := self._made.get(key, _NOTHING)) is not _NOTHING:
            return cast(Made, found)
        made = self._made.setdefault(key, make())
        for old in list(self._made)[: -self.most or None]:
            self._made.pop(old, None)
        return cast(Made, made)


_NOTHING = object()


# ---------------------------------------------------------------- transforms
def fft(x: Array) -> Array:
    """Complex FFT over the last axis; keeps complex64."""
    return scipy.fft.fft(x, axis=-1) if get_array_module(x) is np else _cuda_fft("fft", x, x.shape[-1])


def rfft(frames: Array) -> Array:
    """FFT of real input over the last axis; float32 gives complex64."""
    return scipy.fft.rfft(frames) if get_array_module(frames) is np else _cuda_fft("rfft", frames, frames.shape[-1])


def irfft(spectrum: Array, n_fft: int) -> Array:
    """Inverse of `rfft`, for frames of ``n_fft`` samples."""
    return (
        scipy.fft.irfft(spectrum, n=n_fft) if get_array_module(spectrum) is np else _cuda_fft("irfft", spectrum, n_fft)
    )


def _cuda_fft(kind: str, x: Array, n: int) -> Array:
    """One of cuFFT's transforms over the last axis, of ``n`` samples or bins."""
    return getattr(importlib.import_module("cupy").fft, kind)(x, n=n, axis=-1)


# ---------------------------------------------------------------- graphs
def _cuda_graph(function: Callable[[], Array]) -> tuple[Callable[[], Any], Array]:
    """Record what a function does on the current stream: a function that does it again, and what it returned."""
    stream = importlib.import_module("cupy").cuda.get_current_stream()
    try:
        stream.begin_capture()
        result = function()
        return stream.end_capture().launch, result
    except BaseException:  # an interrupt too, which must not be lost, nor leave the stream recording
        with contextlib.suppress(Exception):
            stream.end_capture()
        raise


# ---------------------------------------------------------------- work on every core
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
    blocks = [slice(start, min(start + rows, length)) for start in range(0, length, rows)]
    _share(function, blocks, cores() if length * size > FEW_ELEMENTS else 1)


def matmul(a: Array, b: Array, add_to: Array = None) -> Array:
    """Matrix products a @ b for a of shape (batch or 1, m, k) and b of shape (batch or 1, k, n), or added to an array.

    On the CPU each core computes a share of the result's longer side by itself: within `one_thread_each` no thread of
    the BLAS has to wait for another, which on a busy machine makes a product ten times slower.
    """
    xp, batch, m, n = get_array_module(a), max(len(a), len(b)), a.shape[1], b.shape[2]
    out = xp.empty((batch, m, n), np.result_type(a.dtype, b.dtype)) if add_to is None else add_to
    if xp is not np:
        _cuda_matmul(_in_rows(a), _in_rows(b), out, accumulate=add_to is not None)
        return out
    operations = 2 * batch * m * n * a.shape[2]
    shares = cores() * math.ceil(operations / (cores() * MOST_OPERATIONS)) if operations > FEW_OPERATIONS else 1
    bounds = np.linspace(0, max(m, n), shares + 1).astype(int)

    def fill(at: slice) -> None:
        left, right, part = (a[:, at], b, out[:, at]) if m >= n else (a, b[:, :, at], out[:, :, at])
        if add_to is None:
            np.matmul(left, right, out=part)
        else:
            part += left @ right

    _share(fill, [slice(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop], cores())
    return out


def _cuda_matmul(a: Array, b: Array, out: Array, *, accumulate: bool) -> None:
    """Fill out, or add to it, by cuBLAS."""
    (batch, m, n), k = out.shape, a.shape[2]
    # cuBLAS has columns first: what is asked for is the transposed product, b^T a^T.
    sizes, tf32 = (n, m, k, batch), getattr(here, "tf32", False)
    cublas().gemm(_matrices(b), _matrices(a), _matrices(out), sizes, out.dtype.name, float(accumulate), tf32)


def _matrices(x: Array) -> Matrices:
    """How x, (batch, m, n), lies in memory, for cuBLAS."""
    (m, n), stride = x.shape[1:], 0 if len(x) == 1 else x.strides[0] // x.itemsize
    down, along = (max(1, step // x.itemsize) for step in x.strides[1:])
    transposed = along > 1 and n > 1
    return Matrices(x.data.ptr, transposed, max(m, along) if transposed else max(n, down if m > 1 else n), stride)


def _in_rows(x: Array) -> Array:
    """The array, or a copy where neither its rows nor its columns are contiguous."""
    (m, n), (down, along) = x.shape[1:], (step // x.itemsize for step in x.strides[1:])
    fits = ((along == 1 or n == 1) and down >= n) or ((down == 1 or m == 1) and along >= m)
    return x if fits else get_array_module(x).ascontiguousarray(x)


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


def _share(function: Callable[[slice], None], blocks: list[slice], most: int) -> None:
    """Call the function for each block, on so many cores at the most."""
    workers, stopped = min(most, len(blocks)), threading.Event()
    if workers < 2:
        for block in blocks:
            function(block)
        return

    def each(share: list[slice]) -> None:
        for block in share:
            if stopped.is_set():
                return
            function(block)

    shares = [_pool(os.getpid()).submit(each, blocks[i::workers]) for i in range(1, workers)]
    try:
        each(blocks[::workers])
    except BaseException:  # an interrupt too is to end the work of the others
        stopped.set()
        raise
    finally:
        wait(shares)
    for share in shares:
        share.result()


@lru_cache(maxsize=1)
def cores() -> int:
    """How many cores the process may use: those it may run on, and no more than ``OMP_NUM_THREADS`` says."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(there, int(said)) if said.isdecimal() and int(said) else there


@lru_cache(maxsize=1)
def _pool(process_id: int) -> ThreadPoolExecutor:
    """The threads of this process; a forked one must not wait for those of its parent."""
    return ThreadPoolExecutor(cores(), "audiostyle_fx", lambda: np.seterr(**OVERFLOW))


def to_host(x: Array) -> np.ndarray:
    """The array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()
