"""The objectives and the STFT on a GPU against the CPU: on the stand-in, and by ``pytest -m gpu`` on a GPU."""

import numpy as np
import pytest
from support.twins import assert_same, normal

from audiostyle_fx._engine.objectives import infinite_width
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._engine.spectra.mdct import MDCT
from audiostyle_fx._engine.spectra.stft import STFT

TERMS = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2, last=0.4)]


def spectrograms():
    """Content, style, and a point to evaluate."""
    return [np.abs(normal(i, *shape)) for i, shape in enumerate([(2, 30, 9), (1, 21, 9), (2, 30, 9)])]


@pytest.mark.parametrize("tile", [pytest.param(512, marks=pytest.mark.slow), 8])
def test_closed_form(cupy, monkeypatch, tile):
    monkeypatch.setattr(infinite_width, "TILE", tile)

    def run(content, style, x):
        return InfiniteWidth.of_styles(content, style, TERMS).value_and_grad(x)

    assert_same(cupy, run, *spectrograms(), rtol=1e-4)


def test_the_norm_of_styles_for_each_item_and_for_all(cupy):
    def run(first, second):
        return InfiniteWidth.style_statistics([first, second], TERMS, (0.4, 0.6)).energy

    for shapes in (((3, 21, 9), (1, 17, 9)), ((1, 17, 9), (3, 21, 9))):
        assert_same(cupy, run, *(np.abs(normal(i, *shape)) for i, shape in enumerate(shapes)), rtol=1e-4)


@pytest.mark.parametrize("n_filters", [16, 200])
def test_random_filters(cupy, n_filters):
    def run(content, style, x):
        return RandomConv.of_styles(content, style, TERMS, n_filters=n_filters, seed=3).value_and_grad(x)

    assert_same(cupy, run, *spectrograms(), rtol=1e-4)


@pytest.mark.parametrize("n_samples", [400, 1000, 5000])
@pytest.mark.parametrize(("n_fft", "hop_length"), [(256, 64), (256, 50)])
def test_stft_and_its_adjoints(cupy, n_fft, hop_length, n_samples):
    stft, y = STFT(n_fft, hop_length), normal(0, 2, 3, n_samples)
    spectrum = stft.forward(y)
    assert_same(cupy, stft.forward, y)
    assert_same(cupy, stft.forward_vjp, spectrum, n_samples)
    assert_same(cupy, stft.inverse, spectrum, n_samples)
    assert_same(cupy, stft.inverse_vjp, y, spectrum.shape[1])


def test_mdct(cupy):
    mdct, y = MDCT(32), normal(0, 2, 3, 1000)
    assert_same(cupy, mdct.forward, y)
    assert_same(cupy, mdct.inverse, mdct.forward(y), 1000)
