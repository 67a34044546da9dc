"""Comparison of a function on NumPy and on CuPy, or its stand-in."""

import numpy as np


def normal(seed, *shape):
    """Normally distributed float32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def assert_same(cupy, function, *arguments, rtol=2e-6, atol=2e-6, **parameters):
    """Call a function with the arguments' arrays on either module; the results must be equal, apart from rounding."""
    on_cpu = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    on_gpu = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    want, got = function(*on_cpu, **parameters), function(*on_gpu, **parameters)
    for expected, found in zip(_listed(want), _listed(got), strict=True):
        if expected is None:
            assert found is None
            continue
        assert isinstance(found, cupy.ndarray) and found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_allclose(found.get(), expected, rtol=rtol, atol=atol * max(1, np.abs(expected).max()))


def _listed(result):
    return result if isinstance(result, tuple) else (result,)
