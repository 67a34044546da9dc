"""Effects by name: what is read from pedalboard's native classes is what these do."""

import inspect
import math
import re
from dataclasses import asdict

import numpy as np
import pedalboard
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, texture
from audiostyle_fx._effects_chain import catalog, run
from audiostyle_fx._effects_chain.catalog import REQUIRED, description, listing, native_effects, snake_case
from audiostyle_fx._transfer.parameters import DEFAULTS, Parameters

NATIVE = native_effects()
PARAMETERS = [(effect, name) for effect, one in NATIVE.items() for name in one.parameters]
OTHERS = {
    "bit_depth": "5.5",
    "target_sample_rate": "4000",
    "q": "2",
    "ratio": "2",
    "drive": "2",
}  # elsewhere a fraction that differs from defaults


@pytest.fixture
def impulse(tmp_path):
    soundfile.write(tmp_path / "impulse.wav", np.eye(1, 100)[0], 8000)
    return str(tmp_path / "impulse.wav")


def test_every_effect_that_words_can_build_is_there():
    left_out = {"Plugin", "PluginContainer", "Pedalboard", "Chain", "Mix", "IIRFilter"}
    classes = {
        one.__name__
        for one in vars(pedalboard).values()
        if inspect.isclass(one)
        and issubclass(one, pedalboard.Plugin)
        and not issubclass(one, pedalboard.ExternalPlugin)
    }
    assert {effect.make.__name__ for effect in NATIVE.values()} == classes - left_out
    assert len(NATIVE) >= 23 and list(NATIVE) == sorted(NATIVE)
    assert all(snake_case(effect.make.__name__) == name for name, effect in NATIVE.items())


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Reverb", "reverb"),
        ("PitchShift", "pitch_shift"),
        ("MP3Compressor", "mp3_compressor"),
        ("GSMFullRateCompressor", "gsm_full_rate_compressor"),
        ("HighpassFilter", "highpass_filter"),
    ],
)
def test_names(name, snake):
    assert snake_case(name) == snake and NATIVE[snake].make is getattr(pedalboard, name)


@pytest.mark.parametrize("name", NATIVE)
def test_defaults_are_those_of_the_class(name, impulse):
    effect = NATIVE[name]
    required = {parameter.name for parameter in effect.parameters.values() if parameter.default is REQUIRED}
    assert required == ({"impulse_response_filename"} if name == "convolution" else set())
    plugin = effect.make(**dict.fromkeys(required, impulse))
    settable = {n for n, one in inspect.getmembers(type(plugin)) if isinstance(one, property) and one.fset}
    assert settable <= effect.parameters.keys(), "nothing that can be set is missing"
    for parameter in effect.parameters.values():
        if parameter.name not in required:
            value = getattr(plugin, parameter.name)
            shown = parameter.read(parameter.show(parameter.default))
            if parameter.choices:
                assert value == shown == parameter.default
            else:
                assert value == pytest.approx(parameter.default, rel=1e-6) == pytest.approx(shown, rel=1e-5)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_a_word_sets_what_is_read_back(name, parameter, impulse):
    one = NATIVE[name].parameters[parameter]
    others = [choice for choice in one.choices if one.read(choice) != one.default]
    text = impulse if one.is_file else others[-1] if others else OTHERS.get(parameter, "0.75")
    value = one.read(text)
    assert value != one.default
    needed = {NATIVE[name].first.name: impulse} if NATIVE[name].takes_file else {}
    plugin = NATIVE[name].make(**{**needed, parameter: value})
    assert getattr(plugin, parameter) == (value if one.choices or one.is_file else pytest.approx(value, rel=1e-6))


def test_enums_go_by_name_in_capitals_or_not():
    mode = NATIVE["ladder_filter"].parameters["mode"]
    assert mode.choices == ("LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24")
    assert mode.default == pedalboard.LadderFilter.Mode.LPF12 and mode.show(mode.default) == "LPF12"
    assert mode.read("hpf24") == mode.read("HPF24") == pedalboard.LadderFilter.Mode.HPF24


@pytest.mark.parametrize(
    ("effect", "parameter", "text", "why"),
    [
        ("gain", "gain_db", "loud", "must be a number"),
        ("gain", "gain_db", "", "must be a number"),
        ("gain", "gain_db", "nan", "must be a number"),
        ("gain", "gain_db", "-inf", "must be a number"),
        ("ladder_filter", "mode", "LPF13", "must be one of LPF12, HPF12"),
        pytest.param(
            *("brickwall_limiter", "true_peak", "1", "must be true or false"),
            marks=pytest.mark.skipif("brickwall_limiter" not in NATIVE, reason="this pedalboard has none"),
        ),
    ],
)
def test_words_that_are_no_values(effect, parameter, text, why):
    with pytest.raises(ValueError, match=why):
        NATIVE[effect].parameters[parameter].read(text)


@pytest.mark.parametrize(
    ("signature", "want"),
    [
        (
            "(self: pedalboard_native.X, bit_depth: typing.SupportsFloat | typing.SupportsIndex = 8) -> None",
            {"bit_depth": 8.0},
        ),
        ("(self: pedalboard_native.X, bit_depth: int = 8) -> None", {"bit_depth": 8}),
        ("(self: pedalboard_native.X, bit_depth: bool = True) -> None\n", {"bit_depth": True}),
        ("(*args, **kwargs)\n1. __init__(self: X, bit_depth: float = 1e-3) -> None", {"bit_depth": 0.001}),
        ("(self: pedalboard_native.X, bit_depth: numpy.ndarray[numpy.float32]) -> None", None),
        (
            "(self: pedalboard_native.X, bit_depth: Callable[[float], None] = None, mix: float = 1.0) -> None",
            {"mix": 1},
        ),
        ("(self: pedalboard_native.X, bit_depth: Optional[float] = None) -> None", {"bit_depth": None}),
        ("(self, bit_depth: float = 8, mix: bool = False) -> None", {"bit_depth": 8.0, "mix": False}),
        ("(self: pedalboard_native.X) -> None", {}),
        ("", None),
    ],
)
def test_signatures_of_other_kinds(signature, want):
    def init(self):
        pass

    init.__doc__ = "__init__" + signature
    plugin = type("X", (), {"__init__": init, **dict.fromkeys(["bit_depth", "mix"], property(lambda self: 0))})
    found = catalog._native_parameters(plugin)
    assert (found if found is None else {name: one.default for name, one in found.items()}) == want


# ---------------------------------------------------------------- style
def test_style_takes_the_parameters_of_the_class_and_a_length():
    words = run.effects()["style"].parameters
    of_class = set(inspect.signature(StyleTransfer).parameters) - {"style_sample_rate", "progress"}
    of_class -= {"streaming", "content_level_db"}  # for chunks
    assert words.keys() == of_class | {"duration"}
    assert words["style"].default is REQUIRED and words["style"].is_file
    given = {name: one.read(one.show(one.default)) for name, one in words.items() if name in asdict(DEFAULTS)}
    assert given == asdict(DEFAULTS) and Parameters(**given) == DEFAULTS and all(one.help for one in words.values())
    assert "duration" in inspect.signature(texture).parameters


# ---------------------------------------------------------------- help
@pytest.mark.parametrize("name", run.effects())
def test_help_shows_each_parameter_once_with_its_default(name):
    effect = run.effects()[name]
    shown = description(effect)
    assert max(map(len, shown.splitlines())) <= 79
    assert not re.search(r"``|:\w+:`|\.\. \w+::|https?:", shown), "no markup is left"
    for one in effect.parameters.values():
        default = "" if one.default is REQUIRED else f"={one.show(one.default)}"
        assert len(re.findall(rf"^  {re.escape(one.name + default)}( |$)", shown, re.MULTILINE)) == 1
        assert all(choice in shown for choice in one.choices)


def test_help_says_units_and_what_the_class_documents():
    assert "cutoff_frequency_hz=440  Hz" in description(NATIVE["peak_filter"])
    assert "attack_ms=1     ms" in description(NATIVE["compressor"])
    assert "delay_seconds=0.5  s" in description(NATIVE["delay"])
    assert "Must be between 0 and 32 bits" in " ".join(description(NATIVE["bitcrush"]).split())
    assert "required; a file" in description(NATIVE["convolution"])


def test_the_list_has_a_line_for_each():
    lines = listing(run.effects().values()).splitlines()
    assert [line.split()[0] for line in lines] == list(run.effects())
    assert all(len(line.split()) > 3 and len(line) <= 79 for line in lines)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-9, math.inf, 7, True, False, None, "adam", (3, 11), (512, 2048.5)])
def test_values_of_style_shown_are_read_again(value):
    assert run._value(run.shown(value)) == value
