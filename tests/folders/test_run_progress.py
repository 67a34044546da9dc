"""Events and warnings of a run."""

import os
import warnings
from pathlib import Path

import pytest

from audiostyle_fx.folders import one_file

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


def test_what_is_told(song, run, events):
    Path("in/bad.wav").write_text("bad")
    run(progress=events.append)
    order = [(event.kind, event.file) for event in events if event.kind != "stage"]
    assert order == [
        ("start", None),
        ("made", "alone.wav"),
        ("file", "bad.wav"),
        ("file", "alone.wav"),
        ("made", "song/bass.wav"),
        ("made", "song/loud.wav"),
        ("made", "song/soft.wav"),
        ("file", "song/bass.wav"),
        ("file", "song/loud.wav"),
        ("file", "song/soft.wav"),
        ("end", None),
    ]
    assert events[0].bytes == sum(os.path.getsize(path) for path in Path("in").rglob("*.wav"))
    assert sum(event.bytes for event in events if event.kind == "file") == events[0].bytes
    stages = [event for event in events if event.kind == "stage" and event.file == "alone.wav"]
    assert [event.stage for event in stages if event.iteration == event.iterations] == [
        "spectrogram",
        "phase",
        "waveform",
    ]
    assert (events[-1].done, events[-1].skipped, events[-1].failed) == (4, 0, 1)


def test_warnings_of_a_file_are_recorded_and_told_with_its_name(stem, run, monkeypatch):
    stem("a.wav")
    stem("b/b.wav")
    process = one_file.run

    def warn(job, chain, progress):
        for _ in range(2):
            warnings.warn("mind the gap", stacklevel=1)
        return process(job, chain, progress)

    monkeypatch.setattr("audiostyle_fx.folders.one_file.run", warn)
    with pytest.warns(UserWarning, match="mind the gap") as caught:
        outcome = run()
    assert [str(warning.message) for warning in caught] == ["a.wav: mind the gap", "b/b.wav: mind the gap"]
    assert outcome.files["a.wav"]["warnings"] == ["mind the gap"]


@pytest.mark.parametrize("kind", ["start", "stage", "made", "file", "end"])
def test_an_error_of_the_callers_function_ends_the_run(kind, song, run):
    def fail(event):
        if event.kind == kind:
            raise ArithmeticError(kind)

    with pytest.raises(ArithmeticError, match=kind):
        run(progress=fail)
    assert run().failed == {}, "it is no recording's failure"
