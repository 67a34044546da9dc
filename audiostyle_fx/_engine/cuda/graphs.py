"""CUDA graphs: an iteration is recorded once, and then launched as a whole."""

from __future__ import annotations

import contextlib
import importlib
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .memory import is_out_of_memory
from .streams import device_stream
from .warnings_of_work import warn

_one_capture = threading.Lock()
"""Held while work is recorded: CuPy's own tests call the capture of FFTs in several threads unsafe, so that several
GPUs record one after the other. Their graphs run at the same time."""


def record_graph(function: Callable[[], Array]) -> tuple[Callable[[], Any], Array]:
    """Record the work of a function on the current stream.

    Returns
    -------
    launch : callable
        Does the recorded work again, on the same memory.
    result : array
        What the function returned; each launch fills it.
    """
    stream = importlib.import_module("cupy").cuda.get_current_stream()
    try:
        stream.begin_capture()
        result = function()
        return stream.end_capture().launch, result
    except BaseException:  # also an interrupt must come through, and not leave the stream recording
        with contextlib.suppress(Exception):
            stream.end_capture()
        raise


WORTH_A_GRAPH = 6
"""Fewest calls of which one is recorded: recording costs about as much as launching the work twice."""


@contextmanager
def captured(function: Callable[[], Array], like: Array, calls: float = math.inf) -> Iterator[Callable[[], Array]]:
    """Return a context with a callable that does the function's work; on a GPU, from its third call as one CUDA graph.

    Parameters
    ----------
    function : callable
        Works in place on its own arrays, and returns an array, or tuples of arrays. On a GPU its code runs three times:
        the first call also makes the libraries create their plans, the second reserves its memory in a pool, and the
        third is recorded.
    like : array
        An array on the device where the function works.
    calls : float
        Number of calls to expect; fewer than `WORTH_A_GRAPH` are not recorded.

    Yields
    ------
    callable
        Takes no arguments and returns the function's result.

    Warns
    -----
    RuntimeWarning
        If a library's work can't be recorded; the function is then called each time.
    """
    if get_array_module(like) is np or calls < WORTH_A_GRAPH:
        yield function
        return
    graph_pool = device_stream(f"cuda:{like.device.id}").graph_pool
    graph = _CapturedFunction(function, importlib.import_module("cupy"), graph_pool)
    try:
        yield graph
    finally:
        graph.launch = graph.result = None


class _CapturedFunction:
    """A function that is recorded at its third call, see `captured`."""

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
                self._record()
            if self.launch is None:
                result = self.function()
        if self.launch is None:
            return _copied(result)  # into the default pool: the recording needs all memory of the graph's pool
        self.launch()
        return self.result

    def _record(self) -> None:
        try:
            with _one_capture:
                self.launch, self.result = record_graph(self.function)
        except MemoryError:
            raise
        except Exception as error:  # the libraries raise many kinds; without a graph the result is the same
            if is_out_of_memory(error):
                raise
            warn(
                f"the iterations can't be captured in a CUDA graph ({error}): their operations are launched one by "
                "one, which is slower",
                stacklevel=4,
            )


def _copied(result: Any) -> Any:
    """Return a copy of an array, or of all arrays in tuples."""
    return tuple(map(_copied, result)) if isinstance(result, tuple) else result.copy()
