r"""Short-time Fourier transform, its least-squares inverse, the log-magnitude, and the adjoint of each.

A recording is ``(batch, channels, samples)``; its spectrum is ``(batch, frames, channels, bins)`` and its
log-magnitude spectrogram ``(batch, frames, channels * bins)``. Frames come before bins because every heavy operation
wants them so: the FFT runs along contiguous samples, a patch of consecutive frames is contiguous memory, and stacking
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
from ..kernels.spectra import log_magnitude, log_magnitude_vjp, overlap_add, windowed_frames

WINDOW_SECONDS = 0.093
"""The original's window: 2048 samples at 22,050 Hz."""


REFERENCE_WINDOW_SUM = 1024.0
"""Sum of the original's 2048-point Hann window; magnitudes are scaled as if every window had it."""


def default_n_fft(sample_rate: float) -> int:
    """The power of two nearest 93 ms, in log2, at ``sample_rate`` Hz: 2048 at 22,050 Hz, 4096 at 44,100 and 48,000."""
    return max(16, 2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


def _hann(n_fft: int) -> np.ndarray:
    """Periodic Hann window of ``n_fft`` samples."""
    return np.hanning(n_fft + 1)[:-1]


@dataclass(frozen=True)
class STFT:
    """The transform for one window and hop; frame ``t`` is centred on sample ``t * hop_length``.

    The ends are reflected, so that the first and last windows see a continuation and not a step to silence, and the
    last frame is centred at or after the last sample, so that no sample rests on the rim of a single window.

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
        """Bins of one channel's spectrum."""
        return self.n_fft // 2 + 1

    @property
    def magnitude_scale(self) -> float:
        """Makes magnitudes independent of the window's length: 1024 over the window's sum (1 at 2048 samples)."""
        return REFERENCE_WINDOW_SUM / (self.n_fft / 2)

    def n_frames(self, n_samples: int) -> int:
        """Frames that cover ``n_samples``."""
        return 1 + math.ceil(n_samples / self.hop_length)

    def n_samples(self, n_frames: int) -> int:
        """The longest recording that has ``n_frames`` frames."""
        return (n_frames - 1) * self.hop_length

    def forward(self, y: Array) -> Array:
        """Spectrum, complex (batch, frames, channels, bins), of y, real (batch, channels, samples)."""
        self._padding(y.shape[-1])  # raises where there is too little to reflect
        return self._analyze(y, self.n_frames(y.shape[-1]), reflected=True)

    def forward_vjp(self, grad: Array, n_samples: int) -> Array:
        """Adjoint of `forward`: gradient at the samples, (batch, channels, n_samples), from that at the spectrum."""
        # The adjoint of a real FFT is n_fft times the inverse FFT, with half of every bin that stands for a pair.
        padded = self._synthesize(grad, self.n_fft / 2, 2.0)
        before, after = self._padding(n_samples)
        out = padded[..., before : before + n_samples]
        # What the reflected ends saw comes back to its source.
        head, tail = padded[..., :before], padded[..., before + n_samples : before + n_samples + after]
        out[..., 1 : before + 1] += head[..., ::-1]
        out[..., n_samples - 1 - after : n_samples - 1] += tail[..., ::-1]
        return out

    def inverse(self, spectrum: Array, n_samples: int) -> Array:
        """The (batch, channels, n_samples) whose frames are nearest the spectrum's in least squares.

        References
        ----------
        D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", 1984, eq. 6.
        """
        before = self.n_fft // 2
        padded = self._synthesize(spectrum, 1.0, 1.0)
        return padded[..., before : before + n_samples] / constant(_envelope, self, n_samples, like=padded)

    def inverse_vjp(self, grad: Array, n_frames: int) -> Array:
        """Adjoint of `inverse`: gradient at a spectrum of ``n_frames`` frames from that at the samples."""
        weighted = grad / constant(_envelope, self, grad.shape[-1], like=grad)
        out = self._analyze(weighted, n_frames, reflected=False) * (2 / self.n_fft)
        out[..., 0] *= 0.5
        out[..., -1] *= 0.5
        return out

    def log_magnitude(self, spectrum: Array) -> Array:
        """log(1 + scaled magnitude), (batch, frames, channels * bins), of one (batch, frames, channels, bins)."""
        return log_magnitude(spectrum, self.magnitude_scale).reshape(*spectrum.shape[:2], -1)

    def log_magnitude_vjp(self, spectrum: Array, grad: Array) -> Array:
        """Adjoint of the derivative of `log_magnitude` at ``spectrum``; zero where the spectrum is."""
        return log_magnitude_vjp(spectrum, grad.reshape(spectrum.shape), self.magnitude_scale)

    def magnitude(self, x: Array) -> Array:
        """Undo `log_magnitude`'s logarithm and scale: magnitudes, in the shape of ``x``."""
        xp = get_array_module(x)
        magnitude = xp.exp(x)
        magnitude -= 1
        magnitude *= 1 / self.magnitude_scale
        return magnitude

    def _window(self, like: Array) -> Array:
        return constant(_hann, self.n_fft, like=like.real)

    def _padding(self, n_samples: int) -> tuple[int, int]:
        before = self.n_fft // 2
        after = self.n_samples(self.n_frames(n_samples)) + self.n_fft - before - n_samples
        if n_samples <= after:
            raise ValueError(
                f"a recording of {n_samples} samples is too short to reflect: more than {after} are needed"
            )
        return before, after

    def _analyze(self, y: Array, n_frames: int, *, reflected: bool) -> Array:
        """Spectra of ``n_frames`` windowed frames of y, (batch, channels, samples)."""
        xp, window = get_array_module(y), self._window(y)
        out = xp.empty((len(y), n_frames, y.shape[1], self.n_bins), xp.result_type(y.dtype, np.complex64))

        def fill(at: slice) -> None:
            out[:, at] = rfft(windowed_frames(y, window, self.hop_length, at, reflected))

        in_blocks(fill, n_frames, len(y) * y.shape[1] * self.n_fft, xp)
        return out

    def _synthesize(self, spectrum: Array, scale: float, ends: float) -> Array:
        """Windowed inverse FFTs, overlap-added, of ``scale`` times the spectrum with its end bins times ``ends``."""
        xp, window = get_array_module(spectrum), self._window(spectrum) * scale
        batch, n_frames, channels, _ = spectrum.shape
        hop, steps = self.hop_length, math.ceil(self.n_fft / self.hop_length)
        out, adding = xp.zeros((batch, channels, (n_frames + steps - 1) * hop), spectrum.real.dtype), threading.Lock()

        def fill(at: slice) -> None:
            part = spectrum[:, at]
            if ends != 1:
                part = part.copy()
                part[..., 0] *= ends
                part[..., -1] *= ends
            samples = overlap_add(irfft(part, self.n_fft), window, hop)
            with adding:
                out[..., at.start * hop : at.start * hop + samples.shape[-1]] += samples

        # With a sample in two blocks at most, its sum does not depend on which of them comes first.
        in_blocks(fill, n_frames, batch * channels * self.n_fft, xp, at_least=steps)
        return out


def _envelope(stft: STFT, n_samples: int) -> np.ndarray:
    """Sum of the squared windows over each sample."""
    before, window = stft.n_fft // 2, _hann(stft.n_fft)
    frames = np.broadcast_to(window, (1, stft.n_frames(n_samples), 1, stft.n_fft))
    return overlap_add(frames, window, stft.hop_length)[0, 0, before : before + n_samples]
