"""The gain that gives one recording the level of another."""

import numpy as np
import pytest
from support.twins import assert_same, normal

from audiostyle_fx._engine.spectra.level_following import LEAST_DB, MOST_DB, LevelFollower

RATE = 2000


def noise(seed, seconds=4, channels=1, dtype="float64"):
    return normal(seed, 1, channels, int(seconds * RATE)).astype(dtype)


def times(y):
    return np.arange(y.shape[-1]) / RATE


def followed(y, other):
    return y * LevelFollower.of(other, RATE).gain(y)


def decibels(power):
    return 10 * np.log10(power)


def levels(y, seconds=0.4):
    """The level in dB of each whole stretch of this length, (batch, stretches)."""
    length = int(seconds * RATE)
    power = np.square(y).sum(axis=1)
    return decibels(power[:, : power.shape[1] // length * length].reshape(len(y), -1, length).mean(axis=2))


def swelling(y, depth=6, period=4):
    return y * 10 ** (depth / 20 * np.sin(2 * np.pi * times(y) / period))


# ---------------------------------------------------------------- what is followed
@pytest.mark.parametrize("seed", range(3))
def test_loud_and_soft_follow(seed):
    other, y = swelling(noise(seed, 8)), 0.5 * swelling(noise(seed + 10, 8), period=3)
    assert abs(levels(y) - levels(other)).max() > 8
    assert abs(levels(followed(y, other)) - levels(other)).max() < 0.5


def strokes(y, period=0.5, sounding=0.3):
    return y * (times(y) % period < sounding)


def test_pauses_between_strokes_come_back():
    other, y = strokes(noise(0)), noise(1)
    result = followed(y, other)
    middle = abs(times(y) % 0.5 - 0.4) < 0.04
    assert decibels(np.mean(result[..., middle] ** 2) / np.mean(result[..., ~middle] ** 2)) < -20
    assert abs(levels(result, 0.5) - levels(other, 0.5)).max() < 0.6


def test_fades_come_to_their_end():
    y = noise(2)
    other = noise(3) * 10 ** (-np.clip(times(y) - 2, 0, None) * 25 / 20)
    result = followed(y, other)
    assert abs(levels(result) - levels(other)).max() < 1
    ended = other * (times(y) < 3)
    result = followed(y, ended)
    assert decibels(np.mean(result[..., times(y) > 3.1] ** 2) / np.mean(result[..., times(y) < 2] ** 2)) < -40


def test_upwards_it_is_slow():
    """A pause that the other recording does not have stays a pause: filling it would be a tremolo, or raise noise."""
    other, y = (np.sign(noise(seed)) for seed in (4, 5))
    gain = LevelFollower.of(other, RATE).gain(strokes(y, sounding=0.42))[..., RATE:-RATE]
    assert decibels(gain.max() ** 2) < MOST_DB / 3 and decibels(gain.min() ** 2) > -0.5


# ---------------------------------------------------------------- gains
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_own_level_needs_no_gain(dtype):
    y = strokes(noise(6, channels=2, dtype=dtype)).astype(dtype)
    gain = LevelFollower.of(y, RATE).gain(y)
    assert gain.dtype == dtype
    np.testing.assert_allclose(gain, 1, atol=1e-5)


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_a_constant_difference_is_a_constant_gain(factor):
    y = noise(7)
    np.testing.assert_allclose(LevelFollower.of(factor * y, RATE).gain(y), factor, rtol=1e-6)


def test_all_channels_get_one_gain_and_items_their_own():
    y = np.concatenate([noise(i, channels=2) * [[1], [0.2]] for i in range(3)])
    other = np.concatenate([(i + 1) * noise(10 + i, channels=1) for i in range(3)])
    gain = LevelFollower.of(other, RATE).gain(y)
    assert gain.shape == (3, 1, y.shape[2])
    for item in range(3):
        rows = slice(item, item + 1)
        np.testing.assert_array_equal(LevelFollower.of(other[rows], RATE).gain(y[rows]), gain[rows])


def test_the_level_is_that_of_all_channels_together():
    y, other = noise(19), noise(20)
    both = np.concatenate([y, 2 * y], axis=1)
    np.testing.assert_allclose(
        LevelFollower.of(other, RATE).gain(both), LevelFollower.of(other, RATE).gain(np.sqrt(5) * y), rtol=1e-9
    )


def test_backwards_the_gain_is_the_same():
    """No gain is early or late, not even by half a block."""
    y, other = noise(21), strokes(noise(22))
    gain = LevelFollower.of(other, RATE).gain(y)
    backwards = LevelFollower.of(other[..., ::-1], RATE).gain(y[..., ::-1])
    inside = np.s_[..., RATE:-RATE]  # at the ends both windows are cut off
    np.testing.assert_allclose(backwards[..., ::-1][inside], gain[inside], rtol=1e-6, atol=1e-9)


def test_noise_is_not_raised_without_limit():
    y, other = noise(8), noise(9)
    y[..., : 2 * RATE] *= 1e-4
    gain = LevelFollower.of(other, RATE).gain(y)
    assert decibels(gain.max() ** 2) <= 2 * MOST_DB + 0.01  # the limit of each of the two slow corrections
    assert np.all(LevelFollower.of(1e-9 * other, RATE).gain(y) > 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("silent", ["y", "other", "both", "parts"])
def test_digital_silence_is_finite(dtype, silent):
    y, other = noise(11, dtype=dtype), noise(12, dtype=dtype)
    if silent in ("y", "both"):
        y[:] = 0
    if silent in ("other", "both"):
        other[:] = 0
    if silent == "parts":
        y[..., : 2 * RATE], other[..., RATE : 3 * RATE] = 0, 0
    gain = LevelFollower.of(other, RATE).gain(y)
    assert np.isfinite(gain).all() and gain.dtype == dtype
    result = y * gain
    assert np.isfinite(result).all()
    if silent == "parts":
        assert abs(result[..., int(2.1 * RATE) : int(2.9 * RATE)]).max() < 10 ** (LEAST_DB / 20)
        both = np.s_[..., int(3.2 * RATE) :]  # where both sound again
        assert abs(levels(result[both]) - levels(other[both])).max() < 0.5


@pytest.mark.parametrize("n_samples", [1, 7, 10, 11, 333])
def test_recordings_of_any_length(n_samples):
    y, other = normal(13, 1, 2, n_samples), 2 * normal(14, 1, 2, n_samples)
    gain = LevelFollower.of(other, RATE).gain(y)
    assert gain.shape == (1, 1, n_samples) and np.isfinite(gain).all()
    np.testing.assert_allclose(LevelFollower.of(2 * y, RATE).gain(y), 2, rtol=1e-5)


def test_nothing_is_changed():
    y, other = noise(15), noise(16)
    copies = [a.copy() for a in (y, other)]
    followed(y, other)
    for array, copy in zip((y, other), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("n_samples", [7, 3000])
def test_on_a_gpu(cupy, n_samples):
    def gain(y, other):
        return LevelFollower.of(other, RATE).gain(y)

    y, other = normal(17, 2, 2, n_samples), 0.5 * normal(18, 2, 2, n_samples)
    other[..., 500:1200] = 0
    assert_same(cupy, gain, y, other, rtol=1e-4)
