"""Work on all cores of the CPU: blocks of rows, and the BLAS kept on one thread per caller."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from .array_module import OVERFLOW

BLOCK = 1 << 16
"""Elements that one core works on at a time: with the temporaries of a dozen operations they fit its cache."""


FEW_OPERATIONS, FEW_ELEMENTS = 5e7, 1 << 19
"""Below these sizes, operations of a product and elements of arrays, work stays on one core.

Waking a second thread costs 0.1 to 0.4 ms on a virtual machine, as long as half of such work. Measured: a texture,
which consists of many small steps, takes 0.7 to 0.9 of the time that thresholds of 1e6 and 0 let it take; transfers
take as long as before with a seventh less CPU time.
"""


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
    share(function, blocks, cores() if length * size > FEW_ELEMENTS else 1)


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


def share(function: Callable[[slice], None], blocks: list[slice], most: int) -> None:
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
