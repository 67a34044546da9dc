"""Suggestions for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a space and a question with the most similar known word; empty if no word is similar.

    A known word that begins with the misspelt one, of three letters or more, comes first.
    """
    known = list(known)
    nearest = [name for name in known if len(word) > 2 and name.startswith(word)] or get_close_matches(
        word, known, 1, 0.7
    )
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
