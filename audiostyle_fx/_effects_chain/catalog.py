"""Effects by name: what words each takes, read from its class. The defaults are the class's own and stand nowhere else.

pedalboard's classes are native: they have no Python signature, and a docstring stands in for it. Python classes have
one, and a docstring in numpy's style that says what each parameter is.
"""

from __future__ import annotations

import inspect
import math
import operator
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pedalboard

REQUIRED = inspect.Parameter.empty


UNITS = {"db": "dB", "hz": "Hz", "rate": "Hz", "ms": "ms", "seconds": "s", "semitones": "semitones"}
"""Units by how the name of a parameter ends."""


@dataclass(frozen=True)
class Parameter:
    """A parameter as a word gives it.

    Attributes
    ----------
    name : str
    read : callable
        The value that a text stands for; raises ValueError that says what is allowed.
    show : callable
        A value as a text that `read` takes.
    default : object
        `REQUIRED` where there is none.
    choices : tuple of str
        All that is allowed, where that can be listed.
    is_file : bool
        Whether the value is the path of a recording.
    help : str
        What the class says of it, in one paragraph; may be empty.
    """

    name: str
    read: Callable[[str], Any]
    show: Callable[[Any], str]
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    is_file: bool = False
    help: str = ""

    @property
    def unit(self) -> str:
        """The unit, as the name tells it; empty where it doesn't."""
        return UNITS.get(self.name.rpartition("_")[2], "")


@dataclass(frozen=True)
class Effect:
    """An effect by its name.

    Attributes
    ----------
    name : str
    make : type
        The class; called with values by name.
    parameters : dict of str to Parameter
        In the order of the class's own; the first may be given without its name.
    help : str
        The class's docstring.
    several : bool
        Whether the first parameter may be given more than once.
    """

    name: str
    make: Callable[..., Any]
    parameters: Mapping[str, Parameter]
    help: str
    several: bool = False

    @property
    def first(self) -> Parameter | None:
        """The parameter that may be given without its name."""
        return next(iter(self.parameters.values()), None)

    @property
    def takes_file(self) -> bool:
        """Whether the word behind the effect's name is a file."""
        return self.first is not None and self.first.is_file


@cache
def native_effects() -> dict[str, Effect]:
    """All effects of pedalboard's own by snake-case name, in the order of their names.

    Left out are containers, plugins of other makers, what can't be built from words, and classes that others refine.
    """
    classes = {
        one: name
        for name, one in vars(pedalboard).items()
        if inspect.isclass(one) and issubclass(one, pedalboard.Plugin) and not name.startswith("_")
    }
    chosen = {}
    for one, name in classes.items():
        refined = any(other is not one and issubclass(other, one) for other in classes)
        if not refined and not issubclass(one, (pedalboard.PluginContainer, pedalboard.ExternalPlugin)):
            parameters = _native_parameters(one)
            if parameters is not None:
                chosen[snake_case(name)] = Effect(snake_case(name), one, parameters, _plain(one.__doc__ or ""))
    return dict(sorted(chosen.items()))


def snake_case(name: str) -> str:
    """``GSMFullRateCompressor`` as ``gsm_full_rate_compressor``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _native_parameters(plugin: type) -> dict[str, Parameter] | None:
    """What pybind11 or nanobind says of the constructor; None where it asks for what no word can say."""
    signature = re.search(r"__init__\(self.*", inspect.getattr_static(plugin, "__init__").__doc__ or "")
    if signature is None:
        return None
    parameters = {}
    for name, annotation, default in re.findall(r"(\w+): (.+?)(?: = (.+?))?(?=, \w+: |\) -> )", signature[0]):
        if name == "self":
            continue
        kind = _kind(annotation)
        if kind is None or not hasattr(plugin, name):  # what is not kept belongs to an array given before it
            if not default:
                return None
            continue
        read, show, choices = kind
        text = re.sub(r"^<\w+\.(\w+): .*>$", r"\1", default)  # an enum's default is written as <Quality.Linear: 1>
        value = REQUIRED if not default else None if default == "None" else read(text)
        said = " ".join(_plain(getattr(plugin, name).__doc__ or "").split())
        parameters[name] = Parameter(name, read, show, value, choices, "str" in _names(annotation), said)
    return parameters


def _names(annotation: str) -> list[str]:
    """The types that an annotation allows, without those that hold others."""
    return re.findall(r"[\w.]+", re.sub(r"\b(?!Union|Optional)[\w.]+\[[^\]]*\]+", "", annotation))


def _kind(annotation: str) -> tuple[Callable[[str], Any], Callable[[Any], str], tuple[str, ...]] | None:
    """How a native type is read from a word and shown as one, and what it may be; None where no word can say it."""
    for name in _names(annotation):
        if name in ("float", "typing.SupportsFloat"):
            return number, lambda value: "none" if value is None else f"{value:.6g}", ()
        if name in ("int", "typing.SupportsInt"):
            return integer, str, ()
        if name == "bool":
            return flag, lambda value: str(value).lower(), ("true", "false")
        if name == "str":
            return str, str, ()
        module, _, path = name.partition(".")
        kind = operator.attrgetter(path)(sys.modules[module]) if path and module in sys.modules else None
        members = getattr(kind, "__members__", None)
        if members is not None:
            return one_of(members), lambda value: str(value.name), tuple(members)
    return None


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be a number")
    return value


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be an integer") from None


def flag(text: str) -> bool:
    """True or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def one_of(members: Mapping[str, Any]) -> Callable[[str], Any]:
    """One of an enum's members, by name, in capitals or not."""
    by_name = {name.lower(): member for name, member in members.items()}

    def read(text: str) -> Any:
        if text.lower() not in by_name:
            raise ValueError(f"must be one of {', '.join(members)}")
        return by_name[text.lower()]

    return read


def python_effect(
    name: str,
    make: type,
    read: Callable[[str], Any],
    show: Callable[[Any], str],
    *,
    doc: str,
    files: Iterable[str] = (),
    leave_out: Iterable[str] = (),
) -> Effect:
    """A class with a signature as an effect; the first parameter is one file or several.

    Parameters
    ----------
    read, show : callable
        What a word stands for, and the word for a value.
    doc : str
        In numpy's style, of the parameters.
    files, leave_out : iterable of str
        Parameters that are paths, and those that words can't give.
    """
    said = numpy_parameters(doc)
    parameters = {
        one.name: Parameter(
            one.name,
            str if one.name in files else read,
            show,
            one.default,
            is_file=one.name in files,
            help=said.get(one.name, ""),
        )
        for one in inspect.signature(make).parameters.values()
        if one.name not in leave_out
    }
    summary = inspect.cleandoc(make.__doc__ or "").partition("\n\n")[0]
    return Effect(name, make, parameters, " ".join(summary.split()), several=True)


def numpy_parameters(doc: str) -> dict[str, str]:
    """What a docstring in numpy's style says of each parameter, in one paragraph each."""
    section = inspect.cleandoc(doc).partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    said = {}
    for names, text in re.findall(r"^(\w[\w, ]*?)(?: :.*)?\n((?:    .*\n?)+)", section, re.MULTILINE):
        for name in names.split(", "):
            said[name] = " ".join(text.replace("``", "").split())
    return said


def listing(effects: Iterable[Effect]) -> str:
    """A line for each effect, of 79 columns at the most: its name and what its class's first sentence says."""
    rows = [(one.name, re.split(r"(?<=[.;])\s", " ".join(one.help.split()))[0].rstrip(".;")) for one in effects]
    width = max(len(name) for name, _ in rows) + 2
    cut = textwrap.TextWrapper(79 - width, max_lines=1, placeholder=" ...", break_on_hyphens=False)
    return "\n".join(name.ljust(width) + cut.fill(text) for name, text in rows)


def description(effect: Effect) -> str:
    """What the class says of an effect, and its parameters with their defaults, units and what they may be."""
    blocks = [effect.name]
    if effect.first:
        value = effect.first.name.upper()
        value = value + "..." * effect.several if effect.takes_file else f"[{value}]"
        blocks[0] += f" {value} [name=value ...]"
    for block in effect.help.split("\n\n"):
        lines = block.splitlines() if block.startswith("- ") else [" ".join(block.split())]
        blocks.append("\n".join(textwrap.fill(line, 79, subsequent_indent="  " * (len(lines) > 1)) for line in lines))
    rows, before = [], ""
    for one in effect.parameters.values():
        head = f"  {one.name}" + ("" if one.default is REQUIRED else f"={one.show(one.default)}")
        said = one.help if one.help != before or not before else "likewise"
        notes = ["required" * (one.default is REQUIRED), "a file" * one.is_file, one.unit, ", ".join(one.choices), said]
        rows.append((head, "; ".join(note for note in notes if note)))
        before = one.help
    width = max((len(head) for head, _ in rows), default=0) + 2
    hanging = textwrap.TextWrapper(79, subsequent_indent=" " * width, break_on_hyphens=False)
    lines = [hanging.fill(head.ljust(width) + text).rstrip() for head, text in rows]
    return "\n\n".join([*blocks, "\n".join(lines)]).rstrip()


def _plain(doc: str) -> str:
    """A docstring without its markup, a paragraph a block."""
    doc = inspect.cleandoc(doc)
    doc = re.sub(r"\.\. code-block::.*?(?=\n\S|\Z)", "", doc, flags=re.DOTALL)
    doc = re.sub(r"\.\. (\w+)::\n+", lambda match: match[1].capitalize() + ":\n", doc)
    doc = re.sub(r":\w+:`(?:pedalboard\.)?([^`]*)`", r"\1", doc)
    doc = re.sub(r"`([^`<]+?) <[^`>]*>_?`_?", r"\1", doc)
    doc = re.sub(r"``|(?<!\w)\*+(?=\w)|(?<=\w|\.)\*+(?!\w)", "", doc)
    return doc.strip()
