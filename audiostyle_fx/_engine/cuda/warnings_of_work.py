"""Warnings of work that one thread does for others: they reach the threads that wait for it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_this_thread = threading.local()


def warn(text: str, stacklevel: int = 1) -> None:
    """Give a RuntimeWarning, or keep its text inside of `kept_warnings`, where no filter makes it an error."""
    texts: list[str] | None = getattr(_this_thread, "texts", None)
    if texts is None:
        warnings.warn(text, RuntimeWarning, stacklevel + 1)
    else:
        texts.append(text)


@contextmanager
def kept_warnings() -> Iterator[list[str]]:
    """Give a list that gets the warnings of this thread's work."""
    _this_thread.texts = texts = list[str]()
    try:
        yield texts
    finally:
        del _this_thread.texts
