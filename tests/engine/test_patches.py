"""Operations on patches of consecutive frames: unfolding, folding, sliding sums, inner products."""

import numpy as np
import pytest
from support.spectrograms import patches, spectrogram

from audiostyle_fx._engine.kernels.patches import (
    fold,
    patch_products,
    patch_products_vjp,
    sliding_sum,
    sliding_sum_vjp,
    unfold,
)


@pytest.mark.parametrize("width", [1, 2, 5, 12])
def test_unfold_stacks_consecutive_frames(width):
    x = spectrogram(0, (2, 12, 3))
    found = unfold(x, width)
    assert found.shape == (2, 13 - width, width * 3)
    for t in range(13 - width):
        np.testing.assert_array_equal(found[:, t], x[:, t : t + width].reshape(2, -1))


@pytest.mark.parametrize("width", [1, 2, 5, 12])
def test_fold_is_the_adjoint_of_unfold(width):
    x, grad = spectrogram(1, (2, 12, 3)), np.random.default_rng(2).standard_normal((2, 13 - width, width * 3))
    back = fold(grad, width)
    assert back.shape == x.shape
    assert np.vdot(unfold(x, width), grad) == pytest.approx(np.vdot(x, back), rel=1e-12)


# ---------------------------------------------------------------- sliding sums
@pytest.mark.parametrize("width", [*range(1, 18), 43])
@pytest.mark.parametrize("step", [1, 3])
def test_sliding_sum_is_the_sum(width, step):
    x = spectrogram(3, (2, 150, 1))[..., 0]
    length = 150 - (width - 1) * step
    expected = np.stack([x[:, n : n + (width - 1) * step + 1 : step].sum(axis=1) for n in range(length)], axis=1)
    np.testing.assert_allclose(sliding_sum(x, width, step), expected, rtol=1e-13)


@pytest.mark.parametrize("width", [1, 2, 3, 8])
@pytest.mark.parametrize("ends", [(1, 0.3), (0.3, 1), (0.2, 0.7)])
def test_sliding_sums_may_weight_their_ends(width, ends):
    x = spectrogram(3, (2, 50, 1))[..., 0]
    weights = np.ones(width)
    weights[0] *= ends[0]
    weights[-1] *= ends[1]
    if width == 1 and 1 not in ends:
        return  # one frame has one weight
    expected = np.stack([x[:, n : n + width] @ weights for n in range(51 - width)], axis=1)
    np.testing.assert_allclose(sliding_sum(x, width, first=ends[0], last=ends[1]), expected, rtol=1e-13)


@pytest.mark.parametrize("width", [1, 2, 5, 8, 11])
@pytest.mark.parametrize("last", [1.0, 0.3])
def test_sliding_sum_vjp_is_the_adjoint(width, last):
    x, grad = spectrogram(4, (2, 40, 1))[..., 0], np.random.default_rng(5).standard_normal((2, 41 - width))
    back = sliding_sum_vjp(grad, width, last)
    assert back.shape == x.shape
    assert np.vdot(sliding_sum(x, width, last=last), grad) == pytest.approx(np.vdot(x, back), rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 13), (11, 30)])
@pytest.mark.parametrize("width", [1, 2, 5, 11])
def test_patch_products_are_sums_down_the_diagonals(n, m, width):
    products = np.random.default_rng(6).standard_normal((2, n, m))
    expected = np.zeros((2, n - width + 1, m - width + 1))
    for i in range(n - width + 1):
        for j in range(m - width + 1):
            for d in range(width):
                expected[:, i, j] += products[:, i + d, j + d]
    np.testing.assert_allclose(patch_products(products, width), expected, atol=1e-13)


@pytest.mark.parametrize("width", [1, 3, 6])
@pytest.mark.parametrize("last", [1.0, 0.3])
def test_patch_products_are_the_products_of_patches(width, last):
    x, y = spectrogram(7, (1, 20, 4)), spectrogram(8, (1, 15, 4))
    found = patch_products(x @ y.swapaxes(1, 2), width, last)[0]
    left, right = patches(x[0], width), patches(y[0], width)
    left[:, -4:] *= last
    np.testing.assert_allclose(found, left @ right.T, rtol=1e-12)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 13), (11, 30)])
@pytest.mark.parametrize("width", [1, 2, 5, 11])
@pytest.mark.parametrize("cropped", [(0, 0), (3, 0), (0, 2), (1, 1)])
@pytest.mark.parametrize("last", [1.0, 0.3])
def test_patch_products_vjp_is_the_adjoint_of_a_corner_too(n, m, width, cropped, last):
    rng = np.random.default_rng(9)
    rows, columns = max(n - width + 1 - cropped[0], 1), max(m - width + 1 - cropped[1], 1)
    products, grad = rng.standard_normal((2, n, m)), rng.standard_normal((2, rows, columns))
    back = patch_products_vjp(grad, width, products.shape, last)
    assert back.shape == products.shape
    forward = patch_products(products, width, last)[:, :rows, :columns]
    assert np.vdot(forward, grad) == pytest.approx(np.vdot(products, back), rel=1e-10, abs=1e-12)
    expected = np.zeros_like(products)
    for d in range(width):
        expected[:, d : d + rows, d : d + columns] += grad * (last if d == width - 1 else 1)
    np.testing.assert_allclose(back, expected, atol=1e-13)


def test_sliding_sums_leave_their_input_alone():
    x, products = np.arange(12.0)[None], np.arange(30.0).reshape(1, 5, 6)
    for width in (1, 2, 4):
        for function, a in ((sliding_sum, x), (sliding_sum_vjp, x), (patch_products, products)):
            before = a.copy()
            function(a, width)
            np.testing.assert_array_equal(a, before)
