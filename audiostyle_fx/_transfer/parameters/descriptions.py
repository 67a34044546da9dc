"""Descriptions of parameters, and their values as words of text."""

from __future__ import annotations

import ast
import math
from dataclasses import Field, dataclass
from typing import Any

from .windows import read_windows, show_windows


@dataclass(frozen=True)
class ParameterDescription:
    """Description of a parameter.

    Attributes
    ----------
    name : str
    default : object
    type : str
        The type in docstrings.
    sentence : str
        The effect of the parameter, in one or more sentences.
    unit, allowed : str
        The unit and the allowed values; both may be empty.
    choices : tuple of str
        All values, if they can be listed.
    """

    name: str
    default: Any
    type: str
    sentence: str
    unit: str = ""
    allowed: str = ""
    choices: tuple[str, ...] = ()

    @classmethod
    def of_field(cls, known: Field[Any]) -> ParameterDescription:
        """Return the description that a field of `Parameters` carries."""
        facts = known.metadata
        choices = facts["choices"] or (("True", "False") if facts["type"] == "bool" else ())
        return cls(
            known.name, known.default, facts["type"], facts["sentence"], facts["unit"], facts["allowed"], choices
        )

    def read(self, text: str) -> Any:
        """Return the value that a word of text stands for; it is not checked.

        Raises
        ------
        ValueError
            If the text has no meaning; the message says what is allowed.
        """
        return read_windows(text) if self.name == "windows" else read_value(text)

    def show(self, value: Any) -> str:
        """Return a word of text that `read` reads."""
        return show_windows(value) if self.name == "windows" else show_value(value)


def read_value(text: str) -> Any:
    """Return the number, flag, None or tuple of numbers that a word of text stands for, or else the text itself."""
    words = {"inf": math.inf, "true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (TypeError, ValueError, SyntaxError):  # TypeError: a dict whose keys are lists
        return text


def show_value(value: Any) -> str:
    """Return a word of text that `read_value` reads."""
    if isinstance(value, (tuple, list)):
        return ",".join(map(show_value, value))
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value).removesuffix(".0")
