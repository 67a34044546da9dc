"""The next run resumes a run that ended at any moment, and faults of single files don't affect the others."""

import errno
import os
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.processes import contents, hidden_files
from support.styled_folders import LENGTH

from audiostyle_fx.folders.records.manifest import HIDDEN, NAME, OWN_FILES, Manifest

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


def test_broken_files_are_reported_and_the_others_done(song, run, events):
    Path("in/song/text.wav").write_text("a text")
    soundfile.write("in/song/nan.wav", np.full(LENGTH, np.nan), 8000, subtype="FLOAT")
    Path("out/alone.wav").mkdir(parents=True)
    outcome = run(progress=events.append)
    assert outcome.failed.keys() == {"song/text.wav", "song/nan.wav", "alone.wav"}
    assert "can't be read as audio" in outcome.failed["song/text.wav"] and "NaN" in outcome.failed["song/nan.wav"]
    assert "must be a file, not a folder" in outcome.failed["alone.wav"]
    assert contents().keys() == {"song/bass.wav", "song/loud.wav", "song/soft.wav"}
    assert {
        event.file: event.record["error"] for event in events if event.record and "error" in event.record
    } == outcome.failed
    assert (events[-1].done, events[-1].failed) == (3, 3)
    assert run().failed.keys() == outcome.failed.keys(), "they are tried again"


class Killed(BaseException):
    """An exception that stands for the end of a process."""


MOMENTS = {
    "process": ("audiostyle_fx.folders.one_file.run", (0, 3)),
    "encode": ("audiostyle_fx.folders.one_file.write_audio", (1, 2)),
    "place": ("audiostyle_fx.folders.plan.place", (0, 2)),
    "placed": ("audiostyle_fx.folders.records.paths.sync_folder", (0, 2)),
    "record": ("audiostyle_fx.folders.records.manifest.Manifest.add", (0, 2, 6)),
    "recorded": ("audiostyle_fx.folders.plan.remove", (0, 2, 3)),
    "rename": ("os.replace", (0, 1, 6, 11)),
}


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        pytest.param(
            moment, ends, marks=[pytest.mark.slow] * (ends == "end" or moment in ("placed", "record", "recorded"))
        )
        for moment in MOMENTS
        for ends in ("kill", "end")
    ],
)
def test_a_run_that_is_ended_at_any_moment_is_taken_up(moment, ends, song, run, monkeypatch):
    """The run may also end without any cleanup, as when the process is killed."""
    run("unbroken")
    where, moments = MOMENTS[moment]
    original = pkgutil.resolve_name(where)
    for when in moments:
        out, calls = f"{moment} {when}", []

        def maybe(*args, _calls=calls, _when=when, **kwargs):
            _calls.append(args)
            if len(_calls) > _when:
                raise Killed
            return original(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(where, maybe)
            if ends == "kill":
                patch.setattr(Manifest, "__exit__", lambda self, *_: self.close())
            with pytest.raises(Killed):
                run(out)
        whole = contents("unbroken")
        done = {name: data for name, data in contents(out).items() if HIDDEN not in name}
        assert done.items() <= whole.items(), "what is there is whole"
        assert run(out).failed == {}
        assert contents(out) == whole
        assert sorted(os.listdir(out)) == [HIDDEN, "alone.wav", NAME, "song"]
        assert hidden_files(out) == OWN_FILES


@pytest.mark.parametrize("where", ["audiostyle_fx._transfer.api.write_audio", "audiostyle_fx.folders.plan.place"])
def test_a_full_disk_leaves_nothing_half_written(where, song, run, monkeypatch):
    original, calls = pkgutil.resolve_name(where), []

    def fill(*args, **kwargs):
        calls.append(args)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(where, fill)
        failed = run().failed
    run("unbroken")
    assert len(failed) >= 3 and all("No space left" in error for error in failed.values())
    assert contents().items() <= contents("unbroken").items()
    assert sorted(os.listdir("out")) == sorted({NAME, HIDDEN, *(name.partition("/")[0] for name in contents()), "song"})
    assert run().failed == {} and contents() == contents("unbroken")


def test_a_disk_too_full_for_a_record_ends_the_run(song, run, monkeypatch):
    def fill(self, *args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "add", fill)
        with pytest.raises(OSError, match="No space left"):
            run()
    run("unbroken")
    assert run().failed == {} and contents() == contents("unbroken")


def test_what_a_killed_worker_leaves_is_removed(song, run):
    def leave(event):
        if event.kind == "made":
            Path("out", HIDDEN, f".{event.duration}.flac").touch()

    run(progress=leave)
    assert sorted(os.listdir("out")) == [HIDDEN, "alone.wav", NAME, "song"]
    assert hidden_files() == OWN_FILES
