"""Textures, which have no input."""

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, TEXTURE, fails, read, run

from audiostyle_fx import Window, texture

pytestmark = pytest.mark.usefixtures("folder")


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
    windows = (Window(n_fft=128), Window(n_fft=512))
    want = texture("style.wav", rate, 0.5, waveform_iters=3, kernel_width=(2, 6), windows=windows).audio
    np.testing.assert_array_equal(read("out.wav"), want)


def test_a_texture_of_a_missing_file(capsys, no_work):
    assert "style='nowhere.wav'" in fails(capsys, 1, "-n", "out.wav", "style", "nowhere.wav", "duration=1")
    assert "out.xyz" in fails(capsys, 1, "-n", "out.xyz", "style", "style.wav", "duration=1")


def test_a_texture_of_a_preset(style, rate):
    assert run("-q", *TEXTURE, "preset=thorough", "windows=32") == 0
    want = texture("style.wav", rate, 0.5, preset="thorough", waveform_iters=3, kernel_width=(2, 6), windows=32).audio
    np.testing.assert_array_equal(read("out.wav"), want)
