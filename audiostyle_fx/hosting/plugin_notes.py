"""Data attached to plugins: the Python objects they contain and waiting samples.

A note lives as long as the Python object of its plugin.

Native code holds only the native half of a plugin. The Python half of an effect, with its methods and attributes,
would be freed as soon as Python code has no reference left; the note of the container that holds it keeps it alive.
"""

from __future__ import annotations

import functools
import threading
import weakref

from pedalboard import LowpassFilter, Plugin, PluginContainer

from .native import Audio, native_entries

NOTE_ATTRIBUTE = "_audiostyle_fx_note"
"""Attribute that holds the note of a plugin whose class is written in Python."""


class PluginNote:
    """Data attached to one plugin.

    Attributes
    ----------
    python_halves : list of PluginContainer
        The effects and containers in the plugin.
    waiting : dict
        Samples that wait for the next chunk, by the name of their buffer; see `chunk_buffers`.
    lock : RLock
        Held while the plugin's earlier chunks are read or changed; see `effect_locks`.
    """

    def __init__(self) -> None:
        self.python_halves: list[PluginContainer] = []
        self.waiting: dict[str, list[Audio]] = {}
        self.lock = threading.RLock()
        self.finalizer: weakref.ref[Plugin] | None = None

    @functools.cached_property
    def layout_probe(self) -> Plugin:
        """A filter that remembers, instead of the plugin, the time axis of earlier arrays; see `layout`."""
        return LowpassFilter(cutoff_frequency_hz=50)

    def reset(self) -> None:
        """Forget the time axis and the waiting samples of earlier recordings."""
        self.layout_probe.reset()
        self.waiting.clear()


# Notes of plugins that accept no attributes, `Chain` and `Mix` themselves, by the plugin's id.
_notes_by_id: dict[int, PluginNote] = {}


_notes_lock = threading.RLock()  # never held while audio is processed


def known_note(plugin: object) -> PluginNote | None:
    """Return the note of a plugin, or None if it has none."""
    attributes = getattr(plugin, "__dict__", None)
    return _notes_by_id.get(id(plugin)) if attributes is None else attributes.get(NOTE_ATTRIBUTE)


def note_of(plugin: Plugin) -> PluginNote:
    """Return the note of a plugin; a plugin without one gets a new note."""
    with _notes_lock:
        note = known_note(plugin)
        if note is None:
            note = PluginNote()
            if hasattr(plugin, "__dict__"):  # the plugin owns its note, so that a cycle through both can be collected
                plugin.__dict__[NOTE_ATTRIBUTE] = note
            else:
                key, notes = id(plugin), _notes_by_id
                note.finalizer = weakref.ref(plugin, lambda _: notes.pop(key, None))
                notes[key] = note
        return note


def keep_python_halves(container: PluginContainer) -> None:
    """Keep the Python halves in a container alive, and release halves that have left it."""
    with _notes_lock:  # otherwise a slow thread could overwrite the entries of a fast one
        halves = [plugin for plugin in native_entries(container) if isinstance(plugin, PluginContainer)]
        if halves or known_note(container):
            note = note_of(container)
            halves, note.python_halves = note.python_halves, halves
    del halves  # only after the lock is released: freeing them may run code of their own
