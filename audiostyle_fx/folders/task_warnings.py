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
    collects. Several threads may be inside; the last one that leaves restores what the first one found.
    """
    _separation.enter()
    try:
        yield
    finally:
        _separation.leave()


class _Separation:
    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._filter: Any = ("always", _OfTasks(), Warning, None, 0)

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._show, warnings.showwarning = warnings.showwarning, self._collect
                _filters().insert(0, self._filter)
                with warnings.catch_warnings():  # lets warnings count again that were shown before
                    pass

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside:
                return
            if warnings.showwarning == self._collect:
                warnings.showwarning = self._show
            if self._filter in _filters():
                _filters().remove(self._filter)

    def _collect(
        self,
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
            self._show(message, category, filename, lineno, file, line)


def _filters() -> list[Any]:
    return warnings.filters  # type: ignore[return-value]


class _OfTasks:
    """Stands for the regular expression of a filter: it matches any text in a thread that collects warnings."""

    def match(self, text: str) -> bool:
        return _collects()


def _collects() -> bool:
    return hasattr(_this_thread, "messages")


_separation = _Separation()
