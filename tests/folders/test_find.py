"""The recordings in a folder: names, links, and folders that can't be used."""

import json
import os
import shutil
from pathlib import Path

import pytest
from support.processes import contents
from support.styled_folders import statuses

from audiostyle_fx import FolderError, style_folder
from audiostyle_fx.folders.find import Selection, find

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
