"""The dynamic equaliser: bands that share out each bin, and gains that give one recording the levels of another."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from support.twins import assert_same

from audiostyle_fx._engine.spectra.mel_bands import (
    LOWEST_DB,
    MAX_GAIN_DB,
    N_LEVELS,
    STEP_DB,
    MelBands,
    frame_levels,
    level_counts,
    level_gains,
    level_numbers,
    transport_gains,
)
from audiostyle_fx._engine.spectra.stft import STFT, default_n_fft

RATE = 8000
BANDS = MelBands(STFT(256, 64), RATE)


def wandering(seed, seconds=4, tilt=1.0, depth=8.0):
    """Noise whose level wanders by some dB; ``tilt`` above 1 makes it brighter."""
    rng = np.random.default_rng(seed)
    noise = np.cumsum(rng.standard_normal(seconds * RATE)) * 0.02 + tilt * 0.1 * rng.standard_normal(seconds * RATE)
    level = np.interp(np.arange(len(noise)), np.arange(0, len(noise), 2000), rng.standard_normal(len(noise) // 2000))
    noise -= np.convolve(noise, np.ones(64) / 64, "same")
    return (noise * 10 ** (depth * level / 20))[None, None].astype(np.float32)


def spectrum(seed, **settings):
    return BANDS.stft.forward(wandering(seed, **settings))


def table(content, style):
    return transport_gains(level_counts(BANDS.levels(content)[0]), level_counts(BANDS.levels(style)[0]))


def equalised(content, gains):
    return BANDS.amplify(content, level_gains(BANDS.levels(content), gains[None]))


# ---------------------------------------------------------------- bands
@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 192_000])
@pytest.mark.parametrize("n_fft", [16, None])
def test_the_shares_of_a_bin_sum_to_one(rate, n_fft):
    n_fft = n_fft or default_n_fft(rate)
    weights = MelBands(STFT(n_fft, n_fft // 4), rate).weights
    assert weights.shape[0] == n_fft // 2 + 1 and weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert np.all(np.diff(weights @ np.arange(weights.shape[1])) >= 0), "higher bins are in higher bands"


def test_bands_up_to_11_khz():
    assert MelBands(STFT(2048, 512), 22050).weights.shape == (1025, 45)


def test_levels_are_those_of_the_mean_power_of_the_channels():
    x = spectrum(0)
    loud = np.concatenate([x, 3 * x], axis=2)
    np.testing.assert_allclose(BANDS.levels(loud) - BANDS.levels(x), 10 * np.log10(5), atol=1e-3)
    power = (np.abs(x) ** 2).sum(axis=(2, 3)) * BANDS.stft.magnitude_scale**2
    np.testing.assert_allclose(frame_levels(BANDS.levels(x)), 10 * np.log10(power), atol=1e-3)


def test_all_channels_get_one_gain_and_keep_their_phases():
    x = np.concatenate([spectrum(1), spectrum(2)], axis=2)
    gains = np.random.default_rng(0).uniform(-20, 20, (1, x.shape[1], BANDS.weights.shape[1])).astype(np.float32)
    ratio = BANDS.amplify(x, gains) / x
    np.testing.assert_allclose(ratio[:, :, 0], ratio[:, :, 1], rtol=1e-4)
    np.testing.assert_allclose(ratio.imag, 0, atol=1e-4)
    alike = np.full_like(gains, 6.0)
    np.testing.assert_allclose(BANDS.amplify(x, alike), x * 10 ** (6 / 20), rtol=1e-5)


# ---------------------------------------------------------------- counts
def test_counts_of_parts_add_up():
    levels = BANDS.levels(spectrum(3))[0]
    parts = level_counts(levels[:77]) + level_counts(levels[77:])
    np.testing.assert_array_equal(parts, level_counts(levels))
    assert np.all(parts.sum(axis=0) == len(levels))


def test_levels_off_the_grid():
    numbers = level_numbers(np.array([-np.inf, -200.0, np.nan, LOWEST_DB, 999.0, np.inf]))
    np.testing.assert_array_equal(numbers, [-1, -1, -1, 0, N_LEVELS - 1, N_LEVELS - 1])


# ---------------------------------------------------------------- gains
@pytest.mark.parametrize("frames", [1, 5, 60, 500])
def test_a_recording_onto_itself_needs_no_gain(frames):
    counts = level_counts(BANDS.levels(spectrum(4))[0, :frames])
    np.testing.assert_allclose(transport_gains(counts, 0.3 * counts), 0, atol=1e-4)


def test_a_constant_difference_is_a_constant_gain():
    levels = BANDS.levels(0.05 * spectrum(5))[0]  # so that all of them are on the grid
    gains = transport_gains(level_counts(levels), level_counts(levels + 7.5))
    np.testing.assert_allclose(gains, 7.5, atol=1e-4)


def test_the_styles_distribution_and_the_contents_order():
    content, style = spectrum(6), 2 * spectrum(7, tilt=3.0, depth=3.0)
    gains = table(content, style)
    before, wanted = BANDS.levels(content)[0], BANDS.levels(style)[0]
    # The gain of a band alone: those of its neighbours reach into it.
    after = before + level_gains(BANDS.levels(content), gains[None])[0]
    for band in range(before.shape[1]):
        assert wasserstein_distance(after[:, band], wanted[:, band]) < STEP_DB
        order = np.argsort(before[:, band])
        assert np.all(np.diff(after[order, band]) > -1e-3)
    result = BANDS.levels(equalised(content, gains))[0]
    distances = [
        [wasserstein_distance(x[:, band], wanted[:, band]) for band in range(before.shape[1])] for x in (before, result)
    ]
    assert np.mean(distances[0]) > 4 and np.mean(distances[1]) < 1 and np.max(distances[1]) < 2.5


def test_one_level_becomes_the_styles_median():
    content, style = np.zeros((2, N_LEVELS, 1))
    content[100], style[[90, 110, 130]] = 7, [[1], [5], [1]]
    np.testing.assert_allclose(transport_gains(content, style), 10 * STEP_DB, atol=1e-4)


def test_no_gain_where_either_is_silent_and_none_beyond_the_limit():
    counts = np.zeros((4, N_LEVELS, 1))
    silent, quiet, loud = counts[:3]
    quiet[20:40], loud[250:270] = 1, 1
    assert not transport_gains(silent, loud).any() and not transport_gains(loud, silent).any()
    assert np.all(transport_gains(quiet, loud) == MAX_GAIN_DB)
    assert np.all(transport_gains(loud, quiet) == -MAX_GAIN_DB)


def test_gains_are_interpolated_between_levels_and_held_beyond_them():
    gains = np.arange(N_LEVELS, dtype=np.float32)[None, :, None] * [1, -2]
    centres = LOWEST_DB + STEP_DB * (np.arange(N_LEVELS) + 0.5)
    levels = np.array([centres[7], centres[7] + 0.25 * STEP_DB, -300, 300])[None, :, None] * [1, 1]
    found = level_gains(levels.astype(np.float32), gains.astype(np.float32))[0]
    np.testing.assert_allclose(found, np.array([7, 7.25, 0, N_LEVELS - 1])[:, None] * [1, -2], atol=0.01)


def test_each_item_has_its_own_table():
    levels = np.zeros((2, 3, 1), np.float32)
    gains = np.stack([np.full((N_LEVELS, 1), 1.0), np.full((N_LEVELS, 1), 2.0)]).astype(np.float32)
    np.testing.assert_allclose(level_gains(levels, gains)[..., 0], [[1] * 3, [2] * 3])


# ---------------------------------------------------------------- precision and devices
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_precision_stays(dtype):
    x = spectrum(8).astype(dtype)
    levels = BANDS.levels(x)
    gains = level_gains(levels, np.ones((1, N_LEVELS, levels.shape[2]), np.float32))
    assert levels.dtype == gains.dtype == x.real.dtype and BANDS.amplify(x, gains).dtype == dtype
    assert np.isfinite(BANDS.levels(0 * x)).all()


def test_on_a_gpu(cupy):
    x = np.concatenate([spectrum(9), spectrum(10)], axis=2)
    gains = table(x, spectrum(11, tilt=2.0))[None]
    levels = BANDS.levels(x)
    assert_same(cupy, BANDS.levels, x, rtol=1e-4)
    assert_same(cupy, level_gains, levels, gains, atol=1e-4)
    assert_same(cupy, BANDS.amplify, x, level_gains(levels, gains), rtol=1e-4)
