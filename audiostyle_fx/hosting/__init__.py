"""Hosting of effects written in Python inside pedalboard's own containers.

pedalboard runs a board in native code, 8192 samples at a time. It accepts a Python subclass of a native plugin in a
board, but never calls a method that the subclass overrides. This folder closes the gap:

- `OfflineEffect` is the base class of effects that see the whole recording. Its **native half can't be run**: it is a
  `Chain` that holds one muted `Gain` twice, and native code refuses to run a plugin instance twice. So any call that
  bypasses this folder (a function captured before `install`, `Plugin.process(board, ...)`) raises RuntimeError; it
  never passes audio unprocessed. `install` checks that the native code in use still refuses. A live stream doesn't
  look for duplicates, so an effect is refused in every board that a stream plays, or is given to play.
- `install` puts a `process`, a `__call__` and a `reset` on `PluginContainer`, which natively inherits them from
  `Plugin`. A board without offline effects goes straight to native code. A board with one is run in Python: each
  stretch of native plugins natively, each offline effect on the whole recording, in order, inside `Chain` and `Mix`
  too.
- All changes in pedalboard are listed in one table, `changes.CHANGES`, and `uninstall` undoes them.
"""

from .installation import install, uninstall
from .offline_effect import OfflineEffect

__all__ = ["OfflineEffect", "install", "uninstall"]
