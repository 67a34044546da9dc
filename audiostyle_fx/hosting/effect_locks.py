"""Locks of effects: only one call at a time may use the state of earlier chunks, as in native plugins.

A call with a chunk holds the locks of all effects of its board from beginning to end, and a reset waits for it. Calls
with a whole recording keep no state: they hold the locks only while they discard earlier chunks, so that several
threads can render with the same effect.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pedalboard import Plugin

from .plugin_notes import note_of


@contextlib.contextmanager
def exclusive(effects: Iterable[Plugin]) -> Iterator[None]:
    """Hold the locks of effects; they are always taken in the same order, so that boards can't deadlock.

    The thread that holds the locks may take them again.
    """
    locks = {id(effect): note_of(effect).lock for effect in effects}
    with contextlib.ExitStack() as held:
        for _, lock in sorted(locks.items()):
            held.enter_context(lock)
        yield


def exclusive_method(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of an effect that holds the effect's lock."""

    @functools.wraps(method)
    def locked(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with exclusive([self]):
            return method(self, *args, **kwargs)

    return locked
