"""Work on all cores of the CPU, in blocks of rows, while the BLAS keeps to one thread per caller."""

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
from .cpu_count import cores as cores

BLOCK = 1 << 16
"""Elements that one core processes at a time: the temporary arrays of a dozen operations then fit into its cache."""


FEW_OPERATIONS, FEW_ELEMENTS = 3e8, 1 << 21
"""Below these sizes, operations of a product and elements of arrays, the work stays on one core.

Waking a second thread costs 0.1 to 0.4 ms on a virtual machine, as long as half of such work takes. Measured: compared
with thresholds of 1e6 and 0, a texture, which consists of many small steps, takes 0.7 to 0.9 of the time, and transfers
take the same time with a seventh less CPU time.
"""


def in_blocks(function: Callable[[slice], None], length: int, size: int, xp: ModuleType, at_least: int = 1) -> None:
    """Call ``function`` with slices that together cover 0 to ``length``, on all cores.

    On the CPU a block has about `BLOCK` elements. The temporary arrays of a function then stay in a core's cache, and
    are never so large that the system has to supply their memory again each time, which would cost more than the
    arithmetic. On a GPU there is one call for all rows.

    Parameters
    ----------
    function : callable
        Gets a slice of rows. It may run on several threads at once, so two calls must not write to the same place.
    length : int
        Number of rows.
    size : int
        Elements of a row.
    xp : module
        Array module of the arrays.
    at_least : int
        Fewest rows of a block; only the last block may have fewer.
    """
    rows = max(at_least, BLOCK // max(1, size)) if xp is np else max(1, length)
    blocks = [slice(start, min(start + rows, length)) for start in range(0, length, rows)]
    share(function, blocks, cores() if length * size > FEW_ELEMENTS else 1)


class _OneThreadEach:
    """Keeps the BLAS on one thread while any thread of the process is inside; used through `one_thread_each`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget which threads are inside: a forked process starts without them."""
        self._lock, self._inside = threading.Lock(), 0
        self._threads: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:  # callers are counted: otherwise one would restore the setting while another needs it
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
                for library, n_threads in self._threads:
                    _set_threads(library, n_threads)


def _set_threads(library: Any, n_threads: int) -> None:
    """Set the threads of a BLAS; newer releases of threadpoolctl ignore the public method on all threads but one."""
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


one_thread_each = _OneThreadEach()
"""A context in which this package divides work among the cores, and the BLAS uses only the calling thread.

It limits each BLAS that threadpoolctl knows: OpenBLAS, MKL, BLIS and FlexiBLAS, but not Apple's Accelerate.
"""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=one_thread_each.reset)


def share(function: Callable[[slice], None], blocks: list[slice], max_threads: int) -> None:
    """Call the function with each block, on at most ``max_threads`` threads, the calling one included.

    Raises
    ------
    Exception
        The first error of any call; the blocks that have not begun are then skipped.
    """
    n_threads = min(max_threads, len(blocks))
    if n_threads < 2:
        for block in blocks:
            function(block)
        return
    stopped = threading.Event()

    def run(own_blocks: list[slice]) -> None:
        for block in own_blocks:
            if stopped.is_set():
                return
            function(block)

    others = [_pool(os.getpid()).submit(run, blocks[i::n_threads]) for i in range(1, n_threads)]
    try:
        run(blocks[::n_threads])
    except BaseException:  # also an interrupt must end the work of the other threads
        stopped.set()
        raise
    finally:
        wait(others)
    for other in others:
        other.result()


@lru_cache(maxsize=1)
def _pool(process_id: int) -> ThreadPoolExecutor:
    """Return the threads of this process; a forked process must not wait for those of its parent."""
    return ThreadPoolExecutor(cores(), "audiostyle_fx", lambda: np.seterr(**OVERFLOW))
