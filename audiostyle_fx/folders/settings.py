"""Settings of a folder's files by glob: parameters of ``style`` that differ from those of the call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from .._effects_chain.checks import check_chain
from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from .._transfer.parameters.parameter_list import INSTEAD_OF, Parameters, check_names
from .._transfer.parameters.presets import PRESETS, choose
from ..errors import FolderError
from .find import matches

SHARED = {
    "style": "all files of a call have the same style",
    "style_weights": "all files of a call have the same style",
    "device": "the whole call computes on one device",
    "duration": "it only applies to a texture, which is made without an input",
}
"""Names that settings must not contain, with the reason."""


class FileSettings:
    """The chain of each file of a folder: the call's effects, with the file's settings in each ``style``.

    Parameters
    ----------
    chain : sequence of Step
        The call's effects.
    settings : mapping of str to mapping
        Checked parameters by glob; see `checked_settings`.

    Attributes
    ----------
    chain : sequence of Step
    settings : mapping of str to mapping
    """

    def __init__(self, chain: Sequence[Step], settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.chain, self.settings = chain, settings

    def of_file(self, name: str, source: str) -> dict[str, Any]:
        """Return the settings of a file, which may be empty; later globs override earlier ones.

        Parameters
        ----------
        name : str
            Name of the result, relative to the output folder.
        source : str
            Path of the recording; only its last part is used.
        """
        settings: dict[str, Any] = {}
        if self.settings:
            input_name = os.path.join(os.path.dirname(name), os.path.basename(source))
            for glob, values in self.settings.items():
                if matches(input_name, glob):
                    settings = changed(settings, values)
        return settings

    def chain_of(self, name: str, source: str) -> Sequence[Step]:
        """Return the effects of a file with their values."""
        settings = self.of_file(name, source)
        if not settings:
            return self.chain
        return [Step(step.effect, changed(step.values, settings)) if is_style(step) else step for step in self.chain]

    def check(self, recordings: Mapping[str, str], names: Iterable[str]) -> None:
        """Raise unless every glob matches a recording and every file's parameters can be combined.

        Parameters
        ----------
        recordings : mapping of str to str
            Paths of this run's recordings by the names of their results.
        names : iterable of str
            Names of all recordings of the folder, even if this run does not process them.

        Raises
        ------
        FolderError
            If a glob matches no recording; the message names the glob.
        TypeError, ValueError
            If a parameter is not allowed; the message names the file, the parameter, its value and what is allowed.
        """
        names = list(names)
        for glob in self.settings:
            if not any(matches(name, glob) for name in names):
                raise FolderError(f"settings[{glob!r}] matches no recording of the folder")
        checked: list[dict[str, Any]] = [{}]
        for name, path in recordings.items():
            settings = self.of_file(name, path)
            if settings not in checked:
                try:
                    check_chain(self.chain_of(name, path), without_input=False)
                except (TypeError, ValueError) as error:
                    raise _named(f"settings of {name!r}", error) from error
                checked.append(settings)


def changed(values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that settings have overridden.

    A preset in the settings overrides only the values of the parameters that it changes. ``alpha`` replaces
    ``strength``, and vice versa.
    """
    of_preset = PRESETS[settings["preset"]].changes if "preset" in settings else {}
    replaced = {*of_preset, *(other for name, other in INSTEAD_OF.items() if name in settings or name in of_preset)}
    return {**{name: value for name, value in values.items() if name not in replaced}, **settings}


def checked_settings(settings: Any, chain: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """Return settings in which each parameter has values of one type.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not allowed; the message names the glob, the parameter, its value and what is allowed.
        ValueError also if the chain has no ``style``.
    """
    if settings is None:
        return {}
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings={settings!r} must be a mapping of globs to parameters")
    if settings and not any(map(is_style, chain)):
        raise ValueError("settings are parameters of style, which is not among the effects")
    return {glob: _checked(glob, values) for glob, values in settings.items()}


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that each have values of one type, so that equal parameters compare as equal."""
    checked = choose(parameters)
    return {name: value if name == "preset" else getattr(checked, name) for name, value in parameters.items()}


def _checked(glob: Any, values: Any) -> dict[str, Any]:
    """Return the parameters of one glob, each checked alone; `FileSettings.check` checks their combination."""
    if not isinstance(glob, str):
        raise TypeError(f"settings[{glob!r}]: the key must be a glob, a str")
    if not isinstance(values, Mapping):
        raise TypeError(f"settings[{glob!r}]={values!r} must be a mapping of parameters to their values")
    if not values:
        raise ValueError(f"settings[{glob!r}] must hold at least one parameter")
    for name in values:
        if name in SHARED:
            raise ValueError(f"settings[{glob!r}]: {name} can't differ by file; {SHARED[name]}")
    try:
        check_names(values)
        checks = {known.name: known.metadata["check"] for known in fields(Parameters)}
        return {name: checks[name](name, value) for name, value in values.items()}
    except (TypeError, ValueError) as error:
        raise _named(f"settings[{glob!r}]", error) from error


def _named(subject: str, error: Exception) -> Exception:
    """Return an error of the same kind whose message begins with the subject."""
    return (TypeError if isinstance(error, TypeError) else ValueError)(f"{subject}: {error}")
