"""The MDCT and the DCT of type IV that it uses."""

import math

import numpy as np
import pytest
import scipy.fft

from audiostyle_fx._engine.spectra.mdct import MDCT, dct4


def noise(seed, shape, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("size", [2, 4, 8, 10, 64, 1024])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dct4_is_scipys(size, dtype):
    x = noise(25, (2, 3, 5, size), dtype)
    expected = scipy.fft.dct(x.astype(np.float64), type=4, norm="ortho", axis=-1)
    assert dct4(x).dtype == x.dtype
    np.testing.assert_allclose(dct4(x), expected, atol=1e-13 if dtype == "float64" else 3e-6)
    np.testing.assert_allclose(dct4(dct4(x)), x, atol=1e-13 if dtype == "float64" else 3e-6)


@pytest.mark.parametrize(("hop_length", "n_samples"), [(8, 64), (8, 61), (10, 5), (32, 100), (1024, 5000)])
def test_mdct_is_orthonormal(hop_length, n_samples):
    mdct, y = MDCT(hop_length), noise(26, (2, 2, n_samples))
    coefficients = mdct.forward(y)
    assert coefficients.shape == (2, 2, mdct.n_frames(n_samples), hop_length)
    np.testing.assert_allclose(mdct.inverse(coefficients, n_samples), y, atol=1e-12)
    assert np.vdot(coefficients, coefficients) == pytest.approx(np.vdot(y, y), rel=1e-12)
    grad = noise(27, coefficients.shape)
    assert np.vdot(coefficients, grad) == pytest.approx(np.vdot(y, mdct.inverse(grad, n_samples)), rel=1e-10)


def test_mdct_is_its_definition():
    """X_k = sqrt(2/M) sum of w_n y_n cos(pi/M (n + 1/2 + M/2)(k + 1/2)) over windows of 2 M samples, M apart."""
    hop, n_samples = 6, 22
    y, mdct = noise(28, n_samples), MDCT(hop)
    n, k = np.arange(2 * hop), np.arange(hop)
    basis = np.cos(np.pi / hop * np.outer(n + 0.5 + hop / 2, k + 0.5)) * math.sqrt(2 / hop)
    window = np.sin(np.pi * (n + 0.5) / (2 * hop))
    padded = np.pad(y, (hop, 2 * hop))
    frames = [padded[t * hop : (t + 2) * hop] * window @ basis for t in range(mdct.n_frames(n_samples))]
    np.testing.assert_allclose(mdct.forward(y[None, None])[0, 0], frames, atol=1e-13)


def test_a_notes_mdct_lies_at_its_band():
    hop, band = 64, 17
    y = np.sin(np.pi / hop * (band + 0.5) * np.arange(2000))[None, None]
    energy = np.square(MDCT(hop).forward(y)[0, 0, 2:-3]).sum(axis=0)
    assert energy[band - 1 : band + 2].sum() > 0.95 * energy.sum()
