"""Channels of contents and styles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.distances import distance

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample


def test_equal_channels_stay_equal_and_are_what_mono_gives(styled, content):
    out = styled(np.stack([content, content]))  # to 60 dB: a product's columns round as they lie at its edge, or not
    assert distance(out[0], out[1]) < 1e-3
    assert distance(out[0], styled(content)) < 1e-3


@pytest.mark.parametrize("parameters", [{}, {"optimizer": "lbfgs"}])
def test_swapped_channels_give_the_result_swapped(styled, stereo, style, other_style, parameters):
    stereo = stereo[:, :4000]
    assert distance(styled(stereo[::-1], **parameters)[::-1], styled(stereo, **parameters)) < 1e-3
    both = np.stack([style, other_style])
    swapped = styled(stereo[::-1], both[::-1], **parameters)[::-1]
    assert distance(swapped, styled(stereo, both, **parameters)) < 1e-3


RATES = [8000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000]


@pytest.mark.slow
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data())
def test_equal_channels_and_swaps_at_any_rate_and_number_of_channels(data, quick):
    """To 60 dB: sums over channels in another order round differently, and the iterations amplify that."""
    rate = data.draw(st.sampled_from(RATES), "rate")
    channels = data.draw(st.integers(1, 8), "channels")
    order = data.draw(st.permutations(range(channels)), "order")
    optimizer = data.draw(st.sampled_from(["adam", "lbfgs"]), "optimizer")
    rng = np.random.default_rng(data.draw(st.integers(0, 99), "seed"))
    audio = (0.1 * rng.standard_normal((channels, 3000))).astype(np.float32)
    audio *= np.sin(np.outer(1 + np.arange(channels), np.arange(3000) * rng.uniform(0.001, 0.01))) ** 2 + 0.1
    given_style = (rng.standard_normal(4000) * np.sin(0.01 * np.arange(4000))).astype(np.float32)

    def run(content):
        return stylize(content, given_style, rate, **{**quick, "optimizer": optimizer}).audio

    mono, same, out = run(audio[0]), run(np.repeat(audio[:1], channels, axis=0)), run(audio)
    for channel in same:
        assert distance(channel, mono) < 1e-3
    assert distance(run(audio[order]), out[order]) < 1e-3


@pytest.mark.parametrize("rate", RATES)
def test_only_the_style_is_resampled_and_nothing_above_is_lost(stage_inputs, quick, rate, monkeypatch):
    resampled = []
    monkeypatch.setattr(
        "audiostyle_fx._transfer.styles.style_recordings.resample",
        lambda *args: resampled.append(args[0]) or resample(*args),
    )
    t = np.arange(6000)
    content = (0.1 * np.sin(0.1 * t) + 0.1 * np.sin(0.92 * np.pi * t)).astype(np.float32)  # 0.46 of the rate
    own, other = content[::-1].copy(), np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    result = stylize(np.stack([content, content]), own, rate, **{**quick, "optimizer": "lbfgs"})
    stylize(content, other, rate, style_sample_rate=44_100, **quick)
    assert [len(a[0]) for a in resampled] == [6000, 9000], "the styles, once each"
    gain = rms(stage_inputs[0][0]) / rms(content)
    np.testing.assert_allclose(stage_inputs[0][0][0, 0], gain * content, rtol=1e-6)
    assert result.sample_rate == rate

    def high(audio):
        return np.abs(np.fft.rfft(audio * np.hanning(6000)))[2700:2820].max()

    for channel in result.audio:
        assert 20 * np.log10(high(channel) / high(content)) == pytest.approx(0, abs=1)


def test_style_with_the_contents_channels_is_matched_side_by_side(stage_inputs, styled, stereo, style, other_style):
    both = np.stack([style, other_style])
    out = styled(stereo, both)
    given = stage_inputs[0][1]
    assert given.shape == both.shape
    assert distance(given * (rms(both) / rms(given)), both) < 1e-6
    assert distance(styled(stereo, both[::-1]), out) > 1e-2


@pytest.mark.parametrize("channels", [1, 3])
def test_style_with_other_channels_is_mixed_and_serves_all(stage_inputs, styled, stereo, style, other_style, channels):
    given = np.stack([style, other_style, style])[:channels]
    styled(stereo, given)
    mono = given.astype(np.float64).mean(axis=0)
    assert len(stage_inputs[0][1]) == 2
    for channel in stage_inputs[0][1]:
        assert distance(channel * (rms(mono) / rms(channel)), mono) < 1e-6


def test_stereo_style_is_mixed_for_mono_content(styled, content, style, other_style):
    mixed = styled(content, (style + other_style) / 2)
    assert distance(styled(content, np.stack([style, other_style])), mixed) < 1e-3


def test_style_that_cancels_in_the_mix_raises_where_it_is_mixed(styled, content, stereo, style, no_work, monkeypatch):
    with pytest.raises(ValueError, match=r"style.*2 channels.*cancel"):
        styled(content, np.stack([style, -style]))
    monkeypatch.undo()
    assert np.isfinite(styled(stereo, np.stack([style, -style]))).all()


def test_style_with_a_silent_channel_still_serves_both(styled, stereo, style):
    out = styled(stereo, np.stack([style, 0 * style]))
    assert rms(out[0]) > 1e-3 and rms(out[1]) > 1e-3
