"""Arrays that depend on sizes alone, such as windows: computed once for each device and precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from .array_module import Array, get_array_module, here


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
