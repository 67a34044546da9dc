"""Checks whether plugins are offline effects or contain one, at any depth of containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pedalboard import Plugin, PluginContainer

from .hosted_effect import HostedEffect
from .native import are_refused_plugins, native_entries
from .plugin_notes import known_note


def has_known_effect(plugin: object) -> bool:
    """Return within a microsecond whether a plugin is an offline effect or is known to contain one."""
    if isinstance(plugin, HostedEffect):
        return True
    note = known_note(plugin)
    return note is not None and any(map(has_known_effect, note.python_halves))


def has_effect(plugin: object) -> bool:
    """Return whether a plugin is an offline effect or contains one; this checks the entries of every container."""
    if isinstance(plugin, HostedEffect):
        return True
    return isinstance(plugin, PluginContainer) and any(map(has_effect, checked_entries(plugin)))


def checked_entries(container: PluginContainer) -> list[Plugin | None]:
    """List the entries of a container.

    Raises
    ------
    RuntimeError
        If the container is the native half of an offline effect whose Python half is gone.
    """
    entries = native_entries(container)
    if are_refused_plugins(entries):
        raise RuntimeError(
            "An offline effect in this board has lost its Python half: the effect was put in while audiostyle_fx was "
            "not installed, or by a method captured before that. Put the effect in again."
        )
    return entries


def all_plugins(plugins: Iterable[Plugin | None]) -> Iterator[Plugin]:
    """Yield the plugins and everything in them, but not the native halves of effects."""
    for plugin in plugins:
        if plugin is not None:
            yield plugin
        if isinstance(plugin, PluginContainer) and not isinstance(plugin, HostedEffect):
            yield from all_plugins(checked_entries(plugin))
