r"""Weights of the losses that give alpha the same effect at any rate, channel count, kernel width and duration.

The reference is the original's :math:`g = 4096\,\sigma^2`, with 4,096 filters of variance
:math:`\sigma^2 = 4 / ((1025 + 4096) K)` on 1025 bins. The gain of other spectra is scaled by their density of bins
(bins per Hz, over all channels that are not silent) instead of their number: the top octave of a high rate is nearly
empty. The content loss, a sum over patches, is scaled to the original's 420 patches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

REFERENCE_FILTERS = 4096


REFERENCE_BINS = 1025


REFERENCE_NYQUIST = 11025.0


REFERENCE_PATCHES = 420


class Term(NamedTuple):
    """The loss of one kernel width.

    Attributes
    ----------
    kernel_width : int
        Frames in a patch.
    gain : float
        g = N sigma^2, the number of filters times the variance of their elements.
    style_weight, content_weight : float
        Weights of the squared Gram difference and of the squared feature difference.
    last : float
        Weight of the last frame in the products of patches, above 0: patches may end within joined frames.
    """

    kernel_width: int
    gain: float
    style_weight: float
    content_weight: float
    last: float = 1.0

    def of_style(self) -> Term:
        """Return the term without its content weight, on which the statistics of a style do not depend."""
        return self._replace(content_weight=0.0)

    def as_published(self, n_frames: int) -> Term:
        """Return the original's term: Grams divided by frames, and a content loss that grows with the patches."""
        patches = n_frames - self.kernel_width + 1
        return self._replace(
            style_weight=self.style_weight * (patches / n_frames) ** 2,
            content_weight=self.content_weight * patches / REFERENCE_PATCHES,
        )


def loss_terms(
    kernel_widths: Sequence[int],
    *,
    alpha: float,
    n_frames: int,
    bins: int,
    sample_rate: float,
    active_channels: int,
    stride: int = 1,
) -> list[Term]:
    """Return the terms of the mean loss over all kernel widths.

    Parameters
    ----------
    alpha : float
        Weight of the content loss relative to the style loss, as in the original.
    n_frames : int
        Frames of the content.
    bins : int
        Bins of one channel's spectrum.
    sample_rate : float
        In Hz.
    active_channels : int
        Number of the content's channels that are not digital silence.
    stride : int
        Number of frames that are joined to one; each joined frame begins a patch. If a width is not a multiple, the
        last joined frame of a patch has a weight: the share of its frames that lies within the width.
    """
    density = active_channels * bins * REFERENCE_NYQUIST / (sample_rate / 2)
    terms = []
    for width in kernel_widths:
        joined = math.ceil(width / stride)
        gain = 4 * REFERENCE_FILTERS / ((REFERENCE_BINS + REFERENCE_FILTERS) * width) * REFERENCE_BINS / density
        content_weight = alpha * REFERENCE_PATCHES / (n_frames // stride - joined + 1)
        last = width / stride - (joined - 1)
        terms.append(Term(joined, gain, 1 / len(kernel_widths), content_weight / len(kernel_widths), last))
    return terms
