"""Numbers with units: ``-3dB``, ``1.2kHz`` and ``1500ms`` as the plain numbers that parameters take."""

from __future__ import annotations

import re
from decimal import Decimal

FACTORS = {
    "dB": {"db": Decimal(1)},
    "Hz": {"hz": Decimal(1), "khz": Decimal(1000), "k": Decimal(1000)},
    "s": {"s": Decimal(1), "ms": Decimal("0.001")},
    "ms": {"ms": Decimal(1), "s": Decimal(1000)},
    "semitones": {"semitones": Decimal(1), "cents": Decimal("0.01")},
}
"""Factors of the units, in lower case, that may follow a number, by the unit of the parameter."""

_KNOWN = {unit for factors in FACTORS.values() for unit in factors}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)([a-z]+)", re.IGNORECASE)


def without_unit(text: str, unit: str) -> str:
    """Return a number with a unit as a number in the parameter's unit; return any other text as it is.

    Parameters
    ----------
    text : str
    unit : str
        Unit of the parameter; empty if it has none.

    Raises
    ------
    ValueError
        If the text has a unit of another kind.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2].lower() not in _KNOWN:
        return text
    factor = FACTORS.get(unit, {}).get(match[2].lower())
    if factor is None:
        expected = f"in {unit}" if unit else "without a unit"
        raise ValueError(f"must be a number {expected}; {match[2]!r} does not apply")
    return str(Decimal(match[1]) * factor) if factor != 1 else match[1]
