"""Pedalboard's effects: the parameters read from its stub are those of the classes."""

import ast
import inspect

import numpy as np
import pedalboard
import pytest
import soundfile

from audiostyle_fx._effects_chain.definitions import REQUIRED
from audiostyle_fx._effects_chain.native_effects import native_effects, native_parameters, snake_case

NATIVE = native_effects()
PARAMETERS = [(effect, name) for effect, entry in NATIVE.items() for name in entry.parameters]
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
    plugins = [value for value in vars(pedalboard).values() if inspect.isclass(value)]
    plugins = [plugin for plugin in plugins if issubclass(plugin, pedalboard.Plugin)]
    classes = {plugin.__name__ for plugin in plugins if not issubclass(plugin, pedalboard.ExternalPlugin)}
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
    assert effect.required == ({"impulse_response_filename"} if name == "convolution" else set())
    plugin = effect.make(**dict.fromkeys(effect.required, impulse))
    members = inspect.getmembers(type(plugin))
    settable = {member for member, value in members if isinstance(value, property) and value.fset}
    assert settable <= effect.parameters.keys(), "nothing that can be set is missing"
    for parameter in effect.parameters.values():
        if parameter.name not in effect.required:
            value = getattr(plugin, parameter.name)
            shown = parameter.read(parameter.show(parameter.default))
            if parameter.choices:
                assert value == shown == parameter.default
            else:
                assert value == pytest.approx(parameter.default, rel=1e-6) == pytest.approx(shown, rel=1e-5)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_a_word_sets_what_is_read_back(name, parameter, impulse):
    entry = NATIVE[name].parameters[parameter]
    others = [choice for choice in entry.choices if entry.read(choice) != entry.default]
    text = impulse if entry.is_file else others[-1] if others else OTHERS.get(parameter, "0.75")
    value = entry.read(text)
    assert value != entry.default
    needed = {NATIVE[name].first.name: impulse} if NATIVE[name].takes_file else {}
    plugin = NATIVE[name].make(**{**needed, parameter: value})
    assert getattr(plugin, parameter) == (value if entry.choices or entry.is_file else pytest.approx(value, rel=1e-6))


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
    ("arguments", "want"),
    [
        ("bit_depth: typing.SupportsFloat | typing.SupportsIndex = 8", {"bit_depth": 8.0}),
        ("bit_depth: int = 8", {"bit_depth": 8}),
        ("bit_depth: bool = True", {"bit_depth": True}),
        ("bit_depth: float = 1e-3", {"bit_depth": 0.001}),
        ("bit_depth: float = -1.5", {"bit_depth": -1.5}),
        ("bit_depth: float", {"bit_depth": REQUIRED}),
        ("*, bit_depth: float = 2", {"bit_depth": 2.0}),
        ("bit_depth: numpy.ndarray[numpy.float32]", None),
        ("bit_depth", None),
        ("bit_depth: typing.Callable[[float], None] = None, mix: float = 1.0", {"mix": 1}),
        ("bit_depth: typing.Optional[float] = None", {"bit_depth": None}),
        ("bit_depth: typing.Union[str, NDArray[float32]]", {"bit_depth": REQUIRED}),
        ("bit_depth: float = 8, mix: bool = False", {"bit_depth": 8.0, "mix": False}),
        ("bit_depth: Resample.Quality = Quality.Linear", {"bit_depth": pedalboard.Resample.Quality.Linear}),
        ("bit_depth: float = 8, sample_rate: float = 1", {"bit_depth": 8.0}),
        ("", {}),
        (None, {}),
    ],
)
def test_signatures_of_other_kinds(arguments, want):
    """The class has the properties ``bit_depth`` and ``mix``."""
    plugin = type("X", (), dict.fromkeys(["bit_depth", "mix"], property(lambda self: 0)))
    constructor = "pass" if arguments is None else f"def __init__(self, {arguments}) -> None: ..."
    [stub] = ast.parse(f"class X(Plugin):\n    {constructor}").body
    found = native_parameters(plugin, stub)
    assert (found if found is None else {name: entry.default for name, entry in found.items()}) == want
