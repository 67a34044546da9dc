"""Styles as the attributes of an effect show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .style_inputs import Style, as_list, check_rates, check_weights
from .style_recordings import Styles


@dataclass(frozen=True, eq=False)
class GivenStyle:
    """The styles as the effect's attributes show them.

    Attributes
    ----------
    styles : Styles
        They keep the samples that were read; copies share the samples, and pickles contain them.
    several : bool
        Whether they were given as a list.
    sample_rate, weights
        See the effect's ``style_sample_rate`` and ``style_weights``.
    """

    styles: Styles
    several: bool
    sample_rate: float | tuple[float | None, ...] | None
    weights: tuple[float, ...] | None

    @classmethod
    def of(cls, style: Style, sample_rate: Any, weights: Any) -> GivenStyle:
        """Check and read styles; arrays are copied."""
        recordings = as_list(style)
        several = len(recordings) > 1
        for i, recording in enumerate(recordings):
            if isinstance(recording, np.ndarray):
                # Each of several arrays gets two axes; as lists of numbers, 1-D arrays could look like one recording.
                recordings[i] = np.array(np.atleast_2d(recording) if several else recording)
                recordings[i].flags.writeable = False
        listed = isinstance(style, (list, tuple))
        styles = Styles(recordings if listed else recordings[0], sample_rate, weights)
        return cls(styles, several, *cls._shown(recordings, sample_rate, weights))

    def changed(self, sample_rate: Any, weights: Any) -> GivenStyle:
        """Return the same styles, without reading them again, with other rates and weights."""
        shown = self._shown(self.styles.sources, sample_rate, weights)
        return GivenStyle(self.styles.changed(sample_rate, weights), self.several, *shown)

    @staticmethod
    def _shown(recordings: Sequence[Any], sample_rate: Any, weights: Any) -> tuple[Any, Any]:
        """Return checked rates and weights as the attributes show them."""
        rates = None if sample_rate is None else check_rates(sample_rate, recordings)
        if rates is not None:
            rates = tuple(rates) if np.ndim(sample_rate) else float(sample_rate)  # type: ignore[assignment]
        return rates, None if weights is None else check_weights(weights, len(recordings))

    @property
    def style(self) -> Style:
        """A path or array, or a tuple of several."""
        return tuple(self.styles.sources) if self.several else self.styles.sources[0]
