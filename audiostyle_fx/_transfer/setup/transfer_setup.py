"""The setup of a transfer: its parameters at a sample rate, independent of the recordings."""

from __future__ import annotations

from dataclasses import dataclass

from ..._engine.spectra.stft import STFT
from ..parameters.parameter_list import ORIGINAL_RATE, Parameters
from ..parameters.windows import Window
from .costs import patch_samples
from .sections import overlap


@dataclass(frozen=True)
class TransferSetup:
    """The parameters of a transfer at a sample rate.

    Attributes
    ----------
    parameters : Parameters
        Parameters with windows in samples.
    windows : tuple of Window
        In samples; the first is the longest with a style weight, and all stages use it.
    sample_rate : float
        Rate in Hz at which the transfer computes.
    content_rate : float
        Rate of the recording in Hz. It differs from `sample_rate` in the original algorithm only.
    """

    parameters: Parameters
    windows: tuple[Window, ...]
    sample_rate: float
    content_rate: float

    @classmethod
    def of(cls, parameters: Parameters, content_rate: float) -> TransferSetup:
        """Return the setup for recordings of a rate in Hz."""
        sample_rate = ORIGINAL_RATE if parameters.original else content_rate
        parameters = parameters.in_samples(sample_rate)
        return cls(parameters, parameters.ordered_windows, sample_rate, content_rate)

    @property
    def stfts(self) -> tuple[STFT, ...]:
        """The transform of each window."""
        return tuple(window.stft for window in self.windows)

    @property
    def stft(self) -> STFT:
        """The transform that all stages use."""
        return self.stfts[0]

    @property
    def patch_samples(self) -> int:
        """Samples that the widest patch of frames spans; no style may be shorter."""
        return patch_samples(self.parameters, self.stfts)

    def section_spans(self) -> tuple[float, int, int]:
        """Return the samples of a section, of the context on either side, and of the fade between neighbours."""
        context, fade = overlap(self.patch_samples, self.stft.n_fft, self.sample_rate)
        return self.parameters.section_seconds * self.sample_rate, context, fade
