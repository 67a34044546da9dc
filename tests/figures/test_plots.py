"""Plots of recordings and of results."""

import io
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from audiostyle_fx import figures, stylize

Figure = pytest.importorskip("matplotlib.figure").Figure
STAGES = ["spectrogram", "phase", "waveform"]


@dataclass
class History:
    """A stage that is no stage of a transfer."""

    seconds: float
    iterations: np.ndarray
    style_loss: np.ndarray
    content_loss: np.ndarray
    inconsistency: np.ndarray | None = None


@pytest.fixture(scope="module")
def stages():
    losses = 10.0 ** -np.arange(5)
    return {
        "spectrogram": History(1.0, np.arange(5), losses, 0.1 * losses),
        "phase": History(0.5, np.array([1, 4]), losses[:2], 0 * losses[:2], losses[:4]),
        "waveform": History(2.0, np.arange(5), losses, 0.1 * losses),
    }


@pytest.fixture(scope="module")
def result(content, style, rate):
    return stylize(content, style, rate, kernel_width=3, spectrogram_iters=4, phase_iters=3, waveform_iters=3)


def titles(figure):
    return [axis.get_title().partition(",")[0] for axis in figure.axes if axis.get_title()]


def lines(figure, title):
    """The lines of the axes with a title, by label."""
    axes = next(axis for axis in figure.axes if axis.get_title().startswith(title))
    assert axes.get_yscale() == "log"
    return {line.get_label(): line.get_ydata() for line in axes.get_lines()}


def saved(figure):
    with io.BytesIO() as file:
        figure.savefig(file, dpi=40)
        return file.getvalue()


def test_losses_are_drawn_by_stage(stages):
    figure = figures.plot(stages)
    assert isinstance(figure, Figure) and titles(figure) == STAGES
    np.testing.assert_array_equal(lines(figure, "spectrogram")["style"], stages["spectrogram"].style_loss)
    np.testing.assert_array_equal(lines(figure, "waveform")["content"], stages["waveform"].content_loss)
    assert np.isnan(lines(figure, "phase")["content"]).all(), "zero has no place on a logarithmic scale"
    twin = next(axis for axis in figure.axes if axis.get_ylabel() == "inconsistency")
    np.testing.assert_array_equal(twin.get_lines()[0].get_ydata(), stages["phase"].inconsistency)
    assert saved(figure).startswith(b"\x89PNG")


def test_a_recording_is_drawn_above_its_losses(stages, content, rate):
    figure = figures.plot(stages, content, rate)
    assert titles(figure) == STAGES
    picture = figure.axes[0]
    assert picture.get_yscale() == "log" and picture.get_xlim() == (0, pytest.approx(1.0))
    assert picture.get_ylim() == pytest.approx((40, 4000))


@pytest.mark.parametrize("shape", [(8000,), (1, 8000), (2, 300)])
@pytest.mark.parametrize("max_db", [None, -10.0])
def test_a_spectrogram_is_drawn_into_given_axes(shape, max_db):
    axis = Figure().subplots()
    image = figures.spectrogram(axis, np.random.default_rng(0).standard_normal(shape), 8000, max_db)
    low, high = image.get_clim()
    assert high - low == 80 and max_db in (None, high)
    assert axis.get_xlim() == (0, pytest.approx(shape[-1] / 8000))


def test_silence_is_drawn(rate):
    assert saved(figures.plot({}, np.zeros((2, 2000), np.float32), rate)).startswith(b"\x89PNG")


def test_a_result_is_drawn_with_its_losses(result):
    figure = result.plot()
    assert titles(figure) == STAGES and figure.axes[0].get_ylim() == pytest.approx((40, 4000))
    np.testing.assert_array_equal(lines(figure, "spectrogram")["style"], result.stages["spectrogram"].style_loss)


def test_a_result_without_audio_is_drawn_as_its_losses(result):
    figure = figures.plot(result.stages)
    assert titles(figure) == STAGES
    assert not any("Hz" in axis.get_ylabel() for axis in figure.axes)


def test_digital_silence_is_drawn(rate, style, quick):
    silent = stylize(np.zeros((2, 2000), np.float32), style, rate, **quick)
    assert len(silent.plot().axes) >= 1


# ---------------------------------------------------------------- matplotlib
def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "audiostyle_fx.figures.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'audiostyle-fx\[plot\]'"):
        from audiostyle_fx.figures import spectrogram  # noqa: F401


def test_matplotlib_is_imported_at_the_first_use_alone():
    code = """
import sys
import audiostyle_fx.figures.band_levels, audiostyle_fx.figures.colours
from audiostyle_fx import figures
assert {"plot", "spectrogram"} <= set(dir(figures)) and not hasattr(figures, "nothing")
assert "matplotlib" not in sys.modules
figures.spectrogram
assert "matplotlib" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
