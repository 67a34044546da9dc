"""Levels of contents and results."""

import numpy as np
import pytest
from support.distances import distance

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms


@pytest.mark.parametrize("gain", [2.0**-10, 8.0, 2.0**60])
def test_content_scaled_by_a_power_of_two_gives_the_result_scaled_exactly(content, style, rate, gain):
    short = {"spectrogram_iters": 5, "phase_iters": 5, "waveform_iters": 5}
    want = gain * stylize(content, style, rate, **short).audio
    np.testing.assert_array_equal(stylize(np.float32(gain) * content, style, rate, **short).audio, want)


@pytest.mark.parametrize("gain", [1e-3, 10.0])
@pytest.mark.parametrize("match_level", [True, False])
def test_content_scaled_by_anything_gives_the_result_scaled(styled, content, gain, match_level):
    want = gain * styled(content, match_level=match_level)
    assert distance(styled(gain * content.astype(np.float64), match_level=match_level), want) < 1e-3


def test_result_has_the_contents_level(styled, content, stereo):
    assert rms(styled(content)) == pytest.approx(rms(content), rel=1e-5)
    assert rms(styled(stereo)) == pytest.approx(rms(stereo), rel=1e-5)


def test_without_match_level_the_level_is_what_comes_out(styled, content):
    matched, free = styled(content), styled(content, match_level=False)
    assert distance(free * (rms(matched) / rms(free)), matched) < 1e-5
    assert rms(free) != pytest.approx(rms(content), rel=1e-5)
    assert rms(free) == pytest.approx(rms(content), rel=0.6)


def test_a_quiet_song_stays_quiet_under_a_loud_style(styled, content, style):
    quiet = 1e-3 * content
    out = styled(quiet, 4 * style)
    assert rms(out) == pytest.approx(rms(quiet), rel=1e-5)
    np.testing.assert_array_equal(out, styled(quiet, style))


def test_pauses_do_not_count_for_the_level_of_a_transfer(stage_inputs, styled, content, style):
    styled(np.append(content, np.zeros(8000, np.float32)), np.append(style, np.zeros(4000, np.float32)))
    styled(content)
    for with_pause, without in zip(*stage_inputs, strict=True):
        assert rms(without) == pytest.approx(0.1, rel=1e-5)
        before_the_last_note = slice(0, 6000)  # which is brought up where it dies away
        np.testing.assert_allclose(with_pause[..., before_the_last_note], without[..., before_the_last_note], rtol=1e-5)


def test_without_normalize_levels_are_left_alone(stage_inputs, styled, content, style):
    out = styled(content, 4 * style, normalize=False)
    np.testing.assert_array_equal(stage_inputs[0][0][0, 0], content)
    np.testing.assert_array_equal(stage_inputs[0][1][0], 4 * style)
    assert rms(out) > 1.2 * rms(styled(content, style, normalize=False))
    np.testing.assert_array_equal(styled(content, 4 * style, normalize=False, match_level=False), out)
