"""The arc-cosine kernel between patches."""

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
from support.spectrograms import kappa

from audiostyle_fx._engine.kernels.arc_cosine import arc_cosine


def test_kernel_is_the_formula():
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 50, 3))
    kernel, slope, root = arc_cosine(
        u @ v.T, np.square(u).sum(axis=1, keepdims=True), np.square(v).sum(axis=1, keepdims=True).T
    )
    np.testing.assert_allclose(kernel / (2 * np.pi), kappa(u, v), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(root**2 + (u @ v.T) ** 2, np.outer((u**2).sum(axis=1), (v**2).sum(axis=1)), rtol=1e-10)
    np.testing.assert_allclose(np.cos(np.pi - slope) * np.hypot(root, u @ v.T), u @ v.T, atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, 2.0, 3.1, math.pi])
def test_kernel_is_the_mean_over_gaussian_filters(angle):
    """E[relu(w . u) relu(w . v)]: with w in polar coordinates the radius gives 1 / pi times a mean over directions."""
    u, v = 1.7, 0.6

    def integrand(phi):
        return max(u * math.cos(phi), 0) * max(v * math.cos(phi - angle), 0)

    kinks = sorted({-math.pi / 2, angle - math.pi / 2, math.pi / 2})
    mean = sum(scipy.integrate.quad(integrand, a, b)[0] for a, b in itertools.pairwise(kinks)) / math.pi
    kernel, _, _ = arc_cosine(np.array([u * v * math.cos(angle)]), np.array([u**2]), np.array([v**2]))
    assert kernel[0] / (2 * math.pi) == pytest.approx(mean, rel=1e-7, abs=1e-12)


def test_kernel_is_what_sampled_filters_find():
    rng = np.random.default_rng(1)
    u, v = np.abs(rng.standard_normal((2, 6)))
    filters = rng.standard_normal((200_000, 6))
    products = np.maximum(filters @ u, 0) * np.maximum(filters @ v, 0)
    error = products.std() / math.sqrt(len(products))
    assert abs(products.mean() - kappa(u[None], v[None])[0, 0]) < 4 * error
    kernel, _, _ = arc_cosine(np.array([u @ v]), np.array([u @ u]), np.array([v @ v]))
    assert abs(products.mean() - kernel[0] / (2 * math.pi)) < 4 * error


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angle_is_that_of_arctan2_over_the_whole_range(dtype):
    rng = np.random.default_rng(2)
    theta = np.concatenate([np.linspace(0, np.pi, 50_001), np.logspace(-8, 0, 500), np.pi - np.logspace(-8, 0, 500)])
    u, v = (10 ** rng.uniform(-6, 6, (2, theta.size))).astype(dtype)
    s = (np.sqrt(u.astype(float) * v) * np.cos(theta)).astype(dtype)
    kernel, slope, root = arc_cosine(s, u, v)
    assert kernel.dtype == slope.dtype == root.dtype == dtype
    expected = np.pi - np.arctan2(root.astype(float), s.astype(float))
    assert np.abs(slope - expected).max() < (5e-7 if dtype == "float32" else 1e-14)
    assert np.all(root >= 0)
    np.testing.assert_allclose(
        kernel, expected * s + root, rtol=0, atol=(1e-6 if dtype == "float32" else 1e-14) * np.sqrt(u * v).max()
    )
    scale = np.sqrt(u.astype(float) * v)
    assert np.abs((kernel - (expected * s + root)) / scale).max() < (2e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angle_of_zero_equal_and_opposite_patches(dtype):
    u = np.array([0, 0, 4, 4, 4, 1e-30, 1e-44], dtype)
    v = np.array([0, 9, 4, 9, 9, 1e-30, 1e-44], dtype)
    s = np.array([0, 0, 4, 6, -6, 1e-30, 1e-44], dtype)
    kernel, slope, root = arc_cosine(s, u, v)
    np.testing.assert_allclose(root, 0, atol=1e-12)
    np.testing.assert_allclose(kernel[:5], np.pi * np.array([0, 0, 4, 6, 0]), rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(slope[2:5], [np.pi, np.pi, 0], atol=1e-6)
    assert slope[0] == slope[2] == slope[3] == dtype_pi(dtype)  # the angle is exactly zero
    assert np.isfinite([kernel, slope, root]).all()


def dtype_pi(dtype):
    return np.dtype(dtype).type(math.pi)
