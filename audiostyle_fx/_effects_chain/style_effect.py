"""The transfer as the named effect ``style``, with the parameters of a transfer or of a texture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._transfer.parameters.descriptions import ParameterDescription, read_value, show_value
from .._transfer.parameters.documentation import SHARED, STYLE
from .._transfer.parameters.parameter_list import Parameters
from ..effect import StyleTransfer
from .definitions import Effect, Parameter
from .step import Step
from .text_values import read_number

WINDOWS_HELP = (
    " Written as 93, as 32/16,128/64 (window/hop in ms), as 2048/512smp (in samples), or with weights of style and "
    "content after it, as in 46,12@0:1, where the second window only keeps the content."
)
SUMMARY = "Make the recording sound as the style does; without an input, make a texture."


def style_effect() -> Effect:
    """Return the effect ``style``: its recordings and their weights, a transfer's parameters, a texture's duration."""
    parameters = [
        Parameter("style", str, str, is_file=True, help=STYLE),
        Parameter("style_weights", read_value, show_value, None, help=SHARED["style_weights"][1]),
        *map(_from_description, Parameters.described()),
        Parameter("duration", read_number, show_value, None, unit="s", help="Length of a texture; required there."),
    ]
    return Effect("style", StyleTransfer, {parameter.name: parameter for parameter in parameters}, SUMMARY, True)


def _from_description(description: ParameterDescription) -> Parameter:
    choices = ("true", "false") if description.type == "bool" else description.choices
    return Parameter(
        description.name,
        description.read,
        description.show,
        description.default,
        choices,
        unit=description.unit,
        allowed="" if choices else description.allowed,
        help=description.sentence + WINDOWS_HELP * (description.name == "windows"),
    )


def transfer_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a transfer among the values given to ``style``."""
    names = {description.name for description in Parameters.described()}
    return {name: value for name, value in values.items() if name in names}


def is_style(step: Step) -> bool:
    """Return whether an effect of a chain is the transfer."""
    return step.effect.make is StyleTransfer
