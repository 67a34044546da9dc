"""Several recordings as IN and a folder as OUT, as with the command cp."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, fails, names, read, run

from audiostyle_fx.cli.process import ProcessedFile

pytestmark = pytest.mark.usefixtures("songs")

SONGS = ["a.wav", "b.wav", "sub/c.wav"]
GAIN = ["gain", "-6"]
STYLED = ["style", "style.wav", *QUICK]


@pytest.fixture
def songs(folder, stereo):
    """Three more songs, the last in a folder of its own."""
    Path("sub").mkdir()
    for number, name in enumerate(SONGS):
        soundfile.write(name, stereo.T[1000 * number :], 8000, subtype="FLOAT")


@pytest.fixture
def terminal(monkeypatch):
    """A function that answers questions on a terminal, one after the other."""

    def answer(*lines):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return answer


@pytest.mark.parametrize("target", ["out", "out/", "new/"])
def test_each_result_is_that_of_its_file_alone(target, capsys):
    Path("out").mkdir()
    assert run(*SONGS, target, *STYLED) == 0
    assert names(target) == ["a.wav", "b.wav", "c.wav"]
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith(("1/", "2/", "3/"))] == [
        f"{number}/3 {name}" for number, name in enumerate(SONGS, 1)
    ]
    for name in SONGS:
        assert run("-q", "--overwrite", name, "alone.wav", *STYLED) == 0
        np.testing.assert_array_equal(read(Path(target, Path(name).name)), read("alone.wav"))


def test_a_folder_that_ends_in_a_slash_is_made_for_one_file_too(stereo):
    assert run("-q", "a.wav", "new/", "invert") == 0
    np.testing.assert_array_equal(read("new/a.wav"), -stereo)


def test_a_file_that_fails_does_not_stop_the_others(capsys):
    Path("b.wav").write_text("no audio")
    assert run("--json", *SONGS, "out/", *GAIN) == 1
    shown = capsys.readouterr()
    files = [json.loads(line) for line in shown.out.splitlines()]
    assert [(file["file"], file["status"]) for file in files] == [
        ("out/a.wav", "done"),
        ("out/b.wav", "failed"),
        ("out/c.wav", "done"),
    ]
    assert "IN 'b.wav' can't be read as audio" in files[1]["error"]
    assert shown.err.startswith("audiostyle: b.wav: IN 'b.wav' can't be read") and names("out") == ["a.wav", "c.wav"]


def test_a_style_that_can_not_be_used_is_said_once_and_makes_no_folder(capsys, no_work):
    assert "style='nowhere.wav'" in fails(capsys, 1, *SONGS, "out/", "style", "nowhere.wav")
    assert not Path("out").exists()


def test_a_page_shows_every_file(monkeypatch):
    entries = []
    monkeypatch.setattr("audiostyle_fx.report.write_report", lambda page, given: entries.extend(given))
    Path("b.wav").write_text("no audio")
    assert run("-q", "--report", "page.html", *SONGS, "out/", *GAIN) == 1
    assert [(str(entry.content), entry.chain) for entry in entries] == [(name, "gain -6") for name in SONGS]
    assert [entry.error is None for entry in entries] == [True, False, True]


def test_settings_and_format_of_each_file(stereo):
    words = ["--set", "b*", "mix=0", "--format", "flac", *SONGS, "out/"]
    assert run("-q", *words, *STYLED) == 0
    assert names("out") == ["a.flac", "b.flac", "c.flac"]
    np.testing.assert_allclose(read("out/b.flac"), stereo[:, 1000:], atol=1e-4)
    assert np.abs(read("out/a.flac") - stereo).max() > 1e-2


def test_a_style_from_standard_input_is_read_once_for_all(streams):
    assert streams(Path("style.wav").read_bytes(), "-q", *SONGS, "out/", "style", "-", *QUICK)[0] == 0
    assert run("-q", *SONGS, "want/", *STYLED) == 0
    for name in names("want"):
        np.testing.assert_array_equal(read(f"out/{name}"), read(f"want/{name}"))


def test_existing_results_are_refused_before_any_work(capsys, no_work):
    Path("out").mkdir()
    Path("out/b.wav").write_bytes(b"precious")
    line = fails(capsys, 2, *SONGS, "out", *GAIN)
    assert line == "audiostyle: OUT 'out/b.wav' exists; --overwrite replaces it" and names("out") == ["b.wav"]


def test_a_terminal_is_asked_about_each_existing_result(terminal):
    Path("out").mkdir()
    for name in ("a.wav", "b.wav"):
        Path("out", name).write_bytes(b"old")
    terminal("n", "y")
    assert run("-q", *SONGS, "out", *GAIN) == 0
    assert Path("out/a.wav").read_bytes() == b"old" and read("out/b.wav").any() and read("out/c.wav").any()


def test_an_interrupt_says_what_is_done(capsys, monkeypatch):
    done = []

    def process(request, copies):
        if done:
            raise KeyboardInterrupt
        done.append(request.source)
        return 0, [ProcessedFile(request.target, request.source, request.target, {"status": "done"})]

    monkeypatch.setattr("audiostyle_fx.cli.work.process_file", process)
    assert "interrupted; 1 of 3 files are done" in fails(capsys, 130, "-q", *SONGS, "out/", *GAIN)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["a.wav", "sub/a.wav", "out/"], "IN 'a.wav' and 'sub/a.wav' would both become 'out/a.wav'"),
        (["a.wav", "a.wav", "out/"], "IN 'a.wav' and 'a.wav' would both become 'out/a.wav'"),
        (["a.wav", "b.wav", "."], "OUT './a.wav' is the same file as IN 'a.wav'; give the result another name"),
        (["sub/b.wav", "a.wav", "--overwrite", "."], "OUT './a.wav' is the same file as IN 'a.wav'"),
        (["song.wav", "sub/style.wav", "--overwrite", "."], "OUT './song.wav' is the same file as IN"),
        (["a.wav", "sub", "out/"], "IN 'sub' is a folder; several inputs must be files. Give a folder alone"),
        (["a.wav", "-", "out/"], "OUT 'out/' must be a file, because IN has no name"),
        (["a.wav", "b.wav", "song.wav/"], "OUT 'song.wav/' must be a folder, but is a file"),
        (["--jobs", "2", "a.wav", "b.wav", "out/"], "--jobs only applies when IN is a folder"),
        (["--format", "xyz", "a.wav", "b.wav", "out/"], "--format 'xyz' must be one of"),
        (["--set", "z*", "mix=1", "a.wav", "b.wav", "out/"], "--set 'z*' matches no recording"),
    ],
)
def test_what_is_refused_before_any_work(words, why, capsys, no_work, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert why in fails(capsys, 2, *words, *STYLED)
    assert not Path("out").exists()


def test_a_result_that_would_replace_a_style_is_refused(capsys, no_work):
    Path("sub/style.wav").write_bytes(Path("a.wav").read_bytes())
    line = fails(capsys, 2, "--overwrite", "sub/c.wav", "sub/style.wav", ".", *STYLED)
    assert "OUT './style.wav' is a recording that style reads" in line


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["a.wav", "b.wav", "song.wav", *GAIN], "a.wav b.wav song.wav OUTDIR/ gain -6"),
        (["--overwrite", "a.wav", "b.wav", "song.wav", *GAIN], "a.wav b.wav song.wav OUTDIR/ gain -6"),
        (["a.wav", "b.wav", "new", *GAIN], "a.wav b.wav new/ gain -6"),
        (["a.wav", "b.wav", "sub"], "a.wav b.wav sub style FILE"),
        (["a.wav", "style", "style.wav"], "a.wav OUT style style.wav"),
        (["a.wav", "invert"], "a.wav OUT invert"),
    ],
)
def test_a_line_without_its_folder_or_out_is_refused_with_the_line_that_was_meant(words, meant, capsys, no_work):
    assert f"Did you mean `audiostyle {meant}`?" in fails(capsys, 2, *words)


def test_two_files_stay_in_and_out(capsys, no_work):
    assert "OUT 'b.wav' exists; --overwrite replaces it" in fails(capsys, 2, "a.wav", "b.wav", *GAIN)


def test_a_misspelt_effect_is_no_input(capsys, no_work):
    line = fails(capsys, 2, "a.wav", "b.wav", "rverb", "gain", "-6")
    assert "'rverb' is not an effect. Did you mean 'reverb'?" in line
