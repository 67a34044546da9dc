"""Loud songs: the peaks of their results stay near full scale, at the level of the song."""

import numpy as np
import pytest

from audiostyle_fx import StyleTransfer, Window, stylize
from audiostyle_fx._engine.objectives import peaks
from audiostyle_fx._transfer.parameters.presets import STYLE_ALONE

PLAIN = {"alpha": 0.01, **STYLE_ALONE}
LOUD = {**PLAIN, "windows": Window(n_fft=256), "kernel_width": 3, "spectrogram_iters": 40, "phase_iters": 10}
LOUD["waveform_iters"] = 40
ORIGINAL = {"preset": "original", "n_filters": 16, "spectrogram_iters": 2, "phase_iters": 2}


def peak_db(audio):
    return 20 * np.log10(np.abs(audio).max())


def rms_db(audio):
    return 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)))


@pytest.fixture
def loud(content):
    """Two seconds whose peaks are cut off, at -12 dB RMS."""
    return np.clip(4 * np.tile(content, 2), -0.9, 0.9)


@pytest.fixture
def without_cost(monkeypatch):
    def stylize_without(*args, **parameters):
        with monkeypatch.context() as patch:
            patch.setattr(peaks, "WEIGHT", 0.0)
            return stylize(*args, **parameters)

    return stylize_without


@pytest.mark.parametrize(
    "parameters",
    [{}, *(pytest.param(p, marks=pytest.mark.slow) for p in ({"optimizer": "lbfgs"}, {"section_seconds": 0.8}))],
)
def test_peaks_stay_near_full_scale_at_the_same_level_and_style(loud, style, rate, without_cost, parameters):
    free = without_cost(loud, style, rate, **LOUD, **parameters)
    result = stylize(loud, style, rate, **LOUD, **parameters)
    assert peak_db(free.audio) > 4
    assert peak_db(result.audio) < 0.7 * peak_db(free.audio)
    assert abs(rms_db(result.audio) - rms_db(free.audio)) < 0.01
    assert result.style_loss < 1.15 * free.style_loss
    if "section_seconds" not in parameters:
        assert result.stages["waveform"].style_loss[0] == free.stages["waveform"].style_loss[0], "peaks are no style"


def test_the_default_keeps_loud_songs_loud(loud, style, rate, quick_stages, without_cost):
    parameters = {**quick_stages, "waveform_iters": 30}
    audio = stylize(loud, style, rate, **parameters).audio
    assert abs(rms_db(audio) - rms_db(loud)) < 0.05
    assert peak_db(audio) < 0.8 * peak_db(without_cost(loud, style, rate, **parameters).audio)


@pytest.mark.parametrize(("gain", "parameters"), [(0.1, {}), (2, {}), (1, {"match_level": False}), (1, ORIGINAL)])
def test_others_are_styled_as_ever(loud, style, rate, quick, without_cost, gain, parameters):
    """Songs far below or beyond full scale, and results that do not get the song's level, don't change."""
    parameters = parameters if parameters is ORIGINAL else {**quick, **parameters}
    free = without_cost(gain * loud, style, rate, **parameters)
    np.testing.assert_array_equal(stylize(gain * loud, style, rate, **parameters).audio, free.audio)


# Some tenths of a dB change with the last bits of the arithmetic: styles scaled by 1 + 1e-4 to 1 + 3e-4 gave reductions
# from 3.8 to 3.9 dB with Adam and from 1.7 to 2.6 dB with L-BFGS.
@pytest.mark.parametrize(("optimizer", "reduction_db"), [("adam", 3.0), ("auto", 1.2)])
def test_a_mask_and_channels_are_kept(stereo, style, rate, without_cost, optimizer, reduction_db):
    loud, parameters = np.clip(4 * stereo, -0.9, 0.9), {**LOUD, "optimizer": optimizer}
    loud[:, 3000:5000] = 0
    audio = stylize(loud, style, rate, **parameters).audio
    assert not audio[:, 3500:4500].any()
    assert peak_db(audio) < peak_db(without_cost(loud, style, rate, **parameters).audio) - reduction_db


@pytest.mark.slow
def test_a_stream_stays_near_full_scale_too(loud, style, rate, monkeypatch):
    def streamed():
        effect = StyleTransfer(style, style_sample_rate=rate, streaming=True, section_seconds=0.5, **LOUD)
        return effect(np.pad(loud[None], ((0, 0), (0, effect.latency(rate)))), rate, reset=False)

    with_cost = streamed()
    monkeypatch.setattr(peaks, "WEIGHT", 0.0)
    assert peak_db(with_cost) < 0.7 * peak_db(streamed())
