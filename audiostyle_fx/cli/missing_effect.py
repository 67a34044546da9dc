"""Command lines without an effect in its place, and the line that was probably meant."""

from __future__ import annotations

import os
import shlex
from collections.abc import Container, Sequence

from .._recordings.formats import endings


def check_has_effect(source: str | None, target: str, words: Sequence[str]) -> None:
    """Raise ValueError if no word follows IN and OUT; nothing would happen to the recording."""
    if words or source is None:
        return
    if os.path.isfile(target) and os.path.splitext(target)[1].lower() in endings():
        meant = f"audiostyle {shlex.quote(source)} OUT style {shlex.quote(target)}"
    else:
        meant = f"audiostyle {shlex.join([source, target])} style FILE"
    raise ValueError(f"no effect is given. Did you mean `{meant}`? `audiostyle effects` lists the effects")


def check_third_word(source: str | None, target: str, words: Sequence[str], effects: Container[str]) -> None:
    """Raise ValueError if a file or a folder stands in the place of the first effect."""
    if not words or words[0] in effects or not os.path.exists(words[0]):
        return
    if os.path.isdir(words[0]) or any(word in effects for word in words):
        raise ValueError(
            f"{words[0]!r} is not an effect. Several recordings are given by their folder as IN, with --include 'GLOB'"
        )
    meant = shlex.join(["-n" if source is None else source, target, "style", *words])
    raise ValueError(f"{words[0]!r} is a file, not an effect. Did you mean `audiostyle {meant}`?")
