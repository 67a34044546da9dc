"""Pedalboard's own effects, read from the stub file that pedalboard ships.

The classes are native and have no Python signature; their stub has one, with types and defaults. Docstrings come from
the classes, because in pedalboard 0.9.26 two of them are newer than in the stub.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pedalboard
import pedalboard_native

from .definitions import REQUIRED, Effect, Parameter, unit_of
from .text_values import choice_reader, read_flag, read_integer, read_number, show_choice, show_flag, show_number


class ValueKind(NamedTuple):
    """Functions that read and show values of a type as text, and all values if they can be listed."""

    read: Callable[[str], Any]
    show: Callable[[Any], str]
    choices: tuple[str, ...] = ()


NUMBER = ValueKind(read_number, show_number)
INTEGER = ValueKind(read_integer, str)
VALUE_KINDS = {
    "float": NUMBER,
    "typing.SupportsFloat": NUMBER,
    "int": INTEGER,
    "typing.SupportsInt": INTEGER,
    "bool": ValueKind(read_flag, show_flag, ("true", "false")),
    "str": ValueKind(str, str),
}
"""Kinds of values by the type's name in the stub; enums are read from their classes."""


@cache
def native_effects() -> dict[str, Effect]:
    """Return all effects of pedalboard itself by snake-case name, in alphabetical order.

    Containers, third-party plugins, classes that cannot be built from text, and base classes are left out.
    """
    stubs = {node.name: node for node in stub_tree().body if isinstance(node, ast.ClassDef)}
    plugins = {
        plugin: name
        for name, plugin in vars(pedalboard).items()
        if inspect.isclass(plugin) and issubclass(plugin, pedalboard.Plugin) and name in stubs
    }
    found = {}
    for plugin, name in plugins.items():
        is_base = any(other is not plugin and issubclass(other, plugin) for other in plugins)
        if is_base or issubclass(plugin, (pedalboard.PluginContainer, pedalboard.ExternalPlugin)):
            continue
        parameters = native_parameters(plugin, stubs[name])
        if parameters is not None:
            found[snake_case(name)] = Effect(snake_case(name), plugin, parameters, without_markup(plugin.__doc__))
    return dict(sorted(found.items()))


def stub_tree() -> ast.Module:
    """Parse the stub file in the folder next to pedalboard's native module."""
    path = Path(pedalboard_native.__file__).parent / "pedalboard_native" / "__init__.pyi"
    return ast.parse(path.read_text(encoding="utf-8"))


def snake_case(name: str) -> str:
    """Return ``gsm_full_rate_compressor`` for ``GSMFullRateCompressor``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def native_parameters(plugin: type, stub: ast.ClassDef) -> dict[str, Parameter] | None:
    """Return the parameters of a class by name; None if text cannot give a required one.

    A parameter that is not a property of the class is left out: it describes an array, given by the parameter before.
    """
    parameters = {}
    for argument, default in _arguments(stub):
        name, types = argument.arg, _alternatives(argument.annotation)
        kind = next(filter(None, (_kind(alternative, plugin) for alternative in types)), None)
        if kind is None or not hasattr(plugin, name):
            if default is None:
                return None
            continue
        parameters[name] = Parameter(
            name,
            kind.read,
            kind.show,
            REQUIRED if default is None else _default(default, kind),
            kind.choices,
            is_file="str" in types,
            unit=unit_of(name),
            help=" ".join(without_markup(getattr(plugin, name).__doc__).split()),
        )
    return parameters


def _arguments(stub: ast.ClassDef) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield the constructor's arguments, without self, with their defaults."""
    for method in stub.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            positional = [*method.args.posonlyargs, *method.args.args]
            defaults = [None] * (len(positional) - len(method.args.defaults)) + method.args.defaults
            yield from list(zip(positional, defaults, strict=True))[1:]
            yield from zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)


def _alternatives(annotation: ast.expr | None) -> list[str]:
    """Return the types that an annotation allows: the members of unions, or itself."""
    if isinstance(annotation, ast.BinOp):
        return _alternatives(annotation.left) + _alternatives(annotation.right)
    if isinstance(annotation, ast.Subscript) and re.fullmatch(
        r"(typing\.)?(Union|Optional)", ast.unparse(annotation.value)
    ):
        inner = annotation.slice
        members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        return [name for member in members for name in _alternatives(member)]
    return [] if annotation is None else [ast.unparse(annotation)]


def _kind(type_name: str, plugin: type) -> ValueKind | None:
    """Return the kind of a type's values; None if text cannot give them."""
    if type_name in VALUE_KINDS:
        return VALUE_KINDS[type_name]
    path = type_name.removeprefix("pedalboard_native.")
    if re.fullmatch(r"[\w.]+", path):
        for scope in (plugin, pedalboard_native):
            try:
                members = attrgetter(path + ".__members__")(scope)
            except AttributeError:
                continue
            return ValueKind(choice_reader(members), show_choice, tuple(members))
    return None


def _default(node: ast.expr, kind: ValueKind) -> Any:
    """Return the value of a default: a literal, or the member of an enum."""
    if isinstance(node, ast.Attribute):
        return kind.read(node.attr)
    value = ast.literal_eval(node)
    return None if value is None else kind.read(str(value))


def without_markup(doc: str | None) -> str:
    """Return a docstring without its reStructuredText markup, as paragraphs."""
    text = inspect.cleandoc(doc or "")
    text = re.sub(r"\.\. code-block::.*?(?=\n\S|\Z)", "", text, flags=re.DOTALL)
    text = re.sub(r"\.\. (\w+)::\n+", lambda match: match[1].capitalize() + ":\n", text)
    text = re.sub(r":\w+:`(?:pedalboard\.)?([^`]*)`", r"\1", text)
    text = re.sub(r"`([^`<]+?) <[^`>]*>_?`_?", r"\1", text)
    text = re.sub(r"``|(?<!\w)\*+(?=\w)|(?<=\w|\.)\*+(?!\w)", "", text)
    return text.strip()
