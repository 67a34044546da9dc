"""The losses of a waveform on a GPU, with one kernel between every two library calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.constants import constant
from ..arrays.fft import cuda_fft, rfft
from ..kernels.launch import is_on_gpu
from ..kernels.spectra import windowed_frames
from ..kernels.waveform import (
    folded_gradient,
    level_gains,
    levelled_frames,
    mdct_samples,
    peak_cost,
    sample_gradient,
    scaled_dct4_input,
    scaled_dct4_output,
)
from ..spectra.hann import hann
from ..spectra.level_following import LIMITS, LevelFollower
from ..spectra.mdct import dct4_twiddle, sine_window
from ..spectra.stft import STFT
from .waveform import Objective, WaveformObjective

BLOCK = 256
"""Samples that a block of the GPU computes if no level is followed."""


def waveform_objective(
    objective: Objective,
    stft: STFT,
    y: Array,
    mask: Array,
    fixed: Array = None,
    others: Sequence[tuple[Objective, STFT]] = (),
    total_weight: float = 1.0,
    follower: LevelFollower | None = None,
) -> WaveformObjective:
    """Return a `FusedWaveform` on a GPU if all objectives have `at_spectrum`, otherwise a `WaveformObjective`."""
    is_fused = all(hasattr(each, "at_spectrum") for each in (objective, *(other for other, _ in others)))
    kind = FusedWaveform if is_fused and is_on_gpu(y) else WaveformObjective
    return kind(objective, stft, y, mask, fixed, others, total_weight, follower)


class FusedWaveform(WaveformObjective):
    """The same losses and gradient as `WaveformObjective`, of objectives with a gradient `at_spectrum`, on a GPU."""

    @cached_property
    def _whole_mask(self) -> Array:
        """The mask of all samples, (batch, channels, samples)."""
        xp, shape = get_array_module(self.metric), (*self.metric.shape[:2], self.n_samples)
        return xp.ascontiguousarray(xp.broadcast_to(xp.asarray(self.mask, np.float32), shape))

    @cached_property
    def _floors(self) -> Array:
        assert self.follower is not None
        return self.follower.floors().reshape(-1)

    def value_and_grad(self, u: Array) -> tuple[Array, Array]:
        """Return the losses, float64 (2 or 3, batch), of style, content and peaks, and their sum's gradient at u."""
        xp = get_array_module(u)
        twiddle, half_sine = constant(dct4_twiddle, self.mdct.hop_length, like=u), self._half_sine(u)
        z = cuda_fft("fft", scaled_dct4_input(u, self.metric, twiddle), len(twiddle))
        block = BLOCK if self.follower is None else self.follower.block
        mask, follows = self._whole_mask, self.follower is not None
        samples, power = mdct_samples(z, twiddle, half_sine, mask, self.fixed, block, follows=follows)
        samples, gains, frames = self._first_frames(samples, power)
        losses = xp.empty((2 + (self.peak_cost is not None), len(u)))
        frames_grad = self._frames_grad(self.objective, self.stft, frames, losses, add=False)
        extra = self._extra(samples, losses)
        z = folded_gradient(
            *(frames_grad, self._window(self.stft, u), extra, mask, gains, (half_sine, twiddle)),
            *(self.stft.hop_length, u.shape[2], block),
        )
        return losses, scaled_dct4_output(cuda_fft("fft", z, len(twiddle)), self.metric, twiddle)

    def _first_frames(self, samples: Array, power: Array) -> tuple[Array, Array, Array]:
        """Return the samples at their final level, their gains or None, and the windowed frames of the first window."""
        window, stft = self._window(self.stft, samples), self.stft
        n_frames = stft.n_frames(self.n_samples)
        if self.follower is None:
            return samples, None, windowed_frames(samples, window, stft.hop_length, slice(0, n_frames), True)
        follower = self.follower
        gains = level_gains(power, follower.levels, self._floors, follower.widths, LIMITS)
        frames = levelled_frames(samples, self.fixed, gains, window, stft.hop_length, n_frames, follower.block)
        return frames[0], gains, frames[1]

    def _frames_grad(self, objective: Any, stft: STFT, frames: Array, losses: Array, *, add: bool) -> Array:
        """Return the gradient at windowed frames, and write or add the losses."""
        weight = 1 / self.total_weight
        grad = objective.at_spectrum(rfft(frames), stft.magnitude_scale, losses, weight=weight, add=add)
        return cuda_fft("irfft", grad, stft.n_fft)

    def _extra(self, samples: Array, losses: Array) -> Array:
        """Return the gradient at the samples from other windows and from peaks; None if there are neither."""
        xp, extra = get_array_module(samples), None
        if self.others or self.peak_cost is not None:
            extra = xp.empty(samples.shape, np.float32)
        for number, (objective, stft) in enumerate(self.others):
            window = self._window(stft, samples)
            n_frames = slice(0, stft.n_frames(self.n_samples))
            frames = windowed_frames(samples, window, stft.hop_length, n_frames, True)
            frames_grad = self._frames_grad(objective, stft, frames, losses, add=True)
            sample_gradient(frames_grad, window, extra, stft.hop_length, add=number > 0)
        if self.peak_cost is not None:
            cost = self.peak_cost
            peak_cost(samples, cost.weights, cost.ceilings.reshape(-1), extra, losses[2], add=bool(self.others))
        return extra

    @staticmethod
    def _window(stft: STFT, like: Array) -> Array:
        return constant(hann, stft.n_fft, like=like)

    def _half_sine(self, like: Array) -> Array:
        return constant(sine_window, self.mdct.hop_length, like=like)
