"""``--verbose`` and ``--devices``."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import cupy_stand_in
from support.commands import QUICK, fails, run, run_on_folder

from audiostyle_fx._engine.cuda import devices

STYLED = ["style", "style.wav", *QUICK]


@pytest.fixture
def unknown_devices():
    devices.forget_devices()
    yield
    devices.forget_devices()


def test_what_was_read_done_and_written(folder, stereo, capsys):
    soundfile.write("song.flac", stereo.T, 8000, "PCM_24")
    assert run("-qv", "song.flac", "out.wav", *STYLED, "gain", "-3") == 0
    shown = capsys.readouterr()
    patterns = [
        r"IN song\.flac: libsndfile: FLAC, PCM_24, 8000 Hz, stereo, 1\.000 s",
        r"style style\.wav: libsndfile: WAV, FLOAT, 8000 Hz, mono, \S+ s",
        r"style preset=plain .*\bkernel_width=3 windows=256/64smp .*",
        r"device: cpu, \d+ threads",
        r"sections: 1",
        r"spectrogram: 4 iterations, style loss \S+ to \S+, content loss \S+ to \S+, \S+ s",
        r"phase: 3 iterations, .* s",
        r"waveform: 3 iterations, .* s",
        r"gain gain_db=-3",
        r"time: \S+ s, of which \S+ s in stages and \S+ s in the rest",
        r"OUT out\.wav: libsndfile: WAV, PCM_24, 8000 Hz, stereo, 1\.000 s",
        r"OUT out\.wav: gain \S+ dB, peaks limited by up to \S+ dB",
    ]
    lines = shown.err.splitlines()
    assert len(lines) == len(patterns) and shown.out == ""
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern, line), line


def test_sections_are_counted(folder, stereo, capsys):
    soundfile.write("long.wav", np.tile(stereo, 4).T, 8000)
    assert run("-q", "-v", "long.wav", "out.wav", *STYLED, "section_seconds=0.5") == 0
    assert int(re.search(r"sections: (\d+)", capsys.readouterr().err)[1]) > 1


def test_pipes_have_the_names_that_were_typed(streams, folder, capsys):
    code, _ = streams(Path("song.wav").read_bytes(), "-v", "-", "-", "gain", "-3")
    lines = capsys.readouterr().err
    assert code == 0 and "audiostyle-" not in lines
    assert "IN -: libsndfile: WAV, FLOAT" in lines and "OUT -: libsndfile: WAV, FLOAT" in lines


def test_a_pipe_as_the_style_of_a_folder_has_its_name(streams, stems, capsys):
    code, _ = streams(Path("style.wav").read_bytes(), "-qv", "--include", "one*", "in", "out", "style", "-", *QUICK)
    lines = capsys.readouterr().err
    assert code == 0 and "style -: libsndfile: WAV" in lines and "audiostyle-" not in lines


def test_a_missing_recording_is_named_as_without_it(folder, capsys):
    assert "IN 'nowhere.wav': there is no such file" in fails(capsys, 1, "-v", "nowhere.wav", "out.wav", "gain")


def test_standard_output_has_json_only(folder, capsys):
    assert run("--json", "-v", "song.wav", "out.wav", "gain", "-3") == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1 and "IN song.wav" in shown.err


def test_files_of_a_folder(stems, capsys):
    assert run_on_folder("-q", "-v", "--include", "b/*", *STYLED) == 0
    lines = capsys.readouterr().err.splitlines()
    heads = [line.partition(": ")[0] for line in lines if line.startswith(("IN", "OUT", "style style.wav"))]
    assert heads == ["style style.wav"] + [
        f"{place}/b/{name}.wav" for name in ("one", "two") for place in ("IN in", "OUT out", "OUT out")
    ]


def test_devices_without_cupy(unknown_devices, monkeypatch, capsys):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    assert run("--devices") == 0
    cpu, gpu = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"cpu: \d+ threads on \d+ cores", cpu)
    assert gpu.startswith("no GPU: CuPy is not installed (pip install 'audiostyle-fx[cuda13]'")


def test_devices_without_a_driver(unknown_devices, monkeypatch, capsys):
    cupy_stand_in.install(monkeypatch, devices=0)
    assert run("--devices") == 0
    shown = capsys.readouterr()
    assert "no GPU: CuPy finds no GPU" in shown.out and "driver" in shown.out and shown.err == ""


def test_devices_with_gpus(unknown_devices, monkeypatch, capsys):
    cupy_stand_in.install(monkeypatch, devices=2, memory=8 << 30)
    assert run("--devices") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"cuda:{number}: a GPU on NumPy, 8.0 GiB, CuPy 14.0" for number in range(2)
    ]
