"""The distance of log-magnitudes: its gradient, and what it is relative to; L-BFGS on it against Griffin-Lim."""

import numpy as np
import pytest
from support import cupy_stand_in
from support.twins import normal

from audiostyle_fx._engine.objectives.fused_waveform import waveform_objective
from audiostyle_fx._engine.objectives.spectrogram_match import SpectrogramMatch
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._engine.optimizers.lbfgs import LBFGS
from audiostyle_fx._engine.optimizers.minimize import minimize
from audiostyle_fx._engine.spectra.griffin_lim import griffin_lim
from audiostyle_fx._engine.spectra.stft import STFT


@pytest.fixture
def target():
    return np.random.default_rng(0).uniform(0, 3, (2, 5, 7))


def test_the_gradient_is_the_derivative(target):
    match, generator = SpectrogramMatch(target), np.random.default_rng(1)
    x, direction, step = target + generator.standard_normal(target.shape), generator.standard_normal(target.shape), 1e-5
    ahead, behind = (match.value_and_grad(x + sign * step * direction)[0].sum(axis=0) for sign in (1, -1))
    expected = (match.value_and_grad(x)[1] * direction).sum(axis=(1, 2))
    np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=1e-8)


def test_the_inconsistency_is_the_relative_distance_of_magnitudes(target):
    match, x = SpectrogramMatch(target), target[::-1]
    losses, _ = match.value_and_grad(x)
    magnitudes, sought = np.expm1(x), np.expm1(target)
    norms = [np.linalg.norm(a, axis=(1, 2)) for a in (magnitudes - sought, sought)]
    np.testing.assert_allclose(match.inconsistency, norms[0] / norms[1])
    np.testing.assert_allclose(losses, [((x - target) ** 2).sum(axis=(1, 2)) / 2, [0, 0]])
    match.value_and_grad(target)
    assert not match.inconsistency.any()


def test_silence_is_matched(target):
    match = SpectrogramMatch(np.zeros_like(target))
    match.value_and_grad(np.zeros_like(target))
    assert not match.inconsistency.any()


def test_steps_on_samples_come_nearer_to_log_magnitudes_than_griffin_lim(content, style):
    stft, n_samples = STFT(256, 64), len(content)
    spectra = [stft.forward(y[None, None]) for y in (content, style)]
    x = 0.5 * sum(stft.log_magnitude(spectrum) for spectrum in spectra)  # no audio has these magnitudes
    match, magnitude = SpectrogramMatch(x), stft.magnitude(x).reshape(spectra[0].shape)

    def found(n_iter):
        *_, (y, *_) = griffin_lim(stft, magnitude, spectra[0], n_samples, n_iter)
        return y

    def distance(y):
        return match.value_and_grad(stft.log_magnitude(stft.forward(y)))[0].sum()

    y = found(12)
    waveform = WaveformObjective(match, stft, y, 1.0)
    u, _ = minimize(waveform.value_and_grad, waveform.coordinates(y), LBFGS(5, first=0.35), 8, lambda *_: None)
    assert distance(waveform.samples(u)) < 0.95 * distance(found(20))


def test_on_a_gpu_it_is_the_same_in_few_launches(cupy):
    stft, y = STFT(32, 8), normal(1, 2, 2, 403)
    target = np.abs(stft.log_magnitude(stft.forward(normal(2, 2, 2, 403))))
    found = {}
    for xp in (np, cupy):
        match = SpectrogramMatch(xp.asarray(target))
        waveform = waveform_objective(match, stft, xp.asarray(y), 1.0)
        u = waveform.coordinates(xp.asarray(y)) * np.float32(0.9)
        found[xp] = (*waveform.value_and_grad(u), match.inconsistency)
    for got, want in zip(found[cupy], found[np], strict=True):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got.get(), want, rtol=1e-4, atol=1e-5 * np.abs(want).max())
    if cupy is cupy_stand_in.cupy:
        before = cupy_stand_in.counters.launches
        waveform.value_and_grad(u)
        assert cupy_stand_in.counters.launches - before == 15
