"""The result of a file's inspection, before it is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..layouts import Layout
from .byte_view import Piece


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Instructions for reading a file.

    Attributes
    ----------
    parts : sequence of pieces or None
        The recordings joined in the file, each as the bytes that a decoder gets; None for the file itself.
    claimed : int or None
        Length in the header, in samples per channel, if the decoder can't know it.
    claimed_ratio : float
        Bytes of sound that the header claims, divided by the bytes in the file; more than 1 only for short files.
    n_samples : int or None
        Length in samples per channel, if the decoder returns more because the last block of fixed size is padded.
    subtype : str or None
        The sample format, if it differs from the one that the decoder sees.
    layout : Layout or None
        Places of the channels, if the file names them.
    kbits : float or None
        Bit rate of a lossy format, in kbit/s.
    notes : sequence of str
        Notes for the user: sentences without a subject, such as "is damaged".
    is_placed : bool
        Whether the file says where the sound begins, or its format does not need that.
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
        """Return the promised length in samples, if the decoder knows the length ``n_samples``."""
        if self.claimed is not None or n_samples is None:
            return self.claimed
        return round(n_samples * self.claimed_ratio)


def say_damaged(notes: Iterable[str]) -> bool:
    """Return whether notes say that a file is damaged."""
    return any(note.startswith("is damaged") for note in notes)
