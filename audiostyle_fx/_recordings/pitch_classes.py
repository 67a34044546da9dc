"""Pitch classes of a recording: the share of each, the tuning, and whether the recording has pitches at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._engine.arrays.fft import rfft
from .disk_samples import Samples

WINDOW_SECONDS = 0.37
"""Approximate length of the window: it separates the partials of neighbouring semitones from 100 Hz on."""

LOW_HZ, HIGH_HZ = 80.0, 2000.0
"""Limits of partials in Hz: lower ones are too broad for the window, and higher ones blur the pitch classes."""

MAX_PLACES = 600
"""Number of places of a recording, evenly spread, that are analysed, so that long recordings don't take longer."""

PLACES_TOGETHER = 16
"""Places that are analysed together, so that memory does not grow with the recording: at 44,100 Hz some 15 MB for each
channel."""

NEARBY_BINS = 40
"""Bins on either side of a partial whose median is the noise floor around it."""

ABOVE_FLOOR = 8.0
"""Least ratio of a partial's magnitude to the noise floor: 18 dB. In noise one maximum in a thousand is as high."""

SAME_PITCH = 0.25
"""The most semitones by which a partial may differ between the two frames of a place."""

PITCHED = 0.03
"""Least tonal share of a recording with pitches. Measured: 0.000 for drums, fire, typing, rain and noises, 0.003 for
clapping; 0.16 for the quietest of seven pieces of music, a pizzicato, and 0.25 to 0.72 for the others."""

SAME_TUNING = 0.05
"""Tunings that differ by fewer semitones than these 5 cents count as equal, because nobody hears the difference."""


@dataclass(frozen=True, eq=False)
class PitchClasses:
    """Shares of the pitch classes in a recording.

    Attributes
    ----------
    chroma : float64 array (12,)
        Mean share of the pitch classes from C on, relative to the recording's own tuning.
    tuning : float
        Semitones, -0.5 to 0.5, by which the recording is higher than A4 = 440 Hz.
    tonal_share : float
        Mean share of steady partials in the energy between `LOW_HZ` and `HIGH_HZ`, 0 to 1.
    """

    chroma: np.ndarray
    tuning: float
    tonal_share: float

    @property
    def pitched(self) -> bool:
        """Whether the recording has pitches; drums, rain and speech have none that form a key."""
        return self.tonal_share >= PITCHED

    @classmethod
    def of(cls, audio: Samples, sample_rate: float) -> PitchClasses:
        """Measure a recording (channels, samples); the powers of its channels are added."""
        n_fft = 2 ** round(math.log2(WINDOW_SECONDS * sample_rate))
        pitches, weights, shares, levels = [np.zeros(0)], [np.zeros(0)], [], []
        places = _places(audio.shape[1], n_fft)
        for number in range(0, len(places), PLACES_TOGETHER):
            for energy, found, magnitudes in _steady_partials(
                audio, places[number : number + PLACES_TOGETHER], n_fft, sample_rate
            ):
                # With a Hann window, the energy of a sine is 1.5 times the square of its peak.
                share = min(1.0, 1.5 * float(np.sum(magnitudes**2)) / energy)
                shares.append(share)
                levels.append(math.sqrt(energy))
                pitches.append(found)
                # Each place counts by its share of partials, not by its level: a few loud chords don't decide the key.
                weights.append(magnitudes * (share / max(float(magnitudes.sum()), 1e-30)))
        return cls._from_partials(np.concatenate(pitches), np.concatenate(weights), _weighted_mean(shares, levels))

    @classmethod
    def _from_partials(cls, pitches: np.ndarray, weights: np.ndarray, tonal_share: float) -> PitchClasses:
        """Return the pitch classes of partials: pitches in semitones above C, and their weights."""
        phase = np.angle(np.sum(weights * np.exp(2j * np.pi * pitches))) if len(pitches) else 0.0
        tuning = float(phase / (2 * np.pi))
        chroma = np.bincount(np.round(pitches - tuning).astype(int) % 12, weights, 12)
        return cls(chroma / max(chroma.sum(), 1e-30), tuning, tonal_share)


def semitones_between(content: PitchClasses, style: PitchClasses) -> float:
    """Return by how many semitones the style has to be moved into the content's key; 0 if either has no pitches.

    The whole semitones, -5 to 6, maximise the correlation of the mean chromas; of two nearly equal moves the smaller
    one wins. The difference of the tunings is added.
    """
    if not (content.pitched and style.pitched):
        return 0.0
    tuning = content.tuning - style.tuning
    whole, tuning = round(tuning), tuning - round(tuning)
    a, b = content.chroma - content.chroma.mean(), style.chroma - style.chroma.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b)) or 1.0
    # The tuning wraps around at half a semitone, so its whole part belongs to the shift.
    fits = {k: float(a @ np.roll(b, k - whole)) / scale - 0.01 * abs(k) for k in range(-5, 7)}
    shift = max(fits, key=lambda k: fits[k])
    return float(shift + tuning if abs(tuning) >= SAME_TUNING else shift)


def _places(n_samples: int, n_fft: int) -> np.ndarray:
    """Return the first samples of pairs of frames: one window apart, or more in long recordings."""
    last = max(0, n_samples - n_fft - n_fft // 2)
    return np.linspace(0, last, min(MAX_PLACES, last // n_fft + 1)).astype(int)


def _steady_partials(
    audio: Samples, places: np.ndarray, n_fft: int, sample_rate: float
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Yield the energy, and the pitches and magnitudes of the steady partials, of each place that sounds."""
    band = _band(n_fft, sample_rate)
    magnitudes = _magnitudes(audio, places[:, None] + np.array([0, n_fft // 2]), n_fft)[..., : band.stop + NEARBY_BINS]
    energies = np.sum(magnitudes[:, 0, band] ** 2, axis=-1)
    partials = _partials(magnitudes.reshape(2 * len(places), -1), band, sample_rate / n_fft)
    for energy, first, second in zip(energies, partials[::2], partials[1::2], strict=True):
        if energy:
            yield float(energy), *_steady(first, second)


def _magnitudes(audio: Samples, starts: np.ndarray, n_fft: int) -> np.ndarray:
    """Return the magnitudes (..., bins) of the frames that begin at the samples (...), all channels together."""
    frames = np.zeros((starts.size, audio.shape[0], n_fft))
    for frame, start in zip(frames, starts.flat, strict=True):
        samples = audio[:, start : start + n_fft]
        frame[:, : samples.shape[1]] = samples
    frames *= 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    magnitudes = np.sqrt(np.sum(np.abs(rfft(frames)) ** 2, axis=1))
    return np.asarray(magnitudes.reshape(*starts.shape, -1))


def _band(n_fft: int, sample_rate: float) -> slice:
    """Return the bins between `LOW_HZ` and `HIGH_HZ`."""
    width = sample_rate / n_fft
    return slice(math.ceil(LOW_HZ / width), min(n_fft // 2 - 1, math.ceil(HIGH_HZ / width)))


def _partials(magnitudes: np.ndarray, band: slice, bin_hz: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the partials of each frame in a band: pitches in semitones above C, and magnitudes.

    A parabola through the logarithms of a maximum and its neighbours gives the frequency (Smith and Serra
    1987, PARSHL).

    Parameters
    ----------
    magnitudes : float64 array (frames, bins)
        The bins from 0 Hz on, up to `NEARBY_BINS` above the band.
    band : slice
    bin_hz : float
        Distance of the bins.
    """
    middle, below, above = (magnitudes[:, band.start + step : band.stop + step] for step in (0, -1, 1))
    keep = (middle > below) & (middle >= above) & (middle > 1e-3 * middle.max(axis=1, keepdims=True))
    keep &= middle > ABOVE_FLOOR * _nearby_medians(magnitudes)[:, band]
    low, peak, high = (np.log(side[keep] + 1e-30) for side in (below, middle, above))
    offset = 0.5 * (low - high) / np.minimum(low - 2 * peak + high, -1e-9)
    hz = (band.start + np.nonzero(keep)[1] + np.clip(offset, -0.5, 0.5)) * bin_hz
    ends = np.cumsum(np.count_nonzero(keep, axis=1))[:-1]
    return [*zip(np.split(12 * np.log2(hz / 440.0) + 69, ends), np.split(middle[keep], ends), strict=True)]


def _nearby_medians(magnitudes: np.ndarray) -> np.ndarray:
    """Return the median over `NEARBY_BINS` on either side of each bin, of magnitudes (frames, bins)."""
    from scipy.ndimage import median_filter

    # SciPy's filter for one axis is many times faster than the one for two: all frames in a row, reflected at the ends.
    padded = np.pad(magnitudes, ((0, 0), (NEARBY_BINS, NEARBY_BINS)), mode="symmetric")
    medians = median_filter(padded.ravel(), 2 * NEARBY_BINS + 1).reshape(padded.shape)
    return np.asarray(medians[:, NEARBY_BINS:-NEARBY_BINS])


def _steady(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the partials of the first frame that the second frame also has."""
    pitches, magnitudes = first
    others = second[0]
    if not len(pitches) or not len(others):
        return pitches[:0], magnitudes[:0]
    nearest = np.min(np.abs(pitches[:, None] - others[None]), axis=1)
    return pitches[nearest < SAME_PITCH], magnitudes[nearest < SAME_PITCH]


def _weighted_mean(values: list[float], weights: list[float]) -> float:
    return float(np.average(values, weights=weights)) if values else 0.0
