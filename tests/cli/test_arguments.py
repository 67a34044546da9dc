"""Arguments that are understood, and those that are not."""

import pytest
from support.commands import STYLED, fails

from audiostyle_fx import Window
from audiostyle_fx.cli.options import parse_options, parse_time
from audiostyle_fx.cli.request import parse_requests

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("1:30", 90),
        ("1:02:03.5", 3723.5),
        (".5", 0.5),
        ("90:00", 5400),
        ("90s", 90),
        ("1500ms", 1.5),
    ],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["alhpa=1"], "style has no parameter 'alhpa'. Did you mean 'alpha'?"),
        (["alpha"], "alpha=VALUE"),
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
        (["preset=loud"], "preset='loud' must be"),
        (["windows=much"], "windows='much' must be windows such as 93, 32/16,128/64"),
        (["windows=0.5"], "windows='0.5' can't be read: ms=0.5 must be at least 1"),
        (["mix=2"], "from 0 to 1"),
        (["seed=__import__('os')"], "seed="),
        (["spectrogram_iters=0", "waveform_iters=0"], "at least 1"),
        (["windows=256/129smp"], "hop_length=129"),
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
        (["song.wav", "out.wav", "stile", "style.wav"], "'stile' is not an effect. Did you mean 'style'?"),
        (["song.wav", "out.wav", "alpha=1"], "'alpha=1' is not an effect"),
        ([*STYLED, "--loud"], "'--loud' is not an option"),
        ([*STYLED, "--quite"], "Did you mean '--quiet'?"),
        ([*STYLED, "reverv", "room_size=0.4"], "'reverv' is neither a file nor an effect. Did you mean 'reverb'?"),
        ([*STYLED, "reverb", "roomsize=0.4"], "reverb has no parameter 'roomsize'. Did you mean 'room_size'?"),
        ([*STYLED, "reverb", "room=0.4"], "reverb has no parameter 'room'. Did you mean 'room_size'?"),
        ([*STYLED, "reverb", "zzz=0.4"], "reverb has no parameter 'zzz'. It has room_size, damping, wet_level"),
        ([*STYLED, "invert", "zzz=0.4"], "invert has no parameter 'zzz'. It has no parameters"),
        (
            [*STYLED, "reverb", "room_size", "0.4"],
            "is a parameter of reverb and needs a value: room_size=VALUE",
        ),
        ([*STYLED, "reverb", "room_size=2"], "reverb room_size=2: Room Size value must be between 0.0 and 1.0"),
        ([*STYLED, "gain", "loud"], "gain_db='loud' must be a number"),
        ([*STYLED, "gain", "nan"], "gain_db='nan' must be a number"),
        ([*STYLED, "gain", "-3", "4"], "'4' is neither an effect nor a value of gain: gain_db is already set"),
        ([*STYLED, "gain", "-3", "gain_db=4"], "'gain_db=4': gain_db is already set by the value after gain"),
        ([*STYLED, "gain", "-3", "rverb"], "Did you mean 'reverb'?"),
        ([*STYLED, "gain", "-3Hz"], "gain_db='-3Hz' must be a number in dB; 'Hz' does not apply"),
        ([*STYLED, "gain", "-3bar"], "gain_db='-3bar' must be a number"),
        (
            [*STYLED, "highpass_filter", "80ms"],
            "hz='80ms' must be a number in Hz; 'ms' does not apply",
        ),
        ([*STYLED, "reverb", "2k"], "room_size='2k' must be a number without a unit; 'k' does not apply"),
        ([*STYLED, "gain", "-x"], "'-x' is not an option. Write a value that begins with - as name=value"),
        ([*STYLED, "invert", "3"], "'3' is neither an effect nor a value of invert: it has no parameters"),
        ([*STYLED, "resample", "quality=Linaer"], "must be one of ZeroOrderHold, Linear"),
        ([*STYLED, "style.wav", "style_weights=1,2,3"], "style_weights=(1, 2, 3)"),
        ([*STYLED, "duration=3"], "--duration selects a part of IN"),
        ([*STYLED, "--start", "1:75:"], "'1:75:' must be seconds, mm:ss"),
        ([*STYLED, "--start", "-1"], "'-1' must be seconds"),
        ([*STYLED, "--start", "-1s"], "--start: expected one argument"),
        ([*STYLED, "--start", "80Hz"], "--start: '80Hz' must be seconds"),
        ([*STYLED, "--start", "1:75"], "--start: '1:75' has 75 seconds after its minutes; they must be below 60"),
        ([*STYLED, "--duration", "1:75:00"], "--duration: '1:75:00' has 75 minutes after its hours"),
        ([*STYLED, "--duration", "0"], "--duration 0 must be above 0 s"),
        (["-n", "out.wav"], "the first effect must be style"),
        (["-n", "out.wav", "gain", "style", "style.wav"], "the first effect must be style"),
        (
            ["-n", "out.wav", "style", "style.wav"],
            "needs its length in seconds: style RECORDING duration=SECONDS",
        ),
        (
            ["-n", "out.wav", "style", "style.wav", "duration=0"],
            "needs its length in seconds: style RECORDING duration=SECONDS",
        ),
        (["-n", "out.wav", "style", "style.wav", "duration=1", "alpha=0.1"], "alpha=0.1 must be 0"),
        (
            ["-n", "out.wav", "style", "style.wav", "duration=1", "init=content"],
            "init='content' must be 'noise' for a texture",
        ),
        (["-n", "out.wav", "style", "style.wav", "duration=1", "--start", "3"], "--start does not apply with -n"),
        (["help", "revreb"], "Did you mean 'reverb'?"),
        ([*STYLED, "--completion", "csh"], "--completion: invalid choice: 'csh'"),
    ],
)
def test_commands_that_are_not_understood(arguments, why, capsys, no_work):
    assert why in fails(capsys, 2, *arguments)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["gain", "-3dB"], "gain_db", -3),
        (["gain", "-1e-3"], "gain_db", -0.001),
        (["gain", "gain_db=-.5db"], "gain_db", -0.5),
        (["highpass_filter", "80Hz"], "cutoff_frequency_hz", 80),
        (["highpass_filter", "1.2kHz"], "cutoff_frequency_hz", 1200),
        (["highpass_filter", "1.2k"], "cutoff_frequency_hz", 1200),
        (["delay", "250ms"], "delay_seconds", 0.25),
        (["compressor", "release_ms=.1s"], "release_ms", 100),
        (["pitch_shift", "-50cents"], "semitones", -0.5),
        (["style", "style.wav", "windows=93ms"], "windows", (Window(ms=93),)),
        (["style", "style.wav", "section_seconds=30s"], "section_seconds", 30),
    ],
)
def test_numbers_may_have_a_unit(words, name, value):
    [request] = parse_requests(parse_options(["song.wav", "out.wav", *words]))
    (step,) = request.chain
    assert step.values[name] == value


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["highpass", "80"], "SoX's 'highpass' is highpass_filter here."),
        (["lowpass", "80"], "SoX's 'lowpass' is lowpass_filter here."),
        (["pitch", "300"], "SoX's 'pitch' is pitch_shift, in semitones here."),
        (["norm"], "SoX's 'norm' is gain, in dB here."),
        (["trim", "5", "10"], "SoX's 'trim' is --start and --duration here."),
        (["gain", "-3", "vol", "2"], "'vol' is neither an effect nor a value of gain: gain_db is already set. SoX's"),
        (["style", "style.wav", "fade", "2"], "SoX's 'fade' has no counterpart here: no effect fades in or out."),
        (["rate", "44.1k"], "SoX's 'rate' is the option --rate, such as --rate 48000 here."),
        (["-r", "48k", "gain"], "'-r' is not an option. SoX's -r is written --rate 48000 here."),
        (["-b16", "gain"], "'-b16' is not an option. SoX's -b is written --bits 16 here."),
        (["bandpass", "1k"], "SoX's 'bandpass' is highpass_filter and lowpass_filter here."),
        (["stats"], "SoX's 'stats' has no counterpart here: --verbose says"),
        (["gain", "-n", "-3"], "-n means that there is no IN, so 'song.wav' is OUT, and 'out.wav' is not an effect"),
        (["-c", "1", "gain"], "'-c' is not an option. SoX's -c has no counterpart here: the result has IN's channels."),
        (["--norm=-3", "gain"], "SoX's --norm has no counterpart here: gain takes a level in dB."),
        (["-V3", "gain"], "SoX's -V has no counterpart here: --verbose says"),
        (["channels", "1"], "SoX's 'channels' has no counterpart here: the result has IN's channels."),
    ],
)
def test_words_of_sox_get_a_hint(words, why, capsys, no_work):
    assert why in fails(capsys, 2, "song.wav", "out.wav", *words)


def test_a_device_that_is_not_there(capsys, monkeypatch, no_work):
    def check_device(value):
        raise RuntimeError(f"device={value!r} can't be used")

    monkeypatch.setattr("audiostyle_fx._transfer.parameters.parameter_fields.check_device", check_device)
    line = fails(capsys, 1, "-q", "song.wav", "out.wav", "style", "style.wav", "device=cuda")
    assert "device='cuda' can't be used" in line
