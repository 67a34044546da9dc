"""Every second patch and products in a subspace: the audio is as good as with all patches and all bins."""

import numpy as np
import pytest

from audiostyle_fx import Window, stylize, texture
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import loss_terms
from audiostyle_fx._engine.spectra.stft import STFT
from audiostyle_fx._transfer.parameters import parameter_list
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx._transfer.stages import window_objectives

WINDOW, WIDTH = Window(n_fft=1024, hop_length=128), 8


def full_losses(audio, content, style, rate):
    """Style and content loss of audio at alpha 0.01, by all patches and all bins."""
    stft = STFT(WINDOW.n_fft, WINDOW.hop_length)
    x, of_content, of_style = (stft.log_magnitude(stft.forward(y[None, None])) for y in (audio, content, style))
    bins, frames = x.shape[2], x.shape[1]
    terms = loss_terms([WIDTH], alpha=0.01, n_frames=frames, bins=bins, sample_rate=rate, active_channels=1)
    return InfiniteWidth.of_styles(of_content, of_style, terms).value_and_grad(x)[0][:, 0]


@pytest.fixture(scope="module")
def recordings(content, style, rate):
    """A song and a style, longer than they are wide, at one level."""
    song, anthem = np.tile(content, 2), np.tile(style, 2)
    return song, (anthem * np.sqrt(np.mean(song**2) / np.mean(anthem**2))).astype(np.float32)


@pytest.mark.parametrize("optimizer", ["auto", "adam"])
def test_losses_are_those_of_all_products(monkeypatch, recordings, rate, optimizer):
    song, anthem = recordings
    parameters = {"preset": "plain", "windows": WINDOW, "kernel_width": WIDTH, "normalize": False}
    parameters |= {"optimizer": optimizer, "spectrogram_iters": 30, "waveform_iters": 20}

    def losses():
        return full_losses(stylize(song, anthem, rate, **parameters).audio, song, anthem, rate)

    quick, start = losses(), full_losses(song, song, anthem, rate)
    monkeypatch.setattr(parameter_list, "LEAST_STRIDED_WIDTH", 1000)
    monkeypatch.setattr(window_objectives, "LEAST_SUBSPACE_BINS", 10_000)
    whole = losses()
    assert quick.sum() < 1.05 * whole.sum() and whole.sum() < 0.2 * start.sum()


def test_from_noise_products_are_taken_whole(monkeypatch, recordings, rate):
    """Noise outside a subspace would stay in the result."""

    def new_sound():
        return texture(recordings[1], rate, 1.5, windows=WINDOW, kernel_width=3, waveform_iters=5).audio

    monkeypatch.setattr(window_objectives, "LEAST_SUBSPACE_BINS", 1)
    short = new_sound()
    monkeypatch.setattr(window_objectives, "LEAST_SUBSPACE_BINS", 10_000)
    np.testing.assert_array_equal(short, new_sound())


def test_lbfgs_needs_fewer_iterations_where_alpha_is_given(recordings, rate):
    song, anthem = recordings
    parameters = {"preset": "plain", "windows": WINDOW, "kernel_width": WIDTH, "normalize": False}
    losses = {
        name: full_losses(stylize(song, anthem, rate, **parameters, optimizer=name).audio, song, anthem, rate).sum()
        for name in ("auto", "adam")
    }
    assert losses["auto"] < 0.95 * losses["adam"]


def test_auto_is_adam_where_a_strength_is_asked_for(content, style, rate, quick_stages):
    auto, adam = (stylize(content, style, rate, **quick_stages, optimizer=name).audio for name in ("auto", "adam"))
    np.testing.assert_array_equal(auto, adam)


@pytest.mark.parametrize(
    ("parameters", "stride"),
    [
        ({}, 2),
        ({"kernel_width": 8}, 2),
        ({"kernel_width": 7}, 1),
        ({"kernel_width": (3, 11)}, 1),
        ({"kernel_width": (11, 43)}, 2),
        ({"preset": "original"}, 1),
        ({"preset": "texture"}, 4),
        ({"preset": "texture", "kernel_width": (3, 24)}, 3),
        ({"init": "noise", "kernel_width": 1}, 1),
        ({"n_filters": 16}, 2),
    ],
)
def test_which_patches_count(parameters, stride):
    assert choose(parameters).frame_stride == stride


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("width", [8, 11])
def test_the_weights_do_not_depend_on_the_stride(width, stride):
    settings = {"alpha": 0.3, "n_frames": 431, "bins": 1025, "sample_rate": 22050, "active_channels": 1}
    (term,), (single,) = loss_terms([width], **settings, stride=stride), loss_terms([width], **settings)
    assert (term.kernel_width - 1 + term.last) * stride == width and 0 < term.last <= 1
    assert term.gain == single.gain
    patches = 431 // stride - term.kernel_width + 1
    assert term.content_weight * patches == pytest.approx(single.content_weight * (431 - width + 1))
