"""Plots of results."""

import io
import sys

import numpy as np
import pytest

from audiostyle_fx import Outcome, stylize

figures = pytest.importorskip("matplotlib.figure")


@pytest.fixture(scope="module")
def result(content, style, rate):
    return stylize(
        content, style, rate, n_fft=256, kernel_width=3, spectrogram_iters=4, phase_iters=3, waveform_iters=3
    )


def titles(figure):
    return [axis.get_title().partition(",")[0] for axis in figure.axes if axis.get_title()]


def test_a_result_is_drawn_with_its_losses(result):
    figure = result.plot()
    assert isinstance(figure, figures.Figure)
    assert titles(figure) == ["spectrogram", "phase", "waveform"]
    picture = figure.axes[0]
    assert picture.get_yscale() == "log" and picture.get_xlim() == (0, pytest.approx(1.0))
    assert picture.get_ylim() == pytest.approx((40, 4000))
    first = next(axis for axis in figure.axes if axis.get_title().startswith("spectrogram"))
    drawn = {line.get_label(): line.get_ydata() for line in first.get_lines()}
    np.testing.assert_array_equal(drawn["style"], result.stages["spectrogram"].style)
    assert first.get_yscale() == "log"
    with io.BytesIO() as file:
        figure.savefig(file, dpi=40)
        assert file.getvalue().startswith(b"\x89PNG")


def test_an_outcome_without_audio_is_drawn_as_its_losses(result):
    shared = {name: value for name, value in vars(result).items() if name != "audio"}
    figure = Outcome(**shared).plot()
    assert titles(figure) == ["spectrogram", "phase", "waveform"]
    assert not any("Hz" in axis.get_ylabel() for axis in figure.axes)


def test_digital_silence_is_drawn(rate, style, quick):
    silent = stylize(np.zeros((2, 2000), np.float32), style, rate, **quick)
    figure = silent.plot()
    assert len(figure.axes) >= 1


def test_missing_matplotlib_names_the_extra(result, monkeypatch):
    monkeypatch.delitem(sys.modules, "audiostyle_fx.figures.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'audiostyle-fx\[plot\]'"):
        result.plot()
