"""Folders and streams in which the command runs."""

import io
import sys
from pathlib import Path

import pytest
import soundfile
from support.commands import run


@pytest.fixture
def folder(tmp_path, monkeypatch, stereo, style):
    """A folder, the current one, with a song and a style in it."""
    soundfile.write(tmp_path / "song.wav", stereo.T, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "style.wav", style, 8000, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def streams(monkeypatch):
    """A function that runs the command with pipes of bytes as this process's standard input and output."""

    def run_with(data, *words):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdout", out := io.TextIOWrapper(io.BytesIO()))
        return run(*words), out.buffer.getvalue()

    return run_with


@pytest.fixture
def stems(tmp_path, monkeypatch, style, content):
    """The current folder, with a style and a folder of two songs in it, one of them with a stem that clips."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("style.wav", style, 8000, subtype="FLOAT")
    for name, level in [
        ("a/bass", 0.3),
        ("a/loud", 4.9),
        ("a/soft", 0.05),
        ("b/one", 0.5),
        ("b/two", 0.4),
        ("solo", 1),
    ]:
        path = Path("in", f"{name}.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, level * content[100 * len(name) :][:4000], 8000)
