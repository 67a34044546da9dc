"""Conversion of native parameters' values from text and to text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


def read_number(text: str) -> float:
    """Return the finite number that a text stands for."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be a number")
    return value


def read_integer(text: str) -> int:
    """Return the integer that a text stands for."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be an integer") from None


def read_flag(text: str) -> bool:
    """Return True for ``true`` and False for ``false``; upper and lower case are equal."""
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def choice_reader(members: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return a function that finds a member by its name; upper and lower case are equal."""
    by_name = {name.lower(): member for name, member in members.items()}

    def read_choice(text: str) -> Any:
        if text.lower() not in by_name:
            raise ValueError(f"must be one of {', '.join(members)}")
        return by_name[text.lower()]

    return read_choice


def show_number(value: float | None) -> str:
    """Return a number with six digits, or ``none``."""
    return "none" if value is None else f"{value:.6g}"


def show_flag(value: bool) -> str:
    """Return ``true`` or ``false``."""
    return str(value).lower()


def show_choice(member: Any) -> str:
    """Return the name of an enum's member."""
    return str(member.name)
