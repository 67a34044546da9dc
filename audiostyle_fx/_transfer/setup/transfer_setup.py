"""How a transfer is made: its parameters at a sample rate, whatever the recordings are."""

from __future__ import annotations

from dataclasses import dataclass

from ..._engine.spectra.stft import STFT
from ..parameters.parameter_list import ORIGINAL_RATE, Parameters
from .costs import patch_samples
from .sections import overlap


@dataclass(frozen=True)
class TransferSetup:
    """The parameters of a transfer at a sample rate.

    Attributes
    ----------
    parameters : Parameters
        With windows in samples.
    stfts : tuple of STFT
        A transform for each window, the longest first.
    sample_rate : float
        Rate in Hz at which the transfer computes.
    content_rate : float
        Rate of the recording in Hz. It differs from `sample_rate` in the original algorithm only.
    """

    parameters: Parameters
    stfts: tuple[STFT, ...]
    sample_rate: float
    content_rate: float

    @classmethod
    def of(cls, parameters: Parameters, content_rate: float) -> TransferSetup:
        """Return the setup for recordings of a rate in Hz."""
        sample_rate = ORIGINAL_RATE if parameters.original else content_rate
        parameters = parameters.in_samples(sample_rate)
        stfts = (parameters.stft(sample_rate), *parameters.other_stfts)
        return cls(parameters, stfts, sample_rate, content_rate)

    @property
    def stft(self) -> STFT:
        """The transform of the longest window, which all stages use."""
        return self.stfts[0]

    @property
    def patch_samples(self) -> int:
        """Samples that the widest patch of frames spans; no style may be shorter."""
        return patch_samples(self.parameters, self.stft)

    def section_spans(self) -> tuple[float, int, int]:
        """Return the samples of a section, of the context on either side, and of the fade between neighbours."""
        context, fade = overlap(self.patch_samples, self.stft.n_fft, self.sample_rate)
        return self.parameters.section_seconds * self.sample_rate, context, fade
