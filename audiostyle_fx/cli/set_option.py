"""The option ``--set GLOB name=value ...``: parameters of ``style`` for the files of a folder that match a glob."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._effects_chain.definitions import Effect
from .._effects_chain.step import Step
from .grammar import is_parameter_word, set_parameter

NAME = "--set"


class SetWords(NamedTuple):
    """The words of one option: its glob, and the words ``name=value`` after it."""

    glob: str
    parameters: list[str]


def take_set_words(words: Sequence[str]) -> tuple[list[str], list[SetWords]]:
    """Return the words without these options, and the options; argparse can't tell them from the words after them.

    An option ends before the first word that is not ``name=value``. Words after ``--`` are not options.

    Raises
    ------
    ValueError
        If a glob is missing.
    """
    others: list[str] = []
    options: list[SetWords] = []
    remaining = list(words)
    while remaining:
        word = remaining.pop(0)
        if word == "--":
            return [*others, word, *remaining], options
        if word != NAME and not word.startswith(f"{NAME}="):
            others.append(word)
            continue
        if word == NAME and not remaining:
            raise ValueError(f"{NAME} needs a glob and name=value after it: {NAME} 'drums*' strength=0.5")
        options.append(SetWords(remaining.pop(0) if word == NAME else word.partition("=")[2], []))
        while remaining and is_parameter_word(remaining[0]):
            options[-1].parameters.append(remaining.pop(0))
    return others, options


def parse_settings(options: Iterable[SetWords], effects: Mapping[str, Effect]) -> dict[str, dict[str, Any]]:
    """Return the parameters by glob.

    Raises
    ------
    ValueError
        If a word is not understood; the message names the glob and the word.
    """
    settings: dict[str, dict[str, Any]] = {}
    for glob, words in options:
        if glob.partition("=")[0] in effects["style"].parameters or glob in effects:
            raise ValueError(f"{NAME} needs a glob before {glob!r}: {NAME} 'drums*' strength=0.5")
        if not words:
            raise ValueError(f"{NAME} {glob!r} needs name=value after it, such as strength=0.5")
        if glob in settings:
            raise ValueError(f"{NAME} {glob!r} is given twice; write its parameters after one of them")
        step = Step(effects["style"])
        for word in words:
            try:
                set_parameter(step, word)
            except ValueError as error:
                raise ValueError(f"{NAME} {glob!r}: {error}") from None
        settings[glob] = step.values
    return settings
