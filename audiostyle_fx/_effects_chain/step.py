"""An effect of a chain and its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .definitions import Effect


@dataclass(frozen=True)
class Step:
    """An effect of a chain and its values by name; several files are a list."""

    effect: Effect
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def file_names(self) -> list[str]:
        """The names of the values that are paths of recordings, or lists of them."""
        return [name for name, parameter in self.effect.parameters.items() if parameter.is_file and name in self.values]

    @property
    def files(self) -> list[str]:
        """The paths of the recordings that the effect reads."""
        values = [self.values[name] for name in self.file_names]
        return [path for value in values for path in (value if self.effect.several else [value])]

    def with_files(self, replaced: Callable[[str], str]) -> Step:
        """Return the step with each path of a recording that the effect reads replaced by a function."""
        values = dict(self.values)
        for name in self.file_names:
            paths = values[name]
            values[name] = [replaced(path) for path in paths] if self.effect.several else replaced(paths)
        return Step(self.effect, values)

    def make(self) -> Any:
        """Return the effect itself.

        Raises
        ------
        ValueError
            With the effect's name, its values and the error of its class.
        """
        try:
            return self.effect.make(**self.values)
        except (TypeError, ValueError) as error:
            words = [f"{name}={self.effect.parameters[name].show(value)}" for name, value in self.values.items()]
            raise ValueError(f"{' '.join([self.effect.name, *words])}: {error}") from error
