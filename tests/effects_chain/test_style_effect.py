"""The effect ``style``: its parameters are those of the transfer."""

import inspect
import math

import pytest

from audiostyle_fx import StyleTransfer, Window, texture
from audiostyle_fx._effects_chain.catalog import effects
from audiostyle_fx._effects_chain.definitions import REQUIRED
from audiostyle_fx._effects_chain.style_effect import transfer_options
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS, Parameters

STYLE = effects()["style"].parameters


def test_style_takes_the_parameters_of_the_class_and_a_length():
    of_class = set(inspect.signature(StyleTransfer).parameters) - {"style_sample_rate", "progress"}
    of_class -= {"streaming", "content_level_db"}  # for chunks
    assert STYLE.keys() == of_class | {"duration"}
    assert STYLE["style"].default is REQUIRED and STYLE["style"].is_file
    assert all(parameter.help for parameter in STYLE.values())
    assert "duration" in inspect.signature(texture).parameters


def test_defaults_shown_are_read_again():
    options = transfer_options(STYLE)
    values = {name: parameter.read(parameter.show(parameter.default)) for name, parameter in options.items()}
    assert Parameters(**values) == DEFAULTS
    assert transfer_options({"style": ["a.wav"], "duration": 3, "alpha": 1}) == {"alpha": 1}


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-9, math.inf, 7, True, False, None, "adam", (3, 11), (512, 2048.5)])
def test_values_shown_are_read_again(value):
    assert STYLE["alpha"].read(STYLE["alpha"].show(value)) == value


@pytest.mark.parametrize(
    "windows", [None, (Window(93),), (Window(32, 16), Window(128, 64)), (Window(n_fft=2048, hop_length=512),)]
)
def test_windows_shown_are_read_again(windows):
    assert STYLE["windows"].read(STYLE["windows"].show(windows)) == windows
