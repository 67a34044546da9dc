"""Where to compute: the CPU or NVIDIA's cards, their memory, and the graphs that keep them busy."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from . import backend
from .backend import OVERFLOW, Array, get_array_module, here, one_thread_each

Item = TypeVar("Item")

PRECISIONS = ("float32", "tf32")

LOOK_EVERY = 10
"""Iterations between two looks at the losses on a card: each waits for all that was asked of it before."""

LIBRARIES = ("cupy.cuda.cufft", "cupy_backends.cuda.libs.cublas", "cupy_backends.cuda.libs.nvrtc")
"""What CuPy loads when it first needs it, and may then not find."""

OLDEST_CAPABILITY = 75
"""Compute capability 7.5, the oldest that CUDA 13 compiles for."""


# ---------------------------------------------------------------- which there are
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
    if not cards:
        raise RuntimeError(f"device={device!r} can't be used: {missing}")
    if device != "cuda" and device not in cards:
        raise ValueError(f"device={device!r} must be one of {', '.join(cards)}")
    return cards if device == "cuda" else [device]


@lru_cache(maxsize=1)
def _cards() -> tuple[list[str], str]:
    """The cards that can be used, and what is missing where there is none."""
    if _forked:
        return [], "the process was forked after CUDA had been used; use multiprocessing's spawn"
    if importlib.util.find_spec("cupy") is None:
        extras = "pip install 'audiostyle-fx[cuda13]', or [cuda12] with a driver older than 580"
        return [], f"CuPy is not installed ({extras})"
    try:
        cupy = importlib.import_module("cupy")
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # whatever a broken installation raises
        if type(error).__name__ == "CUDARuntimeError":
            return [], f"CuPy finds no card that it can use ({error}); is NVIDIA's driver installed, and recent enough?"
        return [], _told(f"CuPy is installed, but can't be imported ({error})")
    found = [card for card in range(count) if int(cupy.cuda.Device(card).compute_capability) >= OLDEST_CAPABILITY]
    if not found:
        return [], "there is no card of compute capability 7.5 or newer"
    try:
        *_, compiler = [importlib.import_module(library) for library in LIBRARIES]
        compiler.getVersion()
    except Exception as error:
        return [], _told(f"CuPy lacks a library of CUDA ({error}); its extra `ctk` brings them all")
    return [f"cuda:{card}" for card in found], ""


def _told(missing: str) -> str:
    """Warn that what is missing keeps a card from being used by "auto"."""
    warnings.warn(f"{missing}: device='auto' is the CPU", RuntimeWarning, stacklevel=4)
    return missing


_forked = False


def _after_fork() -> None:
    """Forget the cards: CUDA does not survive a fork once it has been used."""
    global _forked
    _forked = _forked or bool(_cards.cache_info().currsize and _cards()[0])
    _cards.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# ---------------------------------------------------------------- computing there
@contextmanager
def computing_on(place: str, precision: str = "float32") -> Iterator[ModuleType]:
    """A context for all the work of one transfer: gives the array module, NumPy with all cores or CuPy on a card.

    On a card it works on the thread's own stream, and has ended when the context does.

    Parameters
    ----------
    place : str
        One of those that `places` gives.
    precision : {"float32", "tf32"}
        Of matrix products on a card; "tf32" rounds their factors to 10 bits of mantissa, on tensor cores. The CPU
        computes in float32 in either case.
    """
    if place == "cpu":
        with one_thread_each, np.errstate(**OVERFLOW):
            yield np
        return
    cupy, own = importlib.import_module("cupy"), _own(place)
    with cupy.cuda.Device(_number(place)), own.stream as stream:
        here.tf32, here.held = precision == "tf32", {}
        try:
            yield cupy
        finally:
            try:
                stream.synchronize()
            finally:  # not before all that used it has ended
                here.tf32, here.held = False, {}
                own.graph_pool.free_all_blocks()


class _Own:
    """A thread's stream on a card, and the pool of what its graphs have addresses of, which nobody else may be given.

    Both are kept for all its transfers: CuPy keeps freed memory apart by streams, and never gives back what a pool
    holds that is dropped.
    """

    def __init__(self) -> None:
        cupy = importlib.import_module("cupy")
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.graph_pool = cupy.cuda.MemoryPool(cupy.get_default_memory_pool().malloc)


def _own(place: str) -> _Own:
    owned: dict[str, _Own] = here.__dict__.setdefault("owned", {})
    if place not in owned:
        with importlib.import_module("cupy").cuda.Device(_number(place)):
            owned[place] = _Own()
            _pools.append(owned[place].graph_pool)
    return owned[place]


_pools: list[Any] = []  # of every thread there was, see `_Own`


def look(iteration: int, total: int, of: Array) -> bool:
    """Tell whether it is time to look at losses; on a card, wait for them then, so that the host can't run far ahead.

    An interrupt is noticed between two looks, and would otherwise wait for all that the host has asked for.
    """
    xp = get_array_module(of)
    if xp is np:
        return True
    if iteration != total and iteration % LOOK_EVERY:
        return False
    xp.cuda.get_current_stream().synchronize()
    return True


@contextmanager
def captured(function: Callable[[], Array], like: Array) -> Iterator[Callable[[], Array]]:
    """A context that gives the function, to be called again and again; on a card, from its third call on as one graph.

    Parameters
    ----------
    function : callable
        Works in place on arrays that it knows, and returns an array. On a card its code runs three times: as it is,
        which also has the libraries make their plans; once more, which brings the memory it needs into a pool; and to
        be recorded.
    like : array
        One that lives where it works.
    """
    if get_array_module(like) is np:
        yield function
        return
    graph = _Captured(function, importlib.import_module("cupy"), _own(f"cuda:{like.device.id}").graph_pool)
    try:
        yield graph
    finally:
        graph.launch = graph.result = None


class _Captured:
    def __init__(self, function: Callable[[], Array], cupy: ModuleType, pool: Any) -> None:
        self.function, self.cupy, self.pool, self.calls = function, cupy, pool, 0
        self.launch: Callable[[], Any] | None = None
        self.result: Array = None

    def __call__(self) -> Array:
        self.calls += 1
        if self.calls == 1:
            return self.function()
        with self.cupy.cuda.using_allocator(self.pool.malloc):
            if self.calls == 3:
                self._capture()
            if self.launch is None:
                result = self.function()
        if self.launch is None:
            return result.copy()  # in the other pool: the recording must find all of its own free
        self.launch()
        return self.result

    def _capture(self) -> None:
        try:
            self.launch, self.result = backend._cuda_graph(self.function)
        except MemoryError:
            raise
        except Exception as error:  # whatever the libraries refuse: the result is the same without a graph
            if _out_of_memory(error):
                raise
            warnings.warn(
                f"the iterations can't be captured in a CUDA graph ({error}): they are launched one operation at a "
                "time, which is slower",
                RuntimeWarning,
                stacklevel=4,
            )


# ---------------------------------------------------------------- batches
def in_batches(run: Callable[[list[Item], str], None], items: list[Item], device: str, item_bytes: int) -> None:
    """Call ``run`` with the items a batch at a time, and a place to compute.

    On the CPU a batch is one item, for the caches' sake. On a card it is all that its free memory holds at
    ``item_bytes`` an item; a batch that runs out of memory all the same is tried again in halves, with a warning.
    Several cards take batches in turn.
    """
    where = places(device)
    if where == ["cpu"]:
        for item in items:
            run([item], "cpu")
        return
    share = -(-len(items) // len(where))
    size = 1 if len(items) == 1 else min(share, *(_room(place, item_bytes) for place in where))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    where = where[: len(batches)]
    stopped = threading.Event()

    def on_card(number: int) -> None:
        for batch in batches[number :: len(where)]:
            if stopped.is_set():
                return
            _halving(run, batch, where[number])

    if len(where) == 1:
        on_card(0)
        return
    cards = [_thread_of(os.getpid(), place).submit(on_card, number) for number, place in enumerate(where)]
    try:
        for card in cards:
            card.result()
    except BaseException:
        stopped.set()
        raise


@lru_cache(maxsize=64)
def _thread_of(process_id: int, place: str) -> ThreadPoolExecutor:
    """The thread that works on a card among several; kept, with its stream and its libraries' plans."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"audiostyle_fx {place}")


def _halving(run: Callable[[list[Item], str], None], batch: list[Item], place: str) -> None:
    """Run a batch, in halves where it runs out of memory."""
    try:
        run(batch, place)
        return
    except Exception as error:
        if not _out_of_memory(error):
            raise
        if len(batch) == 1:
            raise MemoryError(
                f"{place} has too little memory for one recording, or section of one ({error})"
            ) from error
    half = len(batch) // 2
    warnings.warn(
        f"{place} ran out of memory with {len(batch)} recordings at once: goes on with {half}",
        RuntimeWarning,
        stacklevel=2,
    )
    for part in (batch[:half], batch[half:]):  # outside the handler, which keeps the failed batch's arrays alive
        _release(place)
        _halving(run, part, place)


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


def _number(place: str) -> int:
    return int(place.removeprefix("cuda:"))
