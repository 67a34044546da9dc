"""The texts that the command prints without processing a recording: help, lists, the version, completion."""

from __future__ import annotations

import argparse
from importlib.metadata import version

from .options import Parser


def information(options: argparse.Namespace) -> str | None:
    """Return the text that the options ask for; None if they ask to process recordings.

    Raises
    ------
    ValueError
        If help is wanted on an effect that does not exist.
    """
    first, *others = options.words or [""]
    if options.version:
        return version("audiostyle-fx")
    if options.help or (first == "help" and not others):
        return Parser().format_help()
    is_asked_for = options.devices or options.completion or first == "help" or (first == "effects" and not others)
    if not is_asked_for:
        return None
    from .effects_information import effects_information

    return effects_information(options)
