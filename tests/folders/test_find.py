"""The recordings in a folder: names, links, and folders that can't be used."""

import json
import os
import shutil
from pathlib import Path

import pytest
from support.processes import contents
from support.styled_folders import statuses

from audiostyle_fx import FolderError, style_folder
from audiostyle_fx.folders.find import USUAL_FORMATS, Selection, find, passed_over_text, result_name

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


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
    found = find("in", "out", Selection(**selection)).recordings
    assert list(found) == want
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in found.values())


def test_two_files_of_one_name_are_refused():
    Path("in/a.wav").touch()
    Path("in/a.flac").touch()
    assert list(find("in", "out", Selection()).recordings) == ["a.flac", "a.wav"]
    with pytest.raises(FolderError, match=r"a\.flac' and '.*a\.wav' would both become 'a\.ogg'"):
        find("in", "out", Selection(format="ogg"))


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("in", "in", "must not be the same folder"),
        ("in", "in/out", "must not be the same folder, and neither may be inside the other"),
        ("in/sub", "in", "must not be the same folder"),
        ("in", "link", "must not be the same folder"),
        ("in", "link/out", "must not be the same folder"),
        ("in", "style.wav", "must be a folder because the input is one"),
        ("nowhere", "out", "input 'nowhere' must be a folder that exists"),
        ("style.wav", "out", "input 'style.wav' must be a folder that exists"),
        ("in/sub", "out", "input 'in/sub' contains no recordings"),
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
        ({"in/back": "out/sub"}, "is inside the input folder through the link"),
        ({"in/all": "."}, "is inside the input folder through the link"),
        ({"out/sub": "in/sub"}, "which is an input"),
        ({"in/sub/b.wav": "out/sub/a.wav"}, "which is an input"),
        ({"in/sub/c.wav": "elsewhere/a.wav", "out/sub": "elsewhere"}, "which is an input"),
        ({"out/one": "out/sub", "in/one": "in/sub"}, "are links to the same file"),
        ({"style.wav": "out/sub/a.wav"}, "which is an input"),
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
    assert {json.loads(json.dumps(event.as_dict())).get("file") for event in events} == made | {None}


# ---------------------------------------------------------------- files that are not recordings
def test_recordings_are_found_by_their_contents_too(stem):
    """A usual ending is enough, so that an unreadable file counts as a failure and is not passed over."""
    sound = stem("a.wav").read_bytes()
    for name in ("b.aifc", "c.wave", "d.bwf", "e.snd", "f.m4a", "g.MP2", "h.mov"):
        Path("in", name).touch()
    for name in ("take 1.2", "take"):
        Path("in", name).write_bytes(sound)
    recordings, passed_over = find("in", "out", Selection())
    assert passed_over == ()
    sources = {name: os.path.basename(path) for name, path in recordings.items()}
    assert sources["a.wav"] == "a.wav" and sources["f.wav"] == "f.m4a" and sources["g.wav"] == "g.MP2"
    assert sources["take 1.2.wav"] == "take 1.2" and sources["take.wav"] == "take"
    assert len(sources) == 10


@pytest.mark.parametrize(
    ("name", "format", "want"),
    [
        ("a/b.flac", None, "a/b.flac"),
        ("b.M4A", None, "b.wav"),
        ("b.opus", None, "b.opus"),
        ("b.mp2", "flac", "b.flac"),
        ("v1.2/take", None, "v1.2/take.wav"),
        ("take 1.2", ".OGG", "take 1.2.ogg"),
    ],
)
def test_a_result_has_an_ending_that_can_be_written(name, format, want):
    assert result_name(name, format) == want


def test_other_files_are_passed_over_and_named_but_for_hidden_and_excluded_ones(stem, run, events):
    stem("song/a.wav")
    for name in ("notes.txt", "cover.jpg", "song/a.wav.asd", "song/._a.wav", "b.mid", "mine.bak", "page.html"):
        Path("in", name).write_text("no sound")
    Path("in/page_media").mkdir()
    Path("in/page_media/1.flac").touch()
    os.mkfifo("in/pipe.wav")
    outcome = run(exclude=["*.bak"], progress=events.append)
    names = ("b.mid", "cover.jpg", "notes.txt", "page.html", "pipe.wav", "song/a.wav.asd")
    assert outcome.passed_over == events[0].passed_over == names
    header = json.loads(outcome.manifest.read_text())["last_run"]
    assert header["passed_over"] == list(names) and header["n_passed_over"] == 6


def test_the_manifest_names_a_bounded_number_of_them(stem, run, monkeypatch):
    monkeypatch.setattr("audiostyle_fx.folders.run.MAX_PASSED_OVER", 2)
    stem("a.wav")
    for name in "xyz":
        Path("in", name).touch()
    header = json.loads(run().manifest.read_text())["last_run"]
    assert header["passed_over"] == ["x", "y"] and header["n_passed_over"] == 3


def test_a_folder_of_other_files_only_says_so():
    Path("in/notes.txt").touch()
    with pytest.raises(FolderError, match=r"contains no recordings; passed over: 1 file that is not a recording: n"):
        find("in", "out", Selection())


def test_long_lists_are_cut_off():
    text = passed_over_text([f"{n}\n" for n in range(9)], most=2)
    assert text == "passed over: 9 files that are not recordings: '0\\n', '1\\n' and 7 more"


def test_settings_of_a_recording_without_an_ending(stem, run):
    sound = stem("a.wav").read_bytes()
    Path("in/take 1.2").write_bytes(sound)
    files = run(settings={"take 1.2": {"alpha": 0.5}}).files
    assert [name for name, record in files.items() if "settings" in record] == ["take 1.2.wav"]


def test_a_recording_that_can_not_be_read_is_a_failure_and_not_passed_over(stem, run):
    stem("a.wav")
    Path("in/b.m4a").write_bytes(b"no sound")
    outcome = run()
    assert outcome.failed.keys() == {"b.wav"} and "can't be read as audio" in outcome.failed["b.wav"]
    assert outcome.passed_over == ()


@pytest.mark.parametrize("format", USUAL_FORMATS)
def test_usual_formats_can_be_written(format):
    assert Selection(format=format).format == format
