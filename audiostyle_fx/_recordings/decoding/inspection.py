"""What a file says of itself, before a decoder sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..layouts import Layout
from .byte_view import Piece


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """How a file has to be read.

    Attributes
    ----------
    parts : sequence of pieces or None
        Recordings that are joined in the file, each as the bytes that a decoder is to see; None for the file itself.
    claimed : int or None
        Samples per channel that the file promises, where the decoder can't know.
    claimed_ratio : float
        The bytes of sound that the file claims over those that it holds, where that is more.
    n_samples : int or None
        Samples per channel that count, where the decoder gives more: blocks of fixed size end with samples that do not.
    subtype : str or None
        The sample format, where the decoder sees another one.
    layout : Layout or None
        Places of the channels, where the file names them.
    kbits : float or None
        Bit rate of a coding with losses, in kbit/s.
    notes : sequence of str
        What the user has to know: sentences without a subject, such as "is damaged".
    is_placed : bool
        Whether the file says where the sound begins, or its format needs no word about it.
    """

    parts: Sequence[Sequence[Piece] | None] = (None,)
    claimed: int | None = None
    claimed_ratio: float = 1.0
    n_samples: int | None = None
    subtype: str | None = None
    layout: Layout | None = None
    kbits: float | None = None
    notes: Sequence[str] = ()
    is_placed: bool = True

    def promised(self, n_samples: int | None) -> int | None:
        """Return the samples that a file promises of which the decoder knows ``n_samples``."""
        if self.claimed is not None or n_samples is None:
            return self.claimed
        return round(n_samples * self.claimed_ratio)


def say_damaged(notes: Iterable[str]) -> bool:
    """Whether notes say that a file is damaged."""
    return any(note.startswith("is damaged") for note in notes)
