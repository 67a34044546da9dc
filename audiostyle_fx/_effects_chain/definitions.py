"""Definitions of effects: names, parameters, allowed values, defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

REQUIRED: Any = inspect.Parameter.empty
"""The default of a parameter that has none."""


UNITS = {"db": "dB", "hz": "Hz", "rate": "Hz", "ms": "ms", "seconds": "s", "semitones": "semitones"}
"""Units, by the last word of a parameter's name."""


def unit_of(name: str) -> str:
    """Return the unit at the end of a parameter's name; empty if there is none."""
    return UNITS.get(name.rpartition("_")[2], "")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an effect, with its values as text.

    Attributes
    ----------
    name : str
    read : callable
        Returns the value that a text stands for; raises ValueError or TypeError with what is allowed.
    show : callable
        Returns a text, which `read` accepts, for a value.
    default : object
        The default value, or `REQUIRED`.
    choices : tuple of str
        All allowed values, if they can be listed.
    is_file : bool
        Whether the value is the path of a recording.
    unit : str
        The unit; empty if there is none.
    allowed : str
        The allowed values in words, if ``choices`` does not list them; may be empty.
    help : str
        The documentation in one paragraph; may be empty.
    """

    name: str
    read: Callable[[str], Any]
    show: Callable[[Any], str]
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    is_file: bool = False
    unit: str = ""
    allowed: str = ""
    help: str = ""


@dataclass(frozen=True)
class Effect:
    """An effect with a name.

    Attributes
    ----------
    name : str
    make : callable
        The effect's class; it is called with values by name.
    parameters : mapping of str to Parameter
        In the order of the class's signature; the first may be given without its name.
    help : str
        The documentation in paragraphs.
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
        """Whether the first parameter is a file."""
        return self.first is not None and self.first.is_file

    @property
    def required(self) -> set[str]:
        """The names of the parameters without a default."""
        return {name for name, parameter in self.parameters.items() if parameter.default is REQUIRED}
