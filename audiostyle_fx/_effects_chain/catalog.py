"""All effects by name."""

from __future__ import annotations

from functools import cache

from .definitions import Effect
from .native_effects import native_effects
from .style_effect import style_effect


@cache
def effects() -> dict[str, Effect]:
    """Return all effects by name: ``style``, and pedalboard's own."""
    return {"style": style_effect(), **native_effects()}
