r"""The losses of a waveform, in coordinates that suit an optimizer.

The logarithm makes the gradient at a loud cell of the spectrogram small, although this cell needs large steps, and the
gradient at a quiet cell large. Steps on samples can't treat the cells differently, steps on MDCT coefficients can. The
optimizer therefore works on :math:`u = \mathrm{MDCT}(y) / d`, where :math:`d = (1 + m)^{0.7}` grows with the level
:math:`m` around each coefficient. The basis is orthonormal with as many coefficients as samples, so only the metric
changes. A search that starts from noise can `renew` the levels later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..arrays.array_module import Array, get_array_module
from ..spectra.level_following import LevelFollower
from ..spectra.mdct import MDCT
from ..spectra.stft import STFT
from .peaks import PeakCost

EXPONENT = 0.7
"""0 means plain samples, 1 steps in proportion to the level; measured: 0.5 to 1 differ by less than 1 %."""


class Objective(Protocol):
    """A function with a style and a content loss."""

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Return the losses, float64 (2, batch), style before content, and the gradient of their sum at x."""


class WaveformObjective:
    """An objective of log-magnitude spectrograms as a function of a waveform's MDCT coordinates.

    Parameters
    ----------
    objective : InfiniteWidth or RandomConv
        The losses of the spectrogram.
    stft : STFT
        The transform from samples to the spectrogram.
    y : real array (batch, channels, samples)
        The start of the search; it determines the levels.
    mask : real array, broadcastable to y
        Factor of each sample; zero where the waveform must not change.
    fixed : real array of y's shape, optional
        Added to each sample.
    others : sequence of (objective, STFT)
        Further objectives, at other resolutions.
    total_weight : float
        The losses are the sum over all objectives, divided by this.
    follower : LevelFollower, optional
        Gives a gain for all samples that are not fixed. The gradient treats the gain as constant: the gain changes
        slowly, and the next iteration's gain would undo the difference.

    Attributes
    ----------
    peak_cost : PeakCost or None
        A third part of the losses; none at first.
    """

    def __init__(
        self,
        objective: Objective,
        stft: STFT,
        y: Array,
        mask: Array,
        fixed: Array = None,
        others: Sequence[tuple[Objective, STFT]] = (),
        total_weight: float = 1.0,
        follower: LevelFollower | None = None,
    ) -> None:
        self.objective, self.stft, self.mask, self.fixed, self.n_samples = objective, stft, mask, fixed, y.shape[-1]
        self.others, self.total_weight, self.follower = others, total_weight, follower
        self.peak_cost: PeakCost | None = None
        self.mdct = MDCT(stft.n_fft // 2)
        self.metric = self._metric(y)

    def coordinates(self, y: Array) -> Array:
        """Return the coordinates, (batch, channels, frames, n_fft / 2), of samples (batch, channels, samples)."""
        return self.mdct.forward(y) / self.metric

    def samples(self, u: Array) -> Array:
        """Return the samples, (batch, channels, samples), at coordinates u."""
        return self._samples(u)[0]

    def _samples(self, u: Array) -> tuple[Array, Array]:
        """Return the samples at coordinates u, and the factor of each after the inverse MDCT."""
        y, factor = self.mdct.inverse(u * self.metric, self.n_samples) * self.mask, self.mask
        if self.follower is not None:
            gain = self.follower.gain(y if self.fixed is None else y + self.fixed)
            y *= gain
            factor = factor * gain
        if self.fixed is not None:
            y += self.fixed
        return y, factor

    def renew(self, u: Array) -> Array:
        """Measure the levels again, from the samples at u, and return the new coordinates of these samples."""
        before, self.metric = self.metric, self._metric(self.samples(u))
        return u * (before / self.metric)

    def value_and_grad(self, u: Array) -> tuple[Array, Array]:
        """Return the losses, float64 (2 or 3, batch), of style, content and peaks, and their sum's gradient at u."""
        samples, factor = self._samples(u)
        losses, grad = self._at_samples(samples, self.objective, self.stft)
        for objective, stft in self.others:
            more_losses, more_grad = self._at_samples(samples, objective, stft)
            losses, grad = losses + more_losses, grad + more_grad
        if self.total_weight != 1:
            losses, grad = (a / self.total_weight for a in (losses, grad))
        if self.peak_cost:
            cost, peak_grad = self.peak_cost.value_and_grad(samples)
            style_and_content, losses = losses, get_array_module(losses).empty((3, len(cost)))
            losses[:2], losses[2] = style_and_content, cost  # a CUDA graph can't record a concatenation
            grad += peak_grad
        grad *= factor
        grad = self.mdct.forward(grad)
        grad *= self.metric
        return losses, grad

    def _at_samples(self, samples: Array, objective: Objective, stft: STFT) -> tuple[Array, Array]:
        """Return the losses of one resolution, and the gradient of their sum at the samples."""
        spectrum = stft.forward(samples)
        losses, grad = objective.value_and_grad(stft.log_magnitude(spectrum))
        return losses, stft.forward_vjp(stft.log_magnitude_vjp(spectrum, grad), self.n_samples)

    def _metric(self, y: Array) -> Array:
        """Return the step sizes, from the STFT frame nearest to each MDCT frame and the two bins around each band."""
        xp = get_array_module(y)
        magnitude = xp.abs(self.stft.forward(y))
        magnitude *= self.stft.magnitude_scale
        centres = xp.arange(self.mdct.n_frames(self.n_samples)) * self.mdct.hop_length
        nearest = xp.minimum((centres + self.stft.hop_length // 2) // self.stft.hop_length, magnitude.shape[1] - 1)
        bands = xp.sqrt((magnitude[..., :-1] ** 2 + magnitude[..., 1:] ** 2) / 2)
        return xp.ascontiguousarray(((1 + bands[:, nearest].swapaxes(1, 2)) ** EXPONENT).astype(y.dtype))
