"""The properties of a recording that its result keeps: bit rate, places of channels, tags."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from .formats import least_kbits
from .layouts import AMBISONIC_TAIL, Layout
from .metadata import Metadata, write_metadata

_VORBIS_KBITS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
"""Nominal bit rates of stereo Vorbis at 44.1 kHz, of the qualities 0, 0.1 ... 1."""


@dataclass(frozen=True)
class Kept:
    """The properties of a recording that its result keeps, as far as the result's format can hold them.

    Attributes
    ----------
    kbits : float or None
        Bit rate of lossy formats in kbit/s; None for the encoder's default.
    layout : Layout or None
        Places of the channels.
    metadata : Metadata
    """

    kbits: float | None = None
    layout: Layout | None = None
    metadata: Metadata = field(default_factory=Metadata)

    def at(self, kbits: float | None) -> Kept:
        """Return the same properties with another bit rate; None keeps the bit rate."""
        return self if kbits is None else replace(self, kbits=kbits)

    def write_metadata(self, path: Path, file_format: str) -> tuple[str, ...]:
        """Add the metadata to a finished file; return names of the parts that its format can't hold."""
        return write_metadata(path, file_format, self.metadata)


def encoder_options(subtype: str, sample_rate: float, channels: int, kbits: float | None) -> dict[str, Any]:
    """Return the options with which libsndfile encodes at about ``kbits`` kbit/s; none for lossless formats.

    The levels are those of libsndfile 1.2.2: linear in the bit rate for MP3 and Opus, a quality for Vorbis.
    """
    if kbits is None:
        return {}
    if subtype == "MPEG_LAYER_III":
        low, high = (32, 320) if sample_rate >= 32000 else (8, 160) if sample_rate >= 16000 else (8, 64)
        kbits = max(kbits, least_kbits(subtype, sample_rate))
        return {"bitrate_mode": "CONSTANT", "compression_level": _level((high - kbits) / (high - low))}
    if subtype == "OPUS":
        return {"compression_level": _level(1 - (kbits / channels - 6) / 250)}
    if subtype == "VORBIS":
        stereo = kbits * 2 / channels
        steps = pairwise(_VORBIS_KBITS)
        quality = sum(min(1.0, max(0.0, (stereo - low) / (high - low))) for low, high in steps) / 10
        return {"compression_level": _level(1 - quality)}
    return {}


def _level(level: float) -> float:
    return min(0.9999, max(0.0, level))  # libsndfile refuses 1 for MP3


def set_mask(path: Path, layout: Layout) -> None:
    """Write the places of the channels into an extensible WAV or RF64 file."""
    with path.open("rb+") as file:
        head = file.read(4096)
        start = head.find(b"fmt ") + 8
        if head[start : start + 2] == b"\xfe\xff":
            file.seek(start + 20)
            file.write(struct.pack("<I", layout.mask))
            if layout.is_ambisonic:
                file.seek(start + 26)
                file.write(AMBISONIC_TAIL)
