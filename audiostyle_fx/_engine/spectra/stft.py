r"""Short-time Fourier transform, its least-squares inverse, the log-magnitude, and the adjoint of each.

A recording is ``(batch, channels, samples)``; its spectrum is ``(batch, frames, channels, bins)`` and its
log-magnitude spectrogram ``(batch, frames, channels * bins)``. Frames come before bins for the sake of the expensive
operations: the FFT runs along contiguous samples, a patch of consecutive frames is contiguous in memory, and stacking
channels is free.

Gradients at complex values are :math:`\partial L/\partial\mathrm{Re} + i\,\partial L/\partial\mathrm{Im}`, so an
adjoint satisfies :math:`\mathrm{Re}\langle A y, G\rangle = \langle y, A^* G\rangle`.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.constants import constant
from ..arrays.fft import irfft, rfft
from ..arrays.threads import in_blocks
from ..kernels.launch import is_on_gpu
from ..kernels.spectra import inverse_samples, log_magnitude, log_magnitude_vjp, overlap_add, windowed_frames
from .hann import divide_by_squared_window_sum, hann

WINDOW_SECONDS = 0.093
"""The original's window: 2048 samples at 22,050 Hz."""


REFERENCE_WINDOW_SUM = 1024.0
"""Sum of the original's 2048-point Hann window; magnitudes are scaled as if every window had this sum."""


def default_n_fft(sample_rate: float) -> int:
    """Return the power of two nearest to 93 ms in log2: 2048 at 22,050 Hz, 4096 at 44,100 and 48,000 Hz."""
    return max(16, 2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


@dataclass(frozen=True)
class STFT:
    """The short-time Fourier transform for one window and hop; frame ``t`` is centred on sample ``t * hop_length``.

    The ends are reflected, so that the first and last windows contain a continuation instead of a step to silence. The
    last frame is centred at or after the last sample, so that each sample lies well inside some window.

    Parameters
    ----------
    n_fft : int
        Window length in samples, even.
    hop_length : int
        Samples between frames, at most half the window.
    """

    n_fft: int
    hop_length: int

    @property
    def n_bins(self) -> int:
        """The number of bins of one channel's spectrum."""
        return self.n_fft // 2 + 1

    @property
    def magnitude_scale(self) -> float:
        """The factor that makes magnitudes independent of the window's length: 1024 over the window's sum."""
        return REFERENCE_WINDOW_SUM / (self.n_fft / 2)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames that cover ``n_samples``."""
        return 1 + math.ceil(n_samples / self.hop_length)

    def n_samples(self, n_frames: int) -> int:
        """Return the samples of the longest recording that has ``n_frames`` frames."""
        return (n_frames - 1) * self.hop_length

    def forward(self, y: Array, out: Array = None) -> Array:
        """Return the spectrum, complex (batch, frames, channels, bins), of y, real (batch, channels, samples).

        With ``out``, it is written to this contiguous array.

        Raises
        ------
        ValueError
            If y is too short to be reflected.
        """
        self._padding(y.shape[-1])  # raises if y is too short
        return self._analyze(y, self.n_frames(y.shape[-1]), reflected=True, out=out)

    def forward_vjp(self, grad: Array, n_samples: int) -> Array:
        """Return the adjoint of `forward`: the gradient at the samples from the gradient at the spectrum."""
        # The adjoint of a real FFT is its unscaled inverse, with half of each bin that stands for a conjugate pair.
        padded = self._synthesize(grad, 0.5, 2.0)
        before, after = self._padding(n_samples)
        out = padded[..., before : before + n_samples]
        # The gradient at the reflected samples belongs to the samples that they repeat.
        head, tail = padded[..., :before], padded[..., before + n_samples : before + n_samples + after]
        out[..., 1 : before + 1] += head[..., ::-1]
        out[..., n_samples - 1 - after : n_samples - 1] += tail[..., ::-1]
        return out

    def inverse(self, spectrum: Array, n_samples: int, *, consumed: bool = False) -> Array:
        """Return the samples, (batch, channels, n_samples), whose frames are nearest to the spectrum in least squares.

        With ``consumed`` the spectrum may be overwritten.

        References
        ----------
        D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", 1984, eq. 6.
        """
        if is_on_gpu(spectrum):
            frames = irfft(spectrum, self.n_fft, consumed=consumed)
            return inverse_samples(frames, self._window(frames), self.hop_length, n_samples)
        before = self.n_fft // 2
        padded = self._synthesize(spectrum, 1 / self.n_fft, 1.0)
        samples = padded[..., before : before + n_samples]
        return divide_by_squared_window_sum(samples, self.n_fft, self.hop_length, self.n_frames(n_samples))

    def inverse_vjp(self, grad: Array, n_frames: int) -> Array:
        """Return the adjoint of `inverse`: the gradient at a spectrum of ``n_frames`` from that at the samples."""
        n_windows = self.n_frames(grad.shape[-1])
        weighted = divide_by_squared_window_sum(grad, self.n_fft, self.hop_length, n_windows)
        out = self._analyze(weighted, n_frames, reflected=False) * (2 / self.n_fft)
        out[..., 0] *= 0.5
        out[..., -1] *= 0.5
        return out

    def log_magnitude(self, spectrum: Array) -> Array:
        """Return log(1 + scaled magnitude), (batch, frames, channels * bins), of a (batch, frames, channels, bins)."""
        return log_magnitude(spectrum, self.magnitude_scale).reshape(*spectrum.shape[:2], -1)

    def log_magnitude_vjp(self, spectrum: Array, grad: Array) -> Array:
        """Return the adjoint of the derivative of `log_magnitude` at ``spectrum``; zero where that is zero."""
        return log_magnitude_vjp(spectrum, grad.reshape(spectrum.shape), self.magnitude_scale)

    def magnitude(self, x: Array) -> Array:
        """Return the magnitudes, of x's shape, whose scaled log-magnitudes are x; see `log_magnitude`."""
        xp = get_array_module(x)
        magnitude = xp.exp(x)
        magnitude -= 1
        magnitude *= 1 / self.magnitude_scale
        return magnitude

    def _window(self, like: Array) -> Array:
        """Return the window in the precision of ``like``."""
        return constant(hann, self.n_fft, like=like.real)

    def _padding(self, n_samples: int) -> tuple[int, int]:
        """Return the numbers of reflected samples before and after a recording; raise if it is too short."""
        before = self.n_fft // 2
        after = self.n_samples(self.n_frames(n_samples)) + self.n_fft - before - n_samples
        if n_samples <= after:
            raise ValueError(
                f"a recording of {n_samples} samples is too short to reflect: more than {after} are needed"
            )
        return before, after

    def _analyze(self, y: Array, n_frames: int, *, reflected: bool, out: Array = None) -> Array:
        """Return the spectra of ``n_frames`` windowed frames of y, (batch, channels, samples)."""
        xp, window = get_array_module(y), self._window(y)
        if is_on_gpu(y):
            return rfft(windowed_frames(y, window, self.hop_length, slice(0, n_frames), reflected), out)
        if out is None:
            out = xp.empty((len(y), n_frames, y.shape[1], self.n_bins), xp.result_type(y.dtype, np.complex64))

        def fill(frames: slice) -> None:
            out[:, frames] = rfft(windowed_frames(y, window, self.hop_length, frames, reflected))

        in_blocks(fill, n_frames, len(y) * y.shape[1] * self.n_fft, xp)
        return out

    def _synthesize(self, spectrum: Array, scale: float, ends: float) -> Array:
        """Return ``scale`` times the overlap-added sums of inverse FFTs, the first and last bins times ``ends``."""
        xp, window = get_array_module(spectrum), constant(_scaled_hann, self.n_fft, scale, like=spectrum.real)
        batch, n_frames, channels, _ = spectrum.shape
        hop, steps = self.hop_length, math.ceil(self.n_fft / self.hop_length)
        if is_on_gpu(spectrum):
            spectrum = spectrum.copy()
            if ends != 1:
                spectrum[..., 0] *= ends
                spectrum[..., -1] *= ends
            return overlap_add(irfft(spectrum, self.n_fft, consumed=True), window, hop)
        out, adding = xp.zeros((batch, channels, (n_frames + steps - 1) * hop), spectrum.real.dtype), threading.Lock()

        def fill(frames: slice) -> None:
            part = spectrum[:, frames]
            if ends != 1:
                part = part.copy()
                part[..., 0] *= ends
                part[..., -1] *= ends
            samples = overlap_add(irfft(part, self.n_fft), window, hop)
            with adding:
                out[..., frames.start * hop : frames.start * hop + samples.shape[-1]] += samples

        # A sample lies in at most two blocks, so its sum does not depend on which block is added first.
        in_blocks(fill, n_frames, batch * channels * self.n_fft, xp, at_least=steps)
        return out


def _scaled_hann(n_fft: int, scale: float) -> np.ndarray:
    """Return the window times a factor."""
    return hann(n_fft) * scale
