"""Contents and styles at extreme levels."""

import numpy as np
import pytest
from support.distances import distance

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms

EXTREMES = {
    "DC": lambda t: np.full(t.shape, 0.5),
    "full-scale square wave": lambda t: np.where(np.sin(0.3 * t + 0.1) > 0, 1.0, -1.0),
    "click at the start": lambda t: np.where(t == 0, 1.0, 0.0),
    "click in the middle": lambda t: np.where(t == 4000, 1.0, 0.0),
    "click at the end": lambda t: np.where(t == len(t) - 1, 1.0, 0.0),
    "DC and a tone": lambda t: 0.5 + 1e-3 * np.sin(0.3 * t),
    "square wave at half the rate": lambda t: np.where(t % 2, 1.0, -1.0),
    "clicks": lambda t: np.where(t % 1000, 0.0, 1.0),
    "denormal noise": lambda t: 1e-39 * np.random.default_rng(0).standard_normal(t.shape),
    "a tone, then denormals": lambda t: np.where(t < 4000, 0.5, 1e-40) * np.sin(0.3 * t),
    "120 dB from one half to the other": lambda t: np.where(t < 4000, 1.0, 1e-6) * np.sin(0.3 * t),
    "pure tone": lambda t: 0.5 * np.sin(0.3 * t),
    "amplitude 1e-30": lambda t: 1e-30 * np.sin(0.3 * t),
    "amplitude 1e-42": lambda t: 1e-42 * np.sin(0.3 * t),
    "amplitude 1e+20": lambda t: 1e20 * np.sin(0.3 * t),
    "amplitude 1e+36": lambda t: 1e36 * np.sin(0.3 * t),
}


@pytest.mark.parametrize("kind", EXTREMES)
@pytest.mark.parametrize("parameters", [{}, {"optimizer": "lbfgs"}, {"spectrogram_iters": 0, "phase_iters": 0}])
def test_extreme_content_comes_through_finite_and_at_its_level(styled, kind, parameters):
    content = EXTREMES[kind](np.arange(5000)).astype(np.float32)
    out = styled(content, **parameters)
    assert np.isfinite(out).all()
    assert rms(out) == pytest.approx(rms(content), rel=1e-2 if "1e-42" in kind else 1e-5)  # 1e-42 has few bits


@pytest.mark.parametrize("kind", EXTREMES)
def test_extreme_style_gives_finite_audio_at_the_contents_level(styled, content, kind):
    given, content = EXTREMES[kind](np.arange(5000)).astype(np.float32), content[:4000]
    out = styled(content, given)
    assert np.isfinite(out).all()
    assert rms(out) == pytest.approx(rms(content), rel=1e-5)


@pytest.mark.parametrize("levels", [(1e-6, 1.0), (1.0, 1e-6), (1e-6, 1e-6), (1e6, 1e-3)])
@pytest.mark.parametrize("parameters", [{}, {"match_level": False}, {"optimizer": "lbfgs"}, {"n_filters": 64}])
def test_120_db_between_content_and_style_change_nothing_but_the_level(styled, content, style, levels, parameters):
    content, style = content[:4000], style[:4000]
    want = levels[0] * styled(content, style, **parameters).astype(np.float64)
    assert distance(styled(levels[0] * content, levels[1] * style, **parameters), want) < 1e-3


@pytest.mark.parametrize("levels", [(1e-6, 1.0), (1.0, 1e-6)])
def test_120_db_without_normalize_are_finite(styled, content, style, levels):
    out = styled(levels[0] * content, levels[1] * style, normalize=False)
    assert np.isfinite(out).all() and rms(out) > 0


def test_what_single_precision_can_not_hold_is_refused(styled, content):
    loud = (3.4e38 * np.sign(content)).astype(np.float32)
    with pytest.raises(RuntimeError, match="not finite"):
        styled(loud)


def test_a_click_stays_a_click(styled, style):
    click = EXTREMES["click in the middle"](np.arange(8000)).astype(np.float32)
    assert np.flatnonzero(styled(click)).tolist() == [4000]
    noisy = click + 1e-4 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    out = styled(noisy)
    assert rms(out[3750:4250]) ** 2 * 500 > 0.5 * rms(out) ** 2 * 8000, "most of it stays where the click is"


def test_full_length_transfer_of_content_without_a_noise_floor(style, rate):
    tone = np.sin(0.3 * np.arange(8000)).astype(np.float32)
    tone[3000:5000] = 0
    assert np.isfinite(stylize(tone, style, rate).audio).all()
