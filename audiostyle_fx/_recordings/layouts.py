"""Places of channels: the loudspeaker that plays each channel.

WAV and FLAC have one order of channels, Vorbis and Opus another. References: Microsoft, "Multiple channel audio data
and WAVE files"; Xiph, "Vorbis I specification", section 4.3.9; RFC 9639, section 9.1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_VORBIS_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}
"""For each channel of Vorbis, the channel of WAV; with other numbers of channels both have the same order."""

USUAL_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""Loudspeakers of FLAC's channels, as bits of a WAV file's mask."""

PCM_TAIL = bytes.fromhex("000000001000800000aa00389b71")
AMBISONIC_TAIL = bytes.fromhex("00002107d3118644c8c1ca000000")
"""The last bytes, after a number, of the identifiers of sample formats in extensible WAV files."""


@dataclass(frozen=True)
class Layout:
    """Places of the channels of a WAV file.

    Attributes
    ----------
    mask : int
        A bit for each loudspeaker; 0 if no loudspeaker is named.
    is_ambisonic : bool
        Whether the channels are those of ambisonic B-format.
    """

    mask: int
    is_ambisonic: bool = False

    def is_needed(self, channels: int) -> bool:
        """Whether a WAV file has to name the places, because they are not those of plain mono or stereo."""
        return self.is_ambisonic or self.mask != (USUAL_MASKS[channels] if channels <= 2 else 0)


def wav_order(audio: np.ndarray) -> np.ndarray:
    """Return the channels of Vorbis or Opus, (channels, samples), in the order of WAV."""
    order = _VORBIS_ORDER.get(len(audio))
    return audio if order is None else audio[np.argsort(order)]


def vorbis_order(audio: np.ndarray) -> np.ndarray:
    """Return the channels of WAV, (channels, samples), in the order of Vorbis and Opus."""
    order = _VORBIS_ORDER.get(len(audio))
    return audio if order is None else audio[list(order)]
