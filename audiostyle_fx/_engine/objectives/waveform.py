r"""The losses of a waveform, and coordinates in which an optimiser gets along with them.

The log-magnitude flattens what the ear hears compressed: the gradient at a loud cell of the spectrogram is small
though it needs large steps, and the other way round. Steps on samples can't tell the cells apart; steps on MDCT
coefficients can, so the optimiser works on :math:`u = \mathrm{MDCT}(y) / d`, where :math:`d = (1 + m)^{0.7}` grows
with the level :math:`m` around each coefficient. The basis is orthonormal and has as many coefficients as samples:
nothing but the metric changes. A search that starts from noise has its levels to find first, and can `renew` them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..arrays.array_module import Array, get_array_module
from ..spectra.mdct import MDCT
from ..spectra.stft import STFT

EXPONENT = 0.7
"""Between 0, plain samples, and 1, steps in proportion to the level; measured: 0.5 to 1 differ by less than 1 %."""


class Objective(Protocol):
    """Anything with losses, float64 (2, batch): style and content; and the gradient of their sum."""

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Losses and gradient at x."""


class WaveformObjective:
    """An objective at log-magnitude spectrograms, taken at the MDCT coordinates of a waveform.

    Parameters
    ----------
    objective : InfiniteWidth or RandomConv
        Judges the spectrogram.
    stft : STFT
        Its transform.
    y : real array (batch, channels, samples)
        Where the search starts; gives the levels.
    mask : real array, broadcastable to y
        Factor of every sample; zero where the waveform has to stay as it is.
    fixed : real array of y's shape, optional
        Added to every sample.
    others : sequence of (objective, STFT)
        More of them, at other resolutions; the losses are the mean over all.
    """

    def __init__(
        self,
        objective: Objective,
        stft: STFT,
        y: Array,
        mask: Array,
        fixed: Array = None,
        others: Sequence[tuple[Objective, STFT]] = (),
    ) -> None:
        self.objective, self.stft, self.mask, self.fixed, self.n_samples = objective, stft, mask, fixed, y.shape[-1]
        self.others = others
        self.mdct = MDCT(stft.n_fft // 2)
        self.metric = self._metric(y)

    def coordinates(self, y: Array) -> Array:
        """The coordinates, (batch, channels, frames, n_fft / 2), of samples (batch, channels, samples)."""
        return self.mdct.forward(y) / self.metric

    def samples(self, u: Array) -> Array:
        """The samples, (batch, channels, samples), at coordinates u."""
        y = self.mdct.inverse(u * self.metric, self.n_samples) * self.mask
        if self.fixed is not None:
            y += self.fixed
        return y

    def renew(self, u: Array) -> Array:
        """Take the levels from the samples at u; returns their coordinates from now on."""
        before, self.metric = self.metric, self._metric(self.samples(u))
        return u * (before / self.metric)

    def value_and_grad(self, u: Array) -> tuple[Array, Array]:
        """Losses, float64 (2, batch): style, content; and the gradient of their sum at u."""
        samples = self.samples(u)
        losses, grad = self._at_samples(samples, self.objective, self.stft)
        for objective, stft in self.others:
            more_losses, more_grad = self._at_samples(samples, objective, stft)
            losses, grad = losses + more_losses, grad + more_grad
        if self.others:
            losses, grad = (a / (1 + len(self.others)) for a in (losses, grad))
        grad *= self.mask
        grad = self.mdct.forward(grad)
        grad *= self.metric
        return losses, grad

    def _at_samples(self, samples: Array, objective: Objective, stft: STFT) -> tuple[Array, Array]:
        """Losses of one resolution, and the gradient of their sum at the samples."""
        spectrum = stft.forward(samples)
        losses, grad = objective.value_and_grad(stft.log_magnitude(spectrum))
        return losses, stft.forward_vjp(stft.log_magnitude_vjp(spectrum, grad), self.n_samples)

    def _metric(self, y: Array) -> Array:
        """Step sizes, from the STFT frame nearest each MDCT frame and the bins on either side of each band."""
        xp = get_array_module(y)
        magnitude = xp.abs(self.stft.forward(y))
        magnitude *= self.stft.magnitude_scale
        centres = xp.arange(self.mdct.n_frames(self.n_samples)) * self.mdct.hop_length
        nearest = xp.minimum((centres + self.stft.hop_length // 2) // self.stft.hop_length, magnitude.shape[1] - 1)
        bands = xp.sqrt((magnitude[..., :-1] ** 2 + magnitude[..., 1:] ** 2) / 2)
        return ((1 + bands[:, nearest].swapaxes(1, 2)) ** EXPONENT).astype(y.dtype)
