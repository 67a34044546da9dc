"""Folders of recordings: stems at one level, faults, links, and whatever ends a run being made up for by the next."""

import errno
import json
import os
import pkgutil
import shutil
import threading
import warnings
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.processes import contents

from audiostyle_fx import Window, style_folder, stylize
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx.folders import api, one_file
from audiostyle_fx.folders.find import FolderError, Selection, find
from audiostyle_fx.folders.manifest import HIDDEN, NAME

LENGTH = 2000


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, style):
    """The current folder, with a style in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", lambda file: None)  # which takes longer than all else here
    soundfile.write("style.wav", style, 8000, subtype="FLOAT")
    Path("in").mkdir()


@pytest.fixture
def quick():
    """Parameters of all three stages, of as little as they can do."""
    return {
        "windows": Window(n_fft=128),
        "kernel_width": 2,
        "spectrogram_iters": 1,
        "phase_iters": 1,
        "waveform_iters": 1,
    }


@pytest.fixture
def stem(content):
    """Write a stem, a quarter of a second at a level, in 16 bits, into the input."""

    def write(name, level=1.0, subtype="PCM_16", shift=0):
        path = Path("in", os.fsdecode(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            soundfile.write(
                file, level * content[shift : shift + LENGTH], 8000, subtype, format=path.suffix[1:].upper()
            )
        return path

    return write


@pytest.fixture
def song(stem):
    """Three stems, one of which clips when it is styled, and beside them a recording that is alone in its folder."""
    for name, level in [("song/bass.wav", 0.3), ("song/loud.wav", 4.9), ("song/soft.wav", 0.05), ("alone.wav", 1)]:
        stem(name, level, shift=100 * len(name))


@pytest.fixture
def run(quick):
    """Style what is in ``in`` quickly."""

    def run(target="out", **arguments):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*turned down by", UserWarning)
            return style_folder("in", target, "style.wav", **{**quick, **arguments})

    return run


@pytest.fixture
def events():
    return []


def statuses(folder="out"):
    files = json.loads(Path(folder, NAME).read_text())["files"]
    return {name: record["status"] for name, record in files.items()}


def read(path):
    return soundfile.read(path, dtype="float32")[0]


def made_of(events):
    return [event["file"] for event in events if event["event"] == "made"]


# ---------------------------------------------------------------- what is found
@pytest.mark.parametrize(
    ("selection", "want"),
    [
        ({}, ["a.WAV", "b.flac", "drums/c.wav", "drums/deep/d.wav"]),
        ({"include": ["*.wav"]}, ["drums/c.wav", "drums/deep/d.wav"]),
        ({"include": ["drums/*"]}, ["drums/c.wav", "drums/deep/d.wav"]),
        ({"include": ["*.WAV", "?.flac"]}, ["a.WAV", "b.flac"]),
        ({"exclude": ["drums/deep/*", "a.*"]}, ["b.flac", "drums/c.wav"]),
        ({"include": ["*.wav"], "exclude": ["d.*"]}, ["drums/c.wav"]),
        ({"format": "flac"}, ["a.flac", "b.flac", "drums/c.flac", "drums/deep/d.flac"]),
        ({"format": ".FLAC"}, ["a.flac", "b.flac", "drums/c.flac", "drums/deep/d.flac"]),
    ],
)
def test_files_are_found_by_their_endings_and_globs(selection, want):
    for name in ["a.WAV", "b.flac", "notes.txt", ".hidden.wav", "drums/c.wav", "drums/deep/d.wav", ".git/e.wav"]:
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        Path("in", name).touch()
    os.mkfifo("in/pipe.wav")
    found = find("in", "out", Selection(**selection))
    assert list(found) == want
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in found.values())


def test_two_files_of_one_name_are_refused():
    Path("in/a.wav").touch()
    Path("in/a.flac").touch()
    assert list(find("in", "out", Selection())) == ["a.flac", "a.wav"]
    with pytest.raises(FolderError, match=r"a\.flac' and '.*a\.wav' would both become 'a\.ogg'"):
        find("in", "out", Selection(format="ogg"))


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("in", "in", "must not be the same folder"),
        ("in", "in/out", "must not be the same folder, nor one in the other"),
        ("in/sub", "in", "must not be the same folder"),
        ("in", "link", "must not be the same folder"),
        ("in", "link/out", "must not be the same folder"),
        ("in", "style.wav", "must be a folder, as the input is one"),
        ("nowhere", "out", "input 'nowhere' must be a folder that exists"),
        ("style.wav", "out", "input 'style.wav' must be a folder that exists"),
        ("in/sub", "out", "input 'in/sub' holds no recordings"),
    ],
)
def test_folders_that_can_not_be_used(source, target, why, stem):
    stem("a.wav")
    Path("in/sub").mkdir()
    Path("link").symlink_to("in")
    with pytest.raises(FolderError, match=why):
        style_folder(source, target, "style.wav")
    assert not Path("out").exists() and contents("in").keys() == {"a.wav"}


@pytest.mark.parametrize(
    ("links", "why"),
    [
        ({"in/back": "out/sub"}, "must not be in the input, as by the link"),
        ({"in/all": "."}, "must not be in the input, as by the link"),
        ({"out/sub": "in/sub"}, "is a file that is read"),
        ({"in/sub/b.wav": "out/sub/a.wav"}, "is a file that is read"),
        ({"in/sub/c.wav": "elsewhere/a.wav", "out/sub": "elsewhere"}, "is a file that is read"),
        ({"out/one": "out/sub", "in/one": "in/sub"}, "are one file"),
        ({"style.wav": "out/sub/a.wav"}, "is a file that is read"),
    ],
)
def test_links_by_which_a_source_would_be_lost_are_refused(links, why, stem, quick):
    stem("sub/a.wav")
    for folder in ("out/sub", "elsewhere"):
        Path(folder).mkdir(parents=True)
        Path(folder, "a.wav").write_bytes(Path("style.wav").read_bytes())
    for link, to in links.items():
        shutil.rmtree(link) if os.path.isdir(link) else Path(link).unlink(missing_ok=True)
        Path(link).symlink_to(Path(to).absolute())
    before = contents(".")
    with pytest.raises(FolderError, match=why):
        style_folder("in", "out", "style.wav", **quick)
    assert contents(".") == before


def test_links_that_do_no_harm(stem, run):
    song = stem("song/a.wav")
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    (elsewhere / "b.wav").write_bytes(song.read_bytes())
    Path("in/song/link.wav").symlink_to(song.absolute())
    Path("in/other").symlink_to(elsewhere.absolute())
    (elsewhere / "up").symlink_to(Path("in").absolute())
    Path("in/itself.wav").symlink_to("itself.wav")
    Path("in/broken.wav").symlink_to("nowhere.wav")
    Path("real out").mkdir()
    Path("out").symlink_to("real out")
    outcome = run()
    assert outcome.failed.keys() == {"itself.wav", "broken.wav"}
    assert "there is no such file" in outcome.failed["broken.wav"]
    assert contents("real out").keys() == {"song/a.wav", "song/link.wav", "other/b.wav"}
    assert contents("out")["song/a.wav"] == contents("out")["other/b.wav"]


def test_an_output_folder_that_is_a_link_to_none_yet(stem, run):
    stem("a.wav")
    Path("out").symlink_to("made later")
    assert run().failed == {}
    assert contents("made later").keys() == {"a.wav"}


def test_an_old_result_that_is_a_link_to_its_source_is_replaced_and_the_source_stays(stem, run):
    source = stem("a.wav")
    before = source.read_bytes()
    Path("out").mkdir()
    Path("out/a.wav").symlink_to(source.absolute())
    os.link(source, "in/b.wav")
    os.link(source, "out/b.wav")
    run()
    assert source.read_bytes() == Path("in/b.wav").read_bytes() == before
    assert (
        not Path("out/a.wav").is_symlink()
        and Path("out/a.wav").read_bytes() == Path("out/b.wav").read_bytes() != before
    )


def test_odd_names(stem, run, events):
    odd = [
        b"with space",
        "schön ♫".encode(),
        b"-n",
        b"new\nline",
        b"\xff\xfe",
        b"'\"%s{}\\",
        b"*[a]",
        b', "transfers": ',
    ]
    for name in odd:
        stem(name + b".wav")
    stem(b"\xff sub\n/x.wav")
    outcome = run(progress=events.append)
    made = {*(os.fsdecode(name) + ".wav" for name in odd), os.fsdecode(b"\xff sub\n/x.wav")}
    assert outcome.failed == {} and contents().keys() == statuses().keys() == made
    assert run().skipped == len(made)
    assert {json.loads(json.dumps(event)).get("file") for event in events} == made | {None}


# ---------------------------------------------------------------- what comes out
def test_results_are_those_of_the_function_and_every_file_is_recorded(stem, style, rate, run, quick, events):
    sources = [
        stem(name, subtype="FLOAT", shift=shift) for name, shift in [("a.wav", 0), ("b.wav", 500), ("x/c.wav", 900)]
    ]
    outcome = run(progress=events.append)
    assert contents().keys() == {"a.wav", "b.wav", "x/c.wav"}, "and nothing else is left there"
    for path in sources:
        want = stylize(read(path), style, rate, **quick)
        name = path.relative_to("in").as_posix()
        np.testing.assert_array_equal(read(Path("out", name)), want.audio)
        record = outcome.files[name]
        assert record["status"] == "done" and record["full_scale"] == 1
        assert record["transfers"][0]["parameters"]["n_fft"] == 128
        losses = record["transfers"][0]["stages"]["waveform"]["style"]
        np.testing.assert_allclose(losses, want.stages["waveform"].style_loss, rtol=1e-5)
    written = json.loads(outcome.manifest.read_text())
    assert written["files"] == dict(outcome.files) and written["last_run"]["versions"].keys() >= {
        "audiostyle-fx",
        "numpy",
    }
    assert (outcome.failed, outcome.skipped) == ({}, 0)


def test_stems_of_a_song_share_one_factor_and_others_do_not(song, style, rate, run, quick):
    with pytest.warns(UserWarning, match=r"song: its files turned down by \d\.\d dB"):
        outcome = style_folder("in", "out", "style.wav", **quick)
    wet = {path.name: stylize(read(path), style, rate, **quick).audio for path in Path("in/song").iterdir()}
    factor = max(np.abs(one).max() for one in wet.values())
    assert factor > 1.05
    for name, audio in wet.items():
        assert outcome.files[f"song/{name}"]["full_scale"] == pytest.approx(factor)
        np.testing.assert_allclose(read(f"out/song/{name}"), audio / factor, atol=2**-15)
    assert outcome.files["alone.wav"]["full_scale"] == 1
    mix = sum(read(f"out/song/{name}") for name in wet)
    np.testing.assert_allclose(mix, sum(wet.values()) / factor, atol=2**-13)


def test_by_itself_only_what_clips_is_turned_down(song, run):
    outcome = run(independent=True)
    levels = {name: record["full_scale"] for name, record in outcome.files.items()}
    assert levels.pop("song/loud.wav") > 1.05 and set(levels.values()) == {1}
    assert "turned down by" in outcome.files["song/loud.wav"]["warnings"][0]


def test_where_the_format_does_not_clip_nothing_is_turned_down(stem, run):
    stem("a.wav", 5, "FLOAT")
    stem("b.wav", 0.1, "FLOAT")
    assert {record["full_scale"] for record in run().files.values()} == {1}
    assert np.abs(read("out/a.wav")).max() > 1.2
    assert run("flac", format="flac").files["b.flac"]["full_scale"] > 1.2


@pytest.mark.parametrize(("format", "subtype"), [("flac", "PCM_16"), ("aiff", "PCM_16"), ("ogg", "VORBIS")])
def test_another_format_keeps_lengths(format, subtype, song, run):
    assert run(format=format).failed == {}
    for name in ("alone", "song/loud", "song/soft"):
        info = soundfile.info(f"out/{name}.{format}")
        assert (info.subtype, info.frames) == (subtype, LENGTH)


def test_a_part_of_each(song, run, style, rate, quick):
    outcome = run(start=0.1, duration=0.1)
    assert {record["duration"] for record in outcome.files.values()} == {0.1}
    want = stylize(read("in/alone.wav")[800:1600], style, rate, **quick).audio
    np.testing.assert_allclose(read("out/alone.wav"), want, atol=2**-15)


def test_permissions_of_what_is_replaced(stem, run):
    stem("a.wav")
    Path("out").mkdir()
    Path("out/a.wav").touch(0o640)
    run()
    assert Path("out/a.wav").stat().st_mode & 0o777 == 0o640


# ---------------------------------------------------------------- what is done again, and what is not
def test_finished_files_are_skipped(song, run, events):
    run()
    before = {path: os.stat(path).st_mtime_ns for path in Path("out").rglob("*.wav")}
    outcome = run(progress=events.append)
    assert {path: os.stat(path).st_mtime_ns for path in Path("out").rglob("*.wav")} == before
    assert outcome.skipped == 4 and set(outcome.files) == {name.removeprefix("out/") for name in map(str, before)}
    assert [event["event"] for event in events] == ["start", "end"]
    assert events[0] == {"event": "start", "files": 4, "skipped": 4, "bytes": 0}


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


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"include": ["bass.wav", "soft.wav"]}, {}),
        pytest.param({"include": ["soft.wav"]}, {}, marks=pytest.mark.slow),
        pytest.param({}, {"independent": True}, marks=pytest.mark.slow),
        ({"independent": True}, {}),
    ],
)
def test_a_run_of_the_whole_has_a_level_of_its_own(first, then, song, run, events):
    run(**first)
    outcome = run(progress=events.append, **then)
    run("fresh", **then)
    assert contents() == contents("fresh")
    assert events[-1]["done"] + events[-1]["skipped"] == 4
    assert (
        outcome.skipped
        == events[-1]["skipped"]
        == events[0]["skipped"] - sum(event["files"] for event in events if event["event"] == "again")
    )


@pytest.mark.parametrize("again", [["soft.wav"], ["soft.wav", "bass.wav"], ["loud.wav"]])
def test_stems_that_are_made_again_come_back_at_the_level_of_the_others(again, song, run, events):
    run()
    before = contents()
    outcome = run(include=again, force=True, progress=events.append)
    assert len(made_of(events)) == len(again) and outcome.skipped == 0
    assert contents() == before and outcome.files["song/" + again[0]]["full_scale"] > 1.05
    os.unlink("out/song/" + again[0])
    run(include=again)
    assert contents() == before


def test_stems_that_wait_count_for_the_level_of_others(interrupted, run):
    run(include=["soft.wav"])
    run("fresh")
    assert contents()["song/soft.wav"] == contents("fresh")["song/soft.wav"]


def test_a_stem_too_loud_for_the_level_of_the_others_is_warned_of(song, run, quick):
    softer = {"include": ["bass.wav", "soft.wav"]}
    run(**softer)
    before = contents()
    with pytest.warns(match="song: its files turned down"), pytest.warns(match="dB louder") as caught:
        outcome = style_folder("in", "out", "style.wav", include=["loud.wav"], **quick)
    much = f"{20 * np.log10(outcome.files['song/loud.wav']['full_scale']):.1f} dB"
    told = f"song: 2 other files of this folder were finished {much} louder; run it whole to have them sum to the mix"
    assert told in [str(one.message) for one in caught]
    run("fresh")
    assert contents() == {**before, "song/loud.wav": contents("fresh")["song/loud.wav"]}
    run()
    assert contents() == contents("fresh")


def test_other_parameters_and_lost_results_do_not_count_for_the_level(song, run):
    run()
    assert run(alpha=0.25, include=["soft.wav"]).files["song/soft.wav"]["full_scale"] == 1
    factor = run().files["song/soft.wav"]["full_scale"]
    os.unlink("out/song/loud.wav")
    assert run(include=["soft.wav"], force=True).files["song/soft.wav"]["full_scale"] == factor > 1.05
    os.unlink("out/song/bass.wav")
    assert run(include=["soft.wav"], force=True).files["song/soft.wav"]["full_scale"] == 1


def test_the_same_stems_in_a_format_that_does_not_clip_are_not_others(stem, run):
    for name in ("loud.wav", "soft.wav"):
        stem(name, 4.9 if name == "loud.wav" else 0.05, "FLOAT")
    run()
    outcome = run(format="flac")  # a warning would be an error
    assert {record["full_scale"] > 1.05 for record in outcome.files.values()} == {True}


def test_a_loud_stem_that_is_repaired_turns_the_others_down(song, run, stem):
    whole = Path("in/song/loud.wav").read_bytes()
    Path("in/song/loud.wav").write_bytes(b"broken")
    outcome = run()
    assert outcome.failed.keys() == {"song/loud.wav"} and outcome.files["song/soft.wav"]["full_scale"] == 1
    Path("in/song/loud.wav").write_bytes(whole)
    outcome = run()
    run("fresh")
    assert outcome.failed == {} and contents() == contents("fresh")


@pytest.fixture
def interrupted(song, run, monkeypatch):
    """The song, of which all has been made, and nothing finished."""

    def interrupt(self, group):
        if self._groups[group][0].startswith("song"):
            raise KeyboardInterrupt
        return []

    with monkeypatch.context() as patch:
        patch.setattr(api._Work, "_finishing", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert sorted(statuses().values()) == ["done", "staged", "staged", "staged"]


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
    assert contents() == contents("fresh") and not Path("out", HIDDEN).exists()


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
    assert statuses() == {"alone.wav": "done"} and not Path("out", HIDDEN).exists()


def test_files_of_no_concern_stay(stem, run):
    stem("a.wav")
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    run()
    os.rename("in/a.wav", "in/b.wav")
    run()
    assert contents().keys() == {"a.wav", "b.wav", "mine.txt"} and statuses() == {"a.wav": "done", "b.wav": "done"}


# ---------------------------------------------------------------- faults
def test_broken_files_are_reported_and_the_others_done(song, run, events):
    Path("in/song/text.wav").write_text("a text")
    soundfile.write("in/song/nan.wav", np.full(LENGTH, np.nan), 8000, subtype="FLOAT")
    Path("out/alone.wav").mkdir(parents=True)
    outcome = run(progress=events.append)
    assert outcome.failed.keys() == {"song/text.wav", "song/nan.wav", "alone.wav"}
    assert "can't be read as audio" in outcome.failed["song/text.wav"] and "NaN" in outcome.failed["song/nan.wav"]
    assert "must be a file, not a folder" in outcome.failed["alone.wav"]
    assert contents().keys() == {"song/bass.wav", "song/loud.wav", "song/soft.wav"}
    assert {event["file"]: event["error"] for event in events if event.get("status") == "failed"} == outcome.failed
    assert (events[-1]["done"], events[-1]["failed"]) == (3, 3)
    assert run().failed.keys() == outcome.failed.keys(), "they are tried again"


class Killed(BaseException):
    """Stands for what ends a process."""


MOMENTS = {
    "make": ("audiostyle_fx.folders.one_file._make", (0, 3)),
    "encode": ("audiostyle_fx.folders.one_file.write_audio", (1, 2)),
    "place": ("audiostyle_fx.folders.api._put", (0, 2)),
    "placed": ("audiostyle_fx.folders.api.sync_folder", (0, 2)),
    "record": ("audiostyle_fx.folders.manifest.os.fsync", (0, 2, 7, 13)),
    "rename": ("os.replace", (0, 1, 6, 12)),
}


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        pytest.param(moment, ends, marks=[pytest.mark.slow] * (ends == "end" or moment in ("placed", "record")))
        for moment in MOMENTS
        for ends in ("kill", "end")
    ],
)
def test_a_run_that_is_ended_at_any_moment_is_taken_up(moment, ends, song, run, monkeypatch):
    """Also without what is done on the way out, as when the process is killed."""
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
                patch.setattr("audiostyle_fx.folders.manifest.Manifest.__exit__", lambda self, *_: self._file.close())
            with pytest.raises(Killed):
                run(out)
        whole = contents("unbroken")
        done = {name: data for name, data in contents(out).items() if HIDDEN not in name}
        assert done.items() <= whole.items(), "what is there is whole"
        assert run(out).failed == {}
        assert contents(out) == whole
        assert sorted(os.listdir(out)) == ["alone.wav", NAME, "song"]


@pytest.mark.parametrize("where", ["audiostyle_fx._transfer.api.write_audio", "audiostyle_fx.folders.api._put"])
def test_a_full_disk_leaves_nothing_half_written(where, song, run, monkeypatch):
    original, calls = pkgutil.resolve_name(where), []

    def fill(*args):
        calls.append(args)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(where, fill)
        failed = run().failed
    run("unbroken")
    assert len(failed) >= 3 and all("No space left" in error for error in failed.values())
    assert contents().items() <= contents("unbroken").items()
    assert sorted(os.listdir("out")) == sorted({NAME, *(name.partition("/")[0] for name in contents()), "song"})
    assert run().failed == {} and contents() == contents("unbroken")


def test_a_disk_too_full_for_the_journal_ends_the_run(song, run, monkeypatch):
    def fill(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("audiostyle_fx.folders.manifest.os.fsync", fill)
        with pytest.raises(OSError, match="No space left"):
            run()
    run("unbroken")
    assert run().failed == {} and contents() == contents("unbroken")


def test_no_other_run_at_the_same_time(stem, run):
    stem("a.wav")
    told = []

    def second(event):
        if event["event"] == "stage" and not told:
            with pytest.raises(RuntimeError, match="another process is at work") as error:
                run()
            told.append(error)

    assert run(progress=second).failed == {} and told


def test_what_a_killed_worker_leaves_is_removed(song, run):
    def leave(event):
        if event["event"] == "made":
            Path("out", HIDDEN, f".{event['duration']}.flac").touch()

    run(progress=leave)
    assert sorted(os.listdir("out")) == ["alone.wav", NAME, "song"]


# ---------------------------------------------------------------- arguments
@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"alpha": -1}, ValueError, "alpha=-1"),
        ({"volume": 1}, TypeError, "'volume' is not a parameter"),
        ({"style_sample_rate": 8000}, TypeError, "style_sample_rate"),
        ({"style_weights": [1, 2]}, ValueError, "style_weights="),
        ({"include": "*.wav"}, TypeError, r"include='\*.wav' must be a list of globs"),
        ({"exclude": [3]}, TypeError, r"exclude=\[3\] must be a list of globs"),
        ({"format": "xyz"}, ValueError, "format='xyz' must be one of aif, aiff"),
        ({"format": "opus"}, ValueError, "format='opus' must be one of"),
        ({"format": 3}, TypeError, "format=3 must be a str"),
        ({"start": -1}, ValueError, "start=-1 must be at least 0"),
        ({"duration": 0}, ValueError, "duration=0 must be above 0"),
        ({"independent": 1}, TypeError, "independent=1 must be True or False"),
        ({"force": "no"}, TypeError, "force='no' must be True or False"),
        ({"jobs": 0}, ValueError, "jobs=0 must be at least 1"),
        ({"jobs": 1.5}, TypeError, "jobs=1.5 must be an integer"),
        ({"executor": 3}, TypeError, "executor=3 must be a concurrent.futures.Executor"),
        ({"progress": 1}, TypeError, "progress=1 must be True, False, None or a function"),
        ({"jobs": 2, "executor": ThreadPoolExecutor(1)}, ValueError, "jobs=2 must be 1 where an executor is given"),
    ],
)
def test_arguments_that_are_refused_before_any_work(arguments, error, why, stem, no_work):
    stem("a.wav")
    with pytest.raises(error, match=why):
        style_folder("in", "out", "style.wav", **arguments)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ("nowhere.wav", FileNotFoundError, "nowhere.wav"),
        ([], ValueError, "must hold at least one file"),
        (np.zeros(8), TypeError, "must be a file, or a list of files"),
        (3, TypeError, "style=3 must be a file, or a list of files"),
        (["style.wav", 3], TypeError, "style=3 must be a file, or a list of files"),
    ],
)
def test_styles_that_are_refused_before_any_work(given, error, why, stem, no_work):
    stem("a.wav")
    with pytest.raises(error, match=why):
        style_folder("in", "out", given)
    assert not Path("out").exists()


# ---------------------------------------------------------------- progress
def test_what_is_told(song, run, events):
    Path("in/bad.wav").write_text("bad")
    run(progress=events.append)
    order = [(event["event"], event.get("file")) for event in events if event["event"] != "stage"]
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
    assert events[0]["bytes"] == sum(os.path.getsize(path) for path in Path("in").rglob("*.wav"))
    assert sum(event["bytes"] for event in events if event["event"] == "file") == events[0]["bytes"]
    stages = [event for event in events if event["event"] == "stage" and event["file"] == "alone.wav"]
    assert [one["stage"] for one in stages if one["iteration"] == one["total"]] == ["spectrogram", "phase", "waveform"]
    assert events[-1].items() >= {"done": 4, "skipped": 0, "failed": 1}.items()


def test_warnings_of_a_file_are_recorded_and_told_with_its_name(stem, run, monkeypatch):
    stem("a.wav")
    stem("b/b.wav")
    make = one_file._make

    def warn(task, progress):
        for _ in range(2):
            warnings.warn("mind the gap", stacklevel=1)
        return make(task, progress)

    monkeypatch.setattr("audiostyle_fx.folders.one_file._make", warn)
    with pytest.warns(UserWarning, match="mind the gap") as caught:
        outcome = run()
    assert [str(one.message) for one in caught] == ["a.wav: mind the gap", "b/b.wav: mind the gap"]
    assert outcome.files["a.wav"]["warnings"] == ["mind the gap"]


# ---------------------------------------------------------------- executors
def test_a_thread_pool_gives_the_same_and_leaves_warnings_alone(song, run):
    run("unbroken")
    before = warnings.showwarning, warnings.filters[:]
    with ThreadPoolExecutor(3) as executor, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = warnings.showwarning, warnings.filters[:]
        assert run(executor=executor).failed == {}
        assert (warnings.showwarning, warnings.filters[:]) == inside
        assert executor.submit(threading.active_count).result(), "it stays open"
    assert (warnings.showwarning, warnings.filters[:]) == before
    assert contents() == contents("unbroken")


def test_threads_at_work_at_once_leave_warnings_alone(stem, quick, monkeypatch):
    """The second begins before the first ends, and ends after it."""
    stem("a/1.wav", 0.1)
    stem("b/2.wav", 0.1)
    make, first, second, ended = one_file._make, *(threading.Event() for _ in range(3))

    def overlap(task, progress):
        (first if task.name == "a/1.wav" else second).set()
        assert (second if task.name == "a/1.wav" else ended).wait(20)
        return make(task, progress)

    class InOrder(ThreadPoolExecutor):
        def submit(self, function, task):
            assert task.name == "a/1.wav" or first.wait(20)
            return super().submit(function, task)

    def told(event):
        if event["event"] == "file":
            ended.set()

    monkeypatch.setattr("audiostyle_fx.folders.one_file._make", overlap)
    before = warnings.showwarning, warnings.filters[:]
    with InOrder(2) as executor:
        assert style_folder("in", "out", "style.wav", executor=executor, progress=told, **quick).failed == {}
    assert (warnings.showwarning, warnings.filters[:]) == before


class Broken(ThreadPoolExecutor):
    """Does two tasks, and breaks when their answers have been taken."""

    def __init__(self):
        super().__init__(1)
        self.given, self.lost = 0, []

    def submit(self, function, *arguments):
        self.given += 1
        if self.given <= 2:
            return super().submit(function, *arguments)
        self.lost.append(Future())
        return self.lost[-1]

    def told(self, event):
        self.given -= event["event"] == "made"
        if event["event"] == "made" and self.given == len(self.lost):
            for future in self.lost:
                future.set_exception(BrokenExecutor("it broke"))


def test_a_broken_executor_ends_the_run_and_what_is_finished_is_kept(song, run, events):
    run("unbroken")
    with Broken() as executor, pytest.raises(BrokenExecutor, match="it broke"):
        run(executor=executor, progress=executor.told)
    assert statuses() == {"alone.wav": "done", "song/bass.wav": "staged"}
    assert contents()["alone.wav"] == contents("unbroken")["alone.wav"]
    assert run(progress=events.append).failed == {} and contents() == contents("unbroken")
    assert made_of(events) == ["song/loud.wav", "song/soft.wav"]


def test_tasks_that_an_executor_loses_fail_alone(song, run):
    class Loses(ThreadPoolExecutor):
        def submit(self, function, task):
            if task.name != "song/bass.wav":
                return super().submit(function, task)
            future = Future()
            future.set_exception(RuntimeError("its workers died"))
            return future

    with Loses(1) as executor:
        assert run(executor=executor).failed == {"song/bass.wav": "its workers died"}


def test_a_style_is_read_once_for_all_recordings(song, run, monkeypatch):
    read, paths = read_audio, []

    def counted(path, name):
        paths.append(Path(path).name)
        return read(path, name)

    monkeypatch.setattr("audiostyle_fx._recordings.files.read_audio", counted)
    assert not run().failed
    assert paths == ["style.wav"]
