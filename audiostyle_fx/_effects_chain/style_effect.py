"""The transfer as an effect with a name: ``style``, with the parameters of a transfer, or of a texture."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import Any

from .._transfer.api import stylize, texture
from .._transfer.parameters import Parameters
from ..effect import StyleTransfer
from .definitions import Effect, Parameter, unit_of
from .step import Step
from .text_values import read_literal, show_literal


def style_effect() -> Effect:
    """Return the effect ``style``: its recordings and their weights, a transfer's parameters, a texture's duration."""
    sentences = _sentences(stylize.__doc__ or "")
    style = Parameter("style", str, str, is_file=True, help=sentences["style"])
    weights = Parameter("style_weights", read_literal, show_literal, None, help=sentences["style_weights"])
    duration = Parameter(
        "duration",
        read_literal,
        show_literal,
        None,
        unit="s",
        help="Of a texture, which has no input: its length; required there. "
        + _sentences(texture.__doc__ or "")["duration"],
    )
    parameters = [style, weights, *_transfer_parameters(), duration]
    summary = inspect.cleandoc(StyleTransfer.__doc__ or "").partition("\n\n")[0]
    return Effect(
        "style", StyleTransfer, {parameter.name: parameter for parameter in parameters}, " ".join(summary.split()), True
    )


def _transfer_parameters() -> list[Parameter]:
    sentences = _sentences(stylize.__doc__ or "")
    return [
        Parameter(
            field.name, read_literal, show_literal, field.default, unit=unit_of(field.name), help=sentences[field.name]
        )
        for field in fields(Parameters)
    ]


def _sentences(doc: str) -> dict[str, str]:
    """What a docstring in numpy's style says of each parameter, in one paragraph each."""
    section = inspect.cleandoc(doc).partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    said = {}
    for names, text in re.findall(r"^(\w[\w, ]*?)(?: :.*)?\n((?:    .*\n?)+)", section, re.MULTILINE):
        for name in names.split(", "):
            said[name] = " ".join(text.replace("``", "").split())
    return said


def is_style(step: Step) -> bool:
    """Tell whether an effect of a chain is the transfer."""
    return step.effect.make is StyleTransfer


def transfer_parameters(values: dict[str, Any]) -> Parameters:
    """Return the checked parameters of a transfer among the values given to ``style``."""
    return Parameters.of(values)
