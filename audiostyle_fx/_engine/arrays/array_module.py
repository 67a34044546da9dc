"""The array module of an array: NumPy, or CuPy on a GPU."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""


def get_array_module(*arrays: Array) -> ModuleType:
    """Return CuPy if any of the arrays is a CuPy array, otherwise NumPy; never imports CuPy."""
    cupy = sys.modules.get("cupy")
    # While another thread is still importing CuPy, the module has no ndarray yet.
    if cupy is not None and hasattr(cupy, "ndarray") and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


OVERFLOW: dict[str, Any] = {"over": "ignore", "invalid": "ignore"}
"""Settings of `numpy.errstate` for extreme levels: no warning is needed, since a result that is not finite raises."""


thread_state = threading.local()
"""State of each thread that computes on a GPU.

Attributes: ``tf32``, whether matrix products may round to TF32; ``constants``, the arrays of `constant` that the
thread's CUDA graphs use; ``plans``, cuFFT's plans; ``device_streams``, its `DeviceStream` for each device.
"""


def to_host(x: Array) -> np.ndarray:
    """Return the array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()
