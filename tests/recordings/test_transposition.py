"""Transposition: other pitches, the same long-term spectrum."""

import itertools

import numpy as np
import pytest
from support.tunes import RATE, tune

from audiostyle_fx._recordings.pitch_classes import PitchClasses, semitones_between
from audiostyle_fx._recordings.transposition import transposed


def coloured_noise(seconds=6):
    """Noise with two formants, to the end of the spectrum."""
    noise = np.random.default_rng(1).standard_normal(seconds * RATE)
    hz = np.fft.rfftfreq(len(noise), 1 / RATE)
    shape = 0.1 + np.exp(-(((hz - 600) / 150) ** 2)) + 0.5 * np.exp(-(((hz - 2500) / 400) ** 2))
    return np.fft.irfft(np.fft.rfft(noise) * shape, len(noise)).astype(np.float32)[None]


def third_octaves(audio):
    """Level in dB of thirds of an octave from 100 Hz to 10 kHz."""
    power = np.abs(np.fft.rfft(audio[0])) ** 2 / audio.shape[1] ** 2
    hz = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    edges = 100 * 2 ** (np.arange(21) / 3)
    bands = itertools.pairwise(edges)
    return 10 * np.log10([power[(hz >= low) & (hz < high)].sum() for low, high in bands])


@pytest.mark.parametrize("semitones", [4.0, -5.0, 2.5])
def test_pitches_move(semitones):
    moved, still = (PitchClasses.of(audio, RATE) for audio in (transposed(tune(), RATE, semitones), tune()))
    assert semitones_between(moved, still) == pytest.approx(semitones, abs=0.1)


@pytest.mark.parametrize("semitones", [6.0, -5.0, 0.3])
def test_long_term_spectrum_stays_up_to_the_top(semitones):
    noise = coloured_noise()
    moved = transposed(noise, RATE, semitones)
    assert moved.shape[1] == pytest.approx(noise.shape[1] / 2 ** (semitones / 12), abs=1)
    np.testing.assert_allclose(third_octaves(moved), third_octaves(noise), atol=1.5)


def test_no_move_is_the_array_itself():
    noise = coloured_noise(1)
    assert transposed(noise, RATE, 0.0) is noise


def test_silent_channel_stays_silent():
    moved = transposed(np.concatenate([coloured_noise(1), np.zeros((1, RATE), np.float32)]), RATE, -3.0)
    assert moved.dtype == np.float32 and moved[0].any() and not moved[1].any()


@pytest.mark.parametrize("level", [1e-30, 1e37])
def test_any_level_is_moved_alike(level):
    noise = coloured_noise(1)[:, : RATE // 2]
    moved = transposed((level * np.float64(noise)).astype(np.float32), RATE, -3.0)
    np.testing.assert_allclose(
        moved / np.float64(level), transposed(noise, RATE, -3.0), atol=1e-4 * np.abs(noise).max()
    )
