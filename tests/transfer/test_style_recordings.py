"""A style in files: read, resampled and its statistics computed once, whatever is styled; and never an old one."""

import os
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, style_file, stylize
from audiostyle_fx._cache import BoundedCache
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._transfer import stages, style_inputs, style_recordings

STYLE_RATE = 11025
EVERY = [
    {},
    {"optimizer": "lbfgs"},
    {"n_filters": 20},
    {"n_filters": 600},  # more than patches
    {"n_fft": (256, 128), "kernel_width": (2, 3)},
    {"n_fft": (256, 256), "n_filters": 20},  # alike but for their filters
    {"kernel_width": (3, 3), "n_filters": 20},  # likewise
    {"init": "noise", "phase_init": "random"},
    {"original": True, "n_fft": 512},
    {"section_seconds": 0.8},
    {"normalize": False},
]


@pytest.fixture
def file(tmp_path, style):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, STYLE_RATE, subtype="FLOAT")
    return path


@pytest.fixture
def quick(quick):
    """An iteration of each stage, as how many there are changes nothing here."""
    return {**quick, "spectrogram_iters": 1, "phase_iters": 1, "waveform_iters": 1}


@pytest.fixture
def made(monkeypatch):
    """How often a style was read and resampled, its spectra taken, and their statistics computed."""
    count = dict.fromkeys(["read", "resampled", "seen", "statistics"], 0)

    def counted(name, owner, function):
        original = getattr(owner, function)

        def call(*args):
            count[name] += 1
            return original(*args)

        monkeypatch.setattr(owner, function, call)

    counted("read", style_inputs, "_read_style")
    counted("resampled", style_recordings, "resample")
    counted("seen", stages._Seen, "__init__")
    for owner in (InfiniteWidth, RandomConv):
        counted("statistics", owner, "style_statistics")
    return count


ONCE = {"read": 1, "resampled": 1, "seen": 1, "statistics": 1}


@pytest.mark.parametrize("n_filters", [float("inf"), 20, 600])
def test_stems_of_a_folder_share_what_was_made_of_a_style(file, stereo, rate, quick, tmp_path, made, n_filters):
    for i in range(3):
        soundfile.write(tmp_path / f"{i}.wav", np.roll(stereo, i, axis=1).T, rate, subtype="FLOAT")
        style_file(tmp_path / f"{i}.wav", file, tmp_path / "out.wav", **quick, n_filters=n_filters)
        assert made == ONCE
    stylize(stereo[:, ::-1], str(file), rate, **quick, n_filters=n_filters)
    assert made == ONCE, "an array and another kind of path"


@pytest.mark.parametrize(
    "change", [{"alpha": 0.1}, {"mix": 0.5}, {"section_seconds": 0.8}, "a shorter recording"], ids=str
)
def test_what_a_styles_statistics_do_not_depend_on(file, stereo, rate, quick, made, change):
    stylize(stereo, file, rate, **quick)
    shorter = isinstance(change, str)
    stylize(stereo[:, : 6000 if shorter else None], file, rate, **quick, **({} if shorter else change))
    assert made == ONCE


@pytest.fixture
def anew(monkeypatch):
    """`stylize` with everything made anew."""

    def call(*args, **parameters):
        with monkeypatch.context() as patch:
            patch.setattr(BoundedCache, "get", lambda held, key, make: make())
            return stylize(*args, **parameters)

    return call


def assert_equal(got, want):
    np.testing.assert_array_equal(got.audio, want.audio)
    for name, stage in want.stages.items():
        np.testing.assert_array_equal(got.stages[name].style, stage.style)


@pytest.mark.parametrize("parameters", EVERY, ids=str)
def test_the_result_is_that_of_a_style_made_anew(file, other_style, stereo, rate, quick, anew, parameters):
    parameters = {**quick, **parameters, "style_weights": [3, 1]}
    one = stereo[:, ::-1].copy()
    one[1] = 0
    soundfile.write(other := file.with_name("other.wav"), other_style, rate, subtype="FLOAT")
    for content in (stereo, one, stereo[:, 50:]):
        assert_equal(
            stylize(content, [file, other], rate, **parameters), anew(content, [file, other], rate, **parameters)
        )


def test_what_is_kept_serves_equal_parameters_alone(file, content, rate, quick, anew):
    changes = [
        {"kernel_width": 2},
        {"kernel_width": 4, "seed": 1},
        {"normalize": False},
        {"n_fft": 512},
        {"n_filters": 20},
        {"n_filters": 30},
        {"n_filters": 30, "seed": 1},
        {"n_filters": 30, "original": True, "n_fft": 512},
        {"n_filters": 20, "kernel_width": (2, 3)},
        {"n_filters": 20, "kernel_width": (3, 2)},
    ]
    for change in [{}, *changes, {}]:
        parameters = {**quick, **change}
        assert_equal(stylize(content, file, rate, **parameters), anew(content, file, rate, **parameters))


def test_a_file_that_has_changed_is_read_again(file, other_style, content, rate, quick, made):
    stylize(content, file, rate, **quick)
    soundfile.write(file, other_style, rate, subtype="FLOAT")
    later = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(later, later))
    got = stylize(content, file, rate, **quick).audio
    assert made["read"] == made["statistics"] == 2
    np.testing.assert_array_equal(got, stylize(content, other_style, rate, **quick).audio)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"style=.*style\.wav"):
        stylize(content, file, rate, **quick)


def test_another_folder_makes_a_relative_path_another_file(file, style, other_style, content, rate, quick, monkeypatch):
    (file.parent / "b").mkdir()
    soundfile.write(file.parent / "b" / "style.wav", other_style, rate, subtype="FLOAT")
    monkeypatch.chdir(file.parent)
    stylize(content, "style.wav", rate, **quick)
    monkeypatch.chdir("b")
    got = stylize(content, "style.wav", rate, **quick).audio
    np.testing.assert_array_equal(got, stylize(content, other_style, rate, **quick).audio)


def test_an_array_that_its_owner_changes_is_another_style(style, other_style, content, rate, quick):
    array = style.copy()
    stylize(content, array, rate, **quick)
    array[:] = other_style
    got = stylize(content, array, rate, **quick).audio
    np.testing.assert_array_equal(got, stylize(content, other_style, rate, **quick).audio)


def test_an_effect_keeps_its_arrays(style, stereo, rate, quick, made):
    effect = StyleTransfer(style, style_sample_rate=STYLE_RATE, **quick)
    for i in range(3):
        effect(np.roll(stereo, i, axis=1), rate)
    assert made == ONCE


def test_few_styles_are_kept(file, style, content, rate, quick, made):
    kept = []
    paths = [file.with_name(f"{i}.wav") for i in range(style_recordings.SETS + 1)]
    for path in paths:
        soundfile.write(path, style, rate, subtype="FLOAT")
        stylize(content, path, rate, **quick)
        kept.append(weakref.ref(style_recordings.Styles.of(path, None, None, rate).at(rate, rate).audio[0]))
    assert [one() is None for one in kept] == [True] + [False] * style_recordings.SETS
    assert made["read"] == style_recordings.SETS + 1


def test_of_a_file_one_copy_is_kept(file, rate):
    held = style_recordings.Styles(file)
    as_read = weakref.ref(held._read[1][0].samples)
    prepared = held.at(rate, rate)
    assert as_read() is None and prepared.audio[0].shape[1] == 5805  # 8,000 samples, from 11,025 Hz
    with pytest.raises(ValueError, match="read-only"):
        prepared.audio[0][:] = 0
    assert held.at(rate, rate) is prepared
    again = held.at(STYLE_RATE, STYLE_RATE)
    assert again.audio[0].shape[1] == 8000 and held.at(rate, rate) is not prepared


def test_threads_share_a_style(file, style, content, rate, quick):
    want = stylize(content, style, rate, style_sample_rate=STYLE_RATE, **quick).audio
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: stylize(content, file, rate, **quick).audio, range(8)):
            np.testing.assert_array_equal(got, want)


def test_cards_keep_nothing(cupy, file, content, rate, quick, made):
    for _ in range(2):
        stylize(content[:1500], file, rate, device="cuda:0", n_filters=8, **quick)
    assert made == {"read": 1, "resampled": 1, "seen": 2, "statistics": 2}
