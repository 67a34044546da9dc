"""Keep offline effects out of live audio streams, where native code would run their native halves without an error."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import pedalboard.io
from pedalboard import PluginContainer

from .contents import all_plugins, has_effect

AudioStream: Any = getattr(pedalboard.io, "AudioStream", None)
"""The class of live streams; None, or a class without ``plugins``, if pedalboard is built without audio devices."""


_open_streams: weakref.WeakSet[Any] = weakref.WeakSet()


_REFUSAL = "An offline effect needs the whole recording: it can't be part of a live AudioStream."


def method_without_effects(native: Callable[..., None]) -> Callable[..., None]:
    """Return a stream's method that raises TypeError if an argument is or contains an effect."""

    @functools.wraps(native)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if _any_has_effect(*args, *kwargs.values()):
            raise TypeError(_REFUSAL)
        native(self, *args, **kwargs)
        _open_streams.add(self)

    return method


def property_without_effects(native: Any) -> property:
    """Return a stream's property that raises TypeError when it is set to an effect or to a board with one."""
    return property(native.fget, method_without_effects(native.fset), native.fdel, native.__doc__)


def check_not_live(container: PluginContainer, *arguments: Any) -> None:
    """Raise TypeError if the arguments put an effect into a container that a live stream plays, at any depth."""
    if not _open_streams or not _any_has_effect(*arguments):
        return
    if any(part is container for stream in list(_open_streams) for part in all_plugins([stream.plugins])):
        raise TypeError(_REFUSAL)


def _any_has_effect(*arguments: Any) -> bool:
    for argument in arguments:
        entries = argument if isinstance(argument, (list, tuple)) else [argument]
        if any(map(has_effect, entries)):
            return True
    return False
