"""Values as JSON that can stand in an HTML page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_number(value: float) -> float | None:
    """Round a number to five significant digits; return None for infinity and NaN, which JSON lacks."""
    return float(f"{float(value):.5g}") if math.isfinite(value) else None


def json_value(value: Any) -> Any:
    """Convert a value to types that JSON has; infinity, NaN and objects that JSON lacks become text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): json_value(element) for name, element in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(element) for element in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def script_json(value: Any) -> str:
    """Write ASCII JSON for an HTML ``<script>`` element, in which no text can end the element or begin another."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
