"""Presets: named sets of parameters, which every function takes."""

import json

import numpy as np
import pytest

from audiostyle_fx import PRESETS, StyleTransfer, Window, stylize, texture
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS
from audiostyle_fx._transfer.parameters.presets import choose, choose_texture


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_parameters(name, style):
    effect = StyleTransfer(style, preset=name, style_sample_rate=8000, seed=5, progress=True)
    assert effect.progress is True and effect.style_sample_rate == 8000
    want = PRESETS[name].parameters.changed(seed=5).as_dict()
    assert {key: effect.parameters[key] for key in want} == want
    again = StyleTransfer(**json.loads(json.dumps(effect.parameters, default=np.ndarray.tolist)))
    assert {key: again.parameters[key] for key in want} == want
    assert PRESETS[name].sentence.endswith(".")


def test_presets_differ_from_each_other():
    assert PRESETS["default"].parameters == DEFAULTS
    assert len({preset.parameters.changed(preset="default") for preset in PRESETS.values()}) == len(PRESETS)


def test_every_parameter_of_a_preset_can_be_changed(style):
    effect = StyleTransfer(style, preset="texture", windows=Window(n_fft=512), alpha=0.5, optimizer="adam")
    assert effect.windows == (Window(n_fft=512),)
    assert (effect.preset, effect.alpha, effect.optimizer, effect.init) == ("texture", 0.5, "adam", "noise")


def test_setting_a_preset_sets_all_parameters(style):
    effect = StyleTransfer(style, alpha=0.5, seed=3)
    effect.preset = "bold"
    assert effect.alpha == 0.001 and effect.seed == 0
    effect.update(preset="subtle", seed=4)
    assert (effect.strength, effect.alpha, effect.seed) == (0.25, None, 4)
    assert effect.waveform_iters == DEFAULTS.waveform_iters


def test_functions_take_presets(content, style, rate, quick_stages):
    want = stylize(content, style, rate, strength=0.25, **quick_stages).audio
    np.testing.assert_array_equal(stylize(content, style, rate, preset="subtle", **quick_stages).audio, want)


def test_a_texture_has_no_content_whatever_the_preset(style, rate, no_work):
    chosen = choose_texture({"preset": "bold"})
    assert (chosen.preset, chosen.alpha, chosen.init, chosen.phase_init) == ("bold", 0.0, "noise", "random")
    assert choose_texture({}) == PRESETS["texture"].parameters
    with pytest.raises(ValueError, match="preset='original' needs a content"):
        texture(style, rate, 1.0, preset="original")


@pytest.mark.parametrize("given", [{"alpha": 0.5}, {"init": "content"}, {"phase_init": "content"}, {"mix": 0.5}])
def test_a_texture_refuses_what_needs_a_content(given, style, rate, no_work):
    with pytest.raises(ValueError, match=f"{next(iter(given))}=.* for a texture, which has no content"):
        texture(style, rate, 1.0, **given)


def test_a_textures_parameters_make_it_again(style, rate, quick_stages):
    first = texture(style, rate, 0.5, **quick_stages)
    np.testing.assert_array_equal(texture(style, rate, 0.5, **first.parameters).audio, first.audio)


def test_presets_can_not_be_changed():
    with pytest.raises(TypeError):
        PRESETS["texture"].changes["waveform_iters"] = 1


def test_the_original_is_a_preset_alone():
    assert choose({"preset": "original"}).original
    assert not any(preset.parameters.original for name, preset in PRESETS.items() if name != "original")


@pytest.mark.parametrize("name", ["Texture", "", None, 3, ["texture"]])
def test_unknown_presets_are_refused(name, style):
    with pytest.raises(ValueError, match=r"preset=.* must be 'default' or 'voice'"):
        StyleTransfer(style, preset=name)
