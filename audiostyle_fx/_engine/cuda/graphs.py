"""CUDA graphs: an iteration recorded once and launched as a whole."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .memory import _out_of_memory
from .streams import _own


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
            self.launch, self.result = _cuda_graph(self.function)
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
