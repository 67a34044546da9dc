"""Shapes, precisions and lengths of contents, down to one sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameter_sets import EVERY_STAGE

from audiostyle_fx import stylize, texture
from audiostyle_fx._recordings.levels import rms


# ---------------------------------------------------------------- shapes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(8000,), (1, 8000), (2, 8000), (3, 4001)])
def test_result_has_the_contents_shape_in_float32(styled, content, shape, dtype):
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, shape).astype(dtype) + content[: shape[-1]]
    out = styled(audio)
    assert out.shape == shape and out.dtype == np.float32
    assert np.isfinite(out).all() and rms(out) > 0


def test_precision_and_memory_layout_of_the_content_do_not_matter(styled, stereo):
    want = styled(stereo)
    np.testing.assert_array_equal(styled(stereo.astype(np.float64)), want)
    np.testing.assert_array_equal(styled(np.asfortranarray(stereo)), want)
    np.testing.assert_array_equal(styled(stereo.astype(">f4").astype(np.float32)[:, ::-1][:, ::-1]), want)


def test_one_channel_is_the_same_in_one_dimension_and_in_two(styled, content):
    np.testing.assert_array_equal(styled(content[None])[0], styled(content))


def test_inputs_are_not_changed(stereo, style, rate, quick, quick_stages):
    content, given = stereo.copy(), style.copy()
    stylize(content, given, rate, **quick)
    texture(given, rate, 0.5, **quick_stages)
    np.testing.assert_array_equal(content, stereo)
    np.testing.assert_array_equal(given, style)


def test_result_shares_no_memory_with_the_content(content, styled):
    assert not np.shares_memory(styled(content, mix=0.0), content)


# ---------------------------------------------------------------- short content
@pytest.mark.parametrize("n_samples", [1, 2, 7, 100, 383, 384, 385])  # a patch is 256 + 2 * 64 samples
@pytest.mark.parametrize("parameters", EVERY_STAGE)
def test_content_shorter_than_a_patch(styled, content, n_samples, parameters):
    short = content[2000 : 2000 + n_samples]
    out = styled(short, **parameters)
    assert out.shape == short.shape and np.isfinite(out).all() and out.any()
    if parameters.get("normalize", True) and parameters.get("mix", 1) == 1:
        assert rms(out) == pytest.approx(rms(short), rel=1e-5)


def test_short_content_with_the_default_window(content, style, rate):
    short = {"spectrogram_iters": 2, "phase_iters": 2, "waveform_iters": 2}
    assert stylize(content[:500], style, rate, **short).audio.shape == (500,)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_shape_with_any_silence(data, style, rate, quick):
    channels = data.draw(st.integers(1, 3), "channels")
    n_samples = data.draw(st.integers(channels, 1200), "samples")
    audio = np.random.default_rng(n_samples).standard_normal((channels, n_samples)).astype(np.float32)
    cuts = sorted(data.draw(st.lists(st.integers(0, n_samples), min_size=2, max_size=2), "silence from and to"))
    audio[data.draw(st.integers(0, channels - 1), "channel"), slice(*cuts)] = 0
    out = stylize(audio, style, rate, **quick).audio
    assert out.shape == audio.shape and np.isfinite(out).all()
    if audio.any():
        assert rms(out) == pytest.approx(rms(audio), rel=1e-5)
