"""What every decoder offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..layouts import Layout


class Decoder(Protocol):
    """A sound file that is decoded block by block.

    Attributes
    ----------
    name : str
        The library that decodes.
    container, codec : str
        What the file is, in words.
    sample_rate, channels : int
    subtype : str or None
        libsndfile's name of the sample format that holds the sound; None for a coding that it does not have.
    n_samples : int or None
        Samples per channel that the file promises; None where it promises nothing.
    n_held : int or None
        Samples per channel that the bytes of the file make, where that is known before they are decoded.
    kbits : float or None
        Bit rate of a coding with losses, in kbit/s.
    layout : Layout or None
    is_placed : bool
        Whether the sound begins where the encoder was given it.
    notes : list of str
        What the user has to know of the file; it may grow until the last block.
    """

    name: str
    container: str
    codec: str
    sample_rate: int
    channels: int
    subtype: str | None
    n_samples: int | None
    n_held: int | None
    kbits: float | None
    layout: Layout | None
    is_placed: bool
    notes: list[str]

    def read(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32 (channels, at most ``n_samples``): none only at the end."""

    def skip(self, n_samples: int) -> int:
        """Pass over samples where that is exact and sooner than decoding them, and return how many."""

    def close(self) -> None:
        """Close the file."""
