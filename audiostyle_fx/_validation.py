"""Checks of values that users give: each returns the value it accepts, or raises an error that names the parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

MIN_RATE, MAX_RATE = 1_000, 1_000_000
"""Limits of sample rates in Hz. Values outside are more likely rates in kHz, or mistakes."""


def number(low: float, high: float = math.inf) -> Callable[[str, Any], float]:
    """Return a check for finite numbers from ``low`` to ``high``."""

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
    """Return a check for integers from ``low``."""

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
    """Return a check for one of several names."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"{name}={value!r} must be {' or '.join(map(repr, names))}")
        return value

    return check


def optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Return a check that also accepts None."""
    return lambda name, value: None if value is None else check(name, value)


def _range(low: float, high: float = math.inf) -> str:
    return f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"


def flag(name: str, value: Any) -> bool:
    """Return True or False; NumPy's booleans count."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r} must be True or False")
    return bool(value)


def n_filters(name: str, value: Any) -> float:
    """Return a number of filters: an integer from 1, or infinity."""
    if isinstance(value, Real) and value == math.inf:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} must be an integer or math.inf")
    if value < 1:
        raise ValueError(f"{name}={value!r} must be at least 1, or math.inf")
    return int(value)


def seconds_or_all(low: float) -> Callable[[str, Any], float]:
    """Return a check for seconds from ``low``, or infinity for all of a recording."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, Real) and value == math.inf:
            return math.inf
        try:
            return number(low)(name, value)
        except ValueError:
            raise ValueError(f"{name}={value!r} must be at least {low:g}, or math.inf") from None

    return check


def semitones_or(*names: str) -> Callable[[str, Any], str | float]:
    """Return a check for one of several names, or semitones from -12 to 12."""

    def check(name: str, value: Any) -> str | float:
        if isinstance(value, str) and value in names:
            return value
        try:
            return number(-12, 12)(name, value)
        except (TypeError, ValueError) as error:
            allowed = f"{', '.join(map(repr, names))}, or semitones from -12 to 12"
            kind = ValueError if isinstance(value, str) else type(error)
            raise kind(f"{name}={value!r} must be {allowed}") from None

    return check


def duration(name: str, value: Any) -> float:
    """Return seconds above 0, or infinity for all of a recording."""
    if isinstance(value, Real) and value == math.inf:
        return math.inf
    if number(-math.inf)(name, value) <= 0:
        raise ValueError(f"{name}={value!r} must be above 0, or math.inf")
    return float(value)


def integers(low: int) -> Callable[[str, Any], int | tuple[int, ...]]:
    """Return a check for an integer from ``low``, or a sequence of them, which becomes a tuple."""
    check_integer = integer(low)

    def check(name: str, value: Any) -> int | tuple[int, ...]:
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = tuple(value)
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            if not value:
                raise ValueError(f"{name}={value!r} must be an integer or a non-empty sequence of integers")
            return tuple(check_integer(name, element) for element in value)
        try:
            return check_integer(name, value)
        except TypeError as error:
            raise TypeError(f"{name}={value!r} must be an integer or a non-empty sequence of integers") from error

    return check


def sample_rate(name: str, value: Any) -> float:
    """Return a sample rate in Hz, from 1,000 to 1,000,000."""
    rate = number(-math.inf)(name, value)
    if not MIN_RATE <= rate <= MAX_RATE:
        hint = " Did you pass kHz?" if MIN_RATE <= 1000 * rate <= MAX_RATE else ""
        raise ValueError(f"{name}={value!r} Hz is outside {MIN_RATE:,} to {MAX_RATE:,} Hz.{hint}")
    return rate
