"""Replacements for pedalboard's functions; each is made from the native function that it replaces."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pedalboard import Chain, Plugin, PluginContainer

from .contents import all_plugins, has_effect, has_known_effect
from .effect_locks import exclusive
from .hosted_effect import HostedEffect
from .live_streams import check_not_live
from .native import Audio, native_entries
from .plugin_notes import keep_python_halves, known_note
from .runner import process_hosted


def container_process(native: Callable[..., Audio]) -> Callable[..., Audio]:
    """Return `process` of containers: boards with an offline effect run in `process_hosted`, others in native code."""

    @functools.wraps(native)
    def process(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Audio:
        if not has_known_effect(self):
            try:
                return native(self, *args, **kwargs)
            except RuntimeError:  # native code also raises it for an effect that was put in before `install`
                if not has_effect(self):
                    raise
        return process_hosted(self, *args, **kwargs)

    return process


def list_process(native: Callable[..., Audio]) -> Callable[..., Audio]:
    """Return `pedalboard.process`: lists with an offline effect run in `process_hosted`, others in native code."""

    def hosted_process(
        input_array: Any, sample_rate: Any, plugins: Iterable[Any], buffer_size: Any = 8192, reset: Any = True
    ) -> Audio:
        chain = Chain(list(plugins))
        first = next((plugin for plugin in native_entries(chain) if plugin is not None), None)
        # Native code remembers the earlier arrays of the first plugin; those of an effect are only known here.
        layout_of = first if has_known_effect(first) else None
        return process_hosted(
            chain, input_array, sample_rate, buffer_size, reset, plugin_by_plugin=True, layout_of=layout_of
        )

    @functools.wraps(native)
    def process(*args: Any, **kwargs: Any) -> Audio:
        plugins = args[2] if len(args) > 2 else kwargs.get("plugins")
        if isinstance(plugins, PluginContainer):
            hosted = has_known_effect(plugins) and not isinstance(plugins, HostedEffect)
        else:
            hosted = isinstance(plugins, Sequence) and any(map(has_known_effect, plugins))
        return (hosted_process if hosted else native)(*args, **kwargs)

    return process


def container_reset(native: Callable[[PluginContainer], None]) -> Callable[[PluginContainer], None]:
    """Return `reset` of containers, which also resets the effects inside."""

    @functools.wraps(native)
    def reset(self: PluginContainer) -> None:
        if known_note(self) is None:
            native(self)
            return
        plugins = list(all_plugins([self]))
        with exclusive(plugin for plugin in plugins if isinstance(plugin, HostedEffect)):
            native(self)
            for plugin in plugins:
                note = known_note(plugin)
                if note is not None:
                    note.reset()
                if isinstance(plugin, HostedEffect):
                    plugin.reset()

    return reset


def adding_method(native: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that puts plugins into a container and keeps their Python halves alive."""

    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Any:
        arguments = (*args, *kwargs.values())
        check_not_live(self, *arguments)
        result = native(self, *args, **kwargs)
        if known_note(self) or not all(map(_has_no_python_half, arguments)):
            keep_python_halves(self)
        return result

    return method


def removing_method(native: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that takes plugins out of a container and releases their Python halves."""

    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Any:
        result = native(self, *args, **kwargs)
        if known_note(self):
            keep_python_halves(self)
        return result

    return method


def returning_method(native: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that returns plugins of a container and keeps the containers among them alive."""

    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any) -> Any:
        result = native(self, *args)
        if isinstance(result, PluginContainer) or not isinstance(result, Plugin):  # a native plugin needs nothing
            keep_python_halves(self)
        return result

    return method


def _has_no_python_half(argument: object) -> bool:
    """Return whether an argument of a list method contains no plugin with a Python half to keep."""
    if isinstance(argument, (list, tuple)):
        return not any(isinstance(entry, PluginContainer) for entry in argument)
    return argument is None or (isinstance(argument, (int, Plugin)) and not isinstance(argument, PluginContainer))
