"""The CUDA kernels against their NumPy twins: built for the host, and by ``pytest -m gpu`` on a GPU."""

import math

import numpy as np
import pytest
from support.twins import assert_same, normal

from audiostyle_fx._engine.kernels import adam, arc_cosine, patches, spectra


@pytest.mark.parametrize("size", [1, 257, 5000])
@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("step", [0, 17])
def test_adam_step(cupy_of_threads, size, nonnegative, step):
    x, grad, mean, square = (normal(seed, size) for seed in range(4))
    count = np.array([step], np.int32)
    parameters = {"learning_rate": 0.25, "n_iter": 20, "beta1": 0.75, "beta2": 0.9, "epsilon": 1e-8}

    def run(*arrays):
        adam.adam_step(*arrays, **parameters, nonnegative=nonnegative)
        return arrays[0], arrays[2], arrays[3], arrays[4]

    assert_same(cupy_of_threads, run, x, grad, mean, np.square(square), count)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 7, 2, 129)])
def test_log_magnitude_and_its_adjoint(cupy_of_threads, shape):
    spectrum = normal(0, *shape) + 1j * normal(1, *shape)
    spectrum.flat[:1] = 0
    assert_same(cupy_of_threads, spectra.log_magnitude, spectrum, 0.5)
    assert_same(cupy_of_threads, spectra.log_magnitude_vjp, spectrum, normal(2, *shape), 0.5)


@pytest.mark.parametrize(("n_samples", "n_fft", "hop_length"), [(700, 256, 64), (701, 64, 32), (300, 256, 100)])
@pytest.mark.parametrize("reflected", [True, False])
def test_windowed_frames_and_overlap_add(cupy_of_threads, n_samples, n_fft, hop_length, reflected):
    cupy, n_frames = cupy_of_threads, 1 + math.ceil(n_samples / hop_length)
    samples, window = normal(0, 2, 3, n_samples), normal(1, n_fft)
    assert_same(cupy, spectra.windowed_frames, samples, window, hop_length, slice(0, n_frames), reflected)
    assert_same(cupy, spectra.overlap_add, normal(2, 2, n_frames, 3, n_fft), window, hop_length)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 1000), (3, 4, 33)])
def test_row_dots(cupy_of_threads, shape):
    assert_same(cupy_of_threads, patches.row_dots, normal(0, *shape), normal(1, *shape))
    assert_same(cupy_of_threads, patches.sum_of_products, normal(0, *shape), normal(1, *shape))


@pytest.mark.parametrize("width", [1, 4, 9])
def test_unfold_fold_and_sums_over_patches(cupy_of_threads, width):
    cupy = cupy_of_threads
    assert_same(cupy, patches.unfold, normal(0, 2, 9, 13), width)
    assert_same(cupy, patches.fold, normal(1, 2, 10 - width, width * 13), width)
    for last in (1.0, 0.3):
        assert_same(cupy, patches.patch_sums, normal(2, 2, 9), width, last)
        assert_same(cupy, patches.patch_sums_vjp, normal(3, 2, 10 - width), width, last)


def some_patches(seed, batch, frames, bins, width, last=1.0):
    """Frames, some of them silent, and the squared norms of their patches."""
    x = normal(seed, batch, frames, bins)
    x[:, 3:6] = 0
    return x, patches.patch_sums(patches.row_dots(x, x), width, last)


LASTS = pytest.mark.parametrize("last", [1.0, 0.25])


@LASTS
@pytest.mark.parametrize("width", [2, 3, 11])
def test_content_distance(cupy_of_threads, width, last):
    x, norms = some_patches(0, 2, 40, 9, width, last)
    y, targets = some_patches(1, 2, 40, 9, width, last)
    arguments = patches.row_dots(x, y), norms, targets, width, last
    assert_same(cupy_of_threads, arc_cosine.content_distance, *arguments, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [1, 3, 11])
def test_content_is_at_no_distance_from_itself(cupy_of_threads, width):
    x = cupy_of_threads.asarray(some_patches(0, 2, 40, 9, width)[0])
    products = patches.row_dots(x, x)
    norms = patches.patch_sums(products, width)
    assert not arc_cosine.content_distance(products, norms, norms.copy(), width)[0].get().any()


@pytest.mark.parametrize(("n", "m"), [(40, 40), (33, 90), (100, 12)])
@pytest.mark.parametrize("width", [1, 3, 11])
@pytest.mark.parametrize("shared", [True, False])
@LASTS
def test_gram_tile(cupy_of_threads, n, m, width, shared, last):
    x, norms_u = some_patches(0, 2, n, 9, width, last)
    y, norms_v = some_patches(1, 1 if shared else 2, m, 9, width, last)
    products, tolerance = x @ y.swapaxes(1, 2), {"rtol": 1e-5, "atol": 2e-5, "last": last}
    for rows, columns in ((None, None), (-3, -2)):  # tiles have fewer patches than their frames would allow
        u, v = norms_u[:, :rows], norms_v[:, :columns]
        if u.shape[1] and v.shape[1]:
            arguments = arc_cosine.gram_tile, products, u, v, width, 0.3
            assert_same(cupy_of_threads, *arguments, **tolerance)
            if not shared:
                assert_same(cupy_of_threads, *arguments, columns=True, **tolerance)


@LASTS
@pytest.mark.parametrize("width", [1, 11])
def test_gram_tile_on_the_diagonal(cupy_of_threads, width, last):
    x, norms = some_patches(0, 2, 70, 9, width, last)
    arguments = x @ x.swapaxes(1, 2), norms, norms, width, 0.3
    assert_same(cupy_of_threads, arc_cosine.gram_tile, *arguments, last=last, diagonal=True, rtol=1e-5, atol=2e-5)


def test_a_very_wide_kernel_is_refused_on_a_gpu(cupy_of_threads):
    x = cupy_of_threads.asarray(normal(0, 1, 800, 2))
    norms = patches.patch_sums(patches.row_dots(x, x), 400)
    with pytest.raises(ValueError, match="kernel_width=400 must be at most"):
        arc_cosine.gram_tile(cupy_of_threads.asarray(normal(1, 1, 800, 800)), norms, norms, 400, 1.0)


def test_kernels_refuse_other_precisions(cupy_of_threads):
    ones = cupy_of_threads.asarray(np.ones((1, 2, 3)))
    with pytest.raises(TypeError, match="float32"):
        patches.row_dots(ones, ones)


def test_frames_on_a_gpu_begin_with_the_first(cupy):
    samples, window = cupy.asarray(normal(0, 1, 1, 100)), cupy.asarray(normal(1, 16))
    with pytest.raises(ValueError, match="begin with the first"):
        spectra.windowed_frames(samples, window, 4, slice(1, 5), reflected=False)
