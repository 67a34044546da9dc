"""The sections that a long recording is styled in, so that time grows with its length and memory does not.

Sections styled one by one don't fit together: each finds phases and notes of its own, and a cross-fade between the two
dips and smears. So every second one is styled first, with some of the content on either side as context; then the
others between them, where the finished samples on either side are pinned: they count in the losses and in every frame
that reaches over a border, and only what lies between is free. That way the second half continues the first by
construction. The sections of either half don't depend on each other and make a batch.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

LONGEST = 1.5
"""Recordings of up to this many sections' length stay in one."""


CONTEXT_PATCHES, CONTEXT_SECONDS = 2, 0.2
"""Context on either side, at least: frames near the end of what is styled are in few patches and go astray, and short
patches see little of a note."""


FADE_WINDOWS, FADE_SECONDS = 1, 0.2
"""What neighbours are blended over, at least. Pinning makes the waveform continuous, not the phase of its partials;
measured with windows of 32 ms: the spectral flux at the joins rises by 5 dB over one, and not over 200 ms."""


CONTEXTS = 4
"""Contexts that a section spans at least, so that they are a small part of the work."""


@dataclass(frozen=True)
class Section:
    """A section of a recording; all positions are samples of the recording.

    Attributes
    ----------
    start, stop : int
        Its own samples; the joins are in the middle of the fades there.
    window : slice
        The samples that it is styled over: its own and context on either side.
    kept : slice
        The samples of the result to keep: its own and those of the fades.
    borders : tuple of (int, int)
        Its borders to finished samples, each with the sign of the side that is free.
    fade : int
        Samples over which it is blended with a neighbour.
    second : bool
        Whether it is styled between finished neighbours.
    """

    start: int
    stop: int
    window: slice
    kept: slice
    borders: tuple[tuple[int, int], ...]
    fade: int
    second: bool

    @property
    def own(self) -> slice:
        """Its own samples."""
        return slice(self.start, self.stop)

    def free(self) -> np.ndarray:
        """Share of the result in each sample of the window, float32: 0 where a neighbour's is pinned."""
        at = np.arange(self.window.start, self.window.stop) + 0.5
        share = np.ones(len(at))
        for border, sign in self.borders:
            share *= np.clip(0.5 + sign * (at - border) / max(self.fade, 1), 0, 1)
        return (np.sin(0.5 * np.pi * share) ** 2).astype(np.float32)


def overlap(patch: int, window: int, sample_rate: float) -> tuple[int, int]:
    """Samples of context and of fades, for patches and STFT windows of so many samples."""
    context = max(CONTEXT_PATCHES * patch, math.ceil(CONTEXT_SECONDS * sample_rate))
    return context, max(FADE_WINDOWS * window, math.ceil(FADE_SECONDS * sample_rate))


def plan(n_samples: int, section: float, context: int, fade: int) -> list[Section]:
    """Sections of equal length, but for a sample, that cover a recording.

    Parameters
    ----------
    n_samples : int
        Of the recording.
    section : float
        Samples that a section should have, about, and at least as many as `CONTEXTS` say.
    context : int
        Samples on either side of a section, styled along with it or pinned.
    fade : int
        Samples over which neighbours are blended.
    """
    section = max(section, CONTEXTS * context)
    count = round(n_samples / section) if n_samples > LONGEST * section else 1
    borders = [i * n_samples // count for i in range(count + 1)]
    length = min(n_samples, -(-n_samples // count) + 2 * context + fade // 2 * 2)
    sections = []
    for i, (start, stop) in enumerate(itertools.pairwise(borders)):
        # At the ends of the recording all of the context is on one side: equal lengths make a batch.
        first = min(max(0, start - context - fade // 2), n_samples - length)
        window = slice(first, first + length)
        kept = slice(max(0, start - fade // 2), min(n_samples, stop + fade // 2))
        inner = tuple((border, sign) for border, sign in ((start, 1), (stop, -1)) if 0 < border < n_samples)
        sections.append(Section(start, stop, window, kept, inner, fade, bool(i % 2)))
    return sections
