"""Folders and streams in which the command runs."""

import io
import sys

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
