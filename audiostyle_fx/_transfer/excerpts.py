"""Excerpts that stand for a long style, so that an evaluation costs no more than with a short one.

The target is a mean over all patches of the style. A mean over patches of which every one is as likely to be drawn as
any other has the same expectation; stretches of some seconds are drawn, as patches of neighbouring frames share them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def excerpts(n_samples: int, length: int, total: int, seed: Any) -> list[slice]:
    """Stretches of a recording in which every stretch of up to ``length`` samples is equally likely to be.

    The recording, taken as a circle, is cut into equal parts at a random place, and a stretch is drawn within each, so
    that they are spread over all of it. One that runs over the end goes on at the start, as an excerpt of its own.

    Parameters
    ----------
    n_samples : int
        Of the recording.
    length : int
        Samples of an excerpt.
    total : int
        Samples of all excerpts, about; recordings of no more are one excerpt.
    seed : int or SeedSequence
        The draw comes from it.
    """
    count = max(1, round(total / length))
    if n_samples <= max(total, count * length):
        return [slice(0, n_samples)]
    rng, part = np.random.default_rng(seed), n_samples / count
    starts = rng.uniform(0, n_samples) + np.arange(count) * part + rng.uniform(0, part - length, count)
    found = []
    for start in sorted(int(start) % n_samples for start in starts):
        found.append(slice(start, min(start + length, n_samples)))
        if start + length > n_samples:
            found.append(slice(0, start + length - n_samples))
    return found


EXCERPT_SECONDS, EXCERPT_PATCHES = 5.0, 4
"""Length of the excerpts from a long style, and how many patches they span at least. Shorter ones cover it better, but
there are more of them. Measured on a style of three minutes that keeps changing: a third of it in pieces of 10 s leaves
4 to 12 times the style loss of the whole, in pieces of 3 or 1.5 s 3 to 4 times."""
