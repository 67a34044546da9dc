"""Random excerpts that represent a long style, so that cost does not grow with the style's length.

The target of a transfer is a mean over all patches of the style. A mean over random patches has the same expectation
if each patch is drawn with the same probability. Whole excerpts of some seconds are drawn, because patches of
neighbouring frames share these frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EXCERPT_SECONDS, EXCERPT_PATCHES = 5.0, 4
"""Length of an excerpt, and the least number of patches that it spans. Shorter excerpts cover the style better, but
there are more of them. Measured on a style of three minutes that keeps changing, of which a third is drawn: excerpts of
10 s leave 4 to 12 times the style loss that the whole style leaves, and excerpts of 3 or 1.5 s leave 3 to 4 times."""


def excerpts(n_samples: int, length: int, total: int, seed: Any) -> list[slice]:
    """Draw excerpts of a recording; each patch of up to ``length`` samples is equally likely to be in one.

    The recording, taken as a circle, is divided into equal parts from a random sample on, and one excerpt is drawn
    within each part, so that excerpts are spread over the whole recording. An excerpt that runs past the end of the
    recording continues at its start, as a second excerpt.

    Parameters
    ----------
    n_samples : int
        Length of the recording.
    length : int
        Samples of an excerpt.
    total : int
        Samples of all excerpts, approximately. A recording that is no longer than this is one excerpt.
    seed : int or SeedSequence
        Seed of the random draw.

    Returns
    -------
    list of slice
        Samples of the excerpts.
    """
    count = max(1, round(total / length))
    if n_samples <= max(total, count * length):
        return [slice(0, n_samples)]
    rng, part = np.random.default_rng(seed), n_samples / count
    starts = rng.uniform(0, n_samples) + np.arange(count) * part + rng.uniform(0, part - length, count)
    drawn = []
    for start in sorted(int(start) % n_samples for start in starts):
        drawn.append(slice(start, min(start + length, n_samples)))
        if start + length > n_samples:
            drawn.append(slice(0, start + length - n_samples))
    return drawn
