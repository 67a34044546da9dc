"""Contents and styles that are refused, with an error that names them, before any work."""

import math
import re

import numpy as np
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, Window, stylize, texture


@pytest.fixture
def refused(content, rate, no_work):
    """A function that returns the message with which every use refuses a style, before any work."""

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
        ([[0.1, 0.2], [0.3]], ValueError, "array (channels, samples)"),
    ],
)
def test_one_bad_style_among_several_is_named(refused, style, bad, kind, why):
    message = refused(kind, [np.tile(style, 2), bad])  # long enough for a texture's widths
    assert why in message and ("style[1]" in message or why == "array (channels, samples)")


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
        ({"windows": Window(n_fft=256, hop_length=100), "kernel_width": 5}, "0.082"),
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
