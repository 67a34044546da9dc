"""The list of effects, and the description of each."""

import re

import pytest

from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx._effects_chain.definitions import REQUIRED
from audiostyle_fx.cli.effect_help import effect_description, list_effects


@pytest.mark.parametrize("name", effects())
def test_help_shows_each_parameter_once_with_its_default(name):
    effect = effects()[name]
    shown = effect_description(effect)
    assert max(map(len, shown.splitlines())) <= 79
    assert not re.search(r"``|:\w+:`|\.\. \w+::|https?:", shown), "no markup is left"
    for parameter in effect.parameters.values():
        default = "" if parameter.default is REQUIRED else f"={parameter.show(parameter.default)}"
        assert len(re.findall(rf"^  {re.escape(parameter.name + default)}( |$)", shown, re.MULTILINE)) == 1
        assert all(choice in shown for choice in parameter.choices)


def test_help_says_units_and_what_the_class_documents():
    assert "cutoff_frequency_hz=440  Hz" in effect_description(effects()["peak_filter"])
    assert "attack_ms=1     ms" in effect_description(effects()["compressor"])
    assert "delay_seconds=0.5  s" in effect_description(effects()["delay"])
    assert "Must be between 0 and 32 bits" in " ".join(effect_description(effects()["bitcrush"]).split())
    assert "required; a file" in effect_description(effects()["convolution"])


def test_the_list_has_a_line_for_each():
    lines = list_effects(effects().values()).splitlines()
    assert [line.split()[0] for line in lines] == list(effects())
    assert all(len(line.split()) > 3 and len(line) <= 79 for line in lines)
