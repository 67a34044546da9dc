"""Which array module an array belongs to: NumPy, or CuPy on a GPU."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A NumPy or CuPy array; the docstring that uses it gives shape and dtype."""


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


def to_host(x: Array) -> np.ndarray:
    """The array as a NumPy array."""
    return x if isinstance(x, np.ndarray) else x.get()
