"""Values computed from a style are cached, used only for equal parameters, bounded, and can be dropped."""

import dataclasses
import math
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, Window, style_file, stylize
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._transfer.parameters.parameter_list import Parameters
from audiostyle_fx._transfer.styles import style_recordings, style_spectra
from audiostyle_fx._transfer.styles.style_recordings import CACHE_SIZE, FILE_STYLES, Styles, clear_cache

STYLE_RATE = 11025
ONCE = {"read": 1, "resampled": 1, "spectra": 1, "statistics": 1}

VARIANTS = [
    {},
    {"preset": "default"},
    {"optimizer": "lbfgs"},
    {"n_filters": 20},
    {"n_filters": 600},  # more than patches
    {"windows": (Window(n_fft=256), Window(n_fft=128)), "kernel_width": (2, 3)},
    {"windows": (Window(n_fft=256), Window(n_fft=256)), "n_filters": 20},  # equal except for their filters
    {"kernel_width": (3, 3), "n_filters": 20},  # likewise
    {"init": "noise", "phase_init": "random"},
    {"preset": "original", "n_filters": 30, "windows": Window(n_fft=512)},
    {"section_seconds": 0.8},
    {"normalize": False},
]

OTHER_VALUES = {
    "preset": "original",
    "strength": 0.5,
    "alpha": 0.1,
    "equalize": True,
    "content_share": 0.5,
    "dynamics": True,
    "n_filters": 30,
    "kernel_width": (2, 4),
    "windows": (Window(n_fft=512), Window(n_fft=128)),
    "effort": "best",
    "optimizer": "lbfgs",
    "spectrogram_iters": 2,
    "phase_iters": 2,
    "waveform_iters": 2,
    "init": "noise",
    "phase_init": "random",
    "normalize": False,
    "match_level": False,
    "key": 3.0,
    "mix": 0.5,
    "section_seconds": 0.8,
    "style_seconds": math.inf,
    "seed": 1,
    "device": "cpu",
    "precision": "tf32",
}
"""Another value of every parameter of a transfer."""

EXCERPTS_AND_FILTERS = {"n_filters": 20, "style_seconds": 1.0}


@pytest.fixture
def file(tmp_path, style):
    path = tmp_path / "style.wav"
    soundfile.write(path, np.tile(style, 8), STYLE_RATE, subtype="FLOAT")  # long enough for excerpts
    return path


@pytest.fixture
def quick(quick):
    """One iteration of each stage; their number changes nothing here. Moved styles are others: see test_keys.py."""
    return {**quick, "key": "style", "spectrogram_iters": 1, "phase_iters": 1, "waveform_iters": 1}


@pytest.fixture
def made(monkeypatch):
    """How often a style was read and resampled, and its spectra and statistics were computed."""
    count = dict.fromkeys(ONCE, 0)

    def counted(name, owner, function):
        original = getattr(owner, function)

        def call(*args, **kwargs):
            count[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, function, call)

    counted("read", style_recordings, "read_style")
    counted("resampled", style_recordings, "resample")
    counted("spectra", style_spectra, "StyleSpectra")
    for owner in (InfiniteWidth, RandomConv):
        counted("statistics", owner, "style_statistics")
    return count


def fresh(*args, **parameters):
    """The result of `stylize` with an empty cache."""
    clear_cache()
    return stylize(*args, **parameters)


def assert_equal(result, expected):
    np.testing.assert_array_equal(result.audio, expected.audio)
    for name, stage in expected.stages.items():
        np.testing.assert_array_equal(result.stages[name].style_loss, stage.style_loss)


# ---------------------------------------------------------------- nothing is computed twice
@pytest.mark.parametrize("n_filters", [math.inf, 20, 600])
def test_stems_of_a_folder_share_what_was_made_of_a_style(file, stereo, rate, quick, tmp_path, made, n_filters):
    for i in range(3):
        soundfile.write(tmp_path / f"{i}.wav", np.roll(stereo, i, axis=1).T, rate, subtype="FLOAT")
        style_file(tmp_path / f"{i}.wav", tmp_path / "out.wav", file, **quick, n_filters=n_filters)
        assert made == ONCE
    stylize(stereo[:, ::-1], str(file), rate, **quick, n_filters=n_filters)
    assert made == ONCE, "an array and another kind of path"


@pytest.mark.parametrize(
    "change", [{"alpha": 0.1}, {"mix": 0.5}, {"section_seconds": 0.8}, "a shorter recording"], ids=str
)
def test_parameters_that_a_styles_statistics_do_not_depend_on(file, stereo, rate, quick, made, change):
    stylize(stereo, file, rate, **quick)
    shorter = isinstance(change, str)
    stylize(stereo[:, : 6000 if shorter else None], file, rate, **{**quick, **({} if shorter else change)})
    assert made == ONCE


def test_an_effect_keeps_its_arrays(style, stereo, rate, quick, made):
    effect = StyleTransfer(style, style_sample_rate=STYLE_RATE, **quick)
    for i in range(3):
        effect(np.roll(stereo, i, axis=1), rate)
    assert made == ONCE


def test_equal_short_arrays_are_one_style(style, stereo, rate, quick, made, monkeypatch):
    for i in range(3):
        stylize(np.roll(stereo, i, axis=1), style.copy(), rate, style_sample_rate=STYLE_RATE, **quick)
    assert made == ONCE
    monkeypatch.setattr(style_recordings, "ARRAY_BYTES", style.nbytes - 1)
    stylize(stereo, style, rate, style_sample_rate=STYLE_RATE, **quick)
    assert made["resampled"] == 2 * ONCE["resampled"]


@pytest.mark.parametrize("change", ["in place", "another dtype", "another rate", "another weight", "one more"])
def test_other_arrays_are_other_styles(style, other_style, content, rate, quick, change):
    style, weights, style_rate = style.copy(), None, rate
    first = stylize(content, style, rate, **quick).audio
    given = style
    if change == "in place":
        style[100:900] *= -0.5
    elif change == "another dtype":
        given = style.astype(np.float64)
    elif change == "another rate":
        style_rate = 9000.0
    elif change == "another weight":
        given, weights = [style, other_style], (3.0, 1.0)
        stylize(content, given, rate, style_weights=(1.0, 3.0), **quick)
    else:
        given = [style, other_style]
    arguments = {**quick, "style_sample_rate": style_rate, "style_weights": weights}
    result = stylize(content, given, rate, **arguments)
    assert_equal(result, fresh(content, given, rate, **arguments))
    assert (np.abs(result.audio - first).max() > 1e-6) == (change != "another dtype")


def test_gpus_keep_nothing(cupy, file, content, rate, quick, made):
    for _ in range(2):
        stylize(content[:1500], file, rate, device="cuda:0", n_filters=8, **quick)
    assert made == {"read": 1, "resampled": 1, "spectra": 2, "statistics": 2}


def test_threads_share_a_style(file, content, rate, quick):
    expected = fresh(content, file, rate, **quick).audio
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: stylize(content, file, rate, **quick).audio, range(8)):
            np.testing.assert_array_equal(result, expected)


# ---------------------------------------------------------------- equal parameters only
def test_every_parameter_has_another_value():
    assert OTHER_VALUES.keys() == {field.name for field in dataclasses.fields(Parameters)}


@pytest.mark.parametrize(
    "start",
    [{}, pytest.param(EXCERPTS_AND_FILTERS, marks=pytest.mark.slow)],
    ids=["closed form", "excerpts and filters"],
)
@pytest.mark.parametrize("name", OTHER_VALUES)
def test_a_changed_parameter_gives_what_an_empty_cache_gives(file, stereo, rate, quick, start, name):
    parameters = {**quick, **start}
    changed = {**parameters, name: OTHER_VALUES[name]}
    first = stylize(stereo, file, rate, **parameters)
    result = stylize(stereo, file, rate, **changed)
    assert_equal(stylize(stereo, file, rate, **parameters), first)
    assert_equal(result, fresh(stereo, file, rate, **changed))


@pytest.mark.parametrize(
    "parameters", [*VARIANTS[:4], *(pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS[4:])], ids=str
)
def test_other_channels_and_lengths_give_what_an_empty_cache_gives(file, other_style, stereo, rate, quick, parameters):
    parameters = {**quick, **parameters, "style_weights": [3, 1]}
    half_silent = stereo[:, ::-1].copy()
    half_silent[1] = 0
    soundfile.write(other := file.with_name("other.wav"), other_style, rate, subtype="FLOAT")
    contents = (stereo, half_silent, stereo[:, 50:])
    results = [stylize(content, [file, other], rate, **parameters) for content in contents]
    for content, result in zip(contents, results, strict=True):
        assert_equal(result, fresh(content, [file, other], rate, **parameters))


@pytest.mark.parametrize("change", [{"style_weights": [1, 3]}, {"sample_rate": 9000}, {"order": -1}], ids=str)
def test_other_styles_give_what_an_empty_cache_gives(file, other_style, stereo, rate, quick, change):
    soundfile.write(other := file.with_name("other.wav"), other_style, rate, subtype="FLOAT")
    parameters = {"style": [file, other], "sample_rate": rate, "style_weights": [3, 1], **quick}
    changed = {**parameters, **change}
    changed["style"] = changed["style"][:: changed.pop("order", 1)]
    stylize(stereo, **parameters)
    result = stylize(stereo, **changed)
    assert_equal(result, fresh(stereo, **changed))


@pytest.mark.parametrize("name", ["style_sample_rate", "style_weights"])
def test_an_effect_whose_styles_rates_or_weights_change(style, other_style, stereo, rate, quick, name):
    effect = StyleTransfer([style, other_style], style_sample_rate=STYLE_RATE, style_weights=[1, 1], **quick)
    effect(stereo, rate)
    value = {"style_sample_rate": [STYLE_RATE, rate], "style_weights": [1, 5]}[name]
    setattr(effect, name, value)
    other = {"style_sample_rate": STYLE_RATE, "style_weights": [1, 1], **quick, name: value}
    np.testing.assert_array_equal(effect(stereo, rate), StyleTransfer([style, other_style], **other)(stereo, rate))


def test_an_array_that_its_owner_changes_is_another_style(style, other_style, content, rate, quick):
    array = style.copy()
    stylize(content, array, rate, **quick)
    array[:] = other_style
    result = stylize(content, array, rate, **quick)
    assert_equal(result, stylize(content, other_style, rate, **quick))


# ---------------------------------------------------------------- bounded
def test_few_styles_of_files_are_kept(file, style, content, rate, quick, made):
    kept = []
    paths = [file.with_name(f"{i}.wav") for i in range(FILE_STYLES + 1)]
    for path in paths:
        soundfile.write(path, style, rate, subtype="FLOAT")
        stylize(content, path, rate, **quick)
        kept.append(weakref.ref(Styles.of(path, None, None, rate).at_rate(rate, rate).samples[0]))
    assert [reference() is None for reference in kept] == [True] + [False] * FILE_STYLES
    assert made["read"] == FILE_STYLES + 1


def test_the_cache_of_a_style_is_bounded(file, content, rate, quick):
    styles = Styles(file)
    for seed in range(CACHE_SIZE):
        stylize(content[:2000], styles, rate, **quick, n_filters=8, seed=seed)
    assert len(styles.at_rate(rate, rate).cache) == CACHE_SIZE


def test_values_of_arrays_go_with_their_owner(style, content, rate, quick):
    styles = Styles(style, STYLE_RATE)
    stylize(content, styles, rate, **quick)
    samples = weakref.ref(styles.at_rate(rate, rate).samples[0])
    assert samples() is not None
    del styles
    assert samples() is None


# ---------------------------------------------------------------- emptied
def test_an_emptied_cache_keeps_nothing_of_files(file, content, rate, quick, made):
    first = stylize(content, file, rate, **quick)
    samples = weakref.ref(Styles.of(file, None, None, rate).at_rate(rate, rate).samples[0])
    clear_cache()
    assert samples() is None
    assert_equal(stylize(content, file, rate, **quick), first)
    assert made == dict.fromkeys(ONCE, 2)


def test_an_emptied_cache_leaves_effects_their_styles(file, content, rate, quick, made):
    effect = StyleTransfer(file, **quick)
    first = effect(content, rate)
    clear_cache()
    np.testing.assert_array_equal(effect(content, rate), first)
    assert made == {**dict.fromkeys(ONCE, 2), "read": 1}
