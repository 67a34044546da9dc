"""Recordings that come and go through pipes."""

import errno
import io
import os
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, STYLED, TEXTURE, fails, names, read, run

from audiostyle_fx import stylize

pytestmark = pytest.mark.usefixtures("folder")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")


@pytest.mark.parametrize(
    ("file_format", "subtype", "written"),
    [("WAV", "PCM_24", "PCM_24"), ("FLAC", "PCM_16", "PCM_16"), ("OGG", "VORBIS", "FLOAT"), ("WAV", "FLOAT", "FLOAT")],
)
def test_a_pipe_carries_the_sample_format_or_floats(file_format, subtype, written, streams, stereo):
    soundfile.write(held := io.BytesIO(), stereo.T, 8000, subtype, format=file_format)
    code, out = streams(held.getvalue(), "-q", "-", "-", "gain", "0")
    info = soundfile.info(io.BytesIO(out))
    assert (code, info.format, info.subtype, info.frames, info.channels) == (0, "WAV", written, 8000, 2)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFF0])
def test_a_header_written_before_the_length_was_known(length, streams, stereo):
    soundfile.write("song16.wav", stereo.T, 8000, "PCM_16")
    data = bytearray(Path("song16.wav").read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = length.to_bytes(4, "little")
    code, out = streams(bytes(data), "-q", "-", "-", "gain", "0")
    assert code == 0
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(out))[0], read("song16.wav").T)


def test_pipes_through_style_and_out_of_a_texture(streams, stereo, style, rate, quick):
    code, out = streams(Path("song.wav").read_bytes(), "-q", "-", "-", "style", "style.wav", *QUICK)
    assert code == 0
    want = stylize(stereo, style, rate, **quick).audio
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(out), dtype="float32")[0].T, want)
    code, out = streams(b"", "-q", "-n", "-", *TEXTURE[2:])
    assert code == 0 and soundfile.info(io.BytesIO(out)).frames == 4000


def test_nothing_is_written_to_standard_output_when_it_fails(streams, capsys, folder):
    before = names(tempfile.gettempdir())
    for data in (b"", b"no audio at all"):
        assert streams(data, "-q", "-", "-", "gain") == (1, b"")
        assert "IN '-' (standard input) can't be read as audio" in capsys.readouterr().err
    assert [
        name for name in names(tempfile.gettempdir()) if name.startswith("audiostyle-") and name not in before
    ] == []


@pytest.mark.parametrize(("words", "why"), [(["-", "out.wav"], "IN is -"), (["song.wav", "-"], "OUT is -")])
def test_a_terminal_is_no_place_for_sound(words, why, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert why in fails(capsys, 2, *words)


@pytest.fixture
def pipes(folder):
    """A function that makes a pipe, feeds it in a thread of its own, and returns its name."""
    feeders, ends = [], []

    def feed(pipe, data):
        with open(pipe, "wb") as file:
            file.write(data)

    def make(data, name=None):
        if name:
            os.mkfifo(name)
            path = write_end = name
        else:
            read_end, write_end = os.pipe()
            ends.append(read_end)
            path = f"/dev/fd/{read_end}"
        feeders.append(threading.Thread(target=feed, args=(write_end, data), daemon=True))
        feeders[-1].start()
        return path

    yield make
    for read_end in ends:
        os.close(read_end)
    for feeder in feeders:
        feeder.join(30)
        assert not feeder.is_alive()


@posix
@pytest.mark.parametrize("name", [None, "pipe"])
def test_a_pipe_as_in_and_as_style(name, pipes, stereo, style, rate, quick):
    song = pipes(Path("song.wav").read_bytes(), name)
    given = pipes(Path("style.wav").read_bytes())
    assert run("-q", song, "out.wav", "style", given, *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **quick).audio)


@posix
def test_a_pipe_as_the_style_of_a_folder_and_as_another_effect_s_file(pipes, folder):
    soundfile.write("impulse.wav", np.array([0, 1.0]), 8000, subtype="FLOAT")
    Path("in").mkdir()
    Path("song.wav").rename("in/song.wav")
    words = ["style", pipes(Path("style.wav").read_bytes()), *QUICK]
    words += ["convolution", pipes(Path("impulse.wav").read_bytes())]
    assert run("-q", "in", "out", *words) == 0
    assert run("-q", "in", "want", "style", "style.wav", *QUICK, "convolution", "impulse.wav") == 0
    np.testing.assert_array_equal(read("out/song.wav"), read("want/song.wav"))


@posix
@pytest.mark.parametrize("source", ["song.wav", "song.ogg"])  # with a sample format of WAV, and without one
@pytest.mark.parametrize(("name", "format"), [("pipe", "WAV"), ("pipe.flac", "FLAC")])
def test_a_pipe_as_out_has_the_format_that_its_ending_names(name, format, source, folder):
    soundfile.write("song.ogg", *soundfile.read("song.wav"))
    os.mkfifo(name)
    received = []
    reader = threading.Thread(target=lambda: received.append(Path(name).read_bytes()), daemon=True)
    reader.start()
    assert run("-q", source, name, "gain", "-6") == 0
    reader.join(30)
    info = soundfile.info(io.BytesIO(received[0]))
    assert (info.format, info.frames, info.channels) == (format, 8000, 2)


@posix
def test_names_of_standard_streams(streams):
    data = Path("song.wav").read_bytes()
    code, out = streams(data, "-q", "/dev/stdin", "/dev/stdout", "gain", "0")
    assert code == 0
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(out))[0], read("song.wav").T)


def test_standard_input_in_two_places_is_read_once(streams):
    data = Path("style.wav").read_bytes()
    assert streams(data, "-q", "-", "out.wav", "style", "-", *QUICK)[0] == 0
    assert run("-q", "style.wav", "want.wav", "style", "style.wav", *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), read("want.wav"))


NO_AUDIO = b"no audio at all"


@posix
@pytest.mark.parametrize("place", ["IN", "style=", "convolution impulse_response_filename="])
def test_errors_name_the_pipe(place, pipes, capsys):
    pipe = pipes(NO_AUDIO)
    line = {
        "IN": [pipe, "out.wav", "gain"],
        "style=": ["song.wav", "out.wav", "style", pipe],
        "convolution impulse_response_filename=": ["song.wav", "out.wav", "convolution", pipe],
    }[place]
    message = fails(capsys, 1, "-q", *line)
    assert f"{place}{' ' * (place == 'IN')}{pipe!r} can't be read as audio" in message
    assert "audiostyle-" not in message


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--start", "8", "-", "out.wav", "gain"], "--start 8 must be within IN '-' (standard input), which is 1 s"),
        (["--start", "8", "-", "out.wav", *STYLED[2:]], "--start 8 must be within IN '-' (standard input)"),
        (["song.wav", "out.wav", "style", "-", "kernel_width=999"], "style is 1.0000 s long"),
    ],
)
def test_errors_name_standard_input(words, why, streams, capsys):
    assert streams(Path("song.wav").read_bytes(), "-q", *words) == (1, b"")
    message = capsys.readouterr().err
    assert why in message and "audiostyle-" not in message


def test_warnings_name_standard_output(streams, capsys, stereo):
    soundfile.write("loud.wav", stereo.T / np.abs(stereo).max(), 8000, "PCM_16")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert streams(Path("loud.wav").read_bytes(), "-q", "-", "-", "gain", "6")[0] == 0
    assert "audiostyle: - (standard output): turned down by 7.0 dB" in capsys.readouterr().err


@posix
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["/dev/null", "out.wav", "gain"], "IN '/dev/null' is a device; it must be a recording"),
        (["song.wav", "/dev/null", "gain"], "OUT '/dev/null' is a device; it must be a file, a folder or a pipe"),
        (["song.wav", "out.wav", "style", "/dev/null"], "style '/dev/null' is a device; it must be a recording"),
        (["song.wav", "out.wav", "style", "."], "style '.' is a folder; it must be a recording"),
        (["song.wav", "out.wav", "convolution", "."], "convolution '.' is a folder; it must be a recording"),
        (["/dev/stdin", "out.wav", "gain"], "IN is /dev/stdin, but standard input is a terminal"),
        (["--report", "page.html", "song.wav", "pipe", "gain"], "'pipe' is one"),
        (["--json", "song.wav", "/dev/stdout", "gain"], "--json and OUT /dev/stdout would both write to standard"),
        (["pipe", ".", "gain"], "OUT '.' must be a file, because IN has no name"),
    ],
)
def test_what_can_not_be_a_pipe(words, why, folder, capsys, no_work, monkeypatch):
    os.mkfifo("pipe")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert why in fails(capsys, 2, *words)


@posix
@pytest.mark.parametrize("chain", [["gain", "0"], ["style", "style.wav", *QUICK]])
def test_a_full_disk(chain, folder, capsys, monkeypatch):
    def write(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    line = fails(capsys, 1, "-q", "song.wav", "out.wav", *chain)
    assert line == "audiostyle: OUT 'out.wav' can't be written: No space left on device"
