"""Pitch classes: known chords moved by known intervals are found; recordings without pitches are recognised."""

import numpy as np
import pytest
from support.tunes import RATE, tune

from audiostyle_fx._recordings.pitch_classes import PitchClasses, semitones_between


def found(content, style, rate=RATE):
    return semitones_between(PitchClasses.of(content, rate), PitchClasses.of(style, rate))


@pytest.mark.parametrize("semitones", [3.0, -4.0, 1.3, -2.45, 5.2])
def test_interval_found_within_ten_cents(semitones):
    assert found(tune(semitones), tune(harmonics=(1, 0.2, 0.6, 0.1, 0.3))) == pytest.approx(semitones, abs=0.1)


def test_interval_found_at_another_rate():
    assert found(tune(2.0, rate=44_100), tune(rate=44_100), 44_100) == pytest.approx(2, abs=0.1)


def test_equal_keys_are_not_moved():
    assert found(tune(0.02), tune(harmonics=(1, 0.1, 0.1))) == 0


def test_tuning_in_semitones():
    assert PitchClasses.of(tune(0.3), RATE).tuning == pytest.approx(0.3, abs=0.03)


def test_loud_foreign_chord_does_not_decide():
    loud = 30 * tune(1.0)[:, :RATE]
    assert found(np.concatenate([tune(3.0), loud], axis=1), tune()) == pytest.approx(3, abs=0.1)


def noises():
    random = np.random.default_rng(0)
    white = random.standard_normal((1, 5 * RATE)).astype(np.float32)
    time = np.arange(white.shape[1]) / RATE
    yield white
    yield np.cumsum(white, axis=1) / 100
    yield white * np.maximum(0, np.sin(2 * np.pi * 4 * time))
    yield white * np.exp(-30 * (time % 0.25))
    yield np.zeros((2, 5 * RATE), np.float32)
    yield np.ones((1, 100), np.float32)


@pytest.mark.parametrize("noise", [*noises()])
def test_without_pitches_nothing_is_moved(noise):
    assert not PitchClasses.of(noise, RATE).pitched
    assert found(noise, tune()) == found(tune(), noise) == 0


def test_channels_in_opposite_phase_count():
    sides = np.concatenate([tune(), -tune()])
    np.testing.assert_allclose(PitchClasses.of(sides, RATE).chroma, PitchClasses.of(tune(), RATE).chroma, atol=1e-6)
