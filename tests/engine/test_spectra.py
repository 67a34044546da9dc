"""The short-time Fourier transform, its inverse, the log-magnitude, the MDCT, and every adjoint of them."""

import math

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from audiostyle_fx._engine.spectra.mdct import MDCT, dct4
from audiostyle_fx._engine.spectra.stft import STFT, default_n_fft

# Window, hop, samples: hops that divide the window and hops that do not, lengths on the hop and off it.
SHAPES = [(16, 4, 64), (16, 4, 61), (16, 5, 61), (12, 3, 40), (32, 9, 100), (16, 8, 33), (16, 7, 26), (64, 11, 300)]
EVERY_SHAPE = pytest.mark.parametrize(("n_fft", "hop_length", "n_samples"), SHAPES)


def noise(seed, shape, dtype="float64"):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def real_inner(a, b):
    return np.vdot(a, b).real


def rms(y, axis=None):
    return np.sqrt(np.mean(np.square(y), axis=axis))


def direct_stft(y, n_fft, hop_length):
    """One channel's spectrum (frames, bins) by the definition, the ends mirrored about the first and last sample."""
    period = 2 * (len(y) - 1)
    centres = hop_length * np.arange(1 + math.ceil(len(y) / hop_length))
    index = np.abs(centres[:, None] + np.arange(n_fft) - n_fft // 2) % period
    index = np.where(index < len(y), index, period - index)
    dft = np.exp(-2j * np.pi * np.outer(np.arange(n_fft), np.arange(n_fft // 2 + 1)) / n_fft)
    return (y[index] * scipy.signal.get_window("hann", n_fft)) @ dft


# ---------------------------------------------------------------- the transform
@EVERY_SHAPE
def test_forward_is_the_windowed_dft_with_reflected_ends(n_fft, hop_length, n_samples):
    stft, y = STFT(n_fft, hop_length), noise(0, (2, 3, n_samples))
    spectrum = stft.forward(y)
    assert spectrum.shape == (2, stft.n_frames(n_samples), 3, stft.n_bins)
    for item in range(2):
        for channel in range(3):
            expected = direct_stft(y[item, channel], n_fft, hop_length)
            np.testing.assert_allclose(spectrum[item, :, channel], expected, atol=1e-12)


@EVERY_SHAPE
def test_inverse_undoes_forward_at_every_sample(n_fft, hop_length, n_samples):
    stft, y = STFT(n_fft, hop_length), noise(1, (2, 2, n_samples))
    np.testing.assert_allclose(stft.inverse(stft.forward(y), n_samples), y, atol=1e-13)


@EVERY_SHAPE
def test_inverse_is_the_least_squares_fit_of_the_frames(n_fft, hop_length, n_samples):
    """Of a spectrum that no recording has: every sample is free, so the fit is the solution of the normal equations."""
    stft = STFT(n_fft, hop_length)
    n_frames = stft.n_frames(n_samples)
    spectrum = noise(2, (1, n_frames, 1, stft.n_bins), "complex128")
    frames = np.fft.irfft(spectrum[0, :, 0], n_fft)
    window = scipy.signal.get_window("hann", n_fft)
    weighted, weights = np.zeros(n_samples), np.zeros(n_samples)
    for t in range(n_frames):
        for k in range(n_fft):
            n = t * hop_length + k - n_fft // 2
            if 0 <= n < n_samples:
                weighted[n] += window[k] * frames[t, k]
                weights[n] += window[k] ** 2
    np.testing.assert_allclose(stft.inverse(spectrum, n_samples)[0, 0], weighted / weights, rtol=1e-10, atol=1e-12)


@EVERY_SHAPE
def test_forward_vjp_is_the_adjoint(n_fft, hop_length, n_samples):
    stft, y = STFT(n_fft, hop_length), noise(3, (2, 3, n_samples))
    spectrum = stft.forward(y)
    grad = noise(4, spectrum.shape, "complex128")  # has imaginary parts at DC and Nyquist, which the spectrum lacks
    back = stft.forward_vjp(grad, n_samples)
    assert back.shape == y.shape
    assert real_inner(spectrum, grad) == pytest.approx(real_inner(y, back), rel=1e-11)


@EVERY_SHAPE
def test_inverse_vjp_is_the_adjoint(n_fft, hop_length, n_samples):
    stft = STFT(n_fft, hop_length)
    spectrum = noise(5, (2, stft.n_frames(n_samples), 3, stft.n_bins), "complex128")
    grad = noise(6, (2, 3, n_samples))
    back = stft.inverse_vjp(grad, spectrum.shape[1])
    assert back.shape == spectrum.shape
    assert real_inner(spectrum, back) == pytest.approx(real_inner(stft.inverse(spectrum, n_samples), grad), rel=1e-11)


def test_imaginary_parts_at_dc_and_nyquist_mean_nothing():
    stft = STFT(16, 5)
    spectrum = noise(7, (1, stft.n_frames(50), 2, 9), "complex128")
    spectrum.imag[..., [0, -1]] = 0
    turned = spectrum.copy()
    turned.imag[..., [0, -1]] = noise(8, (*spectrum.shape[:-1], 2))
    np.testing.assert_allclose(stft.inverse(turned, 50), stft.inverse(spectrum, 50), atol=1e-13)
    np.testing.assert_allclose(stft.forward_vjp(turned, 50), stft.forward_vjp(spectrum, 50), atol=1e-12)
    np.testing.assert_allclose(stft.inverse_vjp(noise(9, (1, 2, 50)), spectrum.shape[1]).imag[..., [0, -1]], 0)


@settings(deadline=None, max_examples=40, derandomize=True, database=None)
@given(half=st.integers(2, 20), hop=st.integers(1, 20), extra=st.integers(0, 60), seed=st.integers(0, 2**31))
def test_adjoints_and_roundtrip_hold_for_any_window_hop_and_length(half, hop, extra, seed):
    hop = min(hop, half)
    stft, n_samples = STFT(2 * half, hop), half + hop + extra
    y, channels = noise(seed, (1, 2, n_samples)), 2
    spectrum = stft.forward(y)
    n_frames = spectrum.shape[1]
    assert (n_frames - 1) * hop >= n_samples  # the last frame is centred at or after the last sample
    grad = noise(seed + 1, (1, n_frames, channels, half + 1), "complex128")
    np.testing.assert_allclose(stft.inverse(spectrum, n_samples), y, atol=1e-11)
    tolerance = 1e-10 * np.linalg.norm(spectrum) * np.linalg.norm(grad)
    assert abs(real_inner(spectrum, grad) - real_inner(y, stft.forward_vjp(grad, n_samples))) < tolerance
    rebuilt, tolerance = stft.inverse(grad, n_samples), 1e-10 * np.linalg.norm(grad) * np.linalg.norm(y)
    assert abs(real_inner(rebuilt, y) - real_inner(grad, stft.inverse_vjp(y, n_frames))) < tolerance


def test_items_and_channels_are_transformed_alone():
    stft, y = STFT(32, 9), noise(10, (3, 2, 200))
    together = stft.forward(y)
    for item in range(3):
        for channel in range(2):
            alone = stft.forward(y[item : item + 1, channel : channel + 1])
            np.testing.assert_allclose(together[item, :, channel], alone[0, :, 0], atol=1e-12)
            back = stft.forward_vjp(together, 200)[item, channel]
            np.testing.assert_allclose(back, stft.forward_vjp(alone, 200)[0, 0], atol=1e-10)


def test_single_precision_stays_single():
    stft, y = STFT(64, 16), noise(11, (1, 2, 300), "float32")
    spectrum = stft.forward(y)
    x = stft.log_magnitude(spectrum)
    grad = stft.log_magnitude_vjp(spectrum, x)
    assert spectrum.dtype == grad.dtype == stft.inverse_vjp(y, spectrum.shape[1]).dtype == np.complex64
    for real in (x, stft.magnitude(x), stft.inverse(spectrum, 300), stft.forward_vjp(grad, 300)):
        assert real.dtype == np.float32
    np.testing.assert_allclose(stft.inverse(spectrum, 300), y, atol=2e-6)


def test_frames_and_samples_agree():
    stft = STFT(64, 16)
    for n_frames in range(2, 30):
        assert stft.n_frames(stft.n_samples(n_frames)) == n_frames
        assert stft.n_frames(stft.n_samples(n_frames) + 1) == n_frames + 1


@pytest.mark.parametrize(("n_fft", "hop_length"), [(16, 4), (16, 5), (64, 11), (64, 32)])
def test_half_a_window_is_too_short_to_reflect_and_a_hop_more_is_not(n_fft, hop_length):
    stft = STFT(n_fft, hop_length)
    for n_samples in range(1, n_fft // 2 + 1):
        with pytest.raises(ValueError, match=f"{n_samples} samples is too short"):
            stft.forward(np.ones((1, 1, n_samples)))
        with pytest.raises(ValueError, match=f"{n_samples} samples is too short"):
            stft.forward_vjp(np.ones((1, stft.n_frames(n_samples), 1, stft.n_bins), complex), n_samples)
    for n_samples in range(n_fft // 2 + hop_length, 2 * n_fft):
        y = noise(n_samples, (1, 1, n_samples))
        np.testing.assert_allclose(stft.inverse(stft.forward(y), n_samples), y, atol=1e-12)


# ---------------------------------------------------------------- log-magnitudes
def test_log_magnitude_stacks_channels():
    stft = STFT(64, 16)
    spectrum = noise(12, (2, 5, 3, 33), "complex128") * 10
    x = stft.log_magnitude(spectrum)
    assert x.shape == (2, 5, 99)
    expected = np.log1p(np.abs(spectrum[:, :, 2]) * 1024 / scipy.signal.get_window("hann", 64).sum())
    np.testing.assert_allclose(x[..., 66:], expected, rtol=1e-13)


def test_log_magnitude_in_single_precision_is_that_of_log1p():
    magnitude = np.concatenate([np.zeros(1), np.logspace(-12, 5, 20000)])
    spectrum = magnitude.astype(np.complex64).reshape(1, 1, 1, -1)
    expected = np.log1p(spectrum.real.astype(np.float64).ravel())
    error = np.abs(STFT(2048, 512).log_magnitude(spectrum).ravel() - expected)
    # Half a last place of 1 + m, and one of the logarithm.
    assert np.all(error <= 6e-8 + np.spacing(expected.astype(np.float32)))


def test_magnitude_undoes_log_magnitude():
    for n_fft in (64, 2048, 4096):
        stft = STFT(n_fft, n_fft // 4)
        spectrum = noise(13, (1, 4, 2, 10), "complex128") * np.logspace(-3, 4, 10)
        magnitude = stft.magnitude(stft.log_magnitude(spectrum)).reshape(spectrum.shape)
        np.testing.assert_allclose(magnitude, np.abs(spectrum), rtol=1e-9)


def test_log_magnitude_vjp_is_the_derivative():
    stft = STFT(256, 64)  # a scale other than one
    spectrum = noise(14, (2, 5, 2, 129), "complex128") * np.logspace(-3, 3, 129)
    grad, direction = noise(15, (2, 5, 258)), noise(16, spectrum.shape, "complex128") * np.abs(spectrum)
    step = 1e-6
    ahead, behind = (stft.log_magnitude(spectrum + sign * step * direction) for sign in (1, -1))
    numeric = np.vdot(grad, ahead - behind) / (2 * step)
    assert real_inner(stft.log_magnitude_vjp(spectrum, grad), direction) == pytest.approx(numeric, rel=1e-7)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("n_fft", [64, 2048, 4096])
@pytest.mark.parametrize("size", [0.01, 1.0, 1000.0])
def test_a_zero_spectrum_gives_a_zero_gradient(dtype, n_fft, size):
    stft, spectrum = STFT(n_fft, n_fft // 4), np.zeros((1, 3, 2, 5), dtype)
    grad = noise(17, (1, 3, 10), spectrum.real.dtype) * spectrum.real.dtype.type(size)
    assert not stft.log_magnitude_vjp(spectrum, grad).any()


@pytest.mark.parametrize("level", [1e-42, 1e-38, 1e-30, 1e-18, 1e-12])
def test_next_to_silence_the_gradient_is_bounded_by_the_slope_of_the_logarithm(level):
    stft, spectrum = STFT(2048, 512), np.full((1, 1, 1, 4), np.float32(level), np.complex64)
    grad = np.array([[[1, -1, 30, -3000]]], np.float32)
    back = stft.log_magnitude_vjp(spectrum, grad).ravel()
    assert np.all(np.abs(back) <= np.abs(grad.ravel()) * (1 + 1e-6))
    if level >= 1e-18:
        np.testing.assert_allclose(back, grad.ravel(), rtol=1e-6)


def test_a_sine_has_one_peak_whatever_the_window():
    time = np.arange(44100) / 44100
    frequency = 44100 / 2048 * 93  # on a bin of all three windows
    y = np.sin(2 * np.pi * frequency * time)[None, None]
    peaks = []
    for n_fft in (2048, 4096, 8192):
        stft = STFT(n_fft, n_fft // 4)
        x = stft.log_magnitude(stft.forward(y))
        peaks.append(x[0, x.shape[1] // 2].max())
    np.testing.assert_allclose(np.expm1(peaks), 512, rtol=1e-6)  # half of the reference window's sum


@pytest.mark.parametrize(
    ("n_fft", "sample_rates"),
    [
        (1024, [8000, 11025]),
        (2048, [16000, 22050, 24000]),
        (4096, [32000, 44100, 48000]),
        (8192, [88200, 96000]),
        (16384, [176400, 192000]),
    ],
)
def test_default_window_is_the_power_of_two_nearest_93_ms(n_fft, sample_rates):
    for sample_rate in sample_rates:
        assert default_n_fft(sample_rate) == n_fft
        assert abs(math.log2(n_fft / sample_rate / 0.093)) <= 0.5


# ---------------------------------------------------------------- the ends
@pytest.mark.parametrize("n_samples", [1024, 1000, 1023])
@pytest.mark.parametrize("change", ["phases", "magnitudes", "both"])
def test_a_changed_spectrum_has_no_artefacts_at_the_ends(n_samples, change):
    stft, rng = STFT(64, 16), np.random.default_rng(18)
    spectrum = stft.forward(rng.standard_normal((400, 1, n_samples)))
    if change != "magnitudes":
        spectrum *= np.exp(2j * np.pi * rng.uniform(size=spectrum.shape))
    if change != "phases":
        spectrum *= rng.lognormal(sigma=0.7, size=spectrum.shape)
    level = rms(stft.inverse(spectrum, n_samples)[:, 0], axis=0)  # of each sample, over many recordings
    middle = rms(level[128:-128])
    for end in (level[:32], level[-32:]):
        assert 0.8 < rms(end) / middle < 1.25
        assert end.max() < 1.5 * middle


# ---------------------------------------------------------------- nothing is written to
def test_inputs_are_never_changed():
    stft, mdct = STFT(16, 5), MDCT(8)
    y, n_frames = noise(19, (2, 2, 61)), stft.n_frames(61)
    spectrum = noise(20, (2, n_frames, 2, 9), "complex128")
    x, coefficients = noise(21, (2, n_frames, 18)), noise(22, (2, 2, mdct.n_frames(61), 8))
    calls = [
        (stft.forward, (y,)),
        (stft.forward_vjp, (spectrum, 61)),
        (stft.inverse, (spectrum, 61)),
        (stft.inverse_vjp, (y, n_frames)),
        (stft.log_magnitude, (spectrum,)),
        (stft.log_magnitude_vjp, (spectrum, x)),
        (stft.magnitude, (x,)),
        (mdct.forward, (y,)),
        (mdct.inverse, (coefficients, 61)),
        (dct4, (coefficients,)),
    ]
    for function, arguments in calls:
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        before = [a.copy() for a in arrays]
        first = function(*arguments).copy()
        for array, copy in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, copy, err_msg=str(function))
        np.testing.assert_array_equal(function(*arguments), first, err_msg=str(function))


def test_results_do_not_share_memory_that_a_later_call_writes_to():
    stft, mdct, y, other = STFT(16, 4), MDCT(8), noise(23, (1, 1, 64)), noise(24, (1, 1, 64))
    kept = [stft.forward(y), stft.inverse(stft.forward(y), 64), stft.log_magnitude(stft.forward(y)), mdct.forward(y)]
    copies = [k.copy() for k in kept]
    for array in (stft.forward(other), stft.inverse(stft.forward(other), 64), mdct.forward(other)):
        array *= 2
    stft.log_magnitude(stft.forward(other))
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("block", [1, 100, 1000])
@pytest.mark.parametrize("hop_length", [16, 13, 32])
def test_sharing_the_work_out_in_blocks_changes_nothing(shared_out, block, hop_length):
    stft, mdct, y = STFT(64, hop_length), MDCT(32), noise(30, (2, 2, 500))

    def results():
        spectrum = stft.forward(y)
        x = stft.log_magnitude(spectrum)
        rebuilt, coefficients = stft.inverse(spectrum * (1 + x.reshape(spectrum.shape)), 500), mdct.forward(y)
        adjoints = stft.forward_vjp(spectrum, 500), stft.inverse_vjp(y, len(spectrum[0]))
        return spectrum, x, rebuilt, coefficients, mdct.inverse(coefficients, 500), *adjoints, stft.magnitude(x)

    at_once = results()
    shared_out(block)
    for expected, found in zip(at_once, results(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
