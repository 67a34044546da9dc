"""What a recording keeps of another: signals of which it is known how much they keep."""

import numpy as np
import pytest
from support.tunes import RATE, tune

from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._recordings.similarity import Features, Kept, kept

TUNE = tune()
NOTE = RATE // 2
"""Samples of a note of the tune."""


def features(audio, rate=RATE):
    return Features.of([audio.astype(np.float32)], rate, rms(audio) or 1.0)


def compared(result, content=TUNE):
    return kept(features(content), features(result))


def noise(seed=0, n_samples=TUNE.shape[1], channels=1):
    return np.random.default_rng(seed).standard_normal((channels, n_samples)).astype(np.float32)


def backwards(audio):
    """The notes of a tune in the opposite order, each of them forwards."""
    return audio.reshape(1, -1, NOTE)[:, ::-1].reshape(1, -1)


@pytest.mark.parametrize(
    "result",
    [
        TUNE,
        -TUNE,
        1e30 * TUNE,
        1e-30 * TUNE,
        np.concatenate([TUNE, -TUNE]),
        TUNE[:, : 8 * NOTE],
        np.pad(TUNE, ((0, 0), (0, RATE))),
    ],
    ids=["itself", "inverted", "very loud", "very quiet", "opposite channels", "shorter", "longer"],
)
def test_what_is_equal_keeps_all(result):
    assert compared(result) == pytest.approx((1, 1, 1), abs=2e-3)


@pytest.mark.parametrize("rate", [16_000, 44_100, 47_999.5])
def test_another_sample_rate_changes_nothing(rate):
    result = resample(TUNE, RATE, rate)
    assert kept(features(TUNE), features(result, rate)) == pytest.approx((1, 1, 1), abs=0.02)


def test_noise_keeps_nothing():
    assert compared(noise()) == pytest.approx((0, 0, 0), abs=0.1)


def test_other_notes_in_the_same_rhythm_keep_the_attacks_alone():
    other = compared(backwards(TUNE))
    assert other.melody < 0.5 and other.attacks > 0.9 and other.dynamics > 0.9


def test_another_key_is_another_melody():
    assert compared(tune(6.0)).melody < 0.2


def test_another_timbre_is_the_same_melody():
    assert compared(tune(harmonics=(1, 0.2, 0.1))).melody == 1


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.02, 0.9, 1), (0.25, -1, 0.3)])
def test_attacks_may_be_a_little_late_but_not_in_another_rhythm(seconds, least, most):
    assert least < compared(np.roll(TUNE, round(seconds * RATE), axis=1)).attacks <= most


def test_an_inverted_level_is_negative():
    swell = 10 ** (np.sin(2 * np.pi * np.arange(TUNE.shape[1]) / RATE) / 2)
    result = compared(noise(1) / swell, noise() * swell)
    assert result.dynamics < -0.95 and result.melody is None


def test_a_pause_may_be_more_or_less_silent():
    pauses = np.repeat([1.0, 0.0] * (len(TUNE[0]) // (2 * NOTE)), NOTE).astype(np.float32)
    content = noise() * pauses
    assert compared(content + 1e-3 * noise(1), content).dynamics > 0.98


SILENCE = np.zeros_like(TUNE)


@pytest.mark.parametrize(("content", "result"), [(SILENCE, TUNE), (TUNE, SILENCE), (SILENCE, SILENCE)])
def test_nothing_can_be_said_of_silence(content, result):
    assert compared(result, content) == Kept(None, None, None)


@pytest.mark.parametrize("content", [noise(), np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE)[None]])
def test_a_steady_content_has_nothing_to_keep(content):
    assert compared(TUNE, content) == Kept(None, None, None)


@pytest.mark.parametrize("n_samples", [1, 100, 2815, 2816, NOTE // 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_nothing_can_be_said_of_very_short_recordings(n_samples, channels):
    short = noise(0, n_samples, channels)
    assert compared(short, short) == Kept(None, None, None)


def test_half_a_second_has_attacks():
    short = TUNE[:, NOTE // 2 : NOTE + NOTE // 2]
    result = compared(short, short)
    assert result.melody is None and (result.attacks, result.dynamics) == pytest.approx((1, 1))


@pytest.mark.parametrize("size", [1000, 9999, RATE])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_features_do_not_depend_on_the_blocks(size, rate):
    blocks = [TUNE[:, start : start + size] for start in range(0, TUNE.shape[1], size)]
    whole, parts = features(TUNE, rate), Features.of(blocks, rate, rms(TUNE))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_an_empty_recording_has_no_features():
    assert [len(feature) for feature in Features.of([], RATE, 1.0)] == [0, 0, 0]
