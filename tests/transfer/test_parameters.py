"""What is refused: with an error that names the parameter, the value and what is allowed, before any work."""

import copy
import inspect
import json
import math
import re
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, stylize, texture
from audiostyle_fx._engine.spectra.stft import STFT
from audiostyle_fx._transfer.parameters import CHECKS, DEFAULTS, PRESETS, TEXTURE, Parameters

# name, value, error, what the message says is allowed
BAD = [
    ("alpha", -1e-9, ValueError, "at least 0"),
    ("alpha", math.nan, ValueError, "finite"),
    ("alpha", math.inf, ValueError, "finite"),
    ("alpha", np.float32("nan"), ValueError, "finite"),
    ("alpha", "x", TypeError, "number"),
    ("alpha", "0.1", TypeError, "number"),
    ("alpha", None, TypeError, "number"),
    ("alpha", True, TypeError, "number"),
    ("alpha", 1j, TypeError, "number"),
    ("alpha", [0.1], TypeError, "number"),
    ("alpha", np.array([0.1]), TypeError, "number"),
    ("n_filters", 0, ValueError, "at least 1"),
    ("n_filters", -5, ValueError, "at least 1"),
    ("n_filters", -math.inf, (TypeError, ValueError), "integer"),
    ("n_filters", math.nan, (TypeError, ValueError), "integer"),
    ("n_filters", 64.5, TypeError, "integer"),
    ("n_filters", True, TypeError, "integer"),
    ("n_filters", "inf", TypeError, "integer"),
    ("n_filters", None, TypeError, "integer"),
    ("n_filters", np.array([64, 64]), TypeError, "integer"),
    ("kernel_width", 0, ValueError, "at least 1"),
    ("kernel_width", -3, ValueError, "at least 1"),
    ("kernel_width", (), ValueError, "at least one"),
    ("kernel_width", [], ValueError, "at least one"),
    ("kernel_width", (3, 0), ValueError, "at least 1"),
    ("kernel_width", (3, 5.0), TypeError, "integer"),
    ("kernel_width", 11.0, TypeError, "integer"),
    ("kernel_width", False, TypeError, "integer"),
    ("kernel_width", (3, True), TypeError, "integer"),
    ("kernel_width", "11", TypeError, "integer"),
    ("kernel_width", b"\x03", TypeError, "integer"),
    ("kernel_width", None, TypeError, "integer"),
    ("kernel_width", {3, 5}, TypeError, "integer"),
    ("n_fft", 0, ValueError, "multiple of 4"),
    ("n_fft", -256, ValueError, "multiple of 4"),
    ("n_fft", 12, ValueError, "at least 16"),
    ("n_fft", 258, ValueError, "multiple of 4"),
    ("n_fft", 257, ValueError, "multiple of 4"),
    ("n_fft", 256.0, TypeError, "integer"),
    ("n_fft", True, TypeError, "integer"),
    ("n_fft", "256", TypeError, "integer"),
    ("n_fft", (), ValueError, "at least one"),
    ("n_fft", (256, 0), ValueError, "at least 16"),
    ("n_fft", (512, True), TypeError, "integer"),
    ("n_fft", {256, 512}, TypeError, "integer"),
    ("hop_length", 0, ValueError, "at least 1"),
    ("hop_length", (), ValueError, "at least one"),
    ("hop_length", (64, 5.0), TypeError, "integer"),
    ("hop_length", -64, ValueError, "at least 1"),
    ("hop_length", 64.0, TypeError, "integer"),
    ("hop_length", True, TypeError, "integer"),
    ("window_ms", 0, ValueError, "at least 1"),
    ("window_ms", math.nan, ValueError, "finite"),
    ("window_ms", "32", TypeError, "number"),
    ("window_ms", True, TypeError, "number"),
    ("window_ms", (), ValueError, "at least one"),
    ("window_ms", (32, True), TypeError, "number"),
    ("window_ms", {32, 64}, TypeError, "a sequence"),
    ("hop_ms", 0, ValueError, "at least 0.1"),
    ("hop_ms", math.inf, ValueError, "finite"),
    ("hop_ms", 1j, TypeError, "number"),
    ("hop_ms", [], ValueError, "at least one"),
    ("optimizer", "sgd", ValueError, "'adam' or 'lbfgs'"),
    ("optimizer", "Adam", ValueError, "'adam' or 'lbfgs'"),
    ("optimizer", "", ValueError, "'adam' or 'lbfgs'"),
    ("optimizer", None, (TypeError, ValueError), "'adam' or 'lbfgs'"),
    ("optimizer", ["adam"], (TypeError, ValueError), "'adam' or 'lbfgs'"),
    ("spectrogram_iters", -1, ValueError, "at least 0"),
    ("spectrogram_iters", 10.0, TypeError, "integer"),
    ("spectrogram_iters", True, TypeError, "integer"),
    ("spectrogram_iters", None, TypeError, "integer"),
    ("phase_iters", -1, ValueError, "at least 0"),
    ("phase_iters", 2.5, TypeError, "integer"),
    ("phase_iters", False, TypeError, "integer"),
    ("waveform_iters", -1, ValueError, "at least 0"),
    ("waveform_iters", "10", TypeError, "integer"),
    ("waveform_iters", True, TypeError, "integer"),
    ("init", "silence", ValueError, "'content' or 'noise'"),
    ("init", "random", ValueError, "'content' or 'noise'"),
    ("init", None, (TypeError, ValueError), "'content' or 'noise'"),
    ("phase_init", "noise", ValueError, "'content' or 'random'"),
    ("phase_init", 0, (TypeError, ValueError), "'content' or 'random'"),
    ("normalize", "yes", TypeError, "True or False"),
    ("normalize", None, TypeError, "True or False"),
    ("normalize", 2, TypeError, "True or False"),
    ("normalize", np.array([1, 2]), TypeError, "True or False"),
    ("match_level", "no", TypeError, "True or False"),
    ("match_level", 0.5, TypeError, "True or False"),
    ("mix", -0.01, ValueError, "from 0 to 1"),
    ("mix", 1.01, ValueError, "from 0 to 1"),
    ("mix", math.nan, ValueError, "from 0 to 1"),
    ("mix", True, TypeError, "number"),
    ("mix", "half", TypeError, "number"),
    ("mix", None, TypeError, "number"),
    ("section_seconds", 0, ValueError, "at least 0.1"),
    ("section_seconds", math.inf, ValueError, "finite"),
    ("section_seconds", "10", TypeError, "number"),
    ("section_seconds", None, TypeError, "number"),
    ("style_seconds", 0.5, ValueError, "at least 1, or math.inf"),
    ("style_seconds", math.nan, ValueError, "at least 1, or math.inf"),
    ("style_seconds", "60", TypeError, "number"),
    ("original", 1, TypeError, "True or False"),
    ("original", None, TypeError, "True or False"),
    ("seed", -1, ValueError, "at least 0"),
    ("seed", 1.0, TypeError, "integer"),
    ("seed", True, TypeError, "integer"),
    ("seed", None, TypeError, "integer"),
    ("seed", "1", TypeError, "integer"),
    ("device", "gpu", ValueError, "'cpu'"),
    ("device", "cuda:x", ValueError, "'cpu'"),
    ("device", "CUDA", ValueError, "'cpu'"),
    ("device", None, (TypeError, ValueError), "'cpu'"),
    ("device", 0, (TypeError, ValueError), "'cpu'"),
    ("precision", "float16", ValueError, "'float32' or 'tf32'"),
    ("precision", 32, ValueError, "'float32' or 'tf32'"),
]
OF_TEXTURE = set(inspect.signature(texture).parameters)


def says(error, name, value, allowed):
    """Check that the message names the parameter, the value and what is allowed."""
    message = str(error.value)
    assert name in message and allowed in message, message
    shown = next((v for v in value if v in (0, 5.0) or v is True), value) if isinstance(value, tuple) else value
    assert repr(shown) in message, message


@pytest.mark.parametrize(("name", "value", "kind", "allowed"), BAD)
def test_bad_value_is_refused_everywhere(name, value, kind, allowed, content, style, rate, no_work):
    with pytest.raises(kind) as error:
        stylize(content, style, rate, **{name: value})
    says(error, name, value, allowed)
    with pytest.raises(kind) as error:
        StyleTransfer(style, **{name: value})
    says(error, name, value, allowed)
    if name in OF_TEXTURE:
        with pytest.raises(kind) as error:
            texture(style, rate, 1.0, **{name: value})
        says(error, name, value, allowed)


@pytest.mark.parametrize(("name", "value", "kind", "allowed"), BAD)
def test_effect_refuses_a_bad_value_and_keeps_the_old(name, value, kind, allowed, style):
    effect = StyleTransfer(style)
    before = copy.copy(effect.parameters)
    with pytest.raises(kind) as error:
        setattr(effect, name, value)
    says(error, name, value, allowed)
    assert all(effect.parameters[other] is before[other] for other in CHECKS)


def test_table_covers_every_parameter():
    assert {name for name, *_ in BAD} == set(CHECKS) == {field.name for field in fields(Parameters)}


def test_defaults_pass_their_own_checks():
    assert all(CHECKS[name](name, value) == value for name, value in asdict(DEFAULTS).items())


@pytest.mark.parametrize("function", [stylize, texture, StyleTransfer])
def test_signatures_state_the_defaults(function):
    stated = {name: p.default for name, p in inspect.signature(function).parameters.items() if name in CHECKS}
    want = asdict(TEXTURE if function is texture else DEFAULTS)
    if function is texture:
        for name in ("alpha", "init", "phase_init", "mix", "original"):
            del want[name]
    assert stated == want
    assert all(type(stated[name]) is type(want[name]) for name in want)


@pytest.mark.parametrize("function", [stylize, texture, StyleTransfer])
def test_options_are_named(function):
    kinds = {name: p.kind for name, p in inspect.signature(function).parameters.items()}
    positional = {stylize: ["content", "style", "sample_rate"], texture: ["style", "sample_rate", "duration"]}
    assert [name for name, kind in kinds.items() if kind is not inspect.Parameter.KEYWORD_ONLY] == positional.get(
        function, ["style"]
    )
    assert {"style_sample_rate", "style_weights", "progress"} < set(kinds)


def test_unknown_parameter_is_refused(content, style, rate, no_work):
    with pytest.raises(TypeError, match="alhpa"):
        stylize(content, style, rate, alhpa=0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0),
        ("alpha", np.float32(0.5)),
        ("n_filters", np.int64(64)),
        ("n_filters", np.float64("inf")),
        ("kernel_width", np.int32(5)),
        ("n_fft", 20),
        ("hop_length", 1),
        ("normalize", np.False_),
        ("mix", 0),
        ("seed", 2**80),
    ],
)
def test_edges_of_what_is_allowed(name, value):
    parameters = Parameters(**{name: value})
    assert getattr(parameters, name) == value
    assert type(getattr(parameters, name)).__module__ == "builtins", "NumPy's kinds become Python's"


def test_something_must_be_left_to_do(content, style, rate, no_work):
    nothing = {"spectrogram_iters": 0, "waveform_iters": 0}
    for call in (
        lambda: stylize(content, style, rate, **nothing),
        lambda: texture(style, rate, 1.0, **nothing),
        lambda: StyleTransfer(style, **nothing),
    ):
        with pytest.raises(ValueError, match=r"spectrogram_iters=0.*waveform_iters=0.*at least 1"):
            call()
    effect = StyleTransfer(style, spectrogram_iters=0)
    with pytest.raises(ValueError, match="waveform_iters=0"):
        effect.waveform_iters = 0
    assert effect.waveform_iters == DEFAULTS.waveform_iters


@pytest.mark.parametrize("n_fft", [256, None])  # None is 1024 at this rate
def test_hop_is_at_most_half_the_window(content, style, rate, n_fft, no_work):
    half = 128 if n_fft else 512
    Parameters(n_fft=n_fft, hop_length=half).stft(rate)
    with pytest.raises(ValueError, match=rf"hop_length={half + 1} must be at most {half}.*n_fft"):
        stylize(content, style, rate, n_fft=n_fft, hop_length=half + 1)
    with pytest.raises(ValueError, match=rf"hop_length={half + 1} must be at most {half}.*n_fft"):
        texture(style, rate, 1.0, n_fft=2 * half, hop_length=half + 1)


def test_each_window_has_its_hop(content, style, rate, no_work):
    parameters = Parameters(n_fft=(256, 1024), hop_length=[100, 300])
    assert (parameters.n_fft, parameters.hop_length) == ((256, 1024), (100, 300))
    assert parameters.stft(rate) == STFT(1024, 300) and parameters.other_stfts == [STFT(256, 100)]
    quarters = Parameters(n_fft=np.array([1024, 256, 512]))
    assert quarters.stft(rate) == STFT(1024, 256) and quarters.other_stfts == [STFT(512, 128), STFT(256, 64)]
    assert Parameters(n_fft=(256, 512), hop_length=64).other_stfts == [STFT(256, 64)]
    assert not Parameters(n_fft=512).other_stfts and not DEFAULTS.other_stfts
    with pytest.raises(ValueError, match=r"hop_length=200 must be at most 128.*n_fft"):
        stylize(content, style, rate, n_fft=(256, 512), hop_length=200)
    for hop_length in [(64,), (64, 64, 64)]:
        with pytest.raises(ValueError, match=r"hop_length=\(64,.*one for each of n_fft=\(256, 512\)"):
            stylize(content, style, rate, n_fft=(256, 512), hop_length=hop_length)
    with pytest.raises(ValueError, match=r"hop_length=\(64, 32\) needs n_fft"):
        Parameters(hop_length=(64, 32))


@pytest.mark.parametrize("rate", [1000, 8000, 11025, 22050, 44100, 48000, 96000, 777_777, 1_000_000])
def test_windows_in_milliseconds_hold_at_any_rate(rate):
    given = Parameters(window_ms=(32, 128), hop_ms=(16, 40))
    chosen = given.in_samples(rate)
    assert (chosen.window_ms, chosen.hop_ms) == (None, None)
    for n_fft, hop_length, ms, share in zip(chosen.n_fft, chosen.hop_length, (32, 128), (1 / 2, 5 / 16), strict=True):
        assert n_fft / rate * 1000 == pytest.approx(ms, rel=0.07)
        assert abs(hop_length - share * n_fft) <= 0.5
        assert n_fft % 4 == 0
        while n_fft % 2 == 0 or n_fft % 3 == 0 or n_fft % 5 == 0:
            n_fft //= next(factor for factor in (2, 3, 5) if n_fft % factor == 0)
        assert n_fft == 1, "FFTs are fast at it"
    assert given.stft(rate) == STFT(chosen.n_fft[1], chosen.hop_length[1])
    assert chosen.other_stfts == [STFT(chosen.n_fft[0], chosen.hop_length[0])]
    assert chosen.in_samples(rate) == chosen


def test_windows_in_milliseconds_have_quarters_as_hops_and_sixteen_samples_at_least():
    assert Parameters(window_ms=np.float32(64)).stft(8000) == STFT(512, 128)
    assert Parameters(window_ms=[64, 16.0], hop_ms=8).in_samples(8000).hop_length == (64, 64)
    assert Parameters(window_ms=1, hop_ms=0.1).stft(1000) == STFT(16, 2)
    assert DEFAULTS.in_samples(22050) == replace(DEFAULTS, n_fft=2048, hop_length=512)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_fft": 256, "window_ms": 32}, r"n_fft=256 is in samples and window_ms=32\.0 in milliseconds"),
        ({"hop_length": 64, "window_ms": 32}, r"hop_length=64 is in samples and window_ms=32\.0"),
        ({"hop_ms": 8}, r"hop_ms=8\.0 needs window_ms"),
        ({"window_ms": 32, "hop_ms": 16.1}, r"hop_ms=16\.1 must be at most 16, half of window_ms"),
        ({"window_ms": (32, 128), "hop_ms": 20}, r"hop_ms=20\.0 must be at most 16, half of window_ms"),
        ({"window_ms": (32, 128), "hop_ms": (8,)}, r"hop_ms=\(8\.0,\).*one for each of window_ms=\(32\.0, 128\.0\)"),
        ({"window_ms": 32, "hop_ms": (8, 8)}, r"hop_ms=\(8\.0, 8\.0\).*window_ms=32\.0"),
    ],
)
def test_windows_that_do_not_fit_are_refused_when_they_are_set(parameters, message, style):
    with pytest.raises(ValueError, match=message):
        StyleTransfer(style, **parameters)


def test_a_texture_takes_windows_of_either_kind(style, rate, no_work):
    assert TEXTURE.changed(n_fft=256) == replace(TEXTURE, window_ms=None, hop_ms=None, n_fft=256)
    assert TEXTURE.changed(window_ms=(64, 128)).hop_ms == TEXTURE.hop_ms
    assert TEXTURE.changed(window_ms=64) == replace(TEXTURE, window_ms=64, hop_ms=None)
    assert replace(DEFAULTS, n_fft=256).changed(window_ms=20) == replace(DEFAULTS, window_ms=20)
    with pytest.raises(ValueError, match="n_fft=256 is in samples and window_ms"):
        texture(style, rate, 1.0, n_fft=256, window_ms=(32, 128))


# ---------------------------------------------------------------- presets
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_parameters(name, style):
    effect = StyleTransfer.preset(name, style, style_sample_rate=8000, seed=5, progress=True)
    assert effect.progress is True and effect.style_sample_rate == 8000
    assert {key: effect.parameters[key] for key in CHECKS} == asdict(replace(PRESETS[name], seed=5))
    assert all(f" {key}={value!r} " in repr(effect) for key, value in asdict(PRESETS[name]).items() if key != "seed")
    again = StyleTransfer(**json.loads(json.dumps(effect.parameters, default=np.ndarray.tolist)))
    assert {key: again.parameters[key] for key in CHECKS} == {key: effect.parameters[key] for key in CHECKS}


def test_presets_differ_from_the_defaults_and_each_other():
    assert len({DEFAULTS, *PRESETS.values()}) == 1 + len(PRESETS)


def test_every_parameter_of_a_preset_can_be_changed(style):
    effect = StyleTransfer.preset("texture", style, n_fft=512, alpha=0.5, optimizer="adam")
    assert (effect.n_fft, effect.hop_length, effect.window_ms, effect.hop_ms) == (512, None, None, None)
    assert (effect.alpha, effect.optimizer, effect.init) == (0.5, "adam", "noise")

    class Own(StyleTransfer):
        pass

    assert type(Own.preset("texture", style)) is Own


@pytest.mark.parametrize(
    ("hop_length", "message"),
    [
        (64, r"hop_length=64 needs n_fft or hop_ms, as there is window_ms=\(32\.0, 128\.0\)"),
        ((64, 128), r"hop_length=\(64, 128\) needs n_fft"),
    ],
)
def test_a_hop_drops_no_windows_of_the_other_kind(hop_length, message, style, rate, no_work):
    with pytest.raises(ValueError, match=message):
        StyleTransfer.preset("texture", style, hop_length=hop_length)
    with pytest.raises(ValueError, match=message):
        texture(style, rate, 1.0, hop_length=hop_length)
    with pytest.raises(ValueError, match=r"hop_ms=5\.0 needs window_ms"):
        StyleTransfer.preset("original", style, hop_ms=5)


@pytest.mark.parametrize("name", ["Texture", "", None, 3, ["texture"]])
def test_unknown_preset_is_refused(name, style):
    with pytest.raises(ValueError, match=re.escape(f"preset {name!r} must be one of {', '.join(map(repr, PRESETS))}")):
        StyleTransfer.preset(name, style)


def test_wrong_change_of_a_preset_is_refused(style):
    with pytest.raises(TypeError, match="'alhpa'"):
        StyleTransfer.preset("texture", style, alhpa=1)
    with pytest.raises(ValueError, match="alpha=-1"):
        StyleTransfer.preset("texture", style, alpha=-1)


# ---------------------------------------------------------------- rates and durations
RATES = [
    (0, ValueError),
    (-1, ValueError),
    (-44100, ValueError),
    (math.nan, ValueError),
    (math.inf, ValueError),
    (44.1, ValueError),
    (1e9, ValueError),
    ("44100", TypeError),
    (True, TypeError),
    (44100j, TypeError),
]


@pytest.mark.parametrize(("value", "kind"), [*RATES, (None, TypeError), ([44100], TypeError)])
def test_wrong_sample_rate(value, kind, content, style, no_work):
    for call in (lambda: stylize(content, style, value), lambda: texture(style, value, 1.0)):
        with pytest.raises(kind) as error:
            call()
        message = str(error.value)
        assert f"sample_rate={value!r}" in message and not message.startswith("style_")
        assert ("1000" in message) if kind is ValueError else ("number" in message)


@pytest.mark.parametrize(("value", "kind"), RATES)
def test_wrong_style_sample_rate(value, kind, content, style, rate, no_work):
    for call in (
        lambda: stylize(content, style, rate, style_sample_rate=value),
        lambda: texture(style, rate, 1.0, style_sample_rate=value),
        lambda: StyleTransfer(style, style_sample_rate=value),
    ):
        with pytest.raises(kind) as error:
            call()
        assert f"style_sample_rate={value!r}" in str(error.value)
        assert ("1000" in str(error.value)) if kind is ValueError else ("number" in str(error.value))


@pytest.mark.parametrize(
    ("value", "kind", "allowed"),
    [
        (0, ValueError, "at least"),
        (-1.5, ValueError, "at least"),
        (1e-9, ValueError, "at least"),
        (math.nan, ValueError, "finite"),
        (math.inf, ValueError, "finite"),
        ("1", TypeError, "number"),
        (None, TypeError, "number"),
        (True, TypeError, "number"),
    ],
)
def test_wrong_duration(value, kind, allowed, style, rate, no_work):
    with pytest.raises(kind) as error:
        texture(style, rate, value)
    assert f"duration={value!r}" in str(error.value) and allowed in str(error.value)


@pytest.mark.parametrize("progress", ["bar", 1, 0, 2.0, []])
def test_wrong_progress(progress, content, style, rate, no_work):
    with pytest.raises(TypeError) as error:
        stylize(content, style, rate, progress=progress)
    assert f"progress={progress!r}" in str(error.value) and "function" in str(error.value)


# ---------------------------------------------------------------- the style
@pytest.fixture
def refused(content, rate, no_work):
    """A function: the message with which every use refuses a style, before any work."""

    def refused(kind, style, **options):
        messages = []
        for call in (
            lambda: stylize(content, style, rate, **options),
            lambda: texture(style, rate, 1.0, **options),
            lambda: StyleTransfer(style, **options)(content, rate),
        ):
            with pytest.raises(kind) as error:
                call()
            messages.append(str(error.value))
        patch = r"kernel_width=.* s$"  # a texture has widths and hops of its own
        assert messages[0] == messages[2] and re.sub(patch, "", messages[0]) == re.sub(patch, "", messages[1])
        assert "style" in messages[0]
        return messages[0]

    return refused


def test_missing_style_file(refused, tmp_path):
    path = tmp_path / "nowhere.wav"
    assert repr(str(path)) in refused(FileNotFoundError, path)
    assert repr(str(path)) in refused(FileNotFoundError, str(path))


@pytest.mark.parametrize("contents", [b"", b"not a recording", b"RIFF\x04\x00\x00\x00WAVE", b"\0" * 5000])
def test_unreadable_style_file(refused, tmp_path, contents):
    path = tmp_path / "style.wav"
    path.write_bytes(contents)
    message = refused(ValueError, path)
    assert repr(str(path)) in message and "read" in message


def test_directory_for_a_style(refused, tmp_path):
    assert repr(str(tmp_path)) in refused(ValueError, tmp_path)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.zeros((0, 1)), "empty"),
        (np.zeros((8000, 2)), "silent"),
        (np.full((8000, 1), np.nan), "NaN"),
        (np.full((8000, 1), np.inf), "infinite"),
    ],
)
def test_style_file_without_use_is_named(refused, tmp_path, samples, why):
    path = tmp_path / "style.wav"
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    message = refused(ValueError, path)
    assert why in message
    assert path.name in message


@pytest.mark.parametrize(
    ("style", "kind", "why"),
    [
        (np.zeros(0, np.float32), ValueError, "empty"),
        (np.zeros((2, 0), np.float32), ValueError, "empty"),
        (np.zeros((0, 8000), np.float32), ValueError, "empty"),
        (np.zeros(8000, np.float32), ValueError, "silent"),
        (np.zeros((2, 8000)), ValueError, "silent"),
        (np.full(8000, np.nan, np.float32), ValueError, "NaN"),
        (np.append(np.ones(8000), -np.inf), ValueError, "infinite"),
        (np.full(8000, 1e300), ValueError, "float32"),
        (np.ones(8000, np.int16), TypeError, "int16.*float32"),
        (np.ones(8000, np.float16), TypeError, "float16.*float32"),
        (np.ones(8000, complex), TypeError, "complex128.*float32"),
        (np.array(["a", "b"]), TypeError, "float32"),
        (np.float32(1), TypeError, "path"),
        (np.array(1.0), ValueError, "samples"),
        (np.ones((1, 1, 8000), np.float32), ValueError, "samples"),
        (np.ones((8000, 2), np.float32), ValueError, "channels"),
        (None, TypeError, "path"),
        (b"style.wav", TypeError, "path"),
        (42, TypeError, "path"),
    ],
)
def test_bad_style(refused, style, kind, why):
    message = refused(kind, style)
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(message)


@pytest.mark.parametrize("style", [[], ()])
def test_no_style(refused, style):
    assert "at least one style" in refused(ValueError, style)


@pytest.mark.parametrize(
    ("bad", "kind", "why"),
    [
        (np.zeros(8000, np.float32), ValueError, "silent"),
        (np.full(8000, np.nan, np.float32), ValueError, "NaN"),
        (np.ones(100, np.float32), ValueError, "needs at least"),
        (None, TypeError, "path"),
        ("nowhere.wav", FileNotFoundError, "nowhere.wav"),
        ([[0.1, 0.2], [0.3]], ValueError, "numbers"),
    ],
)
def test_one_bad_style_among_several_is_named(refused, style, bad, kind, why):
    message = refused(kind, [np.tile(style, 2), bad])  # long enough for a texture's widths
    assert why in message and ("style[1]" in message or why == "numbers")


@pytest.mark.parametrize("rates", [[8000], [8000, 8000, 8000], [8000, 1], [8000, "a"], []])
def test_bad_rates_of_several_styles(refused, style, rates):
    assert "style_sample_rate=" in refused((TypeError, ValueError), [style, style], style_sample_rate=rates)


def test_list_of_numbers_is_no_style(refused):
    refused((TypeError, ValueError), [0.1, 0.2, 0.3])
    refused(TypeError, [[np.ones(8000, np.float32)]])


@pytest.mark.parametrize("weights", [[], [1, 2], [0], [-1], [math.nan], [math.inf], 1.0, "1", ["a"], [None], [[1]]])
def test_bad_style_weights(refused, style, weights):
    message = refused((TypeError, ValueError), [style], style_weights=weights)
    assert f"style_weights={weights!r}" in message and "positive" in message


def test_style_rate_is_for_arrays(refused, style, tmp_path):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 8000)
    message = refused(ValueError, path, style_sample_rate=8000)
    assert "style_sample_rate=8000" in message and "file" in message


@pytest.mark.parametrize(
    ("parameters", "needed"),
    [
        ({}, "0.448"),  # 1024 + 10 * 256 samples at 8000 Hz
        ({"kernel_width": 3}, "0.192"),
        ({"kernel_width": (3, 21)}, "0.768"),
        ({"n_fft": 256, "hop_length": 100, "kernel_width": 5}, "0.082"),
    ],
)
def test_style_shorter_than_a_patch_says_how_many_seconds_are_needed(refused, style, parameters, needed):
    assert needed in refused(ValueError, style[:500], **parameters)


def test_style_of_exactly_a_patch_is_enough(content, style, rate, quick):
    stylize(content, style[:384], rate, **quick)
    with pytest.raises(ValueError, match=r"needs at least 0\.0480? s") as error:
        stylize(content, style[:383], rate, **quick)
    assert str(error.value).count("0.048") == 1, "what is given must not read like what is needed"


def test_length_of_a_style_is_that_at_the_contents_rate(content, style, rate, quick, no_work):
    with pytest.raises(ValueError, match="needs at least"):
        stylize(content, style[:700], rate, style_sample_rate=16000, **quick)  # 350 samples at 8000 Hz


# ---------------------------------------------------------------- the content
@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (np.array([0.1, np.nan]), ValueError, "NaN"),
        (np.array([[0.1, np.inf, 0]], np.float32), ValueError, "infinite"),
        (np.array([0.1, 1e300]), ValueError, "float32"),
        (np.ones(8000, np.int16), TypeError, "int16.*float32"),
        (np.ones(8000, bool), TypeError, "bool.*float32"),
        (np.ones(8000, np.float16), TypeError, "float16.*float32"),
        (np.ones(8000, object), TypeError, "object.*float32"),
        ([0.1, 0.2], TypeError, "list.*array"),
        ("song.wav", TypeError, "str.*array"),
        (None, TypeError, "NoneType.*array"),
        (0.5, TypeError, "float.*array"),
        (np.array(0.5), ValueError, r"\(channels, samples\)"),
        (np.ones((1, 2, 8000), np.float32), ValueError, r"\(1, 2, 8000\).*\(channels, samples\)"),
        (np.ones((8000, 2), np.float32), ValueError, r"\(8000, 2\).*\(channels, samples\)"),
    ],
)
def test_bad_content(content, kind, why, style, rate, no_work):
    with pytest.raises(kind, match=why) as error:
        stylize(content, style, rate)
    assert "content" in str(error.value)
