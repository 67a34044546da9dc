"""Dataclass fields that carry the default, the check and the description of a parameter."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import field
from typing import Any

from ..._engine.cuda.devices import check_device
from ..._validation import one_of


def parameter(
    default: Any,
    check: Callable[[str, Any], Any],
    type_text: str,
    sentence: str,
    *,
    unit: str = "",
    allowed: str = "",
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field with the default and the description of a parameter."""
    facts = {"check": check, "type": type_text, "sentence": sentence, "unit": unit, "choices": choices}
    return field(
        default=default, metadata={**facts, "allowed": allowed or " or ".join(f'"{name}"' for name in choices)}
    )


def choice(default: str, names: Any, sentence: str) -> Any:
    """Return the field of a parameter that is one of the names of a `Literal`."""
    choices = typing.get_args(names)
    return parameter(default, one_of(*choices), "str", sentence, choices=choices)


def checked_device(name: str, value: Any) -> str:
    """Return the name of a device; raise ValueError if there is no such device."""
    check_device(value)
    return str(value)
