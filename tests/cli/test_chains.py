"""Chains of effects on the command line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pedalboard import Clipping, Convolution, Delay, Gain, HighpassFilter, Invert, LadderFilter, Pedalboard, Reverb
from support.commands import QUICK, STYLED, fails, read, run

from audiostyle_fx import StyleTransfer, stylize

pytestmark = pytest.mark.usefixtures("folder")


def test_a_chain_is_the_board_in_its_order(stereo, style, rate, quick):
    words = ["highpass_filter", "300", "style", "style.wav", *QUICK, "reverb", "room_size=0.4", "gain", "-3"]
    assert run("-q", "song.wav", "out.wav", *words) == 0
    board = [HighpassFilter(300), StyleTransfer("style.wav", **quick), Reverb(room_size=0.4), Gain(-3)]
    np.testing.assert_array_equal(read("out.wav"), Pedalboard(board)(stereo, rate))


def test_a_chain_without_style_is_pedalboard_as_a_command(stereo, rate, capsys):
    words = ["ladder_filter", "hpf24", "cutoff_hz=900", "delay", "0.1", "mix=.25", "invert"]
    assert run("song.wav", "out.wav", *words) == 0
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("out.wav: 1.0 s of sound in ")
    board = [LadderFilter(LadderFilter.Mode.HPF24, cutoff_hz=900), Delay(0.1, mix=0.25), Invert()]
    np.testing.assert_array_equal(read("out.wav"), Pedalboard(board)(stereo, rate))


def test_a_chain_keeps_sample_format_and_tags(stereo):
    with soundfile.SoundFile("song.flac", "w", 8000, 2, "PCM_24") as file:
        file.title = "a title"
        file.write(stereo.T)
    assert run("-q", "song.flac", "out.aiff", "gain", "-3") == 0
    with soundfile.SoundFile("out.aiff") as file:
        assert file.subtype == "PCM_24" and file.copy_metadata()["title"] == "a title"


def test_another_format_keeps_the_samples(stereo):
    assert run("-q", "song.wav", "out.aiff", "gain", "0") == 0
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
        assert run("-q", "--overwrite", "song.wav", "out.wav", "style", name, *QUICK) == 0
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
        (["gain", "--start", "2"], "--start 2 must be within IN 'song.wav', which is 1 s long"),
    ],
)
def test_chains_that_fail(words, why, capsys, no_work):
    Path("text.wav").write_text("a text")
    if words == ["mp3_compressor"]:
        soundfile.write("song.wav", np.zeros((100, 2)), 9000)
    assert why in fails(capsys, 1, "-q", "song.wav", "out.wav", *words)
