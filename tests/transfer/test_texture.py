"""Textures, which need no content."""

import numpy as np
import pytest
import scipy.signal
import soundfile
from support.distances import distance
from support.style_losses import style_loss

from audiostyle_fx import Window, stylize, texture
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._recordings.levels import rms


@pytest.mark.parametrize("duration", [1 / 8000, 0.02, 0.5, 1.00005, 2])
def test_texture_is_as_long_as_asked(style, rate, quick_stages, duration):
    result = texture(style, rate, duration, **quick_stages)
    assert result.audio.shape == (1, round(duration * rate)) and result.audio.dtype == np.float32
    assert result.sample_rate == rate
    assert rms(result.audio) == pytest.approx(rms(style), rel=1e-5)


def test_texture_has_the_styles_channels_and_level(stereo, rate, quick_stages):
    out = texture(
        8 * stereo, rate, 0.7, **{**quick_stages, "windows": Window(n_fft=256, hop_length=64)}, optimizer="adam"
    ).audio
    assert out.shape == (2, 5600)
    assert rms(out) == pytest.approx(rms(8 * stereo), rel=1e-5)
    assert rms(out[0]) > 1.2 * rms(out[1]), "the louder channel stays the louder"


def test_texture_leaves_a_silent_channel_silent(style, rate, quick_stages):
    out = texture(np.stack([0 * style, style]), rate, 0.5, **quick_stages).audio
    assert not out[0].any()
    np.testing.assert_array_equal(out[1], texture(style, rate, 0.5, **quick_stages).audio[0])


def test_texture_sounds_like_the_style_and_is_no_copy(style, rate, quick_stages):
    more = {**quick_stages, "spectrogram_iters": 30, "waveform_iters": 30}
    out = texture(style, rate, 1.0, **more).audio[0]
    noise = np.random.default_rng(0).standard_normal(len(style)).astype(np.float32)
    assert style_loss(out, style, rate) < 0.3 * style_loss(noise, style, rate)
    copy = np.correlate(out, style, "full") / (np.linalg.norm(out) * np.linalg.norm(style))
    assert np.abs(copy).max() < 0.8


@pytest.fixture(scope="module")
def clicks(rate):
    """Three seconds of decaying bursts of noise, at random times: loud moments, and quiet ones between."""
    rng = np.random.default_rng(0)
    onsets = np.zeros(3 * rate)
    onsets[rng.integers(0, len(onsets), 40)] = rng.uniform(0.3, 1, 40)
    out = scipy.signal.lfilter([1], [1, -0.99], onsets) * rng.standard_normal(len(onsets))
    return (out + 0.003 * rng.standard_normal(len(out))).astype(np.float32)


def envelope_statistics(y):
    """Variation and skewness of the envelope in each band, and how much of it is slow."""
    envelope = np.abs(scipy.signal.stft(y, nperseg=128)[2]) ** 0.3
    z = (envelope - envelope.mean(axis=1, keepdims=True)) / envelope.std(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(z)) ** 2
    slow = power[:, : power.shape[1] // 8].sum(axis=1) / power.sum(axis=1)
    return np.array([envelope.std(axis=1) / envelope.mean(axis=1), (z**3).mean(axis=1), slow])


def test_texture_has_the_statistics_of_the_style_and_copies_nothing(clicks, rate):
    first, second = (texture(clicks, rate, 3.0, waveform_iters=60, seed=seed).audio[0] for seed in (0, 1))
    spectrum = np.fft.rfft(clicks)
    noise = np.fft.irfft(spectrum * np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=len(spectrum))))
    want = envelope_statistics(clicks)
    far = np.sqrt(((envelope_statistics(noise) - want) ** 2).mean(axis=1))
    for out in (first, second):
        near = np.sqrt(((envelope_statistics(out) - want) ** 2).mean(axis=1))
        assert np.all(near < 0.4 * far), (near, far)
    half = rate // 2
    for other in (clicks, second):
        energy = np.convolve(other.astype(np.float64) ** 2, np.ones(half), "valid")
        for snippet in first.reshape(-1, half):
            similar = np.correlate(other, snippet, "valid") / (np.sqrt(energy) * np.linalg.norm(snippet))
            assert np.abs(similar).max() < 0.4


@pytest.mark.parametrize(("own", "renewals"), [({}, 1), ({"optimizer": "adam"}, 0), ({"spectrogram_iters": 2}, 0)])
def test_levels_are_taken_anew_on_the_way_from_noise(monkeypatch, style, rate, own, renewals):
    """Levels are measured again after two fifths of L-BFGS's iterations, only if the waveform starts as noise."""
    evaluations, renewed_after = [], []
    real, real_renew = WaveformObjective.value_and_grad, WaveformObjective.renew
    monkeypatch.setattr(WaveformObjective, "value_and_grad", lambda *a: evaluations.append(1) or real(*a))
    monkeypatch.setattr(WaveformObjective, "renew", lambda *a: renewed_after.append(len(evaluations)) or real_renew(*a))
    texture(style, rate, 0.5, kernel_width=(2, 6), waveform_iters=10, **own)
    assert renewed_after == [4] * renewals
    stylize(style, style, rate, alpha=0.01, optimizer="lbfgs", spectrogram_iters=0, phase_iters=1, waveform_iters=10)
    assert len(renewed_after) == renewals


def test_texture_is_the_transfer_without_content(style, rate, quick, quick_stages):
    own = {"windows": Window(n_fft=256, hop_length=64), "optimizer": "adam"}
    quick, quick_stages = {**quick, **own}, {**quick_stages, **own}
    result = texture(style, rate, 1.0, seed=3, **quick_stages)
    anything = np.random.default_rng(7).standard_normal(rate).astype(np.float32)
    want = stylize(
        anything, style, rate, **{**quick, "alpha": 0, "init": "noise", "phase_init": "random", "seed": 3}
    ).audio
    assert distance(result.audio[0] / rms(result.audio), want / rms(want)) < 1e-3
    assert (result.parameters["alpha"], result.parameters["init"], result.parameters["phase_init"]) == (
        0,
        "noise",
        "random",
    )
    np.testing.assert_array_equal(texture(style, rate, 1.0, seed=3, **quick_stages).audio, result.audio)
    assert distance(texture(style, rate, 1.0, seed=4, **quick_stages).audio, result.audio) > 0.1


def test_texture_of_a_file_at_another_rate(style, rate, quick_stages, tmp_path):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 16000, subtype="FLOAT")
    result = texture(path, rate, 0.5, **quick_stages)
    np.testing.assert_array_equal(
        result.audio, texture(style, rate, 0.5, style_sample_rate=16000, **quick_stages).audio
    )
    assert result.audio.shape == (1, 4000)


@pytest.mark.parametrize("width", range(1, 14))
@pytest.mark.parametrize("hop_length", [64, 128])
def test_the_shortest_recordings_hold_a_patch_at_any_stride(style, rate, width, hop_length):
    own = {"windows": Window(n_fft=256, hop_length=hop_length), "kernel_width": width, "waveform_iters": 1}
    least = width - 1 + 256 // hop_length  # hops that the patch spans
    shortest = style[: (least + 2) * hop_length]
    result = texture(shortest, rate, 1 / rate, **own)
    assert result.audio.shape[-1] == 1 and np.isfinite(result.audio).all()
