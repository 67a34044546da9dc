"""The words behind IN and OUT: effects, each with a value and ``name=value`` behind it.

A word that is an effect's name begins that effect, wherever it stands; a word whose beginning up to ``=`` could be a
parameter's name sets one; any other is the value of the effect before it. So a file of such a name is written with its
folder, as ``./reverb``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .._effects_chain.catalog import REQUIRED, Effect, Parameter
from .._effects_chain.step import Step


def steps(words: Sequence[str], effects: Mapping[str, Effect]) -> list[Step]:
    """The effects that the words name, in their order.

    Raises
    ------
    ValueError
        Naming the word that is not understood, and what is allowed there.
    """
    found: list[Step] = []
    for word in words:
        if word in effects:
            found.append(Step(effects[word]))
        elif not found:
            raise ValueError(f"{word!r} is not an effect{meant(word, effects)}; `audiostyle effects` lists them")
        else:
            name, equals, text = word.partition("=")
            if equals and (name.isidentifier() or not name):
                _set(found[-1], name, text, word)
            else:
                _give(found[-1], word, effects)
    for effect in (step.effect for step in found if step.effect.takes_file and not step.values.keys() & _needed(step)):
        raise ValueError(f"{effect.name} needs a file behind it; one that is named as an effect is written ./NAME")
    return found


def _needed(step: Step) -> set[str]:
    return {name for name, one in step.effect.parameters.items() if one.default is REQUIRED}


def _set(step: Step, name: str, text: str, word: str) -> None:
    """Take ``name=text``."""
    effect = step.effect
    if name not in effect.parameters:
        raise ValueError(
            f"{word!r}: {effect.name} has no such parameter{meant(name, effect.parameters)}; {_takes(effect)}"
        )
    one = effect.parameters[name]
    if one is effect.first and name in step.values:
        raise ValueError(f"{word!r}: {effect.name} has a {name} already")
    value = _read(one, text)
    step.values[name] = [value] if one is effect.first and effect.several else value


def _give(step: Step, word: str, effects: Mapping[str, Effect]) -> None:
    """Take a value without a name."""
    effect, one = step.effect, step.effect.first
    if word in effect.parameters:
        raise ValueError(f"{word!r} is a parameter of {effect.name} and needs a value: name=value")
    if one is None or (one.name in step.values and not effect.several):
        raise ValueError(f"{word!r} is neither an effect{meant(word, effects)} nor a parameter: {_takes(effect)}")
    likely = meant(word, effects)
    if one.is_file and likely and not os.path.exists(word):
        raise ValueError(f"{word!r} is neither a file nor an effect{likely}")
    value = _read(one, word, likely)
    if effect.several:
        step.values.setdefault(one.name, []).append(value)
    else:
        step.values[one.name] = value


def _read(one: Parameter, text: str, likely: str = "") -> Any:
    try:
        return one.read(text)
    except ValueError as error:
        raise ValueError(f"{one.name}={text!r} {error}{likely}") from None


def _takes(effect: Effect) -> str:
    if not effect.parameters:
        return f"{effect.name} has none"
    return f"{effect.name} takes name=value with a name of {', '.join(effect.parameters)}"


def meant(word: str, known: Iterable[str]) -> str:
    """A question that names the nearest of the known words; empty where none is near."""
    near = get_close_matches(word, known, 1, 0.7)
    return f" (did you mean {near[0]!r}?)" if near else ""
