"""Locks of effects: what an effect keeps of earlier chunks belongs to one call at a time, as in native plugins.

A call with a chunk holds the locks of all effects of its board from beginning to end, and a reset waits for it. Calls
with a whole recording keep nothing: they hold the locks only while they discard earlier chunks, so that several threads
render with one effect at a time.
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
    """Hold the locks of effects; in one order everywhere, so that boards that share effects never wait for each other.

    The thread that holds them may take them again.
    """
    locks = {id(effect): note_of(effect).lock for effect in effects}
    with contextlib.ExitStack() as held:
        for _, lock in sorted(locks.items()):
            held.enter_context(lock)
        yield


def exclusive_method(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of an effect that holds its lock."""

    @functools.wraps(method)
    def locked(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with exclusive([self]):
            return method(self, *args, **kwargs)

    return locked
