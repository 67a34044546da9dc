"""Checks of values that users give: each returns the value it accepts, or raises an error that names the parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

MIN_RATE, MAX_RATE = 1_000, 1_000_000
"""Sample rates in Hz; outside, a rate in kHz or a mistake is more likely than a recording."""


def number(low: float, high: float = math.inf) -> Callable[[str, Any], float]:
    """A check for finite numbers from ``low`` to ``high``."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name}={value!r} must be a number")
        try:
            converted = float(value)
        except OverflowError:  # an integer beyond floating point
            converted = math.inf
        if not math.isfinite(converted) or not low <= converted <= high:
            raise ValueError(f"{name}={value!r} must be {_range(low, high)}" + " and finite" * (high == math.inf))
        return converted

    return check


def integer(low: int, *, multiple_of: int = 1) -> Callable[[str, Any], int]:
    """A check for integers from ``low``."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}={value!r} must be an integer")
        if value < low or value % multiple_of:
            raise ValueError(
                f"{name}={value!r} must be {_range(low)}" + f" and a multiple of {multiple_of}" * (multiple_of > 1)
            )
        return int(value)

    return check


def one_of(*names: str) -> Callable[[str, Any], str]:
    """A check for one of several names."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"{name}={value!r} must be {' or '.join(map(repr, names))}")
        return value

    return check


def optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The check, or None."""
    return lambda name, value: None if value is None else check(name, value)


def _range(low: float, high: float = math.inf) -> str:
    return f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"


def flag(name: str, value: Any) -> bool:
    """Check for True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r} must be True or False")
    return bool(value)


def several(one: Callable[[str, Any], Any], kind: str) -> Callable[[str, Any], Any]:
    """A check for what ``one`` takes, such as "an integer", or a sequence of it, which becomes a tuple."""

    def check(name: str, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = tuple(value)
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            if not value:
                raise ValueError(f"{name}={value!r} must be {kind}, or hold at least one")
            return tuple(one(name, element) for element in value)
        try:
            return one(name, value)
        except TypeError as error:
            raise TypeError(f"{name}={value!r} must be {kind}, or a sequence of them") from error

    return check


def integers(low: int, *, multiple_of: int = 1) -> Callable[[str, Any], int | tuple[int, ...]]:
    """A check for an integer from ``low``, or a sequence of them."""
    return several(integer(low, multiple_of=multiple_of), "an integer")


def numbers(low: float) -> Callable[[str, Any], float | tuple[float, ...]]:
    """A check for a finite number from ``low``, or a sequence of them."""
    return several(number(low), "a number")


def sample_rate(name: str, value: Any) -> float:
    """Check a rate in Hz."""
    return number(MIN_RATE, MAX_RATE)(name, value)
