"""The words after IN and OUT: effects, each followed by a value and by ``name=value``.

The name of an effect begins that effect at any position. A word ``name=value`` sets a parameter if ``name`` could be
the name of one. Any other word is the value of the effect before it. So a file with the name of an effect is written
with its folder, such as ``./reverb``. Numbers may have a unit, such as ``-3dB``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._effects_chain.definitions import Effect, Parameter
from .._effects_chain.step import Step
from .._effects_chain.units import without_unit
from .sox_words import sox_hint
from .suggestions import suggestion


def parse_chain(words: Sequence[str], effects: Mapping[str, Effect]) -> list[Step]:
    """Return the effects that the words name, in their order.

    Raises
    ------
    ValueError
        If a word is not understood; the message names the word and what is allowed in its place.
    """
    chain: list[Step] = []
    for word in words:
        if word in effects:
            chain.append(Step(effects[word]))
        elif not chain:
            raise ValueError(not_an_effect(word, effects))
        else:
            if word.startswith("=") or is_parameter_word(word):
                set_parameter(chain[-1], word)
            else:
                _set_first(chain[-1], word, effects)
    for step in chain:
        if step.effect.takes_file and not step.values.keys() & step.effect.required:
            raise ValueError(
                f"{step.effect.name} needs a file after it. Write a file that has the name of an effect as ./NAME"
            )
    return chain


def not_an_effect(word: str, effects: Iterable[str]) -> str:
    """Return the error for a word where an effect is expected."""
    return f"{word!r} is not an effect.{effect_hint(word, effects)} `audiostyle effects` lists the effects"


def is_parameter_word(word: str) -> bool:
    """Whether a word is ``name=value``."""
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def set_parameter(step: Step, word: str) -> None:
    """Set ``name=value``; raise ValueError with the word and what is allowed if it is not understood."""
    effect, (name, _, text) = step.effect, word.partition("=")
    if not name:
        raise ValueError(f"{word!r} has no name before the =; write name=value")
    if name not in effect.parameters:
        names = ", ".join(effect.parameters)
        hint = suggestion(name, effect.parameters) or f" It has {names or 'no parameters'}"
        raise ValueError(f"{effect.name} has no parameter {name!r}.{hint}")
    parameter = effect.parameters[name]
    if parameter is effect.first and name in step.values:
        raise ValueError(f"{word!r}: {name} is already set by the value after {effect.name}")
    value = _read(parameter, text)
    step.values[name] = [value] if parameter is effect.first and effect.several else value


def _set_first(step: Step, word: str, effects: Mapping[str, Effect]) -> None:
    """Set the first parameter, given without its name."""
    effect, parameter = step.effect, step.effect.first
    if word in effect.parameters:
        raise ValueError(f"{word!r} is a parameter of {effect.name} and needs a value: {word}=VALUE")
    hint = effect_hint(word, effects)
    if parameter is None or (parameter.name in step.values and not effect.several):
        reason = f"{parameter.name} is already set" if parameter else "it has no parameters"
        raise ValueError(f"{word!r} is neither an effect nor a value of {effect.name}: {reason}.{hint}")
    if parameter.is_file and hint and not os.path.exists(word):
        raise ValueError(f"{word!r} is neither a file nor an effect.{hint}")
    value = _read(parameter, word, hint)
    if effect.several:
        step.values.setdefault(parameter.name, []).append(value)
    else:
        step.values[parameter.name] = value


def effect_hint(word: str, effects: Iterable[str]) -> str:
    """Return a space and a sentence with the effect that was probably meant; empty if no name is similar."""
    return sox_hint(word) or suggestion(word, effects)


def _read(parameter: Parameter, text: str, hint: str = "") -> Any:
    """Return the value that a text stands for; a number may have its unit after it."""
    plain = parameter.is_file or parameter.choices
    try:
        return parameter.read(text if plain else without_unit(text, parameter.unit))
    except (TypeError, ValueError) as error:
        reason = str(error) if str(error).startswith("must ") else f"can't be read: {error}"
        raise ValueError(f"{parameter.name}={text!r} {reason}" + (f".{hint}" if hint else "")) from None
