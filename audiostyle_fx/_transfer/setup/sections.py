"""The sections in which a long recording is styled, so that time grows with its length but memory does not.

Sections that are styled independently don't fit together: each finds its own phases and notes, and a cross-fade between
two of them dips and smears. So every second section is styled first, with some of the content on both sides as context.
Then the sections between them are styled, and the finished samples on both sides are pinned: they count in the losses
and in every frame that reaches over a border, and only the samples between them are free. In this way, each of these
sections continues its neighbours by construction. The sections of one turn don't depend on each other and make a batch.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

LONGEST = 1.5
"""A recording of at most this many section lengths is styled in one section."""

CONTEXT_PATCHES, CONTEXT_SECONDS = 2, 0.2
"""The least context on each side. Frames near the end of the styled samples are in few patches and deviate, and short
patches contain little of a note."""

FADE_WINDOWS, FADE_SECONDS = 1, 0.2
"""The least length of the blend between neighbours. Pinning makes the waveform continuous, but not the phase of its
partials. Measured with windows of 32 ms: spectral flux at the joins rises by 5 dB with a blend over one window, and not
with one over 200 ms."""

CONTEXTS = 4
"""A section is at least as long as this many contexts, so that contexts are a small part of the work."""


@dataclass(frozen=True)
class Section:
    """A part of a recording that is styled in one piece.

    Attributes
    ----------
    start, stop : int
        The section's samples, without context. The joins with its neighbours are centred on these.
    window : slice
        The samples that are styled: the section's and the context on both sides.
    result : slice
        The samples of the window that become part of the result: the section's and those of the blends.
    borders : tuple of (int, int)
        Its borders with finished samples: the sample, and 1 or -1 if the free samples are after or before it.
    fade : int
        Samples over which it is blended with a neighbour.
    second : bool
        Whether it is styled in the second turn, between finished neighbours.
    """

    start: int
    stop: int
    window: slice
    result: slice
    borders: tuple[tuple[int, int], ...]
    fade: int
    second: bool

    @property
    def core(self) -> slice:
        """The section's samples, without context."""
        return slice(self.start, self.stop)

    def free(self) -> np.ndarray:
        """Return the share of the result in each sample of the window, float32 (samples,): 0 where it is pinned."""
        centres = np.arange(self.window.start, self.window.stop) + 0.5
        share = np.ones(len(centres))
        for border, sign in self.borders:
            share *= np.clip(0.5 + sign * (centres - border) / max(self.fade, 1), 0, 1)
        return (np.sin(0.5 * np.pi * share) ** 2).astype(np.float32)


def overlap(patch: int, window: int, sample_rate: float) -> tuple[int, int]:
    """Return the samples of the context and of the blends.

    Parameters
    ----------
    patch, window : int
        Samples of the widest patch and of the longest STFT window.
    sample_rate : float
        In Hz.
    """
    context = max(CONTEXT_PATCHES * patch, math.ceil(CONTEXT_SECONDS * sample_rate))
    return context, max(FADE_WINDOWS * window, math.ceil(FADE_SECONDS * sample_rate))


def plan(n_samples: int, section: float, context: int, fade: int) -> list[Section]:
    """Divide a recording into sections whose lengths differ by one sample at most.

    Parameters
    ----------
    n_samples : int
        Length of the recording.
    section : float
        Samples of a section, approximately; `CONTEXTS` sets the least.
    context : int
        Samples on each side that are styled along with a section, or pinned.
    fade : int
        Samples over which neighbours are blended.
    """
    section = max(section, CONTEXTS * context)
    count = round(n_samples / section) if n_samples > LONGEST * section else 1
    borders = [i * n_samples // count for i in range(count + 1)]
    length = min(n_samples, -(-n_samples // count) + 2 * context + fade // 2 * 2)
    sections = []
    for i, (start, stop) in enumerate(itertools.pairwise(borders)):
        # The first and the last section have all of their context on one side: equal lengths make a batch.
        first = min(max(0, start - context - fade // 2), n_samples - length)
        window = slice(first, first + length)
        result = slice(max(0, start - fade // 2), min(n_samples, stop + fade // 2))
        inner = tuple((border, sign) for border, sign in ((start, 1), (stop, -1)) if 0 < border < n_samples)
        sections.append(Section(start, stop, window, result, inner, fade, bool(i % 2)))
    return sections
