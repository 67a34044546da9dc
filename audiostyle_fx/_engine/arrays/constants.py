"""Arrays that depend on sizes only, such as windows: computed once for each device and precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from .array_module import Array, get_array_module, thread_state


def constant(make: Callable[..., np.ndarray], *arguments: Any, like: Array) -> Array:
    """Return ``make(*arguments)`` on the device and in the precision of ``like``; the latest 32 are cached."""
    xp = get_array_module(like)
    if xp is np:
        return _constant(make, arguments, like.dtype.name, np, 0)
    key = (make, arguments, like.dtype.name, xp, int(like.device.id))
    constants = getattr(thread_state, "constants", {})  # a CUDA graph still needs dropped ones
    if key not in constants:
        constants[key] = _constant(*key)
    return constants[key]


@lru_cache(maxsize=32)
def _constant(make: Callable[..., np.ndarray], arguments: Any, dtype: str, xp: ModuleType, device_id: int) -> Array:
    values = make(*arguments)
    values = values.astype(np.result_type(dtype, np.complex64) if values.dtype.kind == "c" else dtype)
    if xp is np:
        return values
    with xp.cuda.using_allocator(xp.get_default_memory_pool().malloc):  # the array outlives the pool of a graph
        on_device = xp.asarray(values)
    xp.cuda.get_current_stream().synchronize()  # other streams will read it
    return on_device
