"""Levels of a recording over time in bands of a logarithmic frequency axis."""

from __future__ import annotations

import numpy as np

from .._engine.spectra.stft import default_n_fft

LOW_HZ, HIGH_HZ = 40.0, 20_000.0
"""The ends of the frequency axis in Hz; frequencies beyond them are hardly audible."""

RANGE_DB = 80.0
"""The range of levels in dB that colours show."""

_FRAMES = 256
"""Number of frames transformed at a time."""


class BandLevels:
    """Levels over time in bands of equal width on a logarithmic frequency axis, of a recording that comes in blocks.

    A sine at full scale has 0 dB in its band. The power of the channels is averaged, so opposite ones don't cancel.

    Parameters
    ----------
    n_samples : int
        Length of the whole recording in samples, at least 1.
    sample_rate : float
        In Hz.
    bands : int
        Number of bands.
    intervals : int
        Number of time intervals; short recordings get fewer.
    high_hz : float
        The upper end of the highest band, in Hz. Bands above half the sample rate are empty.
    """

    def __init__(
        self, n_samples: int, sample_rate: float, bands: int = 144, intervals: int = 960, high_hz: float = HIGH_HZ
    ) -> None:
        self._n_fft = default_n_fft(sample_rate)
        self._n_samples = n_samples
        intervals = min(intervals, 1 + n_samples // 16)
        self._hop_length = max(1, min(self._n_fft // 2, n_samples // intervals))
        self._window = np.hanning(self._n_fft + 1)[:-1].astype(np.float32)
        self._weights = self._band_weights(sample_rate, np.geomspace(LOW_HZ, high_hz, bands + 1))
        self._power = np.zeros((intervals, bands))
        self._n_frames = np.zeros(intervals)
        self._buffer: np.ndarray | None = None  # the samples of frames that are not complete yet
        self._next_frame = 0

    def _band_weights(self, sample_rate: float, edges: np.ndarray) -> np.ndarray:
        """Return the share of each frequency bin's power that counts for each band, float32 (bins, bands).

        Spectra are zero-padded to twice the window's length, so bins are half as far apart as the window resolves.
        """
        step = sample_rate / (2 * self._n_fft)
        bins = np.arange(self._n_fft + 1)[:, None] * step
        shared = np.minimum(bins + step / 2, edges[1:]) - np.maximum(bins - step / 2, edges[:-1])
        # A tone spreads over 1.5 bins of the window: a narrower band must count its whole power, too.
        narrow = np.maximum(1, 3 * step / np.diff(edges))
        full_scale = 4 / (2 * self._n_fft * np.sum(self._window**2, dtype=np.float64))
        return (np.maximum(shared, 0) / step * narrow * full_scale).astype(np.float32)

    def add(self, block: np.ndarray) -> None:
        """Add the next samples, (channels, any number)."""
        if self._buffer is None:  # the first frame is centred on the first sample
            self._buffer = np.zeros((len(block), self._n_fft // 2), np.float32)
        samples = np.concatenate([self._buffer, block], axis=1)
        if samples.shape[1] < self._n_fft:
            self._buffer = samples
            return
        n_frames = 1 + (samples.shape[1] - self._n_fft) // self._hop_length
        frames = np.lib.stride_tricks.sliding_window_view(samples, self._n_fft, axis=1)[:, :: self._hop_length]
        for start in range(0, n_frames, _FRAMES):
            self._add_frames(frames[:, start : min(start + _FRAMES, n_frames)])
        self._buffer = samples[:, n_frames * self._hop_length :]

    def _add_frames(self, frames: np.ndarray) -> None:
        """Add the power of frames (channels, frames, n_fft) to the intervals that contain their centres."""
        spectra = np.fft.rfft(frames * self._window, 2 * self._n_fft)
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=0).astype(np.float32) @ self._weights
        centres = (self._next_frame + np.arange(len(power))) * self._hop_length
        intervals = np.minimum(centres * len(self._power) // self._n_samples, len(self._power) - 1)
        np.add.at(self._power, intervals, power)
        np.add.at(self._n_frames, intervals, 1)
        self._next_frame += len(power)

    def decibels(self) -> np.ndarray:
        """Return the levels in dB, float32 (bands, intervals), the lowest band first, after the last samples."""
        if self._buffer is not None:
            self.add(np.zeros((len(self._buffer), self._n_fft // 2), np.float32))
            self._buffer = None
        mean = self._power / np.maximum(self._n_frames, 1)[:, None]
        return (10 * np.log10(np.maximum(mean, 1e-20))).astype(np.float32).T
