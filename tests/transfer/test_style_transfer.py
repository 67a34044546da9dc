"""The result sounds like the style, by every way of measuring it."""

import math

import numpy as np
import pytest
from support.distances import distance
from support.style_losses import style_loss

from audiostyle_fx import Window, stylize


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
        stylize(content, style, rate, **{**quick, "waveform_iters": 20, "alpha": alpha}).stages["waveform"]
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
    start = {"preset": "plain", "spectrogram_iters": 0, "phase_iters": 2, "phase_init": "random", "waveform_iters": 1}
    start["optimizer"] = "adam"  # its phases are those of Griffin-Lim alone
    one, both = (
        stylize(content, style, rate, windows=windows, **start).stages["waveform"]
        for windows in (Window(n_fft=1024), [Window(n_fft=n_fft), Window(n_fft=1024)])
    )
    first, second = (
        one.style_loss[0] / one.content_loss[0],
        (2 * both.style_loss - one.style_loss)[0] / (2 * both.content_loss - one.content_loss)[0],
    )
    assert second == pytest.approx(first, rel=0.5)


@pytest.mark.parametrize(("length", "repeats"), [(0.5, 1), (1, 2), (1, 3)])
def test_style_of_another_length_is_used_whole(stage_inputs, styled, content, style, rate, length, repeats):
    given = np.tile(style[: int(length * len(style))], repeats)
    out = styled(content, given, spectrogram_iters=15, waveform_iters=15)
    assert out.shape == content.shape and stage_inputs[0][1].shape == (1, len(given))
    assert style_loss(out, given, rate) < 0.6 * style_loss(content, given, rate)
