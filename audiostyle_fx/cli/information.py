"""What the command prints when no recording is to be processed: help, lists, the version, completion."""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import asdict
from importlib.metadata import version

from .._effects_chain.catalog import effects
from .._effects_chain.definitions import Effect
from .._effects_chain.text_values import show_literal
from .._transfer.parameters import DEFAULTS, TEXTURE
from .completion import completion_script
from .effect_help import COLUMNS, describe, list_effects
from .grammar import not_an_effect
from .options import Parser


def information(options: argparse.Namespace) -> str | None:
    """Return the text that the options ask for; None where they ask to process recordings.

    Raises
    ------
    ValueError
        If help is wanted on an effect that does not exist.
    """
    first, *others = options.words or [""]
    if options.version:
        return version("audiostyle-fx")
    if options.completion:
        return completion_script(options.completion, effects(), Parser().takes_value)
    if options.help or (first == "help" and not others):
        return Parser().format_help()
    if first == "effects" and not others:
        return list_effects(effects().values())
    if first == "help":
        return "\n\n".join(map(_help_on, others))
    return None


def _help_on(name: str) -> str:
    if name not in effects():
        raise ValueError(not_an_effect(name, effects()))
    return _describe_style(effects()[name]) if name == "style" else describe(effects()[name])


def _describe_style(style: Effect) -> str:
    """Return the description of ``style``, and the defaults of a texture."""
    differing = {name: value for name, value in asdict(TEXTURE).items() if value != asdict(DEFAULTS)[name]}
    words = " ".join(f"{name}={show_literal(value)}" for name, value in differing.items())
    return f"{describe(style)}\n\n" + textwrap.fill(f"Defaults of a texture: {words}", COLUMNS)
