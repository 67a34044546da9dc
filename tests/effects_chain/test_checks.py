"""Checks of chains, in the words of the library."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx._effects_chain.checks import check_chain, check_files
from audiostyle_fx._effects_chain.run import Job, run
from audiostyle_fx._effects_chain.step import Step


def style(**values):
    return Step(effects()["style"], {"style": ["style.wav"], **values})


def native(name, **values):
    return Step(effects()[name], values)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ([], "a chain without an input must begin with style"),
        ([native("gain"), style(duration=1)], "a chain without an input must begin with style"),
        ([style()], "a texture needs its length in seconds"),
        ([style(duration=0)], "a texture needs its length in seconds"),
        ([style(duration=1, alpha=0.1)], "alpha=0.1 must be 0.0 for a texture"),
        ([style(duration=1, mix=0.5)], "mix=0.5 must be 1.0 for a texture"),
        ([style(duration=1, preset="original")], "preset='original' needs a content"),
        ([style(duration=1), style(duration=1)], "duration=1 only applies to a texture"),
        ([style(duration=1, style_weights=(1, 2))], r"style_weights=\(1, 2\)"),
    ],
)
def test_chains_without_an_input(chain, why):
    with pytest.raises(ValueError, match=why):
        check_chain(chain, without_input=True)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ([style(duration=1)], "duration=1 only applies to a texture, which is made without an input"),
        ([style(alpha=-1)], "alpha=-1 must be at least 0"),
        ([style(preset="bold", mix=2)], "mix=2 must be from 0 to 1"),
        ([native("reverb", room_size=2.0)], "reverb room_size=2: Room Size value must be between"),
    ],
)
def test_chains_with_an_input(chain, why):
    with pytest.raises(ValueError, match=why):
        check_chain(chain, without_input=False)


def test_chains_that_are_allowed():
    check_chain([], without_input=False)
    check_chain([style(preset="bold"), native("reverb", room_size=0.4), style()], without_input=False)
    check_chain([style(preset="thorough", duration=2.5, alpha=0), native("gain"), style()], without_input=True)


def test_files_that_can_not_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("style.wav", 0.1 * np.ones(300), 8000)
    Path("text.wav").write_text("a text")
    with pytest.raises(ValueError, match=r"needs at least 0\.448"):
        check_files([style()], 8000)
    check_files([style()], 8000, lengths=False)
    with pytest.raises(ValueError, match=r"impulse_response_filename='text\.wav' can't be read"):
        check_files([native("convolution", impulse_response_filename="text.wav")], 8000)


@pytest.mark.parametrize("chain", [[], [native("gain", gain_db=-6.0)]])
def test_a_start_beyond_the_input(chain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", 0.1 * np.ones(8000), 8000)
    with pytest.raises(ValueError, match=r"start=2 must be within input='song\.wav', which is 1 s long"):
        run(Job("song.wav", "out.wav", start=2.0), chain)
    assert run(Job("song.wav", "out.wav", start=0.25, duration=math.inf), chain).duration == 0.75
