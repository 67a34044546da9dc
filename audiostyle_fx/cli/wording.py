"""Messages of the library in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable

_WORDS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"^(start|format|include|exclude|jobs)=", r"--\1 "),
    (r"^page=", "--report "),
    (r"^settings\[('.*?'|\".*?\")\]", r"--set \1"),
    (r"^settings of ('.*?'|\".*?\")", r"--set for \1"),
    (r"^settings are parameters", "--set gives parameters"),
    (r"\b(in_path|input)[= ](?=['\"])", "IN "),
    (r"\b(out_path=|output )(?=['\"])", "OUT "),
    (r"\boverwrite=True", "--overwrite"),
    (r"that match include and exclude", "that match --include and --exclude"),
    (r"because the input is one$", "because IN is one"),
    (r"\brate=48000 converts", "--rate 48000 converts"),
    (r"\bsubtype='FLOAT' avoids this", "--bits float avoids this"),
    (r"^subtype='(?:PCM_)?(\w+)'", lambda match: f"--bits {match[1].lower()}"),
    (r"^quality=([\d.]+?)(?:\.0)?(?=\s)", r"--quality \1"),
    (r"leave one of them out with exclude", "leave one of them out with --exclude"),
    (r"soundfile.available_formats\(\) lists", "`audiostyle help formats` lists"),
)
"""Patterns of the library's names for the user's arguments, and the words that replace them."""


class Wording:
    """Rewrites messages: the library's parameters become options, and temporary copies the pipes they stand for."""

    def __init__(self) -> None:
        self._copies: dict[str, tuple[str, str]] = {}

    def add_copy(self, path: str, pipe: str, stream: str) -> str:
        """Show a temporary file as its pipe from now on; return the name that messages use.

        Parameters
        ----------
        path, pipe : str
            The temporary file, and the pipe as the user wrote it.
        stream : str
            The standard stream that ``-`` stands for.
        """
        note = f" ({stream})" if pipe == "-" else ""
        self._copies[path] = pipe + note, repr(pipe) + note
        return self._copies[path][1]

    def of(self, message: object) -> str:
        """Return a message in the words of the command line."""
        text = str(message)
        for pattern, words in _WORDS:
            text = re.sub(pattern, words, text)
        for path, (plain, quoted) in self._copies.items():
            text = text.replace(repr(path), quoted).replace(path, plain)
        return text
