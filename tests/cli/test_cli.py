"""The command: arguments in, exit code out."""

import io
import json
import os
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pedalboard import Clipping, Convolution, Delay, Gain, HighpassFilter, Invert, LadderFilter, Pedalboard, Reverb

import audiostyle_fx
from audiostyle_fx import StyleTransfer, Window, stylize, texture
from audiostyle_fx.cli import command
from audiostyle_fx.cli.command import main

QUICK = ["windows=256smp", "kernel_width=3", "spectrogram_iters=4", "phase_iters=3", "waveform_iters=3"]
STYLED = ["song.wav", "out.wav", "style", "style.wav"]
OPTIONS = [*command._parser()._option_string_actions]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, stereo, style):
    """A folder, the current one, with a song and a style in it."""
    soundfile.write(tmp_path / "song.wav", stereo.T, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "style.wav", style, 8000, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    """The exit code of the command in this process."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


def python(*arguments, data=b""):
    """The command in a process of its own, which reads the data from a pipe and writes bytes to others."""
    root = str(Path(audiostyle_fx.__file__).parents[1])
    command = [sys.executable, "-W", "error", "-m", "audiostyle_fx", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, env={**os.environ, "PYTHONPATH": root})


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def names(folder):
    return sorted(os.listdir(folder))


# ---------------------------------------------------------------- it works
def test_result_is_that_of_the_function(stereo, style, rate, quick):
    assert run("song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **quick).audio)
    assert soundfile.info("out.wav").samplerate == rate


def test_as_a_program_between_pipes(stereo, style, rate, quick):
    done = python("-", "-", "style", "style.wav", *QUICK, "alpha=0.5", data=Path("song.wav").read_bytes())
    assert done.returncode == 0, done.stderr
    assert b"waveform" in done.stderr and b"style=" in done.stderr and b"100%" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(b"-: 1.0 s in ")
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
        (["kernel_width=[5]", "windows=none"], {"kernel_width": 5}),
        (["optimizer=lbfgs", "init=noise"], {"optimizer": "lbfgs", "init": "noise"}),
        (["phase_init='random'", "device=cpu"], {"phase_init": "random"}),
        (["normalize=false", "match_level=True"], {"normalize": False}),
        (["match_level=False", "mix=.5"], {"match_level": False, "mix": 0.5}),
        (["alpha=1e-3", "n_filters=Inf"], {"alpha": 1e-3}),
    ],
)
def test_parameters_mean_what_they_do_in_python(words, parameters, stereo, style, rate, quick):
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *QUICK, *words) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **{**quick, **parameters}).audio)


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.strip().endswith(version("audiostyle-fx"))


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["song.wav", "--help"]])
def test_help_fits_a_screen_and_its_examples_are_understood(words, capsys):
    assert run(*words) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 79
    examples = [line.split()[1:] for line in lines[lines.index("examples:") + 1 :]]
    assert len(examples) == 3
    Path("stems").mkdir()
    for example in examples:
        command._understood(command._options(example))
    assert all(option in shown for option in OPTIONS)


def test_json_for_scripts_says_what_became_of_a_file(capsys):
    assert run("--json", *STYLED, *QUICK) == 0
    shown = capsys.readouterr()
    event = json.loads(shown.out)
    assert (event["event"], event["file"], event["status"]) == ("file", "out.wav", "done") and shown.err == ""
    assert event["duration"] == 1 and event["losses"].keys() == {"style", "content"}
    assert run("--json", "nowhere.wav", "out.wav") == 1
    event = json.loads(capsys.readouterr().out)
    assert event["status"] == "failed" and "nowhere.wav" in event["error"]


def test_a_page_that_fails_leaves_the_result_done(capsys, monkeypatch):
    def fail(page, entries):
        raise OSError("no room")

    monkeypatch.setattr("audiostyle_fx.report.write_report", fail)
    assert run("--json", "--report", "page.html", "song.wav", "out.wav", "gain", "-3") == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["status"] == "done" and Path("out.wav").is_file()
    assert shown.err == "audiostyle: --report page.html: no room\n"


@pytest.mark.parametrize(
    "words",
    [
        ["song.wav", "out.wav", "gain", "-3", "style", "style.wav", *QUICK],
        ["-n", "out.wav", "style", "style.wav", "duration=0.5", "waveform_iters=3", "windows=256smp", "kernel_width=3"],
        ["song.wav", "out.wav", "gain", "-3"],
    ],
)
def test_a_page_to_listen_with(words, monkeypatch):
    entries = []
    monkeypatch.setattr("audiostyle_fx.report.write_report", lambda page, given: entries.append((page, given)))
    assert run("-q", "--report", "page.html", *words) == 0
    ((page, (entry,)),) = entries
    assert (page, entry.name, entry.result, entry.error) == ("page.html", "out.wav", Path("out.wav"), None)
    assert entry.content == (None if "-n" in words else Path("song.wav"))
    assert entry.chain == " ".join(words[2:]) and entry.seconds > 0
    if "style" in words:
        assert entry.style == (Path("style.wav"),)
        assert entry.parameters["kernel_width"] == 3 and len(entry.stages["waveform"]["style"]) == 4


def test_a_page_that_can_not_be_written_is_found_before_any_work(capsys, no_work):
    assert "nowhere/page.html" in fails(capsys, 1, *STYLED, "--report", "nowhere/page.html")
    for page in ("song.wav", "style.wav", "page.txt"):
        assert f"--report {page!r} must end in .html" in fails(capsys, 2, *STYLED, "--report", page)
    Path("song.html").write_bytes(Path("song.wav").read_bytes())
    assert "must not be a recording" in fails(capsys, 1, "song.html", *STYLED[1:], "--report", "./song.html")


# ---------------------------------------------------------------- chains
def test_a_chain_is_the_board_in_its_order(stereo, style, rate, quick):
    words = ["highpass_filter", "300", "style", "style.wav", *QUICK, "reverb", "room_size=0.4", "gain", "-3"]
    assert run("-q", "song.wav", "out.wav", *words) == 0
    board = [HighpassFilter(300), StyleTransfer("style.wav", **quick), Reverb(room_size=0.4), Gain(-3)]
    np.testing.assert_array_equal(read("out.wav"), Pedalboard(board)(stereo, rate))


def test_a_chain_without_style_is_pedalboard_as_a_command(stereo, rate, capsys):
    words = ["ladder_filter", "hpf24", "cutoff_hz=900", "delay", "0.1", "mix=.25", "invert"]
    assert run("song.wav", "out.wav", *words) == 0
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("out.wav: 1.0 s in ")
    board = [LadderFilter(LadderFilter.Mode.HPF24, cutoff_hz=900), Delay(0.1, mix=0.25), Invert()]
    np.testing.assert_array_equal(read("out.wav"), Pedalboard(board)(stereo, rate))


def test_a_chain_keeps_sample_format_and_tags(stereo):
    with soundfile.SoundFile("song.flac", "w", 8000, 2, "PCM_24") as file:
        file.title = "a title"
        file.write(stereo.T)
    assert run("-q", "song.flac", "out.aiff", "gain", "-3") == 0
    with soundfile.SoundFile("out.aiff") as file:
        assert file.subtype == "PCM_24" and file.copy_metadata()["title"] == "a title"


def test_no_effect_converts(stereo):
    assert run("-q", "song.wav", "out.aiff") == 0
    np.testing.assert_array_equal(read("out.aiff"), stereo)
    assert soundfile.info("out.aiff").subtype == "FLOAT"


def test_several_styles_with_weights(stereo, rate, quick, other_style):
    soundfile.write("other.wav", other_style, 8000, subtype="FLOAT")
    assert run("-q", *STYLED, "other.wav", *QUICK, "style_weights=1,0.25") == 0
    want = stylize(stereo, ["style.wav", "other.wav"], rate, style_weights=[1, 0.25], **quick).audio
    np.testing.assert_array_equal(read("out.wav"), want)


def test_a_value_by_its_name_and_the_last_of_several_counts(stereo, rate):
    assert (
        run("-q", "song.wav", "out.wav", "gain", "gain_db=-6", "clipping", "-20", "reverb", "width=1", "width=0") == 0
    )
    np.testing.assert_array_equal(read("out.wav"), Pedalboard([Gain(-6), Clipping(-20), Reverb(width=0)])(stereo, rate))


def test_a_file_named_as_an_effect_is_given_with_its_folder(stereo, style, rate, quick):
    soundfile.write("reverb", style, 8000, format="WAV", subtype="FLOAT")
    soundfile.write("alpha=1.wav", style, 8000, subtype="FLOAT")
    for name in ("./reverb", "./alpha=1.wav"):
        assert run("-q", "song.wav", "out.wav", "style", name, *QUICK) == 0
        np.testing.assert_array_equal(read("out.wav"), stylize(stereo, style, rate, **quick).audio)


def test_convolution_with_a_file(stereo, rate):
    soundfile.write("impulse.wav", np.array([0.0, 0.5, 0.25]), 8000, subtype="FLOAT")
    assert run("-q", "song.wav", "out.wav", "convolution", "impulse.wav", "mix=0.5") == 0
    np.testing.assert_array_equal(read("out.wav"), Pedalboard([Convolution("impulse.wav", 0.5)])(stereo, rate))


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_recordings_with_fewer_samples_than_channels(length):
    soundfile.write("short.wav", np.full((length, 2), 0.5), 8000, subtype="FLOAT")
    assert run("-q", "short.wav", "out.wav", "gain", "-6") == 0
    assert read("out.wav") == pytest.approx(np.full((2, length), 0.5 * 10**-0.3), rel=1e-6)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["convolution", "nowhere.wav"], "impulse_response_filename='nowhere.wav'"),
        (["convolution", "text.wav"], "impulse_response_filename='text.wav' can't be read"),
        (["gain", "-3", "style", "nowhere.wav"], "style='nowhere.wav'"),
        (["gain", "-3", "style", "style.wav", "text.wav"], "style[1]='text.wav'"),
        (["mp3_compressor"], "9.0kHz"),
        (["gain", "1e30"], "NaN or infinite"),
        (["gain", "--start", "2"], "--start 2 must be within the input, which is 1 s long"),
    ],
)
def test_chains_that_fail(words, why, capsys, no_work):
    Path("text.wav").write_text("a text")
    if words == ["mp3_compressor"]:
        soundfile.write("song.wav", np.zeros((100, 2)), 9000)
    assert why in fails(capsys, 1, "-q", "song.wav", "out.wav", *words)


# ---------------------------------------------------------------- crops
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
    assert run("-q", *STYLED, *words, *QUICK) == 0
    np.testing.assert_array_equal(read("out.wav"), stylize(stereo[:, part], style, rate, **quick).audio)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("1:30", 90), ("1:02:03.5", 3723.5), (".5", 0.5), ("90:00", 5400)]
)
def test_times(text, seconds):
    assert command._seconds(text) == seconds


# ---------------------------------------------------------------- textures
TEXTURE = ["-n", "out.wav", "style", "style.wav", "duration=0.5", "waveform_iters=3", "kernel_width=2,6"]


def test_a_texture_is_that_of_the_function(style, rate):
    assert run("-q", *TEXTURE, "alpha=0", "seed=2") == 0
    want = texture("style.wav", rate, 0.5, waveform_iters=3, kernel_width=(2, 6), seed=2).audio
    np.testing.assert_array_equal(read("out.wav"), want)
    assert soundfile.info("out.wav").subtype == "FLOAT"


def test_a_texture_through_other_effects_in_the_style_s_format(style, rate):
    soundfile.write("style.wav", style, 8000, subtype="PCM_24")
    assert run("-q", *TEXTURE, "gain", "-3", "style", "style.wav", *QUICK) == 0
    assert soundfile.info("out.wav").subtype == "PCM_24" and read("out.wav").shape == (1, 4000)


def test_windows_of_a_texture_in_samples(rate):
    assert run("-q", *TEXTURE, "windows=128smp,512smp") == 0
    want = texture(
        "style.wav", rate, 0.5, waveform_iters=3, kernel_width=(2, 6), windows=(Window(n_fft=128), Window(n_fft=512))
    ).audio
    np.testing.assert_array_equal(read("out.wav"), want)


def test_a_texture_of_a_missing_file(capsys, no_work):
    assert "style='nowhere.wav'" in fails(capsys, 1, "-n", "out.wav", "style", "nowhere.wav", "duration=1")
    assert "out.xyz" in fails(capsys, 1, "-n", "out.xyz", "style", "style.wav", "duration=1")


# ---------------------------------------------------------------- pipes
@pytest.fixture
def streams(monkeypatch):
    """Standard input and output of this process as pipes that hold bytes."""

    def run_with(data, *words):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdout", out := io.TextIOWrapper(io.BytesIO()))
        return run(*words), out.buffer.getvalue()

    return run_with


@pytest.mark.parametrize(
    ("file_format", "subtype", "written"),
    [("WAV", "PCM_24", "PCM_24"), ("FLAC", "PCM_16", "PCM_16"), ("OGG", "VORBIS", "FLOAT"), ("WAV", "FLOAT", "FLOAT")],
)
def test_a_pipe_carries_the_sample_format_or_floats(file_format, subtype, written, streams, stereo):
    soundfile.write(held := io.BytesIO(), stereo.T, 8000, subtype, format=file_format)
    code, out = streams(held.getvalue(), "-q", "-", "-")
    info = soundfile.info(io.BytesIO(out))
    assert (code, info.format, info.subtype, info.frames, info.channels) == (0, "WAV", written, 8000, 2)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFF0])
def test_a_header_written_before_the_length_was_known(length, streams, stereo):
    soundfile.write("song16.wav", stereo.T, 8000, "PCM_16")
    data = bytearray(Path("song16.wav").read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = length.to_bytes(4, "little")
    code, out = streams(bytes(data), "-q", "-", "-")
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


# ---------------------------------------------------------------- help
def test_effects_are_listed_and_explained(capsys):
    assert run("effects") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(command.effects())
    assert run("help", "ladder_filter", "gain") == 0
    shown = capsys.readouterr().out
    assert "mode=LPF12     LPF12, HPF12" in shown and "\ngain [GAIN_DB] [name=value ...]\n" in shown


def test_help_on_style_has_the_defaults_of_textures(capsys):
    assert run("help", "style") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "alpha=0.01 " in shown and "Defaults of a texture: alpha=0 kernel_width=3,24" in shown


# ---------------------------------------------------------------- files
@pytest.mark.parametrize(
    ("source", "subtype", "target", "kept"),
    [
        ("song.wav", "PCM_24", "out.wav", "PCM_24"),
        ("song.wav", "PCM_16", "out.aiff", "PCM_16"),
        ("song.flac", "PCM_24", "out.flac", "PCM_24"),
        ("song.flac", "PCM_24", "out.wav", "PCM_24"),
        ("song.wav", "FLOAT", "out.flac", "PCM_16"),
        ("song.ogg", "VORBIS", "out.wav", "PCM_16"),
        ("song.mp3", "MPEG_LAYER_III", "out.wav", "PCM_16"),
        ("song.mp3", "MPEG_LAYER_III", "out.mp3", "MPEG_LAYER_III"),
        ("song.wav", "PCM_32", "out.wav", "PCM_32"),
        ("song.aiff", "PCM_24", "out.aiff", "PCM_24"),
        ("song.aiff", "FLOAT", "out.wav", "FLOAT"),
        ("song.ogg", "VORBIS", "out.ogg", "VORBIS"),
    ],
)
def test_sample_format_is_kept_where_it_fits(stereo, source, subtype, target, kept):
    soundfile.write(source, stereo.T, 8000, subtype=subtype)
    assert run("-q", source, target, "style", "style.wav", *QUICK) == 0
    info = soundfile.info(target)
    assert (info.subtype, info.samplerate, info.channels) == (kept, 8000, 2)


def test_tags_are_carried_over(stereo):
    with soundfile.SoundFile("song.flac", "w", 8000, 2) as file:
        file.title, file.artist, file.comment = "a title", "somebody", "so good"
        file.write(stereo.T)
    assert run("-q", "song.flac", "out.wav", "style", "style.wav", *QUICK) == 0
    with soundfile.SoundFile("out.wav") as file:
        assert file.copy_metadata().items() >= {"title": "a title", "artist": "somebody", "comment": "so good"}.items()


def test_float_may_exceed_full_scale(stereo):
    soundfile.write("song.wav", 40 * stereo.T, 8000, subtype="FLOAT")
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    assert np.abs(read("out.wav")).max() > 2


def test_a_song_may_be_replaced_by_its_result(folder, stereo, style, rate, quick):
    assert run("-q", "song.wav", "song.wav", "style", "style.wav", *QUICK) == 0
    np.testing.assert_array_equal(read("song.wav"), stylize(stereo, style, rate, **quick).audio)
    assert names(folder) == ["song.wav", "style.wav"]


def test_silence_and_an_empty_file(folder):
    for length in (0, 2, 4000):
        soundfile.write("quiet.wav", np.zeros((length, 2)), 8000, subtype="FLOAT")
        assert run("-q", "quiet.wav", "out.wav", "style", "style.wav", *QUICK) == 0
        assert read("out.wav").shape == (2, length) and not read("out.wav").any()


def test_what_is_too_loud_for_the_format_is_turned_down_and_said(stereo, capsys):
    soundfile.write("song.wav", 40 * stereo.T, 8000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run("-q", "song.wav", "out.flac", "style", "style.wav", *QUICK) == 0
    assert "turned down by" in capsys.readouterr().err
    assert np.abs(read("out.flac")).max() == pytest.approx(1, abs=1e-3)


def test_warnings_of_the_caller_are_left_as_they_were():
    before = warnings.showwarning, warnings.filters[:]
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    assert (warnings.showwarning, warnings.filters[:]) == before


# ---------------------------------------------------------------- it fails
def fails(capsys, code, *arguments):
    """Check the exit code, that one line says why and that no file has come or gone; give that line."""
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert run(*arguments) == code
    shown = capsys.readouterr()
    assert shown.out == "" and "Traceback" not in shown.err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
    line = shown.err.strip().splitlines()[-1]
    assert line.startswith("audiostyle: ")
    return line


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["alhpa=1"], "alhpa"),
        (["alpha"], "name=value"),
        (["=1"], "name=value"),
        (["style=other.wav"], "style=other.wav"),
        (["alpha=-1"], "alpha=-1"),
        (["alpha="], "alpha="),
        (["alpha=much"], "alpha='much'"),
        (["alpha=nan"], "alpha="),
        (["alpha={[]:1}"], "alpha='{[]:1}'"),
        (["n_filters=1.5"], "n_filters=1.5"),
        (["kernel_width=3,0"], "kernel_width=0"),
        (["optimizer=sgd"], "'adam' or 'lbfgs'"),
        (["mix=2"], "from 0 to 1"),
        (["seed=__import__('os')"], "seed="),
        (["spectrogram_iters=0", "waveform_iters=0"], "at least 1"),
        (["windows=256smp", "hop_length=129"], "hop_length=129"),
    ],
)
def test_parameters_that_are_not_understood(words, why, capsys, no_work):
    assert why in fails(capsys, 2, "song.wav", "out.wav", "style", "style.wav", *words)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "IN is missing: audiostyle IN OUT"),
        (["song.wav"], "OUT is missing"),
        (["-n"], "OUT is missing"),
        ([*STYLED, "style"], "style needs a file"),
        (["song.wav", "out.wav", "style", "reverb"], "./NAME"),
        (["song.wav", "out.wav", "convolution"], "convolution needs a file"),
        (["song.wav", "out.wav", "stile", "style.wav"], "'stile' is not an effect (did you mean 'style'?)"),
        (["song.wav", "out.wav", "alpha=1"], "'alpha=1' is not an effect"),
        ([*STYLED, "--loud"], "'--loud' is no option"),
        ([*STYLED, "--quite"], "did you mean '--quiet'?"),
        ([*STYLED, "reverv", "room_size=0.4"], "'reverv' is neither a file nor an effect (did you mean 'reverb'?)"),
        ([*STYLED, "reverb", "roomsize=0.4"], "did you mean 'room_size'?"),
        ([*STYLED, "reverb", "room_size", "0.4"], "'room_size' is a parameter of reverb and needs a value: name=value"),
        ([*STYLED, "reverb", "room_size=2"], "reverb room_size=2: Room Size value must be between 0.0 and 1.0"),
        ([*STYLED, "gain", "loud"], "gain_db='loud' must be a number"),
        ([*STYLED, "gain", "nan"], "gain_db='nan' must be a number"),
        ([*STYLED, "gain", "-3", "4"], "'4' is neither an effect nor a parameter: gain takes"),
        ([*STYLED, "gain", "-3", "gain_db=4"], "'gain_db=4': gain has a gain_db already"),
        ([*STYLED, "gain", "-3", "rverb"], "did you mean 'reverb'?"),
        ([*STYLED, "gain", "-1e-3"], "'-1e-3' is no option; a value that begins with - is written name=value"),
        ([*STYLED, "invert", "3"], "invert has none"),
        ([*STYLED, "resample", "quality=Linaer"], "must be one of ZeroOrderHold, Linear"),
        ([*STYLED, "style.wav", "style_weights=1,2,3"], "style_weights=(1, 2, 3)"),
        ([*STYLED, "duration=3"], "--duration takes"),
        ([*STYLED, "--start", "1:75:"], "'1:75:' must be seconds, mm:ss"),
        ([*STYLED, "--start", "-1"], "'-1' must be seconds"),
        ([*STYLED, "--duration", "0"], "--duration must be above 0"),
        (["-n", "out.wav"], "the first effect must be style"),
        (["-n", "out.wav", "gain", "style", "style.wav"], "the first effect must be style"),
        (["-n", "out.wav", "style", "style.wav"], "needs duration=SECONDS"),
        (["-n", "out.wav", "style", "style.wav", "duration=0"], "needs duration=SECONDS"),
        (["-n", "out.wav", "style", "style.wav", "duration=1", "alpha=0.1"], "alpha=0.1 must be 0"),
        (["-n", "out.wav", "style", "style.wav", "duration=1", "init=noise"], "has no init"),
        (["-n", "out.wav", "style", "style.wav", "duration=1", "--start", "3"], "--start"),
        (["help", "revreb"], "did you mean 'reverb'?"),
        ([*STYLED, "--completion", "csh"], "--completion: invalid choice: 'csh'"),
    ],
)
def test_commands_that_are_not_understood(arguments, why, capsys, no_work):
    assert why in fails(capsys, 2, *arguments)


@pytest.mark.parametrize(
    ("source", "target", "given", "why"),
    [
        ("nowhere.wav", "out.wav", "style.wav", "input='nowhere.wav'"),
        ("text.wav", "out.wav", "style.wav", "input='text.wav'"),
        ("song.wav", "out.xyz", "style.wav", "out.xyz"),
        ("song.wav", "out", "style.wav", ".flac"),
        ("song.wav", "nowhere/out.wav", "style.wav", "folder"),
        ("song.wav", "sub", "style.wav", "sub"),
        ("many.wav", "out.mp3", "style.wav", "3 channels"),
        ("fast.wav", "out.mp3", "style.wav", "96000 Hz"),
        ("song.wav", "out.wav", "nowhere.wav", "style='nowhere.wav'"),
        ("song.wav", "out.wav", "text.wav", "style='text.wav'"),
        ("song.wav", "out.wav", "silent.wav", "silent"),
        ("song.wav", "out.wav", "short.wav", "needs at least 0.448"),
        ("nan.wav", "out.wav", "style.wav", "NaN"),
    ],
)
def test_files_that_can_not_be_used_are_found_before_any_work(source, target, given, why, capsys, no_work):
    Path("text.wav").write_text("a text")
    Path("sub").mkdir()
    soundfile.write("fast.wav", 0.1 * np.ones((100, 2)), 96_000)
    soundfile.write("many.wav", 0.1 * np.ones((100, 3)), 8000)
    soundfile.write("silent.wav", np.zeros(8000), 8000)
    soundfile.write("short.wav", 0.1 * np.ones(300), 8000)
    soundfile.write("nan.wav", np.full(8000, np.nan), 8000, subtype="FLOAT")
    assert why in fails(capsys, 1, "-q", source, target, "style", given)
    assert names("sub") == []


@pytest.mark.parametrize(
    ("failure", "code"), [(RuntimeError("it broke"), 1), (OSError("it broke"), 1), (KeyboardInterrupt(), 130)]
)
@pytest.mark.parametrize("where", ["transfer", "encoder"])
def test_an_old_result_stays_until_the_new_one_is_finished(failure, code, where, capsys, monkeypatch):
    Path("out.wav").write_bytes(b"an old result")

    def fail(*args, **kwargs):
        if where == "encoder":
            assert [path for path in Path.cwd().glob(".*.wav") if path.stat().st_size], "half a file is there"
        raise failure

    if where == "transfer":
        monkeypatch.setattr("audiostyle_fx._transfer.recording_transfer.three_stages", fail)
    else:
        monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    line = fails(capsys, code, "-q", "song.wav", "out.wav", "style", "style.wav", *QUICK)
    assert ("interrupted" if code == 130 else "it broke") in line


def test_a_device_that_is_not_there(capsys, monkeypatch, no_work):
    def check_device(value):
        raise RuntimeError(f"device={value!r} can't be used")

    monkeypatch.setattr("audiostyle_fx._transfer.parameters.check_device", check_device)
    line = fails(capsys, 1, "-q", "song.wav", "out.wav", "style", "style.wav", "device=cuda")
    assert "device='cuda' can't be used" in line


def test_exit_code_of_the_program():
    wrong = python("song.wav", "out.wav", "style", "style.wav", "alpha=-1")
    assert wrong.returncode == 2 and wrong.stdout == b""
    assert wrong.stderr.strip() == b"audiostyle: alpha=-1 must be at least 0 and finite"
    assert not os.path.exists("out.wav")
