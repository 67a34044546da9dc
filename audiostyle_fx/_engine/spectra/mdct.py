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
    """Modified discrete cosine transform with a sine window: an orthonormal basis of notes in time and frequency.

    Its coefficients are one per ``hop_length`` samples and band, (batch, channels, frames, hop_length), and the
    transform is orthonormal, so that its adjoint is its inverse.

    References
    ----------
    J. Princen, A. Johnson and A. Bradley, "Subband/transform coding using filter bank designs based on time domain
    aliasing cancellation", ICASSP 1987.
    """

    hop_length: int

    def n_frames(self, n_samples: int) -> int:
        """Frames of a recording of ``n_samples``."""
        return math.ceil(n_samples / self.hop_length) + 1

    def forward(self, y: Array) -> Array:
        """Coefficients, (batch, channels, frames, hop_length), of y, real (batch, channels, samples)."""
        xp, hop, half = get_array_module(y), self.hop_length, self.hop_length // 2
        padding = (hop, self.n_frames(y.shape[-1]) * hop - y.shape[-1])
        blocks = xp.pad(y, ((0, 0), (0, 0), padding)).reshape(*y.shape[:2], -1, hop)
        rising = constant(_sine, hop, like=y)
        falling = rising[::-1]
        out = xp.empty((*y.shape[:2], blocks.shape[2] - 1, hop), y.dtype)

        def fill(at: slice) -> None:
            early, late = blocks[:, :, at] * rising, blocks[:, :, at.start + 1 : at.stop + 1] * falling
            folded = xp.empty_like(early)
            folded[..., :half] = -late[..., :half][..., ::-1] - late[..., half:]
            folded[..., half:] = early[..., :half] - early[..., half:][..., ::-1]
            out[:, :, at] = _dct4(folded)

        in_blocks(fill, out.shape[2], out[:, :, :1].size, xp)
        return out

    def inverse(self, coefficients: Array, n_samples: int) -> Array:
        """The (batch, channels, n_samples) that has these coefficients."""
        xp, hop, half = get_array_module(coefficients), self.hop_length, self.hop_length // 2
        window = constant(_sine, hop, like=coefficients)
        folded, out = xp.empty_like(coefficients), xp.empty_like(coefficients[:, :, 1:])

        def transform(at: slice) -> None:
            folded[:, :, at] = _dct4(coefficients[:, :, at])

        def fill(at: slice) -> None:  # each block is the late half of one frame and the early half of the next
            late, early = folded[:, :, at, :half], folded[:, :, at.start + 1 : at.stop + 1, half:]
            first, second = out[:, :, at, :half], out[:, :, at, half:]
            xp.multiply(early, window[:half], out=first)
            first -= late[..., ::-1] * window[half:][::-1]
            xp.multiply(early[..., ::-1], -window[half:], out=second)
            second -= late * window[:half][::-1]

        in_blocks(transform, folded.shape[2], folded[:, :, :1].size, xp)
        in_blocks(fill, out.shape[2], out[:, :, :1].size, xp)
        return out.reshape(*out.shape[:2], -1)[..., :n_samples]


def _sine(hop_length: int) -> np.ndarray:
    """The rising half of the sine window, whose square and mirrored square sum to one."""
    return np.sin(np.pi * (np.arange(hop_length) + 0.5) / (2 * hop_length))


def _dct4_twiddle(size: int) -> np.ndarray:
    return np.exp(-1j * np.pi * (np.arange(size // 2) + 1 / 8) / size) * (2 / size) ** 0.25


def _dct4(x: Array) -> Array:
    """Orthonormal DCT of type IV over the last axis, its own inverse, by a complex FFT of half the size."""
    xp = get_array_module(x)
    twiddle = constant(_dct4_twiddle, x.shape[-1], like=x)
    z = xp.empty((*x.shape[:-1], x.shape[-1] // 2), twiddle.dtype)
    z.real, z.imag = x[..., ::2], x[..., ::-2]
    z *= twiddle
    z = fft(z)
    z *= twiddle
    out = xp.empty(x.shape, x.dtype)
    out[..., ::2], out[..., ::-2] = z.real, -z.imag
    return out
