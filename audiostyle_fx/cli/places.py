"""The words of a command line that are IN, OUT and effects, and suggestions where one is missing.

The effects begin at the first word after IN and OUT that is an effect's name. More than two words before it are
several inputs and a folder.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from .._recordings.formats import endings
from .grammar import effect_hint
from .options import USAGE


class Places(NamedTuple):
    """The words of a command line by their places.

    Attributes
    ----------
    sources : list of str
        Several inputs for a folder; empty for a texture.
    target : str
    chain : list of str
    """

    sources: list[str]
    target: str
    chain: list[str]


def find_places(words: Sequence[str], effects: Iterable[str], *, no_input: bool) -> Places:
    """Return the words by their places.

    Raises
    ------
    ValueError
        If IN or OUT is missing, or a file is given instead of an effect; the message suggests a corrected line.
    """
    n_before = 1 if no_input else 2
    if len(words) < n_before:
        missing = "OUT" if no_input or words else "IN"
        raise ValueError(f"{missing} is missing: {USAGE}; see audiostyle --help")
    effects = list(effects)
    first = next((i for i in range(n_before, len(words)) if words[i] in effects), len(words))
    if not no_input and first > 2 and is_folder(words[first - 1]):
        n_before = first
    sources, target, chain = list(words[: n_before - 1]), words[n_before - 1], list(words[n_before:])
    if not no_input:
        _check_several(words, first, n_before, effects)
        _check_has_out(sources, target, chain, effects)
    _check_third_word(sources, target, chain, effects)
    return Places(sources, target, chain)


def is_folder(target: str) -> bool:
    """Whether OUT is a folder, or will become one."""
    return target.endswith(("/", os.sep)) or os.path.isdir(target)


def _check_several(words: Sequence[str], first: int, n_before: int, effects: Sequence[str]) -> None:
    """Raise if several files, such as those of a glob, stand before the effects without a folder after them."""
    inputs, last, chain = words[: first - 1], words[first - 1], words[first:]
    if n_before == first or not chain or not all(map(os.path.exists, inputs[1:])):
        return
    if os.path.exists(last):
        meant = [*inputs, last, "OUTDIR/", *chain]
    elif not effect_hint(last, effects):
        meant = [*inputs, f"{last}/", *chain]
    else:
        return
    raise ValueError(
        "several inputs need a folder as OUT, which exists or ends in /. "
        f"Did you mean `audiostyle {shlex.join(meant)}`?"
    )


def _check_has_out(sources: Sequence[str], target: str, chain: Sequence[str], effects: Container[str]) -> None:
    """Raise if an effect is given instead of OUT."""
    if target in effects and not os.path.exists(target) and (not chain or chain[0] not in effects):
        meant = shlex.join([*sources, "OUT", target, *chain])
        raise ValueError(
            f"OUT is missing before {target!r}. Did you mean `audiostyle {meant}`? Write a file that has the name of "
            "an effect as ./NAME"
        )


def check_has_effect(places: Places) -> None:
    """Raise ValueError if no effect follows IN and OUT, so that nothing would happen to the recording."""
    sources, target, chain = places
    if chain or not sources:
        return
    if os.path.isfile(target) and os.path.splitext(target)[1].lower() in endings():
        meant = f"audiostyle {shlex.join(sources)} OUT style {shlex.quote(target)}"
    else:
        meant = f"audiostyle {shlex.join([*sources, target])} style FILE"
    raise ValueError(f"no effect is given. Did you mean `{meant}`? `audiostyle effects` lists the effects")


def _check_third_word(sources: Sequence[str], target: str, chain: Sequence[str], effects: Container[str]) -> None:
    """Raise if a file is given instead of the first effect."""
    if not sources and chain and chain[0] not in effects and any(word in effects for word in chain):
        raise ValueError(f"-n means that there is no IN, so {target!r} is OUT, and {chain[0]!r} is not an effect")
    if chain and chain[0] not in effects and os.path.isfile(chain[0]):
        meant = shlex.join([*(sources or ["-n"]), target, "style", *chain])
        raise ValueError(f"{chain[0]!r} is a file, not an effect. Did you mean `audiostyle {meant}`?")
