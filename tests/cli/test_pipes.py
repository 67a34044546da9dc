"""Recordings that come and go through pipes."""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, TEXTURE, fails, names, read

from audiostyle_fx import stylize

pytestmark = pytest.mark.usefixtures("folder")


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
        assert "stdin' can't be read as audio" in capsys.readouterr().err
    assert [
        name for name in names(tempfile.gettempdir()) if name.startswith("audiostyle-") and name not in before
    ] == []


@pytest.mark.parametrize(("words", "why"), [(["-", "out.wav"], "IN is -"), (["song.wav", "-"], "OUT is -")])
def test_a_terminal_is_no_place_for_sound(words, why, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert why in fails(capsys, 2, *words)
