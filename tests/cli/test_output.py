"""OUT: results that would replace another file, folders instead of files, and files instead of folders."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, STYLED, TEXTURE, fails, names, read, run

pytestmark = pytest.mark.usefixtures("folder")

GAIN = ["gain", "-6"]


@pytest.fixture
def terminal(monkeypatch):
    """A function that answers a question on a terminal."""

    def answer(text):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stdin, "readline", lambda: text, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return answer


def link(kind, path, other):
    if kind == "hard":
        os.link(path, other)
    elif kind == "symbolic":
        os.symlink(path, other)


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
@pytest.mark.parametrize("target", ["song.wav", "./song.wav", "hard", "symbolic"])
def test_in_is_not_replaced(target, overwrite, capsys, no_work):
    link(target, "song.wav", target)
    line = fails(capsys, 2, "song.wav", target, *GAIN, *overwrite)
    assert line == f"audiostyle: OUT {target!r} is the same file as IN; give the result another name"


@pytest.mark.parametrize("target", ["style.wav", "sub/../style.wav", "hard", "symbolic"])
def test_a_recording_that_an_effect_reads_is_not_replaced(target, capsys, no_work):
    Path("sub").mkdir()
    link(target, "style.wav", target)
    line = fails(capsys, 2, "--overwrite", "song.wav", target, *GAIN, *STYLED[2:])
    assert line == f"audiostyle: OUT {target!r} is a recording that style reads; give another name"
    line = fails(capsys, 2, "--overwrite", "-n", target, *TEXTURE[2:])
    assert "is a recording that style reads" in line
    line = fails(capsys, 2, "--overwrite", "song.wav", target, "convolution", "style.wav")
    assert "is a recording that convolution reads" in line


@pytest.mark.parametrize("words", [["song.wav", "out.wav", *GAIN], TEXTURE, ["--json", *STYLED]])
def test_an_existing_file_is_refused_without_a_terminal(words, capsys, no_work):
    Path("out.wav").write_bytes(b"precious")
    assert fails(capsys, 2, *words) == "audiostyle: OUT 'out.wav' exists; --overwrite replaces it"


def test_an_existing_file_is_replaced_with_overwrite(stereo):
    Path("out.wav").write_bytes(b"old")
    assert run("-q", "song.wav", "out.wav", "invert", "--overwrite") == 0
    np.testing.assert_array_equal(read("out.wav"), -stereo)


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_a_terminal_is_asked_and_says_yes(answer, terminal, stereo, capsys):
    Path("out.wav").write_bytes(b"old")
    terminal(answer)
    assert run("-q", "song.wav", "out.wav", "invert") == 0
    assert capsys.readouterr().err == "replace out.wav? [y/N] "
    np.testing.assert_array_equal(read("out.wav"), -stereo)


@pytest.mark.parametrize("answer", ["\n", "n\n", ""])
def test_a_terminal_is_asked_and_says_no(answer, terminal, capsys, no_work):
    Path("out.wav").write_bytes(b"old")
    terminal(answer)
    assert run("-q", "song.wav", "out.wav", *GAIN) == 2
    assert capsys.readouterr().err == "replace out.wav? [y/N] audiostyle: OUT 'out.wav' stays as it is\n"
    assert Path("out.wav").read_bytes() == b"old"


def test_an_interrupt_at_the_question(terminal, capsys, monkeypatch, no_work):
    def interrupt():
        raise KeyboardInterrupt

    Path("out.wav").write_bytes(b"old")
    terminal("")
    monkeypatch.setattr(sys.stdin, "readline", interrupt)
    assert run("song.wav", "out.wav", *GAIN) == 130 and Path("out.wav").read_bytes() == b"old"


def test_a_missing_input_is_said_before_anything_is_asked(capsys, no_work):
    Path("out.wav").write_bytes(b"old")
    assert "nowhere.wav" in fails(capsys, 1, "nowhere.wav", "out.wav", *GAIN)


def test_pipes_are_not_asked_about(streams):
    Path("-").write_bytes(b"a file of this name")
    code, out = streams(Path("song.wav").read_bytes(), "-q", "-", "-", *GAIN)
    assert code == 0 and out.startswith(b"RIFF") and Path("-").read_bytes() == b"a file of this name"


@pytest.mark.parametrize("target", ["out", "out/"])
def test_the_result_in_a_folder_has_the_input_s_name(target, stereo, capsys):
    Path("out").mkdir()
    assert run("song.wav", target, "invert") == 0
    assert capsys.readouterr().err.startswith("out/song.wav: 1.0 s of sound in ")
    assert names("out") == ["song.wav"]
    np.testing.assert_array_equal(read("out/song.wav"), -stereo)
    assert "OUT 'out/song.wav' exists; --overwrite" in fails(capsys, 2, "song.wav", target, *GAIN)
    assert "is the same file as IN" in fails(capsys, 2, "song.wav", ".", *GAIN)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["song.wav", "style.wav/", *GAIN], "OUT 'style.wav/' must be a folder, but is a file"),
        (["-n", "sub", *TEXTURE[2:]], "OUT 'sub' must be a file, because IN has no name"),
        (["-", "sub", *GAIN], "OUT 'sub' must be a file, because IN has no name"),
        (["sub", "out.wav", *GAIN], "OUT 'out.wav' must be a folder because IN is one, but it has the name of a file"),
        (["sub", "new/out.FLAC", *GAIN], "must be a folder because IN is one"),
        (["sub", "song.wav", *GAIN], "OUT 'song.wav' must be a folder because IN is one"),
    ],
)
def test_folders_and_files_in_each_other_s_place(words, why, capsys, no_work):
    Path("sub").mkdir()
    soundfile.write("sub/one.wav", np.zeros(100), 8000)
    assert why in fails(capsys, 2, *words)
    assert not Path("out.wav").exists() and not Path("new").exists() and names("sub") == ["one.wav"]


def test_a_folder_that_is_named_as_a_file_with_a_slash():
    Path("sub").mkdir()
    soundfile.write("sub/one.wav", np.zeros(100), 8000)
    assert run("-q", "sub", "out.wav/", *GAIN) == 0 and "one.wav" in names("out.wav")


def test_a_page_replaces_pages_only(capsys):
    Path("page.html").write_text("<!doctype html><title>My thesis</title>")
    words = ["song.wav", "out.wav", *STYLED[2:], *QUICK, "--report", "page.html"]
    line = fails(capsys, 2, *words)
    assert line == "audiostyle: --report 'page.html' exists and is not a listening page; --overwrite replaces it"
    assert run("-q", "--overwrite", *words) == 0
    Path("out.wav").unlink()
    assert run("-q", *words) == 0, "its own page is replaced"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["song.wav", "out.wav"], "audiostyle song.wav out.wav style FILE"),
        (["song.wav", "style.wav"], "audiostyle song.wav OUT style style.wav"),
        (["my songs", "styled"], "audiostyle 'my songs' styled style FILE"),
        (["song.wav", "out.wav", "style.wav"], "audiostyle song.wav out.wav style style.wav"),
        (["song.wav", "out.wav", "style.wav", "alpha=1"], "audiostyle song.wav out.wav style style.wav alpha=1"),
        (["-n", "out.wav", "style.wav", "duration=3"], "audiostyle -n out.wav style style.wav duration=3"),
    ],
)
def test_a_line_without_an_effect_is_refused_with_the_line_that_was_meant(words, meant, capsys, no_work):
    Path("my songs").mkdir()
    soundfile.write("my songs/one.wav", np.zeros(100), 8000)
    line = fails(capsys, 2, *words)
    assert f"Did you mean `{meant}`?" in line
    assert ("no effect is given" in line) == (len(words) == 2) and not Path("styled").exists()
