"""Results of transfers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Stage:
    """What one stage did.

    Attributes
    ----------
    seconds : float
        Time it took, for all items of a batch together, and in all sections of a recording.
    iterations : int array (n,)
        Iterations after which the losses were taken: from 0 to the last, but in the phase stage the first and the last.
    style, content : float64 array (n,)
        The two parts of the loss there; in the phase and waveform stages those of the audio.
    inconsistency : float64 array, optional
        In the phase stage, after each iteration: how far the audio's magnitudes are from those sought, relative.
    """

    seconds: float
    iterations: np.ndarray
    style: np.ndarray
    content: np.ndarray
    inconsistency: np.ndarray | None = None


def merged(sections: Mapping[int, dict[str, Stage]]) -> dict[str, Stage]:
    """What the stages did in all sections of a recording: their time in all, and the means of their losses."""
    parts = [sections[k] for k in sorted(sections)]
    if len(parts) < 2:
        return dict(*parts)

    def mean(histories: list[Any]) -> Any:
        return None if histories[0] is None else np.mean(histories, axis=0)

    stages = {}
    for name, one in parts[0].items():
        same = [part[name] for part in parts]
        losses = [mean([getattr(stage, kind) for stage in same]) for kind in ("style", "content", "inconsistency")]
        stages[name] = Stage(sum(stage.seconds for stage in same), one.iterations, *losses)
    return stages


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a styled recording came about.

    Attributes
    ----------
    sample_rate : float
        In Hz.
    duration : float
        Of the recording, in seconds.
    stages : dict of str to Stage
        "spectrogram", "phase" and "waveform", those that ran.
    seconds : float
        Time of the whole.
    parameters : dict
        Those of the transfer, by name, with ``n_fft`` and ``hop_length`` as they were chosen, also where milliseconds
        were given; the recordings are not among them.
    """

    sample_rate: float
    duration: float
    stages: dict[str, Stage]
    seconds: float
    parameters: dict[str, Any]

    def plot(self) -> Figure:
        """The losses of the stages by iteration, below the spectrogram of the audio where it is at hand.

        Returns
        -------
        matplotlib.figure.Figure
            Which needs no display; ``savefig`` writes it to a file.

        Raises
        ------
        ImportError
            Without matplotlib, which the extra ``plot`` installs.
        """
        from ..figures.plots import plot  # matplotlib, which nothing else needs

        return plot(self.stages, getattr(self, "audio", None), self.sample_rate)


@dataclass(frozen=True, eq=False)
class Result(Outcome):
    """A styled recording and how it came about.

    Attributes
    ----------
    audio : float32 array
        In the content's shape, (channels, samples) or (samples,).
    sample_rate, duration, stages, seconds, parameters
        As of `Outcome`.
    """

    audio: np.ndarray
