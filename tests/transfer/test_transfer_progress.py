"""The progress of a transfer."""

import re

import numpy as np
import pytest

from audiostyle_fx import stylize, texture


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


def test_progress_of_a_texture(style, rate, quick_stages):
    told = []
    texture(style, rate, 0.3, progress=told.append, **quick_stages)
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
