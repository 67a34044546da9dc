"""The table of everything that this package changes in pedalboard, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pedalboard
from pedalboard import Chain, Mix, PluginContainer

from .live_streams import AudioStream, method_without_effects, property_without_effects
from .replacements import (
    adding_method,
    container_process,
    container_reset,
    list_process,
    removing_method,
    returning_method,
)


class Change(NamedTuple):
    """One function of pedalboard that is replaced.

    Attributes
    ----------
    owner : class or module
    name : str
        Name of the attribute of `owner`.
    replace : callable
        Makes the replacement from the native function.
    reason : str
    """

    owner: Any
    name: str
    replace: Callable[[Any], Any]
    reason: str


_RUNS = "natively inherited from Plugin, and would run the native half of an effect, which raises"
_PUTS_IN = "puts plugins in, whose Python halves must be kept alive"
_TAKES_OUT = "takes plugins out, whose Python halves must be released"
_HANDS_OUT = "may return a container of a board built before `install`, into which an effect is put next"
_LIVE = "would run the native half of an effect"


CHANGES: list[Change] = [
    Change(PluginContainer, "process", container_process, _RUNS),
    Change(PluginContainer, "__call__", container_process, _RUNS),
    Change(PluginContainer, "reset", container_reset, "natively inherited from Plugin, and resets only native halves"),
    Change(pedalboard, "process", list_process, "runs a list of plugins without a container"),
    Change(Chain, "__init__", adding_method, _PUTS_IN),
    Change(Mix, "__init__", adding_method, _PUTS_IN),
    Change(PluginContainer, "append", adding_method, _PUTS_IN),
    Change(PluginContainer, "insert", adding_method, _PUTS_IN),
    Change(PluginContainer, "__setitem__", adding_method, _PUTS_IN),
    Change(PluginContainer, "__delitem__", removing_method, _TAKES_OUT),
    Change(PluginContainer, "remove", removing_method, _TAKES_OUT),
    Change(PluginContainer, "__getitem__", returning_method, _HANDS_OUT),
    Change(PluginContainer, "__iter__", returning_method, _HANDS_OUT),
]
"""All changes in pedalboard."""


if hasattr(AudioStream, "plugins"):
    CHANGES += [
        Change(AudioStream, "__init__", method_without_effects, _LIVE),
        Change(AudioStream, "plugins", property_without_effects, _LIVE),
    ]
