"""The command with one recording: its result, its progress, its parameters."""

import io
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, STAGES, STYLED, read, run, run_program

from audiostyle_fx import Window, stylize

pytestmark = pytest.mark.usefixtures("folder")


def test_result_is_that_of_the_function(stereo, style, rate, quick):
    assert run("song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **quick).audio)
    assert soundfile.info("out.wav").samplerate == rate


def test_as_a_program_between_pipes(stereo, style, rate, quick):
    done = run_program("-", "-", "style", "style.wav", *QUICK, "alpha=0.5", data=Path("song.wav").read_bytes())
    assert done.returncode == 0, done.stderr
    assert b"waveform" in done.stderr and b"style=" in done.stderr and b"100%" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(b"-: 1.0 s of sound in ")
    with soundfile.SoundFile(io.BytesIO(done.stdout)) as file:
        assert (file.format, file.subtype, file.samplerate) == ("WAV", "FLOAT", rate)
        want = stylize(stereo, style, rate, alpha=0.5, **quick).audio
        np.testing.assert_array_equal(file.read(dtype="float32").T, want)


def test_progress_bar_shows_stage_and_loss_on_stderr(capsys):
    assert run("song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "waveform" in shown.err and "style=" in shown.err and "100%" in shown.err


@pytest.mark.parametrize("option", ["-q", "--quiet"])
@pytest.mark.parametrize("place", [0, 2, 4, 6, 9])
def test_quiet_anywhere_on_the_line(option, place, capsys):
    arguments = ["song.wav", "out.wav", "style", "style.wav", *QUICK]
    assert run(*arguments[:place], option, *arguments[place:]) == 0
    assert capsys.readouterr() == ("", "")
    assert read("out.wav").any()


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        (["alpha=0.02", "kernel_width=3,11", "n_filters=inf"], {"alpha": 0.02, "kernel_width": (3, 11)}),
        (["kernel_width=(3,5)", "n_filters=64", "seed=3"], {"kernel_width": (3, 5), "n_filters": 64, "seed": 3}),
        (["kernel_width=[5]", "windows=none"], {"kernel_width": 5, "windows": None}),
        (["preset=subtle", "windows=93"], {"preset": "subtle", "windows": 93}),
        (["windows=32,128", "preset=subtle", "alpha=0.2"], {"preset": "subtle", "windows": (32, 128), "alpha": 0.2}),
        (["windows=32/16,128/64"], {"windows": (Window(ms=32, hop_ms=16), Window(ms=128, hop_ms=64))}),
        (["windows=512/128smp"], {"windows": Window(n_fft=512, hop_length=128)}),
        (["optimizer=lbfgs", "alpha=0.01", "init=noise"], {"optimizer": "lbfgs", "alpha": 0.01, "init": "noise"}),
        (["phase_init='random'", "device=cpu"], {"phase_init": "random"}),
        (["normalize=false", "match_level=True"], {"normalize": False}),
        (["match_level=False", "mix=.5"], {"match_level": False, "mix": 0.5}),
        (["alpha=1e-3", "n_filters=Inf"], {"alpha": 1e-3}),
        (["strength=0.5", "key=+3", "content_share=0.2"], {"strength": 0.5, "key": 3, "content_share": 0.2}),
        (["key=style", "equalize=false", "dynamics=False"], {"key": "style", "equalize": False, "dynamics": False}),
        (["windows=46,12@0:1"], {"windows": (46, Window(ms=12, style_weight=0))}),
    ],
)
def test_parameters_mean_what_they_do_in_python(words, parameters, stereo, style, rate, quick_stages):
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *STAGES, *words) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **{**quick_stages, **parameters}).audio)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--start", "0.25"], slice(2000, None)),
        (["--duration", ".5"], slice(0, 4000)),
        (["--start=0:00.25", "--duration=0:0:0.5"], slice(2000, 6000)),
        (["--start", "0.75", "--duration", "99:00"], slice(6000, None)),
        (["--duration", "1"], slice(None)),
    ],
)
def test_crops(words, part, stereo, style, rate, quick):
    assert run("-q", "song.wav", *words, "out.wav", "invert") == 0
    np.testing.assert_array_equal(read("out.wav"), -stereo[:, part])
    assert run("-q", "--overwrite", *STYLED, *words, *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo[:, part], style, rate, **quick).audio)


def test_json_for_scripts_says_what_became_of_a_file(capsys):
    assert run("--json", *STYLED, *QUICK) == 0
    shown = capsys.readouterr()
    event = json.loads(shown.out)
    assert (event["kind"], event["file"], event["status"]) == ("file", "out.wav", "done") and shown.err == ""
    assert event["duration"] == 1 and event["losses"].keys() == {"style", "content"}
    assert run("--json", "nowhere.wav", "out.wav", "gain", "-3") == 1
    event = json.loads(capsys.readouterr().out)
    assert event["status"] == "failed" and "nowhere.wav" in event["error"]


def test_warnings_of_the_caller_are_left_as_they_were():
    before = warnings.showwarning, warnings.filters[:]
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    assert (warnings.showwarning, warnings.filters[:]) == before


def test_exit_code_of_the_program():
    wrong = run_program("song.wav", "out.wav", "style", "style.wav", "alpha=-1")
    assert wrong.returncode == 2 and wrong.stdout == b""
    assert wrong.stderr.strip() == b"audiostyle: alpha=-1 must be at least 0 and finite"
    assert not os.path.exists("out.wav")
