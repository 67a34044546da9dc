"""The fused losses of a waveform against those in NumPy, and the launches that they take."""

import numpy as np
import pytest
from support.twins import normal

from audiostyle_fx._engine.cuda import streams
from audiostyle_fx._engine.objectives.fused_closed_form import FusedClosedForm
from audiostyle_fx._engine.objectives.fused_waveform import FusedWaveform, waveform_objective
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.peaks import PeakCost
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._engine.spectra.level_following import LevelFollower
from audiostyle_fx._engine.spectra.stft import STFT

TERMS = [Term(3, 1.5, 0.5, 0.1, last=0.6)]
SAMPLES = 503


def of_window(xp, stft, audio, style):
    """The objective at one window; without a style it holds the content alone."""
    content = stft.log_magnitude(stft.forward(xp.asarray(audio)))
    statistics = None
    if style is not None:
        style = stft.log_magnitude(stft.forward(xp.asarray(style)))
        statistics = InfiniteWidth.style_statistics(style, TERMS)
    if xp is np:
        return InfiniteWidth(content, statistics, TERMS)
    return FusedClosedForm(content, statistics, TERMS)


def waveform(xp, *, stft, follows=False, fixed=False, others=(), peaks=False, samples=SAMPLES):
    """The waveform's objective, and the coordinates to evaluate it at."""
    y, content, other = (xp.asarray(normal(seed, 2, 2, samples)) for seed in range(3))
    style = normal(3, 1, 2, 300)
    finished, mask = None, xp.asarray((normal(4, 2, 2, samples) > -1).astype(np.float32))
    if fixed:
        finished = xp.asarray(np.where(np.arange(samples) < 90, normal(5, 2, 2, samples), 0).astype(np.float32))
        mask = (finished == 0).astype(np.float32)
    follower = LevelFollower.of(3 * other, 2000) if follows else None
    windows = [
        (of_window(xp, each, content, style if number == 0 else None), each) for number, each in enumerate(others)
    ]
    first = of_window(xp, stft, content, style)
    objective = waveform_objective(first, stft, y, mask, finished, windows, 1.5 if others else 1.0, follower)
    if peaks:
        objective.peak_cost = PeakCost(
            y, xp.asarray(np.float64([1.5, np.inf])), xp.asarray(np.float64([[3, 4], [5, 6]]))
        )
    assert type(objective) is (WaveformObjective if xp is np else FusedWaveform)
    return objective, objective.coordinates(y) * np.float32(1.1)


CASES = {
    "plain": {"stft": STFT(32, 8)},
    "a hop that does not divide the window": {"stft": STFT(64, 13)},
    "a hop of half a window": {"stft": STFT(32, 16)},
    "finished samples": {"stft": STFT(32, 8), "fixed": True},
    "at a level": {"stft": STFT(32, 8), "follows": True},
    "finished at a level": {"stft": STFT(32, 8), "follows": True, "fixed": True},
    "two windows": {"stft": STFT(32, 8), "others": (STFT(16, 4),)},
    "three windows at a level": {"stft": STFT(32, 8), "others": (STFT(16, 4), STFT(64, 16)), "follows": True},
    "peaks": {"stft": STFT(32, 8), "peaks": True},
    "everything": {"stft": STFT(32, 8), "others": (STFT(16, 4),), "follows": True, "fixed": True, "peaks": True},
    "short": {"stft": STFT(64, 16), "samples": 70},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_losses_and_gradient_are_those_of_numpy(cupy_of_threads, case):
    (plain, u), (fused, v) = waveform(np, **case), waveform(cupy_of_threads, **case)
    np.testing.assert_allclose(v.get(), u, rtol=1e-4, atol=1e-5)
    for want, got in zip(plain.value_and_grad(u), fused.value_and_grad(cupy_of_threads.asarray(u)), strict=True):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got.get(), want, rtol=1e-3, atol=3e-5 * np.abs(want).max())


@pytest.mark.parametrize("silent", ["y", "other"])
def test_silence_is_finite(cupy, silent):
    objective, u = waveform(cupy, stft=STFT(32, 8), follows=True)
    if silent == "y":
        u[...] = 0
    else:
        objective.follower.levels[0][...] = 0
        objective.follower.levels[1][...] = 0
    losses, grad = objective.value_and_grad(u)
    assert np.isfinite(losses.get()).all() and np.isfinite(grad.get()).all()


def test_levels_that_are_measured_again_serve_both(cupy):
    (plain, u), (fused, v) = (waveform(xp, stft=STFT(32, 8)) for xp in (np, cupy))
    u, v = plain.renew(2 * u), fused.renew(2 * v)
    np.testing.assert_allclose(fused.value_and_grad(v)[1].get(), plain.value_and_grad(u)[1], rtol=1e-2, atol=1e-3)


LAUNCHES = {"plain": 14, "finished samples": 14, "at a level": 15, "peaks": 16, "two windows": 23}
LAUNCHES["three windows at a level"] = 30


@pytest.mark.parametrize("name", LAUNCHES)
def test_few_launches_make_an_evaluation(stand_in, cupy, name):
    with streams.computing_on("cuda:0"):
        objective, u = waveform(cupy, **CASES[name])
        objective.value_and_grad(u)  # copies the constants
        before = vars(stand_in.counters).copy()
        objective.value_and_grad(u)
        after = vars(stand_in.counters).copy()
    assert after.pop("launches") - before.pop("launches") == LAUNCHES[name]
    assert after == before
