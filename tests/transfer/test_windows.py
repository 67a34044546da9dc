"""Windows: in milliseconds or in samples, alone or several, by attribute and by name."""

import math

import numpy as np
import pytest

from audiostyle_fx import StyleTransfer, Window, stylize
from audiostyle_fx._engine.spectra.stft import STFT
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS, Parameters
from audiostyle_fx._transfer.parameters.windows import check_windows, read_windows, show_windows
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup


def stfts(windows, rate):
    """The transforms of windows at a rate, in the order of the stages."""
    return [*TransferSetup.of(Parameters(windows=windows), rate).stfts]


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({}, ValueError, "needs ms or n_fft"),
        ({"hop_ms": 5}, ValueError, "needs ms or n_fft"),
        ({"hop_length": 64}, ValueError, "needs ms or n_fft"),
        ({"ms": 32, "n_fft": 256}, ValueError, "mixes samples and milliseconds"),
        ({"ms": 32, "hop_length": 64}, ValueError, "mixes samples and milliseconds"),
        ({"ms": 0.5}, ValueError, "ms=0.5 must be at least 1"),
        ({"ms": math.inf}, ValueError, "finite"),
        ({"ms": "32"}, TypeError, "number"),
        ({"ms": 32, "hop_ms": 0}, ValueError, "hop_ms=0 must be at least 0.1"),
        ({"ms": 32, "hop_ms": 16.1}, ValueError, "hop_ms=16.1 must be at most 16, half of ms"),
        ({"n_fft": 12}, ValueError, "at least 16"),
        ({"n_fft": 258}, ValueError, "multiple of 4"),
        ({"n_fft": 256.0}, TypeError, "integer"),
        ({"n_fft": 256, "hop_length": 0}, ValueError, "at least 1"),
        ({"n_fft": 256, "hop_length": 129}, ValueError, "hop_length=129 must be at most 128, half of n_fft"),
    ],
)
def test_wrong_windows_are_refused(values, kind, message, style):
    with pytest.raises(kind, match=message):
        Window(**values)
    with pytest.raises(kind, match=rf"windows=.*{message}"):
        StyleTransfer(style, windows=values)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("93", TypeError), (True, TypeError), ([], ValueError), ([93, "x"], TypeError), ({1, 2}, TypeError)],
)
def test_what_is_no_window_is_refused(value, kind):
    with pytest.raises(kind, match="windows="):
        check_windows("windows", value)


def test_what_is_a_window():
    two = (Window(ms=32), Window(ms=128, hop_ms=64))
    assert check_windows("windows", None) is None
    assert check_windows("windows", 32) == check_windows("windows", np.float32(32)) == (Window(ms=32.0),)
    assert check_windows("windows", [32, Window(128, 64)]) == two
    assert check_windows("windows", np.array([32, 64])) == (Window(32), Window(64))
    assert check_windows("windows", np.array(32.0)) == (Window(32),)
    assert check_windows("windows", [window.as_dict() for window in two]) == two
    assert repr(two[1]) == "Window(ms=128.0, hop_ms=64.0)"


def test_milliseconds_become_samples_with_a_fast_fft():
    rate = 22050
    for ms, hop_ms, share in [(32, 16, 1 / 2), (128, 40, 5 / 16), (93, None, 1 / 4)]:
        chosen = Window(ms, hop_ms).at_rate(rate)
        n_fft = chosen.n_fft
        assert n_fft / rate * 1000 == pytest.approx(ms, rel=0.07)
        assert abs(chosen.hop_length - share * n_fft) <= 0.5
        assert n_fft % 4 == 0
        while n_fft % 2 == 0 or n_fft % 3 == 0 or n_fft % 5 == 0:
            n_fft //= next(factor for factor in (2, 3, 5) if n_fft % factor == 0)
        assert n_fft == 1, "its FFT is fast"


def test_windows_at_a_rate():
    assert stfts(64, 8000) == [STFT(512, 128)]
    assert stfts([Window(64, 8), Window(16, 8)], 8000) == [STFT(512, 64), STFT(128, 64)]
    assert stfts(Window(1, 0.1), 1000) == [STFT(16, 2)]
    assert stfts([Window(n_fft=256, hop_length=100), Window(n_fft=1024)], 8000) == [STFT(1024, 256), STFT(256, 100)]


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(8000, 1024), (22050, 2048), (44100, 4096), (48000, 4096)])
def test_the_default_is_the_power_of_two_nearest_93_ms(sample_rate, n_fft):
    assert TransferSetup.of(DEFAULTS, sample_rate).stfts == (STFT(n_fft, n_fft // 4),)


def test_the_longest_window_with_a_style_comes_first():
    assert stfts([Window(128, style_weight=0), Window(16), Window(64)], 8000) == [
        STFT(512, 128),
        STFT(128, 32),
        STFT(1024, 256),
    ]
    with pytest.raises(ValueError, match="must hold a window with a style_weight above 0"):
        Parameters(windows=Window(64, style_weight=0))


def test_attributes_do_not_depend_on_their_order(content, style, rate, quick):
    effect = StyleTransfer(style, **quick)
    effect.windows = Window(n_fft=256, hop_length=128)
    effect.windows = Window(n_fft=128)
    effect.windows = [32, 64]
    assert effect.windows == (Window(ms=32.0), Window(ms=64.0))
    want = stylize(content, style, rate, **{**quick, "windows": [Window(n_fft=256), Window(n_fft=512)]}).audio
    np.testing.assert_array_equal(effect(content, rate), want)
    effect.windows = None
    assert effect.windows is None


@pytest.mark.parametrize("text", ["93", "32/16,128/64", "2048/512smp", "1024smp", "none", "12.5"])
def test_words(text):
    assert show_windows(read_windows(text)) == text
    assert read_windows("32ms") == (Window(32),)


@pytest.mark.parametrize("text", ["x", "32/", "32s", "12.5smp", "32/16/8", "", "1.2.3", "."])
def test_words_that_are_no_windows(text):
    with pytest.raises(ValueError, match="windows such as"):
        read_windows(text)
