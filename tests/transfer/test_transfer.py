"""`stylize` and `texture`: what goes in, what comes out, and what they promise about it."""

import json
import math

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.distances import distance

from audiostyle_fx import Result, Window, stylize, stylize_batch, texture
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._transfer import mixing, recording_transfer, stages
from audiostyle_fx._transfer.parameters import Parameters


@pytest.fixture
def seen(monkeypatch):
    """What the three stages are given, transfer by transfer: (content, first style)."""
    calls, original = [], recording_transfer.three_stages

    def three_stages(content, styles, *args):
        calls.append((content.copy(), styles[0].copy()))
        return original(content, styles, *args)

    monkeypatch.setattr(recording_transfer, "three_stages", three_stages)
    return calls


@pytest.fixture
def styled(style, rate, quick):
    """A function: the audio of a transfer with the quick parameters and others."""
    return lambda content, given=style, **parameters: stylize(content, given, rate, **{**quick, **parameters}).audio


def style_loss(audio, style, rate, n_filters=math.inf):
    """How far the audio is from the style, at the gain that suits it best: the loss at which a transfer starts."""
    only = {
        "alpha": 0,
        "windows": Window(n_fft=256),
        "kernel_width": 3,
        "phase_iters": 0,
        "waveform_iters": 0,
        "n_filters": n_filters,
    }
    audio, style = (0.1 / rms(a) * a for a in (audio, style))
    return min(
        stylize(gain * audio, style, rate, spectrogram_iters=1, normalize=False, **only)
        .stages["spectrogram"]
        .style_loss[0]
        for gain in 10 ** (np.arange(-8, 13, 4) / 20)
    )


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


def test_inputs_are_not_changed(stereo, style, rate, quick):
    content, given = stereo.copy(), style.copy()
    stylize(content, given, rate, **quick)
    texture(given, rate, 0.5, **quick)
    np.testing.assert_array_equal(content, stereo)
    np.testing.assert_array_equal(given, style)


def test_result_shares_no_memory_with_the_content(content, styled):
    assert not np.shares_memory(styled(content, mix=0.0), content)


# ---------------------------------------------------------------- it transfers style
@pytest.mark.parametrize("n_filters", [pytest.param(512, marks=pytest.mark.slow), math.inf])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_result_is_nearer_the_style_than_the_content_is(styled, content, style, rate, n_filters, optimizer):
    more = {"spectrogram_iters": 25, "phase_iters": 5, "waveform_iters": 25, "n_filters": n_filters}
    most = 0.4 * style_loss(content, style, rate, n_filters)
    for init, phase_init in [("content", "content"), ("noise", "random"), ("content", "random")]:
        out = styled(content, optimizer=optimizer, init=init, phase_init=phase_init, **more)
        assert style_loss(out, style, rate, n_filters) < most, (init, phase_init)


def test_less_alpha_is_nearer_the_style_and_farther_from_the_content(content, style, rate, quick):
    ends = [
        stylize(content, style, rate, **{**quick, "waveform_iters": 20}, alpha=alpha).stages["waveform"]
        for alpha in (1.0, 1e-3)
    ]
    assert ends[1].style_loss[-1] < ends[0].style_loss[-1]
    assert ends[1].content_loss[-1] / 1e-3 > ends[0].content_loss[-1] / 1.0


def test_a_style_equal_to_the_content_leaves_it_nearly_as_it_is(content, rate, quick):
    out = stylize(content, content, rate, **{**quick, "optimizer": "lbfgs"}).audio
    assert distance(out, content) < 0.02


def test_several_kernel_widths(styled, content):
    wide, both = styled(content, kernel_width=7), styled(content, kernel_width=(3, 7))
    assert not np.array_equal(both, wide) and not np.array_equal(both, styled(content, kernel_width=3))
    np.testing.assert_array_equal(styled(content, kernel_width=[7]), wide)


def test_several_resolutions(styled, content, style, rate):
    wide, both = (
        styled(content, windows=Window(n_fft=256)),
        styled(content, windows=(Window(n_fft=128), Window(n_fft=256))),
    )
    assert not np.array_equal(both, wide)
    np.testing.assert_array_equal(styled(content, windows=(Window(n_fft=256),)), wide)
    np.testing.assert_array_equal(
        styled(content, windows=(Window(n_fft=256, hop_length=64), Window(n_fft=128, hop_length=32))), both
    )
    more = {"spectrogram_iters": 10, "waveform_iters": 25}
    out = styled(content, windows=(Window(n_fft=128), Window(n_fft=512)), **more)
    assert style_loss(out, style, rate) < 0.4 * style_loss(content, style, rate)


@pytest.mark.parametrize("n_filters", [32, math.inf])
def test_only_the_waveform_stage_sees_the_shorter_windows(content, style, rate, quick, n_filters):
    one, several = (
        stylize(content, style, rate, **{**quick, "windows": n_fft, "n_filters": n_filters}).stages
        for n_fft in (Window(n_fft=256), [Window(n_fft=64), Window(n_fft=256)])
    )
    for stage in ("spectrogram", "phase"):
        np.testing.assert_array_equal(several[stage].style_loss, one[stage].style_loss)
    assert several["waveform"].style_loss[0] != one["waveform"].style_loss[0]


@pytest.mark.parametrize("n_fft", [128, 512])
def test_alpha_means_the_same_at_every_window(content, style, rate, n_fft):
    """In the mean over two windows, the second has a balance of style and content as the first has."""
    start = {"spectrogram_iters": 0, "phase_iters": 2, "phase_init": "random", "waveform_iters": 1}
    one, both = (
        stylize(content, style, rate, windows=windows, **start).stages["waveform"]
        for windows in (Window(n_fft=1024), [Window(n_fft=n_fft), Window(n_fft=1024)])
    )
    first, second = (
        one.style_loss[0] / one.content_loss[0],
        (2 * both.style_loss - one.style_loss)[0] / (2 * both.content_loss - one.content_loss)[0],
    )
    print(n_fft, first, second, one.style_loss[0], both.style_loss[0], one.content_loss[0], both.content_loss[0])
    assert second == pytest.approx(first, rel=0.5)


@pytest.mark.parametrize(("length", "repeats"), [(0.5, 1), (1, 2), (1, 3)])
def test_style_of_another_length_is_used_whole(seen, styled, content, style, rate, length, repeats):
    given = np.tile(style[: int(length * len(style))], repeats)
    out = styled(content, given, spectrogram_iters=15, waveform_iters=15)
    assert out.shape == content.shape and seen[0][1].shape == (1, len(given))
    assert style_loss(out, given, rate) < 0.6 * style_loss(content, given, rate)


# ---------------------------------------------------------------- levels
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


def test_pauses_do_not_count_for_the_level_of_a_transfer(seen, styled, content, style):
    styled(np.append(content, np.zeros(8000, np.float32)), np.append(style, np.zeros(4000, np.float32)))
    styled(content)
    for with_pause, without in zip(*seen, strict=True):
        assert rms(without) == pytest.approx(0.1, rel=1e-5)
        before_the_last_note = slice(0, 6000)  # which is brought up where it dies away
        np.testing.assert_allclose(with_pause[..., before_the_last_note], without[..., before_the_last_note], rtol=1e-5)


def test_without_normalize_levels_are_left_alone(seen, styled, content, style):
    out = styled(content, 4 * style, normalize=False)
    np.testing.assert_array_equal(seen[0][0][0, 0], content)
    np.testing.assert_array_equal(seen[0][1][0], 4 * style)
    assert rms(out) > 1.2 * rms(styled(content, style, normalize=False))
    np.testing.assert_array_equal(styled(content, 4 * style, normalize=False, match_level=False), out)


# ---------------------------------------------------------------- mix
def test_mix_zero_is_the_content_bit_for_bit(styled, stereo):
    np.testing.assert_array_equal(styled(stereo, mix=0), stereo)


@pytest.mark.parametrize("mix", [0.25, 0.9])
def test_mix_is_the_sum_of_dry_and_wet_at_their_level(styled, stereo, mix):
    want = (1 - mix) * stereo.astype(np.float64) + mix * styled(stereo)
    np.testing.assert_allclose(styled(stereo, mix=mix), rms(stereo) / rms(want) * want, rtol=0, atol=1e-7)


@pytest.mark.parametrize("mixes", [(0.1, 0.5), pytest.param((0.01, 0.3, 0.7, 0.95), marks=pytest.mark.slow)])
@pytest.mark.parametrize("parameters", [{}, {"match_level": False}, {"normalize": False}, {"phase_init": "random"}])
def test_level_moves_evenly_with_the_mix(styled, content, stereo, style, mixes, parameters):
    holed = stereo[:, :4000].copy()
    holed[0, 1000:3000] = 0
    for dry in (content[:4000], 1e-4 * stereo[:, :4000], holed):
        wet = styled(dry, 5 * style, **parameters)
        for mix in mixes:
            want = (1 - mix) * np.log10(rms(dry)) + mix * np.log10(rms(wet))
            out = styled(dry, 5 * style, mix=mix, **parameters)
            assert 20 * np.log10(rms(out)) == pytest.approx(20 * want, abs=0.01)


@pytest.mark.parametrize("mix", [0.1, 0.5, 0.6])
def test_a_mix_that_cancels_is_raised_no_more_than_20_db(mix):
    dry, wet = mixing.mix_shares(1.0, 1.0, -1.0, mix)
    assert 0 < dry <= 10 * (1 - mix) * 1.001 and 0 < wet <= 10 * mix * 1.001


def test_mix_is_aligned_to_the_sample(content, rate, quick):
    wet = stylize(content, content, rate, **{**quick, "optimizer": "lbfgs"}).audio
    assert np.argmax(np.correlate(wet, content, "full")) == len(content) - 1
    for mix in (0.3, 0.7):
        mixed = stylize(content, content, rate, mix=mix, **{**quick, "optimizer": "lbfgs"}).audio
        assert distance(mixed, content) < 0.02


def test_mix_zero_keeps_the_sign_of_zero(styled, content):
    dry = content.copy()
    dry[100] = -0.0
    assert styled(dry, mix=0).tobytes() == dry.tobytes()


# ---------------------------------------------------------------- seed
RANDOM = [
    {"init": "noise"},
    {"phase_init": "random"},
    {"init": "noise", "phase_init": "random", "optimizer": "lbfgs"},
    {"n_filters": 64},
    {"n_filters": 64, "kernel_width": (3, 5)},
]


@pytest.mark.parametrize("parameters", RANDOM)
def test_one_seed_decides_all_that_is_random(styled, content, parameters):
    content = content[:4000]
    first = styled(content, seed=5, **parameters)
    np.testing.assert_array_equal(styled(content, seed=5, **parameters), first)
    assert distance(styled(content, seed=6, **parameters), first) > 1e-2


def test_nothing_else_is_random(styled, content):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(styled(content, seed=1), styled(content, seed=2))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


# ---------------------------------------------------------------- silence
WAYS = [
    {},
    {"optimizer": "lbfgs"},
    {"n_filters": 64},
    {"init": "noise", "phase_init": "random"},
    {"spectrogram_iters": 0, "phase_iters": 0},
    {"waveform_iters": 0},
    {"mix": 0.5},
    {"normalize": False},
]


@pytest.mark.parametrize("parameters", WAYS)
def test_digital_silence_stays_exactly_zero(styled, stereo, parameters):
    holed = stereo.copy()
    holed[:, :900] = holed[0, 3000:5000] = holed[1, 7000:] = 0
    out = styled(holed, **parameters)
    assert np.isfinite(out).all()
    assert not out[:, :900].any() and not out[0, 3000:5000].any() and not out[1, 7000:].any()
    assert rms(out[1, 3000:5000]) > 1e-3 and rms(out[0, 7000:]) > 1e-3


def test_a_single_zero_is_no_silence(styled, content):
    holed = content.copy()
    holed[1000::1000] = 0
    assert styled(holed)[1000::1000].all()


@pytest.mark.parametrize("shape", [(8000,), (2, 8000), (1, 3)])
@pytest.mark.parametrize("parameters", [{}, {"init": "noise", "phase_init": "random"}, {"normalize": False}])
def test_silence_comes_back_silent(styled, shape, parameters, no_work):
    out = styled(np.zeros(shape, np.float32), **parameters)
    assert out.shape == shape and not out.any()


@pytest.mark.parametrize("shape", [(0,), (1, 0), (2, 0)])
def test_zero_samples_come_back_empty(style, rate, shape, no_work):
    result = stylize(np.zeros(shape, np.float32), style, rate)
    assert result.audio.shape == shape and result.audio.dtype == np.float32 and result.stages == {}


@pytest.mark.parametrize("silent", [0, 1])
def test_a_silent_channel_stays_silent_and_leaves_the_other_as_if_alone(styled, content, silent):
    out = styled(np.stack([0 * content, content] if silent == 0 else [content, 0 * content]))
    assert not out[silent].any()
    np.testing.assert_array_equal(out[1 - silent], styled(content))


# ---------------------------------------------------------------- short content
@pytest.mark.parametrize("n_samples", [1, 2, 7, 100, 383, 384, 385])  # a patch is 256 + 2 * 64 samples
@pytest.mark.parametrize("parameters", WAYS)
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


# ---------------------------------------------------------------- channels
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
def test_only_the_style_is_resampled_and_nothing_above_is_lost(seen, quick, rate, monkeypatch):
    resampled = []
    monkeypatch.setattr(
        "audiostyle_fx._transfer.style_recordings.resample", lambda *args: resampled.append(args[0]) or resample(*args)
    )
    t = np.arange(6000)
    content = (0.1 * np.sin(0.1 * t) + 0.1 * np.sin(0.92 * np.pi * t)).astype(np.float32)  # 0.46 of the rate
    own, other = content[::-1].copy(), np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    result = stylize(np.stack([content, content]), own, rate, **{**quick, "optimizer": "lbfgs"})
    stylize(content, other, rate, style_sample_rate=44_100, **quick)
    assert [len(a[0]) for a in resampled] == [6000, 9000], "the styles, once each"
    gain = rms(seen[0][0]) / rms(content)
    np.testing.assert_allclose(seen[0][0][0, 0], gain * content, rtol=1e-6)
    assert result.sample_rate == rate

    def high(audio):
        return np.abs(np.fft.rfft(audio * np.hanning(6000)))[2700:2820].max()

    for channel in result.audio:
        assert 20 * np.log10(high(channel) / high(content)) == pytest.approx(0, abs=1)


def test_style_with_the_contents_channels_is_matched_side_by_side(seen, styled, stereo, style, other_style):
    both = np.stack([style, other_style])
    out = styled(stereo, both)
    given = seen[0][1]
    assert given.shape == both.shape
    assert distance(given * (rms(both) / rms(given)), both) < 1e-6
    assert distance(styled(stereo, both[::-1]), out) > 1e-2


@pytest.mark.parametrize("channels", [1, 3])
def test_style_with_other_channels_is_mixed_and_serves_all(seen, styled, stereo, style, other_style, channels):
    given = np.stack([style, other_style, style])[:channels]
    styled(stereo, given)
    mono = given.astype(np.float64).mean(axis=0)
    assert len(seen[0][1]) == 2
    for channel in seen[0][1]:
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
    seen, styled, stereo, style, other_style, rate, tmp_path, quick
):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 16000, subtype="FLOAT")
    given = [path, np.stack([style, other_style]), np.repeat(other_style, 2)]
    out = styled(stereo, given, style_sample_rate=[None, None, 2 * rate])
    halved = [resample(a[None], 2 * rate, rate)[0] for a in (style, np.repeat(other_style, 2))]
    np.testing.assert_array_equal(styled(stereo, [halved[0], given[1], halved[1]]), out)
    one_for_all = styled(stereo, [path, np.repeat(other_style, 2)], style_sample_rate=2 * rate)
    np.testing.assert_array_equal(one_for_all, styled(stereo, [halved[0], halved[1]]))


def test_batch_and_texture_of_several_styles(stereo, style, other_style, rate, quick):
    both, weights = [style, np.stack([other_style, style])], [2, 1]
    first, second = stylize_batch([stereo, stereo[::-1]], both, rate, style_weights=weights, **quick)
    np.testing.assert_array_equal(first.audio, stylize(stereo, both, rate, style_weights=weights, **quick).audio)
    assert distance(second.audio[::-1], first.audio) > 1e-3, "the second style is matched side by side"
    out = texture(both[::-1], rate, 0.5, style_weights=weights, **quick).audio
    assert out.shape == (2, 4000) and rms(out) == pytest.approx(rms(both[1]), rel=1e-5)
    assert distance(out, texture(both[1], rate, 0.5, **quick).audio) > 1e-2


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


# ---------------------------------------------------------------- the original
@pytest.fixture
def published(style, quick):
    """A function: the transfer as it was published, but for small numbers."""
    few = {"n_filters": 64, "optimizer": "lbfgs", "waveform_iters": 0, "init": "noise", "phase_init": "random"}
    return lambda content, rate, given=style, **parameters: stylize(
        content, given, rate, **{**quick, **few, "normalize": False, "preset": "original", **parameters}
    )


@pytest.mark.parametrize(("frames", "style_frames"), [(30, 30), (30, 21), (9, 30)])
@pytest.mark.parametrize("n_filters", [64, math.inf])
def test_the_originals_loss_divides_by_the_contents_frames(frames, style_frames, n_filters):
    bins, width, rng = 1025, 2, np.random.default_rng(0)
    content, style, x = (rng.random((1, n, bins), np.float32) for n in (frames, style_frames, frames))
    parameters = Parameters(preset="original", n_filters=n_filters, kernel_width=width, alpha=0.3)
    objective = stages._objective(content, stages._Seen([style], parameters), (1.0,), 1, 22050, parameters, 3)
    (style_loss, content_loss), _ = objective.value_and_grad(x)

    def kernel(a, b):
        """Inner products of the features of all patches."""
        u, v = (np.stack([x[0, t : t + width].ravel() for t in range(x.shape[1] - width + 1)]) for x in (a, b))
        if n_filters == 64:
            return np.maximum(u @ objective._layers[0].filters, 0) @ np.maximum(objective._layers[0].filters.T @ v.T, 0)
        sizes = np.linalg.norm(u, axis=1)[:, None] * np.linalg.norm(v, axis=1).astype(np.float64)
        angle = np.arccos(np.clip(u @ v.T / sizes, -1, 1))
        variance = 4 / ((bins + 4096) * width)
        return 4096 * variance * sizes / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))

    gram = sum(f * np.sum(kernel(a, b) ** 2) for f, a, b in [(1, x, x), (-2, x, style), (1, style, style)])
    assert style_loss[0] == pytest.approx(gram / frames**2, rel=1e-3)
    squares = kernel(x, x) - 2 * kernel(x, content) + kernel(content, content)
    assert content_loss[0] == pytest.approx(0.3 * np.trace(squares), rel=1e-3)


def test_the_original_works_in_mono_at_its_rate_and_comes_back(seen, published, stereo, rate):
    silent = np.stack([stereo[0], 0 * stereo[0], stereo[1]])
    result = published(silent, rate)
    (content, style), out = seen[0], result.audio
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
    published(content, 22050, original=False)
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


# ---------------------------------------------------------------- texture
@pytest.mark.parametrize("duration", [1 / 8000, 0.02, 0.5, 1.00005, 2])
def test_texture_is_as_long_as_asked(style, rate, quick, duration):
    result = texture(style, rate, duration, **quick)
    assert result.audio.shape == (1, round(duration * rate)) and result.audio.dtype == np.float32
    assert result.sample_rate == rate
    assert rms(result.audio) == pytest.approx(rms(style), rel=1e-5)


def test_texture_has_the_styles_channels_and_level(stereo, rate, quick):
    out = texture(
        8 * stereo, rate, 0.7, **{**quick, "windows": Window(n_fft=256, hop_length=64)}, optimizer="adam"
    ).audio
    assert out.shape == (2, 5600)
    assert rms(out) == pytest.approx(rms(8 * stereo), rel=1e-5)
    assert rms(out[0]) > 1.2 * rms(out[1]), "the louder channel stays the louder"


def test_texture_leaves_a_silent_channel_silent(style, rate, quick):
    out = texture(np.stack([0 * style, style]), rate, 0.5, **quick).audio
    assert not out[0].any()
    np.testing.assert_array_equal(out[1], texture(style, rate, 0.5, **quick).audio[0])


def test_texture_sounds_like_the_style_and_is_no_copy(style, rate, quick):
    more = {**quick, "spectrogram_iters": 30, "waveform_iters": 30}
    out = texture(style, rate, 1.0, **more).audio[0]
    noise = np.random.default_rng(0).standard_normal(len(style)).astype(np.float32)
    assert style_loss(out, style, rate) < 0.3 * style_loss(noise, style, rate)
    copy = np.correlate(out, style, "full") / (np.linalg.norm(out) * np.linalg.norm(style))
    assert np.abs(copy).max() < 0.8


@pytest.fixture(scope="module")
def clicks(rate):
    """Three seconds of decaying bursts of noise, at random times: loud moments, and quiet ones between."""
    rng = np.random.default_rng(0)
    onsets = np.zeros(3 * rate)
    onsets[rng.integers(0, len(onsets), 40)] = rng.uniform(0.3, 1, 40)
    out = scipy.signal.lfilter([1], [1, -0.99], onsets) * rng.standard_normal(len(onsets))
    return (out + 0.003 * rng.standard_normal(len(out))).astype(np.float32)


def envelope_statistics(y):
    """Variation and skewness of the envelope in each band, and how much of it is slow."""
    envelope = np.abs(scipy.signal.stft(y, nperseg=128)[2]) ** 0.3
    z = (envelope - envelope.mean(axis=1, keepdims=True)) / envelope.std(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(z)) ** 2
    slow = power[:, : power.shape[1] // 8].sum(axis=1) / power.sum(axis=1)
    return np.array([envelope.std(axis=1) / envelope.mean(axis=1), (z**3).mean(axis=1), slow])


def test_texture_has_the_statistics_of_the_style_and_copies_nothing(clicks, rate):
    first, second = (texture(clicks, rate, 3.0, waveform_iters=60, seed=seed).audio[0] for seed in (0, 1))
    spectrum = np.fft.rfft(clicks)
    noise = np.fft.irfft(spectrum * np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=len(spectrum))))
    want = envelope_statistics(clicks)
    far = np.sqrt(((envelope_statistics(noise) - want) ** 2).mean(axis=1))
    for out in (first, second):
        near = np.sqrt(((envelope_statistics(out) - want) ** 2).mean(axis=1))
        assert np.all(near < 0.4 * far), (near, far)
    half = rate // 2
    for other in (clicks, second):
        energy = np.convolve(other.astype(np.float64) ** 2, np.ones(half), "valid")
        for snippet in first.reshape(-1, half):
            similar = np.correlate(other, snippet, "valid") / (np.sqrt(energy) * np.linalg.norm(snippet))
            assert np.abs(similar).max() < 0.4


@pytest.mark.parametrize(("own", "renewals"), [({}, 1), ({"optimizer": "adam"}, 0), ({"spectrogram_iters": 2}, 0)])
def test_levels_are_taken_anew_on_the_way_from_noise(monkeypatch, style, rate, own, renewals):
    """After a fifth of L-BFGS's iterations, where the waveform itself starts as noise; else never."""
    evaluations, renewed_after = [], []
    real, real_renew = WaveformObjective.value_and_grad, WaveformObjective.renew
    monkeypatch.setattr(WaveformObjective, "value_and_grad", lambda *a: evaluations.append(1) or real(*a))
    monkeypatch.setattr(WaveformObjective, "renew", lambda *a: renewed_after.append(len(evaluations)) or real_renew(*a))
    texture(style, rate, 0.5, kernel_width=(2, 6), waveform_iters=10, **own)
    assert renewed_after == [2] * renewals
    stylize(style, style, rate, optimizer="lbfgs", spectrogram_iters=0, phase_iters=1, waveform_iters=10)
    assert len(renewed_after) == renewals


def test_texture_is_the_transfer_without_content(style, rate, quick):
    quick = {**quick, "windows": Window(n_fft=256, hop_length=64), "optimizer": "adam"}
    result = texture(style, rate, 1.0, seed=3, **quick)
    anything = np.random.default_rng(7).standard_normal(rate).astype(np.float32)
    want = stylize(anything, style, rate, alpha=0, init="noise", phase_init="random", seed=3, **quick).audio
    assert distance(result.audio[0] / rms(result.audio), want / rms(want)) < 1e-3
    assert (result.parameters["alpha"], result.parameters["init"], result.parameters["phase_init"]) == (
        0,
        "noise",
        "random",
    )
    np.testing.assert_array_equal(texture(style, rate, 1.0, seed=3, **quick).audio, result.audio)
    assert distance(texture(style, rate, 1.0, seed=4, **quick).audio, result.audio) > 0.1


def test_texture_of_a_file_at_another_rate(style, rate, quick, tmp_path):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 16000, subtype="FLOAT")
    result = texture(path, rate, 0.5, **quick)
    np.testing.assert_array_equal(result.audio, texture(style, rate, 0.5, style_sample_rate=16000, **quick).audio)
    assert result.audio.shape == (1, 4000)


# ---------------------------------------------------------------- what a result tells
@pytest.mark.parametrize("parameters", [{}, {"optimizer": "lbfgs"}, {"n_filters": 64}])
def test_result_records_every_stage(content, style, rate, quick, parameters):
    result = stylize(content, style, rate, **quick, **parameters)
    assert isinstance(result, Result)
    assert list(result.stages) == ["spectrogram", "phase", "waveform"]
    for name, n_iter in (("spectrogram", 4), ("waveform", 3)):
        stage = result.stages[name]
        assert stage.iterations.tolist() == list(range(n_iter + 1))
        assert stage.style_loss.shape == stage.content_loss.shape == (n_iter + 1,)
        assert stage.inconsistency is None
        assert stage.style_loss[-1] + stage.content_loss[-1] < stage.style_loss[0] + stage.content_loss[0]
    phase = result.stages["phase"]
    assert phase.iterations.tolist() == [1, 3] and phase.style_loss.shape == phase.content_loss.shape == (2,)
    assert phase.inconsistency.shape == (3,) and phase.inconsistency[-1] < phase.inconsistency[0]
    for stage in result.stages.values():
        assert stage.style_loss.dtype == np.float64 and np.isfinite([*stage.style_loss, *stage.content_loss]).all()
        assert stage.seconds > 0
    assert sum(stage.seconds for stage in result.stages.values()) <= result.seconds < 60


@pytest.mark.parametrize(
    ("left_out", "names"),
    [
        (["spectrogram_iters"], ["phase", "waveform"]),
        (["phase_iters"], ["spectrogram", "waveform"]),
        (["waveform_iters"], ["spectrogram", "phase"]),
        (["spectrogram_iters", "phase_iters"], ["waveform"]),
        (["phase_iters", "waveform_iters"], ["spectrogram"]),
    ],
)
def test_a_stage_without_iterations_is_left_out(content, style, rate, quick, left_out, names):
    result = stylize(content, style, rate, **{**quick, **dict.fromkeys(left_out, 0)})
    assert list(result.stages) == names
    assert distance(result.audio, content) > 1e-2
    assert rms(result.audio) == pytest.approx(rms(content), rel=1e-5)


def test_history_ends_with_the_loss_of_the_audio(content, style, rate, quick):
    parameters = {**quick, "match_level": False, "normalize": False, "alpha": 0}
    result = stylize(10 * content, 10 * style, rate, **parameters)
    again = stylize(result.audio, 10 * style, rate, **{**parameters, "spectrogram_iters": 1})
    assert again.stages["spectrogram"].style_loss[0] == pytest.approx(
        result.stages["waveform"].style_loss[-1], rel=1e-3
    )


def test_parameters_of_a_result_say_all_and_make_it_again(content, style, rate):
    given = {"spectrogram_iters": 2, "phase_iters": 2, "waveform_iters": 2, "kernel_width": [3, np.int64(5)]}
    result = stylize(content, style, rate, alpha=np.float32(0.5), seed=np.int64(3), **given)
    assert set(result.parameters) == {description.name for description in Parameters.described()}
    assert result.parameters["windows"] == [{"n_fft": 1024, "hop_length": 256}]
    assert result.parameters["n_filters"] == math.inf
    finite = {name: value for name, value in result.parameters.items() if name != "n_filters"}
    loaded = json.loads(json.dumps(finite, allow_nan=False))
    assert loaded.pop("kernel_width") == [3, 5]
    assert all(loaded[name] == finite[name] for name in loaded)
    np.testing.assert_array_equal(stylize(content, style, rate, **result.parameters).audio, result.audio)


# ---------------------------------------------------------------- progress
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_progress_is_told_every_iteration_in_order(content, style, rate, quick, optimizer):
    told = []
    result = stylize(content, style, rate, optimizer=optimizer, progress=told.append, **quick)
    want = [("spectrogram", i, 4) for i in range(5)] + [("phase", i, 3) for i in (1, 2, 3)]
    want += [("waveform", i, 3) for i in range(4)]
    assert [(event.stage, event.iteration, event.iterations) for event in told] == want
    for event in told:
        stage, iteration, losses = event.stage, event.iteration, event.losses
        assert (event.kind, event.section, event.sections) == ("stage", 0, 1)
        names = {"inconsistency"} if stage == "phase" else {"style", "content"}
        assert set(losses) == names and all(type(value) is float for value in losses.values())
        if stage == "phase":
            assert losses["inconsistency"] == result.stages[stage].inconsistency[iteration - 1]
        else:
            assert losses["style"] == result.stages[stage].style_loss[iteration]
            assert losses["content"] == result.stages[stage].content_loss[iteration]


def test_progress_of_a_texture(style, rate, quick):
    told = []
    texture(style, rate, 0.3, progress=told.append, **quick)
    assert [event.stage for event in told] == ["spectrogram"] * 5 + ["phase"] * 3 + ["waveform"] * 4


def test_the_bar_never_runs_backwards(content, style, rate, quick, capsys):
    stylize(np.tile(content, 3), style, rate, progress=True, section_seconds=1, **quick)
    shares = [int(share) for share in re.findall(r"(\d+)%", capsys.readouterr().err)]
    assert shares == sorted(shares) and shares[-1] == 100


def test_progress_true_shows_a_bar_on_stderr(content, style, rate, quick, capsys):
    stylize(content, style, rate, progress=True, **quick)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "100%" in shown.err and "<00:00" in shown.err
    assert "waveform" in shown.err and "style=" in shown.err and "content=" in shown.err


@pytest.mark.parametrize("progress", [None, False])
def test_no_progress_no_output(content, style, rate, quick, progress, capsys):
    stylize(content, style, rate, progress=progress, **quick)
    assert capsys.readouterr() == ("", "")


def test_progress_changes_nothing(styled, content):
    np.testing.assert_array_equal(styled(content, progress=lambda *event: None), styled(content))


@pytest.mark.parametrize("stage", ["spectrogram", "phase", "waveform"])
def test_interrupt_from_a_callback_comes_through(content, style, rate, quick, stage):
    def interrupt(event):
        if (event.stage, event.iteration) == (stage, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stylize(content, style, rate, progress=interrupt, **quick)


# ---------------------------------------------------------------- extremes
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
