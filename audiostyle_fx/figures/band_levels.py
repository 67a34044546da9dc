"""Levels of a recording over time in bands of a logarithmic frequency axis."""

from __future__ import annotations

import numpy as np

from .._engine.spectra.stft import default_n_fft

LOW_HZ, HIGH_HZ = 40.0, 20_000.0
"""The ends of the frequency axis; lower and higher is hardly heard."""


RANGE_DB = 80.0
"""From the darkest colour to the brightest."""


_FRAMES = 256  # at a time


class BandLevels:
    """Levels over time in bands of equal width on a logarithmic frequency axis, for a recording that comes in blocks.

    A sine at full scale is 0 dB in its band. Channels are averaged by their power, so that nothing cancels.

    Parameters
    ----------
    n_samples : int
        Of the whole recording, at least 1.
    sample_rate : float
        In Hz.
    rows, columns : int
        Bands, and intervals of time at most; short recordings get fewer.
    high : float
        The upper end of the highest band, in Hz. Above half the sample rate there is nothing.
    """

    def __init__(
        self, n_samples: int, sample_rate: float, rows: int = 144, columns: int = 960, high: float = HIGH_HZ
    ) -> None:
        self._n_fft = default_n_fft(sample_rate)
        self._n_samples = n_samples
        columns = min(columns, 1 + n_samples // 16)
        self._hop = max(1, min(self._n_fft // 2, n_samples // columns))
        self._window = np.hanning(self._n_fft + 1)[:-1].astype(np.float32)
        self._weights = self._bands(sample_rate, np.geomspace(LOW_HZ, high, rows + 1))
        self._power = np.zeros((columns, rows))
        self._frames = np.zeros(columns)
        self._held: np.ndarray | None = None
        self._next = 0  # frame

    def _bands(self, sample_rate: float, edges: np.ndarray) -> np.ndarray:
        """What each bin of a spectrum, twice as fine as the window resolves, adds to each band, (bins, rows)."""
        step = sample_rate / (2 * self._n_fft)
        bins = np.arange(self._n_fft + 1)[:, None] * step
        shared = np.minimum(bins + step / 2, edges[1:]) - np.maximum(bins - step / 2, edges[:-1])
        # A tone spreads over 1.5 bins of the window: in a narrower band it still has its whole power.
        narrow = np.maximum(1, 3 * step / np.diff(edges))
        full_scale = 4 / (2 * self._n_fft * np.sum(self._window**2, dtype=np.float64))
        return (np.maximum(shared, 0) / step * narrow * full_scale).astype(np.float32)

    def add(self, block: np.ndarray) -> None:
        """Take the samples (channels, any number) that follow."""
        if self._held is None:  # the first frame is centred on the first sample
            self._held = np.zeros((len(block), self._n_fft // 2), np.float32)
        held = np.concatenate([self._held, block], axis=1)
        if held.shape[1] < self._n_fft:
            self._held = held
            return
        n_frames = 1 + (held.shape[1] - self._n_fft) // self._hop
        frames = np.lib.stride_tricks.sliding_window_view(held, self._n_fft, axis=1)[:, :: self._hop]
        for start in range(0, n_frames, _FRAMES):
            part = frames[:, start : min(start + _FRAMES, n_frames)]
            spectra = np.fft.rfft(part * self._window, 2 * self._n_fft)
            power = np.mean(spectra.real**2 + spectra.imag**2, axis=0).astype(np.float32) @ self._weights
            centres = (self._next + np.arange(len(power))) * self._hop
            at = np.minimum(centres * len(self._power) // self._n_samples, len(self._power) - 1)
            np.add.at(self._power, at, power)
            np.add.at(self._frames, at, 1)
            self._next += len(power)
        self._held = held[:, n_frames * self._hop :]

    def decibels(self) -> np.ndarray:
        """The levels, float32 (rows, columns), the lowest band first, once all samples have been added."""
        if self._held is not None:
            self.add(np.zeros((len(self._held), self._n_fft // 2), np.float32))
            self._held = None
        mean = self._power / np.maximum(self._frames, 1)[:, None]
        return (10 * np.log10(np.maximum(mean, 1e-20))).astype(np.float32).T
