"""The list of effects, and the description of one effect, as text of at most 79 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from .._effects_chain.definitions import REQUIRED, Effect, Parameter

COLUMNS = 79


def list_effects(effects: Iterable[Effect]) -> str:
    """Return a line for each effect: its name and the first sentence of its documentation."""
    rows = [
        (effect.name, re.split(r"(?<=[.;])\s", " ".join(effect.help.split()))[0].rstrip(".;")) for effect in effects
    ]
    width = max(len(name) for name, _ in rows) + 2
    wrapper = textwrap.TextWrapper(COLUMNS - width, max_lines=1, placeholder=" ...", break_on_hyphens=False)
    return "\n".join(name.ljust(width) + wrapper.fill(sentence) for name, sentence in rows)


def effect_description(effect: Effect) -> str:
    """Return an effect's documentation, and its parameters with their defaults, units and allowed values."""
    return "\n\n".join([_usage(effect), *_paragraphs(effect.help), two_columns(list(_rows(effect)))]).rstrip()


def two_columns(rows: list[tuple[str, str]]) -> str:
    """Return rows of a head and a text as two columns."""
    width = max((len(head) for head, _ in rows), default=0) + 2
    wrapper = textwrap.TextWrapper(COLUMNS, subsequent_indent=" " * width, break_on_hyphens=False)
    return "\n".join(wrapper.fill(head.ljust(width) + text).rstrip() for head, text in rows)


def _usage(effect: Effect) -> str:
    if effect.first is None:
        return effect.name
    value = effect.first.name.upper()
    value = value + "..." * effect.several if effect.takes_file else f"[{value}]"
    return f"{effect.name} {value} [name=value ...]"


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs, wrapped; each item of a list starts on its own line."""
    for block in text.split("\n\n"):
        if block.startswith("- "):
            yield "\n".join(textwrap.fill(line, COLUMNS, subsequent_indent="  ") for line in block.splitlines())
        else:
            yield textwrap.fill(" ".join(block.split()), COLUMNS)


def _rows(effect: Effect) -> Iterator[tuple[str, str]]:
    """Yield each parameter with its default and its notes; no sentence is repeated."""
    previous = ""
    for parameter in effect.parameters.values():
        default = "" if parameter.default is REQUIRED else f"={parameter.show(parameter.default)}"
        sentence = "likewise" if parameter.help and parameter.help == previous else parameter.help
        notes = "; ".join(filter(None, _notes(parameter)))
        yield f"  {parameter.name}{default}", ". ".join(filter(None, [notes, sentence]))
        previous = parameter.help


def _notes(parameter: Parameter) -> Iterator[str]:
    if parameter.default is REQUIRED:
        yield "required"
    if parameter.is_file:
        yield "a file"
    yield parameter.unit
    yield parameter.allowed or ", ".join(parameter.choices)
