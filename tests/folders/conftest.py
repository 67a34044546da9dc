"""Small recordings and short runs that the tests of folders share."""

import os
import warnings
from pathlib import Path

import pytest
import soundfile
from support.styled_folders import LENGTH, statuses

from audiostyle_fx import Window, style_folder
from audiostyle_fx._engine.objectives import peaks


@pytest.fixture
def folder_of_recordings(tmp_path, monkeypatch, style):
    """A current folder with a style, and a folder ``in`` for recordings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", lambda file: None)  # which takes longer than all else here
    soundfile.write("style.wav", style, 8000, subtype="FLOAT")
    Path("in").mkdir()


@pytest.fixture
def quick():
    """Parameters with all three stages and the least work in each."""
    return {
        "preset": "plain",
        "windows": Window(n_fft=128),
        "kernel_width": 2,
        "spectrogram_iters": 1,
        "phase_iters": 1,
        "waveform_iters": 1,
    }


@pytest.fixture
def stem(content, folder_of_recordings):
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
    """Three stems, one of which clips when it is styled, and a recording that is alone in its folder."""
    for name, level in [("song/bass.wav", 0.3), ("song/loud.wav", 4.9), ("song/soft.wav", 0.05), ("alone.wav", 1)]:
        stem(name, level, shift=100 * len(name))


@pytest.fixture
def high_peaks(monkeypatch):
    """Switch the cost of peaks off, so that the peaks of the loud stem exceed full scale."""
    monkeypatch.setattr(peaks, "WEIGHT", 0.0)


@pytest.fixture
def run(quick, folder_of_recordings):
    """Style the folder ``in`` with few iterations."""

    def run(target="out", **arguments):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*(limited|turned down) by", UserWarning)
            return style_folder("in", target, "style.wav", **{**quick, **arguments})

    return run


@pytest.fixture
def events():
    return []


@pytest.fixture
def interrupted(song, run):
    """The song after an interrupt: all files are processed, and none is finished."""

    def interrupt(event):
        if event.kind == "made" and event.file == "song/soft.wav":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=interrupt)
    assert sorted(statuses().values()) == ["done", "staged", "staged", "staged"]
