"""The files that a run skips, the files that it processes again, and the files that wait for another run."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.processes import contents, hidden_files
from support.styled_folders import made_of, statuses

from audiostyle_fx import ProgressEvent, style_folder
from audiostyle_fx.folders.records.manifest import HIDDEN, OWN_FILES

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


def test_finished_files_are_skipped(song, run, events):
    run()
    before = {path: os.stat(path).st_mtime_ns for path in Path("out").rglob("*.wav")}
    outcome = run(progress=events.append)
    assert {path: os.stat(path).st_mtime_ns for path in Path("out").rglob("*.wav")} == before
    assert outcome.skipped == 4 and set(outcome.files) == {name.removeprefix("out/") for name in map(str, before)}
    assert [event.kind for event in events] == ["start", "end"]
    assert events[0] == ProgressEvent(kind="start", files=4, skipped=4, bytes=0)


def test_what_changed_is_done_again(song, stem, style, run, events):
    run()

    def again(**arguments):
        events.clear()
        run(progress=events.append, **arguments)
        return made_of(events)

    every = ["alone.wav", "song/bass.wav", "song/loud.wav", "song/soft.wav"]
    assert again(alpha=0.5) == again(alpha=0.25) == every
    assert again(alpha=0.25) == []
    assert again(alpha=0.25, force=True) == every
    assert again(alpha=0.25, duration=0.2) == again(alpha=0.25) == every
    soundfile.write("style.wav", style[::-1], 8000, subtype="FLOAT")
    assert again(alpha=0.25) == every
    stem("alone.wav", 0.5)
    assert again(alpha=0.25) == ["alone.wav"]
    os.unlink("out/song/bass.wav")
    assert again(alpha=0.25) == ["song/bass.wav"]
    os.unlink("out/audiostyle.json")
    assert again(alpha=0.25) == [], "the records are in the database"
    shutil.rmtree(Path("out", HIDDEN))
    assert again(alpha=0.25) == [], "and in the file that is written from it"
    shutil.rmtree(Path("out", HIDDEN))
    os.unlink("out/audiostyle.json")
    assert again(alpha=0.25) == every


def test_force_is_about_the_files_of_the_run_alone(song, run, events):
    run()
    run(include=["alone.wav"], force=True, progress=events.append)
    assert made_of(events) == ["alone.wav"]
    assert len(statuses()) == 4 and run().skipped == 4


def test_equal_parameters_are_equal_however_they_are_written(stem, run):
    stem("a.wav")
    run(kernel_width=(3, 5), seed=3, style_weights=[1])
    assert run(kernel_width=np.array([3, 5]), seed=np.int64(3), style_weights=(1.0,)).skipped == 1


def test_the_same_style_elsewhere_is_the_same(stem, quick):
    stem("a.wav")
    style_folder("in", "out", "style.wav", **quick)
    os.rename("style.wav", "other.wav")
    assert style_folder("in", "out", Path("other.wav"), **quick).skipped == 1


def test_what_waits_outlives_runs_of_other_files(interrupted, run, events):
    run(include=["alone.wav"], force=True)
    run(include=["loud.wav"], progress=events.append)
    assert made_of(events) == []
    assert statuses() == {
        "alone.wav": "done",
        "song/bass.wav": "staged",
        "song/loud.wav": "done",
        "song/soft.wav": "staged",
    }
    run(progress=events.append)
    assert made_of(events) == []
    run("fresh")
    assert contents() == contents("fresh") and hidden_files() == OWN_FILES


def test_what_waits_without_a_source_or_a_file_is_forgotten(interrupted, run):
    Path("in/broken.wav").write_text("broken")
    run(include=["broken.wav"])
    assert statuses()["broken.wav"] == "failed"
    waiting = [path for path in Path("out", HIDDEN).iterdir() if path.name.startswith("staged")]
    waiting[0].unlink()
    run(include=["alone.wav"])
    assert sorted(statuses().values()) == ["done", "failed", "staged", "staged"]
    shutil.rmtree("in/song")
    Path("in/broken.wav").unlink()
    run(include=["alone.wav"])
    assert statuses() == {"alone.wav": "done"} and hidden_files() == OWN_FILES


def test_files_of_no_concern_stay(stem, run):
    stem("a.wav")
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    run()
    os.rename("in/a.wav", "in/b.wav")
    run()
    assert contents().keys() == {"a.wav", "b.wav", "mine.txt"} and statuses() == {"a.wav": "done", "b.wav": "done"}


def test_no_other_run_at_the_same_time(stem, run):
    stem("a.wav")
    errors = []

    def second(event):
        if event.kind == "stage" and not errors:
            with pytest.raises(RuntimeError, match="another process is working") as error:
                run()
            errors.append(error)

    assert run(progress=second).failed == {} and errors
