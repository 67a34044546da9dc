"""The original algorithm."""

import math

import numpy as np
import pytest

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._transfer.parameters.parameter_list import Parameters
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup
from audiostyle_fx._transfer.stages import stages
from audiostyle_fx._transfer.stages.window_objectives import HeldContent, spectrogram_objectives
from audiostyle_fx._transfer.styles.matched_styles import StyleTarget
from audiostyle_fx._transfer.styles.style_spectra import BatchStyles, SpectraKey, StyleSpectra


@pytest.fixture
def published(style, quick):
    """A function that makes a transfer as it was published, apart from small numbers."""
    few = {"n_filters": 64, "optimizer": "lbfgs", "waveform_iters": 0, "init": "noise", "phase_init": "random"}
    return lambda content, rate, given=style, **parameters: stylize(
        content, given, rate, **{**quick, **few, "normalize": False, "preset": "original", **parameters}
    )


@pytest.mark.parametrize(("frames", "style_frames"), [(30, 30), (30, 21), (9, 30)])
@pytest.mark.parametrize("n_filters", [64, math.inf])
def test_the_originals_loss_divides_by_the_contents_frames(frames, style_frames, n_filters):
    bins, width, rng = 1025, 2, np.random.default_rng(0)
    content, style, x = (rng.random((1, n, bins), np.float32) for n in (frames, style_frames, frames))
    parameters = Parameters(preset="original", n_filters=n_filters, kernel_width=width, strength=None, alpha=0.3)
    setup = TransferSetup.of(parameters, 22050)
    spectra = StyleSpectra(SpectraKey(None, setup.stfts, None, powers=False), ((style,),), (), ())
    target = StyleTarget([np.zeros((1, 1), np.float32)], [1.0])
    (objective,) = spectrogram_objectives(HeldContent([content]), BatchStyles([target], [spectra]), setup, [None])
    (style_loss, content_loss), _ = objective.value_and_grad(x)

    def kernel(a, b):
        """Inner products of the features of all patches."""
        u, v = (np.stack([x[0, t : t + width].ravel() for t in range(x.shape[1] - width + 1)]) for x in (a, b))
        if n_filters == 64:
            filters = objective.layers[0].filters
            return np.maximum(u @ filters, 0) @ np.maximum(filters.T @ v.T, 0)
        sizes = np.linalg.norm(u, axis=1)[:, None] * np.linalg.norm(v, axis=1).astype(np.float64)
        angle = np.arccos(np.clip(u @ v.T / sizes, -1, 1))
        variance = 4 / ((bins + 4096) * width)
        return 4096 * variance * sizes / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))

    gram = sum(f * np.sum(kernel(a, b) ** 2) for f, a, b in [(1, x, x), (-2, x, style), (1, style, style)])
    assert style_loss[0] == pytest.approx(gram / frames**2, rel=1e-3)
    squares = kernel(x, x) - 2 * kernel(x, content) + kernel(content, content)
    assert content_loss[0] == pytest.approx(0.3 * np.trace(squares), rel=1e-3)


def test_the_original_works_in_mono_at_its_rate_and_comes_back(stage_inputs, published, stereo, rate):
    silent = np.stack([stereo[0], 0 * stereo[0], stereo[1]])
    result = published(silent, rate)
    (content, style), out = stage_inputs[0], result.audio
    np.testing.assert_allclose(content[0], resample(silent.mean(axis=0, keepdims=True), rate, 22050), atol=1e-7)
    assert len(style) == 1 and style.shape[1] == 22050
    assert out.shape == silent.shape and result.sample_rate == rate and not out[1].any() and out[0].any()
    np.testing.assert_array_equal(out[0], out[2])
    np.testing.assert_array_equal(published(silent, rate, mix=0.0).audio, silent)
    level = published(silent, rate, normalize=True).audio
    assert rms(level[[0, 2]]) == pytest.approx(rms(stereo), rel=1e-5)


def test_the_original_crops_the_style_to_the_contents_length(published, content, style, other_style):
    short = resample(content[None, :4000], 22050, 22050)
    cropped = published(short, 22050, style[:4000]).audio
    np.testing.assert_array_equal(published(short, 22050, np.concatenate([style[:4000], other_style])).audio, cropped)


def test_the_originals_phases_are_plain_griffin_lim(published, content, monkeypatch):
    momenta, plain = [], stages.griffin_lim
    monkeypatch.setattr(stages, "griffin_lim", lambda *args: momenta.append(args[5]) or plain(*args))
    inconsistency = published(content, 22050, phase_iters=30).stages["phase"].inconsistency
    assert np.all(np.diff(inconsistency) < 0), "which never rises"
    published(content, 22050, preset="plain")
    assert momenta == [0, 0.99]


def test_the_original_starts_from_small_noise(published, content, style):
    start, other = (published(content, 22050, seed=seed).stages["spectrogram"] for seed in (0, 1))
    assert start.content_loss[0] != other.content_loss[0]
    silence = published(content, 22050, 1e-3 * style).stages["spectrogram"].style_loss[0]
    assert silence < 1e-2 * start.style_loss[0], "nothing of it comes from the style"


@pytest.mark.parametrize("level", [1e-44, 1e-38])
def test_the_original_holds_what_single_precision_hardly_does(published, stereo, rate, level):
    noise = np.random.default_rng(56).uniform(-level, level, (2, 2000)).astype(np.float32)
    out = published(noise, rate, normalize=True, match_level=False).audio
    assert np.isfinite(out).all() and out.any()


def test_contents_that_cancel_in_the_originals_mix_are_refused(published, content, rate, no_work):
    with pytest.raises(ValueError, match="content has 2 channels that cancel"):
        published(np.stack([content, -content]), rate)
