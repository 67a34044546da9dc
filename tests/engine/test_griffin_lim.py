"""Phase reconstruction."""

import numpy as np
import pytest
from support.twins import assert_same, normal

from audiostyle_fx._engine.arrays import threads
from audiostyle_fx._engine.cuda import streams
from audiostyle_fx._engine.kernels.spectra import magnitude_distance, with_magnitude
from audiostyle_fx._engine.spectra.griffin_lim import griffin_lim
from audiostyle_fx._engine.spectra.stft import STFT

SHAPES = pytest.mark.parametrize(("n_fft", "hop_length", "n_samples"), [(64, 16, 600), (64, 13, 555)])


def recording(seed, n_samples, channels=2):
    """A few decaying tones and a little noise."""
    rng, time = np.random.default_rng(seed), np.arange(n_samples)
    tones = sum(np.sin(rng.uniform(0.1, 2.5) * time + k) * np.exp(-time / rng.uniform(100, 900)) for k in range(5))
    return tones + 0.05 * rng.standard_normal((1, channels, n_samples))


def random_phases(seed, shape):
    return np.exp(2j * np.pi * np.random.default_rng(seed).uniform(size=shape))


def inconsistency(spectrum, magnitude):
    return np.linalg.norm(np.abs(spectrum) - magnitude) / np.linalg.norm(magnitude)


@SHAPES
@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_a_recordings_own_spectrum_stays(n_fft, hop_length, n_samples, momentum):
    stft, y = STFT(n_fft, hop_length), recording(0, n_samples)
    spectrum = stft.forward(y)
    results = list(griffin_lim(stft, np.abs(spectrum), spectrum, n_samples, 5, momentum))
    assert len(results) == 5
    for samples, rebuilt, _ in results:
        np.testing.assert_allclose(samples, y, atol=1e-10)
        np.testing.assert_allclose(rebuilt, spectrum, atol=1e-9)


@SHAPES
def test_inconsistency_falls_from_random_phases(n_fft, hop_length, n_samples):
    stft = STFT(n_fft, hop_length)
    magnitude = np.abs(stft.forward(recording(1, n_samples)))
    start = random_phases(2, magnitude.shape)
    plain, fast = (
        [inconsistency(s, magnitude) for _, s, _ in griffin_lim(stft, magnitude, start, n_samples, 60, momentum)]
        for momentum in (0.0, 0.99)
    )
    assert np.all(np.diff(plain) < 1e-3)  # each step, up to the ends, which the inverse leaves free
    assert plain[0] > 0.3 and plain[-1] < 0.6 * plain[0]
    assert fast[-1] < 0.9 * plain[-1]


@SHAPES
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
def test_iterations_are_those_of_the_paper(n_fft, hop_length, n_samples, momentum):
    """t = P(P_magnitude(c)), c = t + momentum (t - previous t); with momentum 0 Griffin and Lim's own."""
    stft = STFT(n_fft, hop_length)
    magnitude = np.abs(stft.forward(recording(3, n_samples)))
    sought, previous = magnitude * random_phases(4, magnitude.shape), None
    for samples, rebuilt, distance in griffin_lim(stft, magnitude, 2.5 * sought, n_samples, 7, momentum):
        expected = stft.inverse(magnitude * np.exp(1j * np.angle(sought)), n_samples)
        projected = stft.forward(expected)
        np.testing.assert_allclose(samples, expected, atol=1e-8)
        np.testing.assert_allclose(rebuilt, projected, atol=1e-7)
        np.testing.assert_allclose(distance, np.linalg.norm(np.abs(projected) - magnitude), rtol=1e-6)
        sought = projected if previous is None else projected + momentum * (projected - previous)
        previous = projected


def test_the_default_momentum_is_the_papers():
    stft, magnitude = STFT(64, 16), np.abs(STFT(64, 16).forward(recording(5, 300)))
    start = random_phases(6, magnitude.shape)
    default, fast, plain = (
        [samples for samples, *_ in griffin_lim(stft, magnitude, start, 300, 4, *momentum)][-1]
        for momentum in ([], [0.99], [0.0])
    )
    np.testing.assert_array_equal(default, fast)
    assert np.abs(default - plain).max() > 1e-3


def test_given_magnitudes_and_phases_are_not_changed():
    stft, magnitude = STFT(64, 16), np.abs(STFT(64, 16).forward(recording(7, 300)))
    phases = random_phases(8, magnitude.shape)
    copies = magnitude.copy(), phases.copy()
    list(griffin_lim(stft, magnitude, phases, 300, 7))
    np.testing.assert_array_equal(magnitude, copies[0])
    np.testing.assert_array_equal(phases, copies[1])


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_with_magnitude_keeps_phases(dtype):
    spectrum = (random_phases(9, (1, 7, 2, 5)) * np.logspace(-6, 6, 5)).astype(dtype)
    magnitude = np.random.default_rng(10).uniform(0, 100, spectrum.shape).astype(spectrum.real.dtype)
    magnitude[0, 0] = 0
    found = with_magnitude(spectrum, magnitude)
    assert found.dtype == dtype
    expected = magnitude * np.exp(1j * np.angle(spectrum))
    np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "complex64" else 1e-12)


def test_momentum_takes_the_phases_further_along_the_last_step():
    before, spectrum = (random_phases(seed, (2, 30, 2, 5)) for seed in (15, 16))
    magnitude = np.random.default_rng(17).uniform(size=spectrum.shape)
    found = with_magnitude(spectrum, magnitude, before, 0.75)
    np.testing.assert_allclose(found, with_magnitude(1.75 * spectrum - 0.75 * before, magnitude), rtol=1e-12)
    np.testing.assert_array_equal(with_magnitude(spectrum, magnitude, before), with_magnitude(spectrum, magnitude))


def test_the_distance_is_that_of_magnitudes_for_each_item():
    spectrum, magnitude = random_phases(18, (3, 30, 2, 5)), np.random.default_rng(19).uniform(size=(3, 30, 2, 5))
    spectrum[1] *= magnitude[1]
    expected = [np.linalg.norm(np.abs(a) - b) for a, b in zip(spectrum, magnitude, strict=True)]
    np.testing.assert_allclose(magnitude_distance(spectrum, magnitude), expected, rtol=1e-12, atol=1e-14)
    assert expected[0] > 1 > 1e-12 > expected[1]


def test_sharing_the_work_out_in_blocks_changes_nothing(monkeypatch):
    before, spectrum = (random_phases(seed, (2, 30, 2, 5)) for seed in (12, 13))
    magnitude = np.random.default_rng(14).uniform(size=spectrum.shape)

    def found():
        return with_magnitude(spectrum, magnitude, before, 0.9), magnitude_distance(spectrum, magnitude)

    expected = found()
    monkeypatch.setattr(threads, "BLOCK", 64)
    for a, b in zip(found(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_silent_cells_have_phase_zero(dtype):
    spectrum = random_phases(11, (1, 5, 2, 3)).astype(dtype)
    spectrum[0, 1:3] = 0
    magnitude = np.full(spectrum.shape, 3.0, spectrum.real.dtype)
    found = with_magnitude(spectrum, magnitude)
    np.testing.assert_array_equal(found[0, 1:3], 3)
    np.testing.assert_allclose(np.abs(found), 3, rtol=1e-6)


@pytest.mark.parametrize("level", [1e-44, 1e-38, 2e-38, 1e-30, 1e-20])
def test_nearly_silent_cells_are_finite(level):
    spectrum = np.full((1, 3, 1, 4), level * (1 + 1j), np.complex64)
    magnitude = np.full(spectrum.shape, 1e4, np.float32)
    np.testing.assert_allclose(np.abs(with_magnitude(spectrum, magnitude)), 1e4, rtol=1e-5)


@pytest.mark.parametrize("silent", ["phases", "magnitudes", "both", "half"])
def test_silence_is_finite(silent):
    stft, n_samples = STFT(64, 16), 600
    spectrum = stft.forward(recording(12, n_samples).astype(np.float32))
    magnitude = np.abs(spectrum)
    if silent in ("phases", "both"):
        spectrum = np.zeros_like(spectrum)
    if silent in ("magnitudes", "both"):
        magnitude = np.zeros_like(magnitude)
    if silent == "half":
        magnitude[:, :20], spectrum[:, :20] = 0, 0
    for samples, *others in griffin_lim(stft, magnitude, spectrum, n_samples, 5):
        assert all(np.isfinite(array).all() for array in (samples, *others))
    assert samples.any() == (silent in ("phases", "half"))


# ---------------------------------------------------------------- on a GPU
@pytest.mark.parametrize("n_iter", [1, 2, 5, 13])
def test_phases_on_a_gpu_are_those_on_the_cpu(cupy, n_iter):
    stft, y = STFT(64, 13), normal(1, 2, 2, 555)
    magnitude, start = np.abs(stft.forward(y)), random_phases(2, stft.forward(y).shape).astype(np.complex64)
    magnitude[:, 3:5] = 0
    start[:, 7] = 0

    def run(magnitude, start):
        *_, found = griffin_lim(stft, magnitude, start, 555, n_iter)
        return found

    with streams.computing_on("cuda:0"):
        assert_same(cupy, run, magnitude, start, rtol=2e-3, atol=2e-3)


def test_a_pair_of_iterations_on_a_gpu_is_a_launch(stand_in, cupy):
    stft, launches = STFT(64, 16), []
    with streams.computing_on("cuda:0"):
        start = stft.forward(cupy.asarray(normal(1, 1, 1, 600)))
        for _ in griffin_lim(stft, abs(start), start, 600, 14):
            launches.append(stand_in.counters.launches)
    counts = np.diff(launches)
    assert counts[0] <= 8, "an iteration and the distance of its result"
    assert counts[-6:].tolist() == [1, 0] * 3 or counts[-6:].tolist() == [0, 1] * 3
