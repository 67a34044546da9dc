"""A cache of a fixed number of values."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Value = TypeVar("Value")


class BoundedCache:
    """A cache that keeps the values used last, each under a hashable key.

    Threads may share one. It has no lock, because a forked process could inherit the lock while it is held. Two threads
    that need the same missing value at the same time may both compute it; both then receive the value that was stored
    first.

    Parameters
    ----------
    max_size : int
        Number of values kept, at least 0. When one more is added, the value whose last use is longest ago is dropped.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._values: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        """Return the number of values kept."""
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value under a key; if there is none, call ``make`` and keep what it returns, unless it raises."""
        value = self._values.pop(key, _MISSING)
        if value is not _MISSING:
            return cast(Value, self._values.setdefault(key, value))
        value = self._values.setdefault(key, make())
        for oldest in list(self._values)[: -self.max_size or None]:
            self._values.pop(oldest, None)
        return cast(Value, value)

    def clear(self) -> None:
        """Drop all values."""
        self._values.clear()


_MISSING = object()
