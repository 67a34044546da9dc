"""Installation and removal of the changes in pedalboard."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from .changes import CHANGES
from .native import check_refusal

if "uninstall" in globals():  # the module is loaded again: undo the changes before their record below is emptied
    globals()["uninstall"]()


_INHERITED = object()


class _Undo(NamedTuple):
    """How to undo one change; `native` is `_INHERITED` if the owner only inherited the attribute."""

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
        If this version of pedalboard would pass audio unprocessed through an effect that is not hosted; then nothing
        is changed.
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
    """Undo the changes of `install`, except attributes that other code has changed since.

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
