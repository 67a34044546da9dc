"""Levels of sound over time in bands of frequency."""

import numpy as np
import pytest

from audiostyle_fx.figures.band_levels import HIGH_HZ, LOW_HZ, BandLevels

RATE = 44_100


def levels(audio, rate=RATE, **options):
    bands = BandLevels(audio.shape[1], rate, **options)
    bands.add(audio)
    return bands.decibels()


@pytest.mark.parametrize("hertz", [60, 440, 3000, 15_000])
def test_a_full_scale_sine_is_0_db_in_its_band(hertz):
    sine = np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE).astype(np.float32)[None]
    middle = levels(sine)[:, 400]
    edges = np.geomspace(LOW_HZ, HIGH_HZ, len(middle) + 1)
    loudest = middle.argmax()
    assert -3.1 < middle[loudest] < 0.1  # at the edge of two bands, half the power is in each
    assert edges[max(0, loudest - 1)] < hertz < edges[loudest + 2]


def test_the_picture_does_not_depend_on_the_blocks():
    audio = np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32)
    bands = BandLevels(20_000, RATE)
    for start in range(0, 20_000, 777):
        bands.add(audio[:, start : start + 777])
    np.testing.assert_allclose(bands.decibels(), levels(audio), atol=1e-3)


def test_time_runs_from_left_to_right_over_the_whole_width():
    click = np.zeros((1, 40_000), np.float32)
    click[0, 30_000] = 1
    picture = levels(click, intervals=100)
    assert picture.shape == (144, 100)
    assert abs(picture[-20].argmax() - 75) <= 1


@pytest.mark.parametrize("n_samples", [1, 2, 15, 100, 5000])
def test_short_recordings_have_a_picture_without_gaps(n_samples):
    noise = np.random.default_rng(0).standard_normal((1, n_samples)).astype(np.float32)
    assert (levels(noise)[-30] > -80).all()


def test_opposite_channels_do_not_cancel():
    noise = np.random.default_rng(0).standard_normal((1, 5000)).astype(np.float32)
    np.testing.assert_allclose(levels(np.concatenate([noise, -noise])), levels(noise), atol=1e-3)
