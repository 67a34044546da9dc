"""Help, lists and the version."""

from importlib.metadata import version
from pathlib import Path

import pytest
from support.commands import run

from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx._transfer.parameters.parameter_list import Parameters
from audiostyle_fx._transfer.parameters.presets import PRESETS
from audiostyle_fx.cli.options import Parser, parse_options
from audiostyle_fx.cli.request import parse_requests

pytestmark = pytest.mark.usefixtures("folder")


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.strip().endswith(version("audiostyle-fx"))


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["song.wav", "--help"]])
def test_help_fits_a_screen_and_its_examples_are_understood(words, capsys):
    assert run(*words) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert len(lines) <= 53 and max(map(len, lines)) <= 79
    examples = [line.split()[1:] for line in lines[lines.index("examples:") + 1 :]]
    assert len(examples) == 4
    Path("stems").mkdir()
    for example in examples:
        parse_requests(parse_options(example))
    assert all(option in shown for option in Parser().takes_value)


def test_effects_are_listed_and_explained(capsys):
    assert run("effects") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(effects())
    assert run("help", "ladder_filter", "gain") == 0
    shown = capsys.readouterr().out
    assert "mode=LPF12     LPF12, HPF12" in shown and "\ngain [GAIN_DB] [name=value ...]\n" in shown


def test_formats_are_listed(capsys):
    assert run("help", "formats") == 0
    assert {"wav", "flac", "aiff", "w64"} <= set(capsys.readouterr().out.split())


def test_help_on_style_has_the_defaults_of_textures(capsys):
    assert run("help", "style") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "strength=0.33 0 to 1." in shown and "alpha=none 0 or more." in shown
    assert "Defaults of a texture, preset=texture: alpha=0 key=style kernel_width=4,24 windows=32/16,128/64 " in shown


def test_presets_are_listed_with_what_they_change(capsys):
    assert run("help", "presets") == 0
    shown = capsys.readouterr().out
    rows = [line.split()[0] for line in shown.splitlines() if line.startswith("preset=")]
    assert rows == [f"preset={name}" for name in PRESETS] and max(map(len, shown.splitlines())) <= 79
    words = " ".join(shown.split())
    assert all(preset.sentence in words for preset in PRESETS.values())
    assert "preset=bold The style, in the song's order. alpha=0.001 spectrogram_iters=100 phase_iters=18 " in words
    assert "strength=0.3 windows=46,12@0:1" in words
    assert "windows=2048/512smp" in words and "windows=32/16,128/64" in words


def test_help_on_style_has_everything_about_each_parameter(capsys):
    assert run("help", "style") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for description in Parameters.described():
        assert f" {description.name}={description.show(description.default)} " in shown
        assert description.sentence in shown and description.unit in shown
        assert description.choices or description.allowed in shown
