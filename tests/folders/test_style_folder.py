"""Folders of recordings: results, records and arguments."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.processes import contents
from support.styled_folders import LENGTH, read

from audiostyle_fx import style_folder, stylize
from audiostyle_fx._recordings.files import read_audio

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


def test_results_are_those_of_the_function_and_every_file_is_recorded(stem, style, rate, run, quick, events):
    sources = [
        stem(name, subtype="FLOAT", shift=shift) for name, shift in [("a.wav", 0), ("b.wav", 500), ("x/c.wav", 900)]
    ]
    outcome = run(progress=events.append)
    assert contents().keys() == {"a.wav", "b.wav", "x/c.wav"}, "and nothing else is left there"
    for path in sources:
        want = stylize(read(path), style, rate, **quick)
        name = path.relative_to("in").as_posix()
        np.testing.assert_array_equal(read(Path("out", name)), want.audio)
        record = outcome.files[name]
        assert record["status"] == "done" and record["full_scale"] == 1
        assert record["transfers"][0]["parameters"]["windows"] == [{"n_fft": 128, "hop_length": 32}]
        losses = record["transfers"][0]["stages"]["waveform"]["style_loss"]
        np.testing.assert_allclose(losses, want.stages["waveform"].style_loss, rtol=1e-5)
    written = json.loads(outcome.manifest.read_text())
    assert written["files"] == dict(outcome.files) and written["last_run"]["versions"].keys() >= {
        "audiostyle-fx",
        "numpy",
    }
    assert (outcome.failed, outcome.skipped) == ({}, 0)


@pytest.mark.usefixtures("high_peaks")
def test_where_the_format_does_not_clip_nothing_is_turned_down(stem, run):
    stem("a.wav", 5, "FLOAT")
    stem("b.wav", 0.1, "FLOAT")
    assert {record["full_scale"] for record in run().files.values()} == {1}
    assert np.abs(read("out/a.wav")).max() > 1.2
    assert run("flac", format="flac").files["b.flac"]["full_scale"] > 1.2


@pytest.mark.parametrize(("format", "subtype"), [("flac", "PCM_16"), ("aiff", "PCM_16"), ("ogg", "VORBIS")])
def test_another_format_keeps_lengths(format, subtype, song, run):
    assert run(format=format).failed == {}
    for name in ("alone", "song/loud", "song/soft"):
        info = soundfile.info(f"out/{name}.{format}")
        assert (info.subtype, info.frames) == (subtype, LENGTH)


def test_a_part_of_each(song, run, style, rate, quick):
    outcome = run(start=0.1, duration=0.1)
    assert {record["duration"] for record in outcome.files.values()} == {0.1}
    want = stylize(read("in/alone.wav")[800:1600], style, rate, **quick).audio
    np.testing.assert_allclose(read("out/alone.wav"), want, atol=2**-15)


def test_permissions_of_what_is_replaced(stem, run):
    stem("a.wav")
    Path("out").mkdir()
    Path("out/a.wav").touch(0o640)
    run()
    assert Path("out/a.wav").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"alpha": -1}, ValueError, "alpha=-1"),
        ({"volume": 1}, TypeError, "there is no parameter 'volume'"),
        ({"style_sample_rate": 8000}, TypeError, "style_sample_rate"),
        ({"style_weights": [1, 2]}, ValueError, "style_weights="),
        ({"include": "*.wav"}, TypeError, r"include='\*.wav' must be a list of globs"),
        ({"exclude": [3]}, TypeError, r"exclude=\[3\] must be a list of globs"),
        (
            {"format": "xyz"},
            ValueError,
            r"format='xyz' must be one of wav, flac, aiff, .* or \d+ more, which .* lists$",
        ),
        ({"format": "sds"}, ValueError, "format='sds' must be one of"),
        ({"format": 3}, TypeError, "format=3 must be a str"),
        ({"start": -1}, ValueError, "start=-1 must be at least 0"),
        ({"duration": 0}, ValueError, "duration=0 must be above 0"),
        ({"independent": 1}, TypeError, "independent=1 must be True or False"),
        ({"levels": "each"}, ValueError, "levels='each' must be one of auto, shared, independent"),
        ({"levels": "shared", "independent": True}, ValueError, "levels='shared' does not apply with independent=True"),
        ({"force": "no"}, TypeError, "force='no' must be True or False"),
        ({"jobs": 0}, ValueError, "jobs=0 must be at least 1"),
        ({"jobs": 1.5}, TypeError, "jobs=1.5 must be an integer"),
        ({"executor": 3}, TypeError, "executor=3 must be a concurrent.futures.Executor"),
        ({"time_limit": 0}, ValueError, "time_limit=0 must be above 0"),
        ({"time_limit": "1m"}, TypeError, "time_limit='1m'"),
        ({"time_limit": 5, "executor": ThreadPoolExecutor(1)}, ValueError, "time_limit=5 does not apply with executor"),
        ({"progress": 1}, TypeError, "progress=1 must be True, False, None or a function"),
        ({"jobs": 2, "executor": ThreadPoolExecutor(1)}, ValueError, "jobs=2 must be 1 when executor is given"),
    ],
)
def test_arguments_that_are_refused_before_any_work(arguments, error, why, stem, no_work):
    stem("a.wav")
    with pytest.raises(error, match=why):
        style_folder("in", "out", "style.wav", **arguments)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ("nowhere.wav", FileNotFoundError, "nowhere.wav"),
        ([], ValueError, "must hold at least one file"),
        (np.zeros(8), TypeError, "must be a file, or a list of files"),
        (3, TypeError, "style=3 must be a file, or a list of files"),
        (["style.wav", 3], TypeError, "style=3 must be a file, or a list of files"),
    ],
)
def test_styles_that_are_refused_before_any_work(given, error, why, stem, no_work):
    stem("a.wav")
    with pytest.raises(error, match=why):
        style_folder("in", "out", given)
    assert not Path("out").exists()


def test_a_style_is_read_once_for_all_recordings(song, run, monkeypatch):
    read, paths = read_audio, []

    def counted(path, name):
        paths.append(Path(path).name)
        return read(path, name)

    monkeypatch.setattr("audiostyle_fx._transfer.styles.style_inputs.read_audio", counted)
    assert not run().failed
    assert paths == ["style.wav"]


def test_files_of_other_makers_are_replaced(stem, run):
    stem("a.wav")
    Path("out").mkdir()
    Path("out/a.wav").write_bytes(b"old")
    assert run().failed == {} and Path("out/a.wav").read_bytes().startswith(b"RIFF")


@pytest.mark.slow
def test_files_that_take_too_long_fail(stem, run):
    stem("a.wav")
    error = "it took longer than the time limit of 0.001 s"
    assert run(time_limit=0.001).failed == {"a.wav": error}
    assert json.loads(Path("out/audiostyle.json").read_text())["files"]["a.wav"]["error"] == error
    assert run(time_limit=600).failed == {}
