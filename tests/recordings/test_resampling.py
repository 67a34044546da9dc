"""Resampling: pass band, aliases and images, alignment, lengths and extreme inputs."""

import math
from fractions import Fraction

import numpy as np
import pytest

from audiostyle_fx._recordings.resampling import resample

RATES = [
    (48_000, 44_100),
    (44_100, 22_050),
    (22_050, 44_100),
    (8000, 11_025),
    (44_100, 48_000.0),
    (22_050.5, 44_100),
    (44_100, 44_100.5),
    (1000, 1_000_000),
    (1_000_000, 1000),
]


def sine(frequency, rate, seconds=1.0, dtype=np.float32):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)[None].astype(dtype)


def inner(audio):
    """The middle half of the samples, (samples,), away from the ends of the recording."""
    return audio[0, audio.shape[1] // 4 : -(audio.shape[1] // 4)].astype(np.float64)


def level_db(audio, frequency, rate):
    """Level of one frequency in the middle of a recording; a sine of amplitude 1 has 0 dB."""
    samples, window = inner(audio), np.hanning(len(inner(audio)))
    phasor = np.exp(-2j * np.pi * frequency / rate * np.arange(len(samples)))
    return 20 * np.log10(2 * np.abs(np.sum(samples * window * phasor)) / window.sum())


# ---------------------------------------------------------------- quality
def test_the_pass_band_reaches_20_khz():
    out = resample(sine(20_000, 48_000), 48_000, 44_100)
    assert level_db(out, 20_000, 44_100) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_all_below_0_9_of_half_the_lower_rate_passes(from_rate, to_rate):
    seconds = 2 if min(from_rate, to_rate) == 1000 else 0.5
    for share in (0.01, 0.5, 0.9):
        frequency = share * min(from_rate, to_rate) / 2
        out = resample(sine(frequency, from_rate, seconds), from_rate, to_rate)
        assert level_db(out, frequency, to_rate) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("frequency", "from_rate", "to_rate"),
    [(22_500, 48_000, 44_100), (23_900, 48_000, 44_100), (9000, 44_100, 8000), (15_000, 44_100, 22_050.5)],
)
def test_frequencies_that_the_lower_rate_can_not_hold_leave_no_alias(frequency, from_rate, to_rate):
    out = inner(resample(sine(frequency, from_rate), from_rate, to_rate))
    assert 10 * np.log10(2 * np.mean(out**2) + 1e-30) < -100


@pytest.mark.parametrize(
    ("frequency", "from_rate", "to_rate"), [(10_800, 22_050, 44_100), (9000, 22_050, 48_000), (3000, 8000, 11_025)]
)
def test_frequencies_leave_no_image(frequency, from_rate, to_rate):
    out = resample(sine(frequency, from_rate), from_rate, to_rate)
    assert level_db(out, from_rate - frequency, to_rate) < -100


# ---------------------------------------------------------------- alignment and length
@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_a_pulse_stays_where_it_is(from_rate, to_rate):
    n_samples = round(0.25 * from_rate) if from_rate > 1000 else 1000
    centre, cutoff = n_samples // 2, 0.2 * min(from_rate, to_rate)

    def pulse(rate, length):
        seconds = np.arange(length) / rate - centre / from_rate
        return np.exp(-0.5 * (seconds * cutoff) ** 2)[None]

    out = resample(pulse(from_rate, n_samples).astype(np.float32), from_rate, to_rate)
    np.testing.assert_allclose(out, pulse(to_rate, out.shape[1]), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(8000, 16000), (44100, 22050), (44100, 48000), (22050.0, 8000.0)])
def test_a_tone_is_kept_sample_by_sample(from_rate, to_rate):
    out = resample(sine(300, from_rate), from_rate, to_rate)
    assert out.dtype == np.float32 and out.shape == (1, int(to_rate))
    middle = slice(int(0.1 * to_rate), int(0.9 * to_rate))
    np.testing.assert_allclose(out[:, middle], sine(300, to_rate)[:, middle], atol=1e-6)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("n_samples", [0, 1, 2, 3, 100, 1001])
def test_the_length_is_rounded_up(from_rate, to_rate, n_samples):
    out = resample(np.ones((2, n_samples), np.float32), from_rate, to_rate)
    assert out.shape == (2, math.ceil(n_samples * Fraction(to_rate) / Fraction(from_rate)))
    assert out.dtype == np.float32 and out.flags["C_CONTIGUOUS"] and np.isfinite(out).all()


def test_rounding_errors_of_rates_do_not_add_a_sample():
    assert resample(np.ones((1, 8000), np.float32), 8000, 1.1 * 8000).shape == (1, 8800)
    assert resample(np.ones((1, 8800), np.float32), 1.1 * 8000, 8000).shape == (1, 8000)


@pytest.mark.parametrize("to_rate", [44_100, 44_100.0, 44_100 * (1 + 1e-9)])
def test_equal_rates_return_the_array_itself(tone, to_rate):
    assert resample(tone, 44_100, to_rate) is tone


# ---------------------------------------------------------------- inputs
def test_channels_do_not_mix():
    audio = np.concatenate([sine(440, 8000), np.zeros((1, 8000), np.float32), sine(1000, 8000)])
    out = resample(audio, 8000, 11_025)
    for channel, samples in zip(out, audio, strict=True):
        np.testing.assert_array_equal(channel, resample(samples[None], 8000, 11_025)[0])


def test_the_layout_in_memory_does_not_count():
    audio = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
    want = resample(audio, 8000, 11_025)
    np.testing.assert_array_equal(resample(np.asfortranarray(audio), 8000, 11_025), want)
    np.testing.assert_array_equal(resample(np.repeat(audio, 2, axis=1)[:, ::2], 8000, 11_025), want)
    audio.flags.writeable = False
    np.testing.assert_array_equal(resample(audio, 8000, 11_025), want)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_silence_stays_silence(from_rate, to_rate):
    assert not resample(np.zeros((2, 500), np.float32), from_rate, to_rate).any()


@pytest.mark.parametrize("level", [2.0**-120, 2.0**-40, 2.0**40, 2.0**126])
def test_the_level_does_not_count(level):
    audio = sine(440, 44_100, 0.1)
    out = resample(np.float32(level) * audio, 44_100, 48_000).astype(np.float64) / level
    np.testing.assert_allclose(out, resample(audio, 44_100, 48_000), rtol=0, atol=1e-6)


def test_double_precision_keeps_levels_that_single_precision_can_not_hold():
    audio = sine(440, 44_100, 0.1, np.float64)
    audio[0, 2000:] *= 1e-30
    out = resample(audio, 44_100, 48_000)
    assert out.dtype == np.float32 and out[0, :2000].any()


def test_peaks_beyond_single_precision_become_infinite():
    audio = np.where(np.random.default_rng(0).random((1, 8000)) < 0.5, -3e38, 3e38).astype(np.float32)
    out = resample(audio, 8800, 8000)
    assert np.isinf(out).any() and not np.isnan(out).any()
