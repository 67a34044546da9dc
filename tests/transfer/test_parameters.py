"""One list of parameters: signatures, docstrings, attributes and errors come from it."""

import copy
import inspect
import math
import subprocess
import sys
import typing
from dataclasses import fields

import numpy as np
import pytest

from audiostyle_fx import PRESETS, StyleTransfer, style_file, style_folder, stylize, stylize_batch, texture
from audiostyle_fx._transfer.parameters.options import TextureOptions, TransferOptions
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS, EFFORTS, Parameters
from audiostyle_fx._transfer.parameters.presets import WITHOUT_CONTENT, choose

BAD = {
    "preset": ("loud", ValueError, "'bold'"),
    "strength": (1.5, ValueError, "from 0 to 1"),
    "alpha": (-1, ValueError, "at least 0"),
    "equalize": (1, TypeError, "True or False"),
    "content_share": (-0.1, ValueError, "from 0 to 1"),
    "dynamics": (None, TypeError, "True or False"),
    "n_filters": (0, ValueError, "at least 1"),
    "kernel_width": ((3, 0), ValueError, "at least 1"),
    "windows": ("93", TypeError, "Window"),
    "effort": ("high", ValueError, "'draft'"),
    "optimizer": ("sgd", ValueError, "'adam' or 'lbfgs'"),
    "spectrogram_iters": (-1, ValueError, "at least 0"),
    "phase_iters": (2.5, TypeError, "integer"),
    "waveform_iters": (True, TypeError, "integer"),
    "init": ("silence", ValueError, "'content' or 'noise'"),
    "phase_init": ("noise", ValueError, "'content' or 'random'"),
    "normalize": ("yes", TypeError, "True or False"),
    "match_level": (0.5, TypeError, "True or False"),
    "key": (13, ValueError, "-12 to 12"),
    "mix": (1.01, ValueError, "from 0 to 1"),
    "section_seconds": (0, ValueError, "at least 0.1, or math.inf"),
    "style_seconds": (0.5, ValueError, "at least 1, or math.inf"),
    "seed": (-1, ValueError, "at least 0"),
    "device": ("gpu", ValueError, "'cpu'"),
    "precision": ("float16", ValueError, "'float32' or 'tf32'"),
}
"""A value of each parameter that is refused, the error, and what its message says is allowed."""

NAMES = [description.name for description in Parameters.described()]
FUNCTIONS = [stylize, stylize_batch, texture, style_file, style_folder, StyleTransfer]


def options_of(function):
    """The typed dictionary of a function's keyword parameters."""
    return TextureOptions if function is texture else TransferOptions


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_value_is_refused_everywhere(name, content, style, rate, no_work):
    value, kind, allowed = BAD[name]
    calls = [lambda: stylize(content, style, rate, **{name: value}), lambda: StyleTransfer(style, **{name: value})]
    if name in typing.get_type_hints(TextureOptions):
        calls.append(lambda: texture(style, rate, 1.0, **{name: value}))
    effect = StyleTransfer(style)
    before = copy.copy(effect.parameters)
    calls += [lambda: setattr(effect, name, value), lambda: effect.update(alpha=0.5, **{name: value})]
    for call in calls[: None if name != "alpha" else -1]:
        with pytest.raises(kind) as error:
            call()
        message = str(error.value)
        assert name in message and allowed in message
        assert repr(value) in message or (isinstance(value, tuple) and repr(value[1]) in message)
    assert effect.parameters == before, "an effect keeps its values"


def test_the_typed_lists_are_the_fields():
    assert set(BAD) == set(NAMES) == {known.name for known in fields(Parameters)}
    hints = typing.get_type_hints(TransferOptions)
    assert set(hints) == set(NAMES)
    assert set(hints) - set(typing.get_type_hints(TextureOptions)) == {*WITHOUT_CONTENT}
    for description in Parameters.described():
        assert getattr(StyleTransfer, description.name).name == description.name
        literal = typing.get_args(hints[description.name])
        if description.choices and description.type == "str":
            assert literal == description.choices


@pytest.mark.parametrize("function", FUNCTIONS)
def test_signatures_and_docstrings_state_every_parameter(function):
    names = set(typing.get_type_hints(options_of(function)))
    defaults = PRESETS["texture"].parameters if function is texture else DEFAULTS
    signature = inspect.signature(function).parameters
    stated = {name: parameter.default for name, parameter in signature.items() if name in NAMES}
    assert stated == {name: getattr(defaults, name) for name in names}
    assert all(signature[name].kind is inspect.Parameter.KEYWORD_ONLY for name in names)
    assert {"style_weights", "progress"} <= set(signature)
    for description in Parameters.described():
        if description.name in names:
            default = getattr(defaults, description.name)
            assert f"\n{description.name} : {description.type}, default {default!r}\n" in inspect.getdoc(function)
    assert "{" not in inspect.getdoc(function).partition("Raises")[0].replace("{'", "")


@pytest.mark.parametrize("function", [*FUNCTIONS[:-1], StyleTransfer.__init__])
def test_type_hints_can_be_resolved(function):
    hints = typing.get_type_hints(function)
    assert hints["seed"] is int and "parameters" not in hints


@pytest.mark.parametrize("description", Parameters.described(), ids=lambda description: description.name)
def test_every_parameter_is_explained(description):
    assert description.sentence.endswith(".") and description.type
    assert description.allowed or description.choices
    attribute = getattr(StyleTransfer, description.name)
    assert attribute.__doc__.startswith(description.sentence)
    assert getattr(Parameters(**{description.name: description.default}), description.name) == description.default
    assert description.read(description.show(description.default)) == description.default


def test_unknown_parameters_are_refused(content, style, rate, no_work):
    for call in (
        lambda: stylize(content, style, rate, alhpa=0.1),
        lambda: stylize_batch([content], style, rate, alhpa=0.1),
        lambda: texture(style, rate, 1.0, alhpa=0.1),
        lambda: style_file("in.wav", "out.wav", style, alhpa=0.1),
        lambda: StyleTransfer(style, alhpa=0.1),
        lambda: StyleTransfer(style).update(alhpa=0.1),
    ):
        with pytest.raises(TypeError, match=r"no parameter 'alhpa'; did you mean 'alpha'\?"):
            call()


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
    effect.update(waveform_iters=0, spectrogram_iters=5)  # at once
    assert (effect.spectrogram_iters, effect.waveform_iters) == (5, 0)


def test_infinity_means_all_of_it(content, style, rate, quick):
    whole = stylize(np.tile(content, 4), style, rate, section_seconds=math.inf, style_seconds=math.inf, **quick)
    long = stylize(np.tile(content, 4), style, rate, section_seconds=1000, **quick)
    np.testing.assert_array_equal(whole.audio, long.audio)


USES = """
from audiostyle_fx import StyleTransfer, stylize, texture, style_file, style_folder, Window
import numpy as np
x = np.zeros(9, np.float32)
stylize(x, "a.wav", 8000, alpha=0.1, windows=[Window(93), 32], kernel_width=(3, 11), preset="bold", optimizer="lbfgs")
style_file("a.wav", "b.wav", "c.wav", seed=1)
effect = StyleTransfer("a.wav", mix=0.5, windows=93)
effect.kernel_width = [3, 5]
width: int | tuple[int, ...] = effect.kernel_width
effect.update(preset="texture", alpha=0.1)
"""
MISUSES = """
from audiostyle_fx import StyleTransfer, stylize, texture, style_file, style_folder, stylize_batch
import numpy as np
x = np.zeros(9, np.float32)
stylize(x, "a.wav", 8000, optimizer="sgd")
stylize(x, "a.wav", 8000, aplha=1)
stylize_batch([x], "a.wav", 8000, aplha=1)
texture("a.wav", 8000, 1.0, alpha=1)
style_file("a.wav", "b.wav", "c.wav", preset="loud")
style_folder("a", "b", "c.wav", seed="x")
effect = StyleTransfer("a.wav", aplha=1)
effect.aplha = 1
effect.alpha = "much"
effect.update(optimizer="sgd")
"""


@pytest.mark.slow
def test_a_type_checker_knows_every_parameter(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "uses.py").write_text(USES)
    (tmp_path / "misuses.py").write_text(MISUSES)
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--ignore-missing-imports", "uses.py", "misuses.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    wrong = {int(line.split(":")[1]) for line in done.stdout.splitlines() if line.startswith("misuses.py")}
    assert "uses.py" not in done.stdout.replace("misuses.py", ""), done.stdout
    calls = MISUSES.splitlines()
    assert wrong == set(range(calls.index("x = np.zeros(9, np.float32)") + 2, len(calls) + 1)), done.stdout


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
        assert ("1,000" in message or "finite" in message) if kind is ValueError else ("number" in message)


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
        assert (
            ("1,000" in str(error.value) or "finite" in str(error.value))
            if kind is ValueError
            else ("number" in str(error.value))
        )


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


def test_effort_multiplies_the_iterations_of_each_stage():
    standard = choose({"preset": "plain", "phase_iters": 0}).iterations
    for effort, factors in EFFORTS.items():
        iterations = choose({"preset": "plain", "phase_iters": 0, "effort": effort}).iterations
        assert iterations == {stage: round(factors[stage] * n) for stage, n in standard.items()}
    assert choose({"waveform_iters": 1, "effort": "draft"}).iterations["waveform"] == 1
    draft, best = (choose({"effort": effort}).iterations.values() for effort in ("draft", "best"))
    assert max(draft) < max(DEFAULTS.iterations.values()) < max(best)
