"""Progress events: what each kind holds, and the bar of a recording."""

import itertools
import json
import re
import sys

import pytest

from audiostyle_fx import ProgressEvent
from audiostyle_fx import progress as progress_module
from audiostyle_fx.progress import check_progress, is_interactive, reporting

ITERATIONS = {"spectrogram": 4, "phase": 2, "waveform": 3}
COSTS = {"spectrogram": 1.0, "phase": 0.5, "waveform": 1.6}


def run_stages(make_report, batches):
    """Call reports as the stages do, batch after batch."""
    for items in batches:
        report = make_report(items)
        for stage, n in ITERATIONS.items():
            for iteration in range(1 if stage == "phase" else 0, n + 1):
                report(stage, iteration, n, {"style": 2.0, "content": 1.0})


def test_events_tell_stage_iteration_losses_and_sections():
    events = []
    with reporting(events.append, ITERATIONS, COSTS, 3) as make_report:
        run_stages(make_report, [1, 2])
    assert all(event.kind == "stage" and event.file is None for event in events)
    half = len(events) // 2
    assert {(event.section, event.sections) for event in events[:half]} == {(0, 3)}
    assert {(event.section, event.sections) for event in events[half:]} == {(1, 3)}
    assert [(event.stage, event.iteration, event.iterations) for event in events[:6]] == [
        *(("spectrogram", i, 4) for i in range(5)),
        ("phase", 1, 2),
    ]
    assert events[0].losses == {"style": 2.0, "content": 1.0}


def test_a_batch_that_ran_out_of_memory_does_not_count_twice():
    events = []
    with reporting(events.append, ITERATIONS, COSTS, 4) as make_report:
        run_stages(make_report, [4, 2, 2])
    assert all(event.section + 1 <= event.sections for event in events)


def test_sections_are_finished_when_their_last_iteration_is():
    """A batch of four runs out of memory, its halves don't, and a second GPU works on two at the same time."""
    events = []
    with reporting(events.append, ITERATIONS, COSTS, 8) as make_report:
        make_report(4)("spectrogram", 0, 4, {})
        elsewhere = make_report(2)
        elsewhere("spectrogram", 0, 4, {})
        run_stages(make_report, [2])
        elsewhere("waveform", 3, 3, {})
        run_stages(make_report, [2, 2])
    sections = [event.section for event in events]
    assert sections == sorted(sections) and sorted(set(sections)) == [0, 2, 4, 6]


def test_the_bar_goes_by_cost_and_never_back(capsys):
    with reporting(True, ITERATIONS, COSTS, 3) as make_report:
        run_stages(make_report, [1, 2, 2])  # the second batch once more
    shown = capsys.readouterr().err
    shares = [int(share) for share in re.findall(r"(\d+)%", shown)]
    assert shares == sorted(shares) and shares[-1] == 100
    assert "2/3 waveform" in shown and "style=2" in shown and "<00:00" in shown


@pytest.mark.parametrize("progress", [None, False])
def test_nobody_is_told(progress, capsys):
    with reporting(progress, ITERATIONS, COSTS, 1) as make_report:
        assert make_report(1) is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, False), (2.0, True)])
def test_a_person_who_waits_sees_a_bar_after_a_second(monkeypatch, capsys, seconds, shown):
    monkeypatch.setattr(progress_module, "is_interactive", lambda: True)
    clock = itertools.count()  # each look at the clock takes so long
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock) * seconds)
    with reporting(None, ITERATIONS, COSTS, 1) as make_report:
        run_stages(make_report, [1])
    assert ("100%" in capsys.readouterr().err) is shown


def test_a_person_waits_in_a_notebook_or_at_a_terminal(monkeypatch):
    monkeypatch.delattr(sys, "ps1", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert not is_interactive(), "a script on a terminal"
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert is_interactive()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert not is_interactive(), "a shell whose errors go to a file"
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert is_interactive()


@pytest.mark.parametrize("progress", ["bar", 1, 0, 2.0, []])
def test_what_is_no_progress_is_refused(progress):
    with pytest.raises(TypeError, match="must be True, False, None or a function"):
        check_progress(progress)


def test_an_event_as_a_dict_has_the_fields_of_its_kind():
    stage = ProgressEvent(kind="stage", stage="phase", iteration=1, iterations=2)
    assert stage.as_dict() == {
        **{"kind": "stage", "stage": "phase", "iteration": 1, "iterations": 2},
        **{"losses": {}, "section": 0, "sections": 1},
    }
    record = {"status": "failed", "error": "it broke"}
    file = ProgressEvent(kind="file", file="a.wav", bytes=3, record=record)
    assert file.as_dict() == {"kind": "file", "file": "a.wav", "bytes": 3, **record}
    end = ProgressEvent(kind="end", done=1, seconds=2.5)
    assert json.loads(json.dumps(end.as_dict())) == {
        "kind": "end",
        "done": 1,
        "skipped": 0,
        "failed": 0,
        "seconds": 2.5,
    }


def test_events_can_not_be_changed():
    with pytest.raises(AttributeError):
        ProgressEvent(kind="start").files = 3
