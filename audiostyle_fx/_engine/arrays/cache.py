"""A bounded cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Made = TypeVar("Made")


class Held:
    """The latest things that were made, by what they were made of, to be used again.

    Threads may share it. It has no lock, which a forked process might inherit locked: two threads that need the same
    thing at the same time may both make it, and then use one of the two.

    Parameters
    ----------
    most : int
        Things that are kept; of more, the one made first is let go.
    """

    def __init__(self, most: int) -> None:
        self.most, self._made = most, dict[Any, Any]()

    def get(self, key: Any, make: Callable[[], Made]) -> Made:
        """What was made under a key, or else what ``make`` returns, which is kept unless it raises."""
        if (found := self._made.get(key, _NOTHING)) is not _NOTHING:
            return cast(Made, found)
        made = self._made.setdefault(key, make())
        for old in list(self._made)[: -self.most or None]:
            self._made.pop(old, None)
        return cast(Made, made)


_NOTHING = object()
