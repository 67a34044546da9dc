"""The interface of every decoder."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..layouts import Layout


class Decoder(Protocol):
    """A sound file that is decoded block by block.

    Attributes
    ----------
    name : str
        Name of the decoding library.
    container, codec : str
        Container and codec of the file, in words.
    sample_rate, channels : int
    subtype : str or None
        libsndfile's name of the sample format; None if libsndfile does not have it.
    n_samples : int or None
        Length in the header, in samples per channel; None if there is none.
    n_held : int or None
        Samples per channel in the bytes of the file, if this is known before they are decoded.
    kbits : float or None
        Bit rate of a lossy format, in kbit/s.
    layout : Layout or None
    is_placed : bool
        Whether the first sample is the first one that the encoder received.
    notes : list of str
        Notes for the user about the file; there may be more until the last block.
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
        """Return the next samples, float32 (channels, at most ``n_samples``); an empty array only at the end."""

    def skip(self, n_samples: int) -> int:
        """Skip samples if that is exact and faster than decoding them, and return the number of skipped samples."""

    def close(self) -> None:
        """Close the file."""
