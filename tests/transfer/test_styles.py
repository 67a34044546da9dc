"""Styles of every form: files, arrays, lists, one or several."""

import numpy as np
import pytest
import soundfile
from support.distances import distance
from support.style_losses import style_loss

from audiostyle_fx import stylize, stylize_batch, texture
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample


# ---------------------------------------------------------------- the style
@pytest.mark.parametrize("other_rate", [16000, 11025])
def test_style_at_another_rate_is_resampled(styled, content, style, rate, other_rate, tmp_path):
    want = styled(content, resample(style[None], other_rate, rate)[0])
    np.testing.assert_array_equal(styled(content, style, style_sample_rate=other_rate), want)
    path = tmp_path / "style.wav"
    soundfile.write(path, style, other_rate, subtype="FLOAT")
    np.testing.assert_array_equal(styled(content, path), want)
    np.testing.assert_array_equal(styled(content, str(path)), want)


def test_style_as_a_list_of_one(styled, content, style, tmp_path):
    want = styled(content)
    np.testing.assert_array_equal(styled(content, [style]), want)
    np.testing.assert_array_equal(styled(content, (style,), style_weights=[3.0]), want)
    np.testing.assert_array_equal(styled(content, style, style_weights=(1,)), want)
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 8000, subtype="FLOAT")
    np.testing.assert_array_equal(styled(content, [path]), want)


# ---------------------------------------------------------------- several styles
def test_weights_move_the_result_from_one_style_to_the_other(styled, content, style, other_style, rate):
    more = {"spectrogram_iters": 20, "waveform_iters": 20}
    outs = [styled(content, [style, other_style], style_weights=w, **more) for w in ([9, 1], [1, 1], [1, 9])]
    losses = np.array([[style_loss(out, one, rate) for out in outs] for one in (style, other_style)])
    assert (np.diff(losses[0]) > 0).all() and (np.diff(losses[1]) < 0).all()


@pytest.mark.parametrize("parameters", [{}, {"n_filters": 64}, {"init": "noise", "phase_init": "random"}])
def test_only_ratios_of_weights_count(styled, content, style, other_style, parameters):
    content, both = content[:4000], [style, other_style]
    want = styled(content, both, **parameters)
    np.testing.assert_array_equal(styled(content, both, style_weights=[1, 1], **parameters), want)
    np.testing.assert_array_equal(styled(content, both, style_weights=np.array([5e307, 5e307]), **parameters), want)
    assert distance(styled(content, both, style_weights=[1, 0.5], **parameters), want) > 1e-3


@pytest.mark.parametrize("parameters", [{}, {"n_filters": 64}, {"init": "noise"}])
def test_styles_in_another_order_with_their_weights_are_the_same(styled, content, style, other_style, parameters):
    content = content[:4000]
    want = styled(content, [style, other_style], style_weights=[3, 1], **parameters)
    assert distance(styled(content, [other_style, style], style_weights=[1, 3], **parameters), want) < 1e-3


def test_a_style_next_to_nothing_counts_for_nothing(styled, content, style, other_style):
    found = styled(content, [style, other_style], style_weights=[1, 1e-300])
    assert distance(found, styled(content)) < 1e-3


def test_each_of_several_styles_has_its_own_level(styled, content, style, other_style):
    want = styled(content, [style, other_style])
    assert distance(styled(content, [1e-3 * style.astype(np.float64), 8 * other_style]), want) < 1e-3


def test_each_of_several_styles_has_its_own_rate_and_channels(
    stage_inputs, styled, stereo, style, other_style, rate, tmp_path, quick
):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 16000, subtype="FLOAT")
    given = [path, np.stack([style, other_style]), np.repeat(other_style, 2)]
    out = styled(stereo, given, style_sample_rate=[None, None, 2 * rate])
    halved = [resample(a[None], 2 * rate, rate)[0] for a in (style, np.repeat(other_style, 2))]
    np.testing.assert_array_equal(styled(stereo, [halved[0], given[1], halved[1]]), out)
    one_for_all = styled(stereo, [path, np.repeat(other_style, 2)], style_sample_rate=2 * rate)
    np.testing.assert_array_equal(one_for_all, styled(stereo, [halved[0], halved[1]]))


def test_batch_and_texture_of_several_styles(stereo, style, other_style, rate, quick, quick_stages):
    both, weights = [style, np.stack([other_style, style])], [2, 1]
    first, second = stylize_batch([stereo, stereo[::-1]], both, rate, style_weights=weights, **quick)
    np.testing.assert_array_equal(first.audio, stylize(stereo, both, rate, style_weights=weights, **quick).audio)
    assert distance(second.audio[::-1], first.audio) > 1e-3, "the second style is matched side by side"
    out = texture(both[::-1], rate, 0.5, style_weights=weights, **quick_stages).audio
    assert out.shape == (2, 4000) and rms(out) == pytest.approx(rms(both[1]), rel=1e-5)
    assert distance(out, texture(both[1], rate, 0.5, **quick_stages).audio) > 1e-2


def test_numbers_in_lists_are_an_array(styled, content, stereo, style, other_style):
    np.testing.assert_array_equal(styled(content, style.tolist()), styled(content))
    both = np.stack([style, other_style])
    np.testing.assert_array_equal(styled(stereo, both.tolist()), styled(stereo, both))
    want = styled(stereo, [both, style])
    np.testing.assert_array_equal(styled(stereo, [both.tolist(), style[None].tolist()]), want)


def test_style_whose_peaks_overflow_when_resampled_is_refused(content, rate, no_work):
    style = np.where(np.random.default_rng(0).random(8000) < 0.5, -3e38, 3e38).astype(np.float32)
    with pytest.raises(ValueError, match="style has peaks"):
        stylize(content, style, rate, style_sample_rate=1.1 * rate)


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float32, np.float64])
def test_rates_of_every_kind_of_number(content, style, rate, quick, kind):
    want = stylize(content, resample(style[None], 16000, rate)[0], rate, **quick)
    result = stylize(content, style, kind(rate), style_sample_rate=kind(16000), **quick)
    np.testing.assert_array_equal(result.audio, want.audio)
    assert result.sample_rate == rate
