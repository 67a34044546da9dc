"""An effect with the values given to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .catalog import Effect


@dataclass(frozen=True)
class Step:
    """An effect and the values given to it, by name; of several files a list."""

    effect: Effect
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The paths of the recordings that the effect reads."""
        values = [
            self.values[name] for name, one in self.effect.parameters.items() if one.is_file and name in self.values
        ]
        return [path for given in values for path in (given if self.effect.several else [given])]

    def make(self) -> Any:
        """The effect itself.

        Raises
        ------
        ValueError
            What its class says to the values, with their names.
        """
        try:
            return self.effect.make(**self.values)
        except (TypeError, ValueError) as error:
            shown = [f"{name}={self.effect.parameters[name].show(value)}" for name, value in self.values.items()]
            raise ValueError(f"{' '.join([self.effect.name, *shown])}: {error}") from error
