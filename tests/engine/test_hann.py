"""The division by the sum of the squared windows, of which only the ends and some periods are kept."""

import tracemalloc

import numpy as np
import pytest
import scipy.signal

from audiostyle_fx._engine.spectra.hann import divide_by_squared_window_sum, hann, squared_window_sum
from audiostyle_fx._engine.spectra.stft import STFT

SHAPES = [(4, 1), (4, 2), (16, 4), (16, 5), (16, 8), (20, 9), (30, 7), (64, 1), (64, 11), (64, 32), (256, 100)]


def test_the_window_is_scipys():
    for n_fft in (16, 20, 2048):
        np.testing.assert_allclose(hann(n_fft), scipy.signal.get_window("hann", n_fft), atol=1e-15)


@pytest.mark.parametrize(("n_fft", "hop_length"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quotients_are_those_of_the_whole_sum_bit_for_bit(n_fft, hop_length, dtype):
    stft, rng = STFT(n_fft, hop_length), np.random.default_rng(n_fft)
    for n_samples in (*range(1, 5 * n_fft, 1 + n_fft // 20), 10 * n_fft - 1, 10 * n_fft, 10 * n_fft + 1, 12345):
        y = rng.standard_normal((2, 1, n_samples + 3)).astype(dtype)[..., 1 : 1 + n_samples]
        n_frames = stft.n_frames(n_samples)
        whole = squared_window_sum(n_fft, hop_length, n_frames)[:n_samples].astype(dtype)
        with np.errstate(divide="ignore", over="ignore"):  # the ends of recordings shorter than a window
            expected = y / whole
            found = divide_by_squared_window_sum(y, n_fft, hop_length, n_frames)
        assert found.dtype == dtype and found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("n_fft", "hop_length"), [(64, 16), (64, 11), (64, 5), (256, 100)])
@pytest.mark.parametrize("n_samples", [40, 64, 200, 1000, 1003])
def test_quotients_are_the_same_on_either_array_module(cupy, n_fft, hop_length, n_samples):
    y = np.random.default_rng(0).standard_normal((2, 3, n_samples)).astype(np.float32)
    n_frames = STFT(n_fft, hop_length).n_frames(n_samples)
    expected = divide_by_squared_window_sum(y, n_fft, hop_length, n_frames)
    found = divide_by_squared_window_sum(cupy.asarray(y), n_fft, hop_length, n_frames)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found.get(), expected)


def test_memory_does_not_grow_with_the_number_of_lengths():
    stft, y = STFT(2048, 512), np.ones((1, 1, 300_000), np.float32)

    def divide(n_samples):
        divide_by_squared_window_sum(y[..., :n_samples], 2048, 512, stft.n_frames(n_samples))

    divide(y.shape[-1])
    tracemalloc.start()
    try:
        for n_samples in range(260_000, 300_000, 2_000):
            divide(n_samples)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < y.nbytes / 10
