"""The option ``--set``: parameters of style for some files of a folder."""

import json
from pathlib import Path

import pytest
from support.commands import QUICK, fails, finished, records, run_on_folder

from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx.cli.options import parse_options
from audiostyle_fx.cli.set_option import parse_settings, take_set_words

STYLED = ["style", "style.wav", *QUICK]


def settings_of(*words):
    return parse_settings(parse_options(words).set, effects())


@pytest.mark.parametrize(
    "line",
    [
        "in out --set drums* alpha=0.5 preset=bold style a.wav alpha=0.1 -q",
        "--set drums* alpha=0.5 preset=bold in out style a.wav alpha=0.1 -q",
        "in out style a.wav alpha=0.1 -q --set drums* alpha=0.5 preset=bold",
        "in out -q --set=drums* alpha=0.5 preset=bold style a.wav alpha=0.1",
        "in --set drums* alpha=0.5 preset=bold -q out style a.wav alpha=0.1",
    ],
)
def test_its_words_end_at_the_next_option_or_effect(line):
    options = parse_options(line.split())
    assert options.words == ["in", "out", "style", "a.wav", "alpha=0.1"] and options.quiet
    assert settings_of(*line.split()) == {"drums*": {"alpha": 0.5, "preset": "bold"}}


def test_values_are_read_as_those_of_style():
    read = settings_of("--set", "a", "kernel_width=3,5", "section_seconds=5s", "--set", "b/*", "normalize=false")
    assert read == {"a": {"kernel_width": (3, 5), "section_seconds": 5}, "b/*": {"normalize": False}}
    assert take_set_words(["--", "--set", "a"]) == (["--", "--set", "a"], [])


def test_files_of_a_folder(stems, capsys):
    words = ["--set", "a/*", "alpha=0.5", "--set", "bass*", "mix=0.5", *STYLED, "alpha=0.1", "gain", "-3"]
    assert run_on_folder("--json", "--include", "a/*", "--include", "solo*", *words) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shown = {event["file"]: event.get("settings") for event in events if event["kind"] == "file"}
    louder = {"alpha": 0.5}
    assert shown == {"a/bass.wav": {**louder, "mix": 0.5}, "a/loud.wav": louder, "a/soft.wav": louder, "solo.wav": None}
    found = {name: record["transfers"][0]["parameters"] for name, record in records().items()}
    assert {name: values["alpha"] for name, values in found.items()} == {
        "a/bass.wav": 0.5,
        "a/loud.wav": 0.5,
        "a/soft.wav": 0.5,
        "solo.wav": 0.1,
    }
    assert found["a/bass.wav"]["mix"] == 0.5


def test_every_style_of_a_chain_takes_them(stems):
    chain = [*STYLED, "alpha=0.1", "gain", "-3", *STYLED, "alpha=0.2"]
    assert run_on_folder("-q", "--include", "b/*", "--set", "one*", "alpha=0.5", *chain) == 0
    alphas = {
        name: [transfer["parameters"]["alpha"] for transfer in record["transfers"]]
        for name, record in records().items()
    }
    assert alphas == {"b/one.wav": [0.5, 0.5], "b/two.wav": [0.1, 0.2]}


def test_a_changed_setting_styles_its_files_again(stems, capsys):
    words = ["--include", "b/*", *STYLED]
    assert run_on_folder("-q", *words) == 0
    before = finished("out")
    assert run_on_folder("--set", "two*", "alpha=0.5", *words) == 0
    assert "1 file done, 1 skipped" in capsys.readouterr().err
    after = finished("out")
    assert after["b/one.wav"] == before["b/one.wav"] and after["b/two.wav"] != before["b/two.wav"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["in", "out", "--set"], "--set needs a glob and name=value after it"),
        (["in", "out", "--set", "a*", *STYLED], "--set 'a*' needs name=value after it"),
        (["in", "out", "--set", "preset=bold", *STYLED], "--set needs a glob before 'preset=bold'"),
        (["in", "out", "--set", *STYLED], "--set needs a glob before 'style'"),
        (["in", "out", "--set", "a*", "alhpa=1", *STYLED], "--set 'a*': style has no parameter 'alhpa'. Did you mean"),
        (["in", "out", "--set", "a*", "alpha=-1", *STYLED], "--set 'a*': alpha=-1 must be at least 0"),
        (["in", "out", "--set", "a*", "preset=loud", *STYLED], "--set 'a*': preset='loud' must be"),
        (["in", "out", "--set", "a*", "device=cpu", *STYLED], "--set 'a*': device can't differ by file"),
        (["in", "out", "--set", "a*", "style=b.wav", *STYLED], "--set 'a*': style can't differ by file"),
        (["in", "out", "--set", "[z]*", "mix=1", *STYLED], "--set '[z]*' matches no recording of the folder"),
        (["in", "out", "--set", "a*", "mix=1", "--set", "a*", "alpha=1", *STYLED], "--set 'a*' is given twice"),
        (["in", "out", "--set", "a*", "mix=1", "gain", "-3"], "--set gives parameters of style"),
        (["style.wav", "out.wav", "--set", "a*", "mix=1", *STYLED], "--set only applies when IN or OUT is a folder"),
    ],
)
def test_what_is_not_allowed_is_said_before_any_work(words, why, stems, capsys):
    assert why in fails(capsys, 2, *words)
    assert not Path("out").exists()
