"""Transposition of a recording: other pitches, the same timbre.

The recording is resampled, which moves pitch and tempo together, and a third-octave equaliser restores its own
long-term spectrum, so that formants stay. A change of the length does not matter for a style, and unlike a phase
vocoder, resampling does not smear attacks.
"""

from __future__ import annotations

import math

import numpy as np

from .._engine.arrays.array_module import OVERFLOW
from .._engine.arrays.fft import irfft, rfft
from .._engine.spectra.mel_bands import MelBands, level_counts, level_gains, transport_gains
from .._engine.spectra.stft import STFT
from .levels import RMS, rms
from .resampling import resample

WINDOW_SECONDS = 0.093
"""Approximate length of the equaliser's window."""

THIRD_OCTAVE = 2 ** (1 / 6) - 2 ** (-1 / 6)
"""Width of a third of an octave divided by its centre frequency."""

MAX_GAIN = 10.0
"""Largest gain of the equaliser, 20 dB up or down; more would only raise noise between partials."""

LEAST_BINS = 4
"""Least bins on either side in the mean, because in the bass a third of an octave is narrower than the move."""

REFINEMENTS = 3
"""Number of corrections of the equaliser for the error that its own smoothing leaves."""

PASS_BAND = 0.91
"""Share of half the sample rate that resampling keeps."""

FLOOR = 1e-8
"""Power, relative to the strongest bin, below which the top of a spectrum counts as empty: -80 dB."""


def transposed(audio: np.ndarray, sample_rate: float, semitones: float) -> np.ndarray:
    """Return a recording moved by semitones that keeps its own long-term spectrum.

    Parameters
    ----------
    audio : float32 array (channels, samples)
    sample_rate : float
        In Hz.
    semitones : float
        Positive numbers move it up.

    Returns
    -------
    float32 array (channels, samples / 2**(semitones / 12))
        The given array itself for 0 semitones.
    """
    if semitones == 0:
        return audio
    ratio = 2.0 ** (semitones / 12)
    # Powers of very large or small samples exceed the range of float32. A power of two scales without rounding.
    scale = 2.0 ** np.frexp(np.abs(audio).max(initial=0))[1]
    own = (audio / np.float64(scale)).astype(np.float32)
    moved = resample(own, sample_rate * ratio, sample_rate)
    moved = np.stack([_equalised(*pair, sample_rate, ratio) for pair in zip(moved, own, strict=True)])
    moved = _with_levels_of(own, moved, sample_rate)
    with np.errstate(**OVERFLOW):
        return np.asarray(moved * np.float64(scale)).astype(np.float32)


def _with_levels_of(own: np.ndarray, moved: np.ndarray, sample_rate: float) -> np.ndarray:
    """Return a moved recording whose mel bands have the distributions of levels of the unmoved recording.

    Measured on four styles by MFCCs: after resampling and the equaliser alone, their distance from the unmoved ones is
    0.04 to 0.21 of the distance between two recordings; with this step it is 0.03 to 0.14.
    """
    n_fft, level = 2 ** round(math.log2(WINDOW_SECONDS * sample_rate)), rms(own)
    stft = STFT(n_fft, n_fft // 4)
    if min(own.shape[1], moved.shape[1]) <= 2 * n_fft or not level:
        return moved
    bands = MelBands(stft, sample_rate)
    spectra = [stft.forward((audio * np.float64(RMS / level)).astype(np.float32)[None]) for audio in (moved, own)]
    counts = [level_counts(bands.levels(spectrum)[0]) for spectrum in spectra]
    gains = level_gains(bands.levels(spectra[0]), transport_gains(*counts)[None])
    matched = stft.inverse(bands.amplify(spectra[0], gains), moved.shape[1])[0]
    return np.asarray(matched * np.float64(level / RMS)).astype(np.float32)


def _equalised(moved: np.ndarray, own: np.ndarray, sample_rate: float, ratio: float) -> np.ndarray:
    """Return a moved channel with the long-term spectrum of the unmoved one, (samples,)."""
    n_fft = 2 ** round(math.log2(WINDOW_SECONDS * sample_rate))
    starts = np.arange(0, len(moved) + n_fft, n_fft // 4)
    spectra = _spectra(moved, starts, n_fft)
    # Frames of the unmoved recording at the same positions of the music.
    unmoved = _spectra(own, np.round((starts - n_fft / 2) * ratio + n_fft / 2).astype(int), n_fft)
    wanted = _power(unmoved)
    if ratio < 1:
        # A recording that is moved down has nothing near half the sample rate: the unmoved recording fills this band.
        top = int(np.flatnonzero(wanted >= FLOOR * wanted.max())[-1])
        empty = slice(int(min(top, PASS_BAND * (n_fft // 2)) * ratio), None)
        spectra[:, empty] = unmoved[:, empty]
        # Frames with another spacing partly cancel where they overlap, so the equaliser has to include the overlap.
        spectra = _spectra(_overlap_added(spectra, starts, n_fft)[: len(moved)], starts, n_fft)
    gain = _equaliser(_power(spectra), wanted)
    return _overlap_added(spectra * gain.astype(np.float32), starts, n_fft)[: len(moved)]


def _equaliser(power: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the gain (bins,) that brings a long-term power spectrum (bins,) to another in thirds of an octave."""
    gain, wanted = np.ones(len(power)), _third_octaves(wanted)
    for _ in range(REFINEMENTS):
        level = np.maximum(_third_octaves(power * gain**2), np.finfo(np.float32).tiny)
        gain = np.clip(gain * np.sqrt(wanted / level), 1 / MAX_GAIN, MAX_GAIN)
    return gain


def _window(n_fft: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)


def _spectra(audio: np.ndarray, starts: np.ndarray, n_fft: int) -> np.ndarray:
    """Return spectra, complex64 (frames, bins); ``starts`` are counted from one frame before the first sample."""
    padded = np.pad(audio, (n_fft, 3 * n_fft))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[np.clip(starts, 0, len(padded) - n_fft)]
    return np.asarray(rfft(frames * _window(n_fft)))


def _overlap_added(spectra: np.ndarray, starts: np.ndarray, n_fft: int) -> np.ndarray:
    """Return the samples of spectra, from the first sample on: the inverse of `_spectra`."""
    window = _window(n_fft)
    frames = irfft(spectra, n_fft) * (window / np.float32(1.5 * n_fft))
    samples = np.zeros(starts[-1] + n_fft, np.float32)
    for start, frame in zip(starts, frames, strict=True):
        samples[start : start + n_fft] += frame
    return samples[n_fft:]


def _power(spectra: np.ndarray) -> np.ndarray:
    """Return the long-term power (bins,) of spectra (frames, bins)."""
    return np.asarray(np.mean(np.abs(spectra) ** 2, axis=0, dtype=np.float64))


def _third_octaves(power: np.ndarray) -> np.ndarray:
    """Return the mean (bins,) over a third of an octave around each bin."""
    bins = np.arange(len(power))
    half = np.maximum(LEAST_BINS, bins * THIRD_OCTAVE / 2).astype(int)
    low, high = np.maximum(0, bins - half), np.minimum(len(power), bins + half + 1)
    total = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray((total[high] - total[low]) / (high - low))
