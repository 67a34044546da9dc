"""Which array module an array belongs to, where to compute, and the operations whose spelling depends on it.

Every numerical function of the package starts with ``xp = get_array_module(x)`` and then runs on NumPy or on CuPy
arrays alike. This room and `kernels` alone know that both exist. Three functions hold all that only a GPU can run:
`_cuda_matmul`, `_cuda_fft` and `_cuda_graph`.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import math
import os
import queue
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft
from threadpoolctl import ThreadpoolController

from .cublas import Matrices, cublas

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""

PRECISIONS = ("float32", "tf32")

BLOCK = 1 << 16
"""Elements that one core works on at a time: with the temporaries of a dozen operations they fit its cache."""


MOST_OPERATIONS = 2e10
"""Floating-point operations that one call of the BLAS is given, some tenths of a second: nothing interrupts it."""


def get_array_module(*arrays: Array) -> ModuleType:
    """CuPy if any of the arrays lives there, otherwise NumPy; never imports CuPy by itself."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


# ---------------------------------------------------------------- where to compute
def check_device(device: str) -> None:
    """Raise unless the device is one that is here; "auto", which always is, does not load CuPy before it is needed.

    Raises
    ------
    ValueError
        If it is not "auto", "cpu", "cuda" or "cuda:" and the number of a card that is there.
    RuntimeError
        If a card is asked for where CuPy or a driver is missing; says which.
    """
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device={device!r} must be 'auto', 'cpu', 'cuda' or 'cuda:' and a card's number")
    if device != "auto":
        places(device)


def places(device: str) -> list[str]:
    """The places that a device stands for, "cpu" or cards, such as "cuda:0"; raises as `check_device` does."""
    if device == "cpu":
        return ["cpu"]
    cards, missing = _cards()
    if device == "auto":
        return cards or ["cpu"]
    if missing:
        raise RuntimeError(f"device={device!r} can't be used: {missing}")
    if device != "cuda" and device not in cards:
        raise ValueError(f"device={device!r} must be one of {', '.join(cards)}")
    return cards if device == "cuda" else [device]


@lru_cache(maxsize=1)
def _cards() -> tuple[list[str], str]:
    """The cards that CuPy can use, and what is missing where there is none."""
    if importlib.util.find_spec("cupy") is None:
        extras = "pip install 'audiostyle-fx[cuda13]', or [cuda12] with a driver older than 580"
        return [], f"CuPy is not installed ({extras})"
    try:
        cupy = importlib.import_module("cupy")
    except Exception as error:  # whatever a broken installation raises
        missing = f"CuPy is installed, but can't be imported ({error})"
        warnings.warn(f"{missing}: computing on the CPU", RuntimeWarning, stacklevel=2)
        return [], missing
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return [], f"CuPy finds no card that it can use ({error}); is NVIDIA's driver installed, and recent enough?"
    return [f"cuda:{card}" for card in range(count)], "" if count else "there is no card"


_OVERFLOW: dict[str, Any] = {"over": "ignore", "invalid": "ignore"}
"""Of recordings at extreme levels: no warning, as a result that is not finite is refused."""

_here = threading.local()  # of each thread that computes on a card: how products are made, and what graphs rest on


@contextmanager
def computing_on(place: str, precision: str = "float32") -> Iterator[ModuleType]:
    """A context for all the work of one transfer: gives the array module, NumPy with all cores or CuPy on a card.

    On a card it has a stream of its own, and has ended when the context does.

    Parameters
    ----------
    place : str
        One of those that `places` gives.
    precision : {"float32", "tf32"}
        Of matrix products on a card; "tf32" rounds their factors to 10 bits of mantissa, on tensor cores. The CPU
        computes in float32 in either case.
    """
    if place == "cpu":
        with one_thread_each, np.errstate(**_OVERFLOW):
            yield np
        return
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(_number(place)), _stream(cupy, place) as stream:
        _here.tf32, _here.held = precision == "tf32", {}
        try:
            yield cupy
        finally:
            _here.tf32, _here.held = False, {}
            stream.synchronize()


def _stream(cupy: ModuleType, place: str) -> Any:
    """The stream of a thread on a card; one for all its transfers, since CuPy keeps freed memory apart by streams."""
    streams = _here.__dict__.setdefault("streams", {})
    if place not in streams:
        streams[place] = cupy.cuda.Stream(non_blocking=True)
    return streams[place]


def in_batches(run: Callable[[list[int], str], None], items: list[int], device: str, item_bytes: int) -> None:
    """Call ``run`` with the items a batch at a time, and a place to compute.

    On the CPU a batch is one item, for the caches' sake. On a card it is all that its free memory holds at
    ``item_bytes`` an item; a batch that runs out of memory all the same is tried again in halves, with a warning.
    Several cards take the next batch as each gets free.
    """
    where = places(device)
    if where == ["cpu"]:
        for item in items:
            run([item], "cpu")
        return
    share = -(-len(items) // len(where))
    size = min(share, *(_room(place, item_bytes) for place in where))
    free: queue.SimpleQueue[str] = queue.SimpleQueue()
    for place in where:
        free.put(place)

    def on_a_free_card(batch: list[int]) -> None:
        place = free.get()
        try:
            _halving(run, batch, place)
        finally:
            free.put(place)

    batches = [items[start : start + size] for start in range(0, len(items), size)]
    if len(batches) == 1:
        on_a_free_card(batches[0])
        return
    with ThreadPoolExecutor(len(where), thread_name_prefix="audiostyle_fx card") as cards:
        for done in [cards.submit(on_a_free_card, batch) for batch in batches]:
            done.result()


def _halving(run: Callable[[list[int], str], None], batch: list[int], place: str) -> None:
    """Run a batch, in halves where it runs out of memory."""
    try:
        run(batch, place)
        return
    except MemoryError:
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        warnings.warn(
            f"{place} ran out of memory with {len(batch)} recordings at once: goes on with {half}",
            RuntimeWarning,
            stacklevel=2,
        )
    for part in (batch[:half], batch[half:]):  # outside the handler, which keeps the failed batch's arrays alive
        _release(place)
        _halving(run, part, place)


def _room(place: str, item_bytes: int) -> int:
    """Items that fit into a card's free memory, one at least."""
    with importlib.import_module("cupy").cuda.Device(_number(place)) as card:
        _release(place)
        return max(1, int(0.8 * card.mem_info[0]) // item_bytes)


def _release(place: str) -> None:
    """Give a card's memory that no array uses back to it, for other pools to have."""
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(_number(place)):
        cupy.fft.config.get_plan_cache().clear()  # their work areas
        cupy.get_default_memory_pool().free_all_blocks()


def _number(place: str) -> int:
    return int(place.removeprefix("cuda:"))


def reports_every(xp: ModuleType) -> int:
    """Iterations between two looks at the losses: on a card each look waits for all that was asked of it before."""
    return 1 if xp is np else 10


def constant(make: Callable[..., np.ndarray], *arguments: Any, like: Array) -> Array:
    """What ``make(*arguments)`` returns, made once, where ``like`` lives and in its precision."""
    xp = get_array_module(like)
    if xp is np:
        return _constant(make, arguments, like.dtype.name, np, 0)
    key = (make, arguments, like.dtype.name, xp, int(like.device.id))
    held = getattr(_here, "held", {})  # a graph goes on using what the cache has let go
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


def captured(function: Callable[[], Array], like: Array) -> Callable[[], Array]:
    """The function, to be called again and again; on a GPU, from its second call on, as one CUDA graph.

    Parameters
    ----------
    function : callable
        Works in place on arrays that it knows, and returns an array. On a GPU its code runs twice: the first time as
        it is, which also brings all memory that it needs into a pool of its own, and the second time to be recorded.
    like : array
        One that lives where it works.
    """
    return function if get_array_module(like) is np else _Captured(function)


class _Captured:
    def __init__(self, function: Callable[[], Array]) -> None:
        self.function = function
        self.cupy = importlib.import_module("cupy")
        self.pool = self.cupy.cuda.MemoryPool()  # a graph has addresses in it: nobody else may be given them
        self.calls = 0
        self.launch: Callable[[], Any] | None = None
        self.result: Array = None

    def __call__(self) -> Array:
        self.calls += 1
        if self.calls == 2:
            self._capture()
        if self.launch is not None:
            self.launch()
            return self.result
        with self.cupy.cuda.using_allocator(self.pool.malloc):
            result = self.function()
        return result.copy()  # in another pool: the recording must find all of this one free

    def _capture(self) -> None:
        try:
            with self.cupy.cuda.using_allocator(self.pool.malloc):
                self.launch, self.result = _cuda_graph(self.function)
        except Exception as error:  # whatever the libraries refuse: the result is the same without a graph
            warnings.warn(
                f"the iterations can't be captured in a CUDA graph ({error}): they are launched one operation at a "
                "time, which is slower",
                RuntimeWarning,
                stacklevel=4,
            )


def _cuda_graph(function: Callable[[], Array]) -> tuple[Callable[[], Any], Array]:
    """Record what a function does on the current stream: a function that does it again, and what it returned."""
    stream = importlib.import_module("cupy").cuda.get_current_stream()
    stream.begin_capture()
    try:
        result = function()
    finally:
        graph = stream.end_capture()
    return graph.launch, result


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
    _share(function, [slice(start, min(start + rows, length)) for start in range(0, length, rows)])


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
    shares = _cores() * math.ceil(2 * batch * m * n * a.shape[2] / (_cores() * MOST_OPERATIONS))
    bounds = np.linspace(0, max(m, n), shares + 1).astype(int)

    def fill(at: slice) -> None:
        left, right, part = (a[:, at], b, out[:, at]) if m >= n else (a, b[:, :, at], out[:, :, at])
        if add_to is None:
            np.matmul(left, right, out=part)
        else:
            part += left @ right

    _share(fill, [slice(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop])
    return out


def _cuda_matmul(a: Array, b: Array, out: Array, *, accumulate: bool) -> None:
    """Fill out, or add to it, by cuBLAS."""
    (batch, m, n), k = out.shape, a.shape[2]
    # cuBLAS has columns first: what is asked for is the transposed product, b^T a^T.
    sizes, tf32 = (n, m, k, batch), getattr(_here, "tf32", False)
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


def _share(function: Callable[[slice], None], blocks: list[slice]) -> None:
    """Call the function for each block, on every core."""
    workers, stopped = max(1, min(_cores(), len(blocks))), threading.Event()

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
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool(process_id: int) -> ThreadPoolExecutor:
    """The threads of this process; a forked one must not wait for those of its parent."""
    return ThreadPoolExecutor(_cores(), "audiostyle_fx", lambda: np.seterr(**_OVERFLOW))


def to_host(x: Array) -> np.ndarray:
    """The array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()
