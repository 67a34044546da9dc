"""The warnings of each task, which threads would otherwise share."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_this_thread = threading.local()


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Collect the warnings of a task: of the main thread, or of any thread inside of `separated_by_thread`."""
    messages: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        _this_thread.messages = messages
        try:
            yield messages
        finally:
            del _this_thread.messages
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages.extend(str(warning.message) for warning in caught)


@contextmanager
def separated_by_thread() -> Iterator[None]:
    """Return a context in which `recorded_warnings` works on all threads; other threads keep their filters.

    The filters of Python's warnings belong to the process. The one here applies to any text, but only in a thread that
    collects.
    """
    show, of_tasks = warnings.showwarning, ("always", _OfTasks(), Warning, None, 0)

    def collect(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if _collects():
            _this_thread.messages.append(str(message))
        else:
            show(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():  # whose copy of the filters also counts warnings again that were shown before
        filters: list[Any] = warnings.filters  # type: ignore[assignment]
        filters.insert(0, of_tasks)
        warnings.showwarning = collect
        try:
            yield
        finally:
            warnings.showwarning = show
            filters.remove(of_tasks)


class _OfTasks:
    """Stands for the regular expression of a filter: it matches any text in a thread that collects warnings."""

    def match(self, text: str) -> bool:
        return _collects()


def _collects() -> bool:
    return hasattr(_this_thread, "messages")
