"""The sections of a stream: the samples they need, and their gain, computed from the samples received so far."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..._recordings.gain_curve import Dynamics, block_energies, block_samples
from ..setup.sections import CONTEXTS, Section
from ..setup.transfer_setup import TransferSetup
from .recording_plans import GainCurve
from .rolling_samples import RollingSamples


@dataclass(frozen=True)
class StreamSpans:
    """Samples of a section without context, of the context on either side, and of the fade between neighbours."""

    section: int
    context: int
    fade: int

    @classmethod
    def of(cls, setup: TransferSetup) -> StreamSpans:
        """Return the spans of a transfer."""
        section, context, fade = setup.section_spans()
        return cls(max(math.ceil(section), CONTEXTS * context), context, fade // 2 * 2)

    @property
    def latency(self) -> int:
        """Delay of the result in samples."""
        return self.section + self.context + self.fade

    def needed(self, k: int) -> int:
        """Return the samples of the recording that section ``k`` needs."""
        return (k + 1) * self.section + self.context + self.fade // 2


def stream_section(k: int, dry: RollingSamples, spans: StreamSpans) -> Section:
    """Return section ``k``; only the previous section is finished."""
    start, stop, half = k * spans.section, (k + 1) * spans.section, spans.fade // 2
    window = slice(max(0, start - spans.context - half), spans.needed(k))
    # Silence at either end does not have to resemble the style.
    sounding = np.flatnonzero(dry[:, window].any(axis=0))
    if len(sounding):
        window = slice(window.start + int(sounding[0]), window.start + int(sounding[-1]) + 1)
    result = slice(max(window.start, start - half), max(window.start, min(window.stop, stop + half)))
    return Section(start, stop, window, result, ((start, 1),) if k else (), spans.fade, k > 0)


class StreamLevel:
    """The level of a recording, computed from the samples received so far.

    Parameters
    ----------
    setup : TransferSetup
    channels : int
    content_level_db : float, optional
        RMS in dBFS of the whole recording without its pauses; by default that of the samples received so far.
    """

    def __init__(self, setup: TransferSetup, channels: int, content_level_db: float | None) -> None:
        self._block = block_samples(setup.sample_rate)
        self._rms = None if content_level_db is None else 10 ** (content_level_db / 20)
        self._energies = np.zeros((0, channels))  # of complete blocks

    def gain(self, dry: RollingSamples) -> GainCurve:
        """Return the gain curve, computed from the samples received so far."""
        energies = block_energies(dry, self._block, len(self._energies) * self._block)
        energies = np.concatenate([self._energies, energies])
        self._energies = energies[: dry.shape[1] // self._block]
        sounding = energies.any(axis=0)
        means = energies.sum(axis=1) / max(np.count_nonzero(sounding), 1)
        return Dynamics(means, dry.shape[1], self._block, self._rms).curve
