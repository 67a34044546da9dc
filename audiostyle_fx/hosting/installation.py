"""Everything that this package changes in pedalboard: the table of changes, `install` and `uninstall`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pedalboard
from pedalboard import Chain, Mix, PluginContainer

from .live_streams import AudioStream, property_refusing_effects, refusing_effects
from .native import check_refusal
from .replacements import container_process, container_reset, handing_out, list_process, putting_in, taking_out

if "uninstall" in globals():  # the module is loaded again: undo the changes before their record below is emptied
    globals()["uninstall"]()


class Change(NamedTuple):
    """One function of pedalboard that is replaced.

    Attributes
    ----------
    owner : class or module
    name : str
        Of the attribute of `owner`.
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
    Change(Chain, "__init__", putting_in, _PUTS_IN),
    Change(Mix, "__init__", putting_in, _PUTS_IN),
    Change(PluginContainer, "append", putting_in, _PUTS_IN),
    Change(PluginContainer, "insert", putting_in, _PUTS_IN),
    Change(PluginContainer, "__setitem__", putting_in, _PUTS_IN),
    Change(PluginContainer, "__delitem__", taking_out, _TAKES_OUT),
    Change(PluginContainer, "remove", taking_out, _TAKES_OUT),
    Change(PluginContainer, "__getitem__", handing_out, _HANDS_OUT),
    Change(PluginContainer, "__iter__", handing_out, _HANDS_OUT),
]
"""Everything that is changed in pedalboard."""


if hasattr(AudioStream, "plugins"):
    CHANGES += [
        Change(AudioStream, "__init__", refusing_effects, _LIVE),
        Change(AudioStream, "plugins", property_refusing_effects, _LIVE),
    ]


_INHERITED = object()


class _Undo(NamedTuple):
    """How to take one change back; `native` is `_INHERITED` where the owner had no such attribute of its own."""

    owner: Any
    name: str
    native: Any
    replacement: Any


_undo: list[_Undo] = []  # empty unless installed


_install_lock = threading.RLock()


def install() -> None:
    """Let pedalboard's containers host offline effects; a second call does nothing.

    Raises
    ------
    audiostyle_fx.errors.HostingError
        If this version of pedalboard would pass audio unprocessed through an effect that is not hosted. Nothing is
        changed then.
    """
    with _install_lock:
        if _undo:
            return
        check_refusal()
        try:
            for owner, name, replace, _ in CHANGES:
                native = vars(owner).get(name, _INHERITED)
                replacement = replace(getattr(owner, name))
                setattr(owner, name, replacement)
                _undo.append(_Undo(owner, name, native, replacement))
        except BaseException:
            uninstall()  # all changes or none
            raise


def uninstall() -> None:
    """Take back everything that `install` changed, except what other code has changed since.

    A board that holds an offline effect then raises RuntimeError.
    """
    with _install_lock:
        while _undo:
            owner, name, native, replacement = _undo.pop()
            if vars(owner).get(name) is not replacement:
                continue
            if native is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, native)
