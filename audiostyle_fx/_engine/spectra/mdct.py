"""Modified discrete cosine transform with a sine window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.constants import constant
from ..arrays.fft import fft
from ..arrays.threads import in_blocks


@dataclass(frozen=True)
class MDCT:
    """Modified discrete cosine transform with a sine window: an orthonormal basis local in time and frequency.

    Coefficients are (batch, channels, frames, hop_length): one for each band and each ``hop_length`` samples. The
    transform is orthonormal, so its adjoint is its inverse.

    References
    ----------
    J. Princen, A. Johnson and A. Bradley, "Subband/transform coding using filter bank designs based on time domain
    aliasing cancellation", ICASSP 1987.
    """

    hop_length: int

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of ``n_samples``."""
        return math.ceil(n_samples / self.hop_length) + 1

    def forward(self, y: Array) -> Array:
        """Return the coefficients, (batch, channels, frames, hop_length), of y, real (batch, channels, samples)."""
        xp, hop, half = get_array_module(y), self.hop_length, self.hop_length // 2
        blocks = xp.zeros((*y.shape[:2], self.n_frames(y.shape[-1]) + 1, hop), y.dtype)
        blocks.reshape(*y.shape[:2], -1)[..., hop : hop + y.shape[-1]] = y
        rising = constant(sine_window, hop, like=y)
        falling = rising[::-1]
        out = xp.empty((*y.shape[:2], blocks.shape[2] - 1, hop), y.dtype)

        def fill(frames: slice) -> None:
            early, late = blocks[:, :, frames] * rising, blocks[:, :, frames.start + 1 : frames.stop + 1] * falling
            folded = xp.empty_like(early)
            folded[..., :half] = -late[..., :half][..., ::-1] - late[..., half:]
            folded[..., half:] = early[..., :half] - early[..., half:][..., ::-1]
            out[:, :, frames] = dct4(folded)

        in_blocks(fill, out.shape[2], out[:, :, :1].size, xp)
        return out

    def inverse(self, coefficients: Array, n_samples: int) -> Array:
        """Return the samples, (batch, channels, n_samples), that have these coefficients."""
        xp, hop, half = get_array_module(coefficients), self.hop_length, self.hop_length // 2
        window = constant(sine_window, hop, like=coefficients)
        folded, out = xp.empty_like(coefficients), xp.empty_like(coefficients[:, :, 1:])

        def transform(frames: slice) -> None:
            folded[:, :, frames] = dct4(coefficients[:, :, frames])

        def fill(frames: slice) -> None:  # a block is the late half of one frame plus the early half of the next
            late, early = folded[:, :, frames, :half], folded[:, :, frames.start + 1 : frames.stop + 1, half:]
            first, second = out[:, :, frames, :half], out[:, :, frames, half:]
            xp.multiply(early, window[:half], out=first)
            first -= late[..., ::-1] * window[half:][::-1]
            xp.multiply(early[..., ::-1], -window[half:], out=second)
            second -= late * window[:half][::-1]

        in_blocks(transform, folded.shape[2], folded[:, :, :1].size, xp)
        in_blocks(fill, out.shape[2], out[:, :, :1].size, xp)
        return out.reshape(*out.shape[:2], -1)[..., :n_samples]


def sine_window(hop_length: int) -> np.ndarray:
    """Return the rising half of the sine window; its square and mirrored square add up to one."""
    return np.sin(np.pi * (np.arange(hop_length) + 0.5) / (2 * hop_length))


def dct4_twiddle(size: int) -> np.ndarray:
    """Return the factors before and after the FFT of `dct4`."""
    return np.exp(-1j * np.pi * (np.arange(size // 2) + 1 / 8) / size) * (2 / size) ** 0.25


def dct4(x: Array) -> Array:
    """Return the orthonormal DCT of type IV over the last axis, its own inverse, by a complex FFT of half the size."""
    xp = get_array_module(x)
    twiddle = constant(dct4_twiddle, x.shape[-1], like=x)
    z = xp.empty((*x.shape[:-1], x.shape[-1] // 2), twiddle.dtype)
    z.real, z.imag = x[..., ::2], x[..., ::-2]
    z *= twiddle
    z = fft(z)
    z *= twiddle
    out = xp.empty(x.shape, x.dtype)
    out[..., ::2], out[..., ::-2] = z.real, -z.imag
    return out
