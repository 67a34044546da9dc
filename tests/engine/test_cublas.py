"""Matrix products call cuBLAS as its documentation requires."""

import ctypes

import numpy as np
import pytest
from support import cupy_stand_in
from support.twins import normal

from audiostyle_fx._engine.arrays import matmul


class HostCublas:
    """Computes the strided batched product of NVIDIA's documentation in NumPy, on the given addresses."""

    def gemm(self, a, b, c, sizes, dtype, beta, tf32):
        m, n, k, batch = sizes
        left, right = (self.matrices(x, *shape, batch) for x, shape in ((a, (m, k)), (b, (k, n))))
        out = self.matrices(c, m, n, batch)
        out[...] = left @ right + (beta * out if beta else 0)

    def matrices(self, x, rows, columns, batch):
        if x.transposed:
            return self.matrices(x._replace(transposed=False), columns, rows, batch).swapaxes(1, 2)
        assert x.leading >= rows and (x.stride >= x.leading * columns or batch == 1 or x.stride == 0)
        size = x.stride * (batch - 1) + x.leading * (columns - 1) + rows
        memory = np.ctypeslib.as_array((ctypes.c_float * size).from_address(x.pointer))
        return np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), (4 * x.stride, 4, 4 * x.leading))


@pytest.mark.parametrize("batches", [(2, 2), (1, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 1)])
@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
def test_products_are_requested_as_cublas_documents(monkeypatch, batches, sizes, transposed):
    cupy_stand_in.install(monkeypatch)
    monkeypatch.setattr(matmul, "cublas", HostCublas)
    cupy, (m, k, n) = cupy_stand_in.cupy, sizes
    a, b = normal(0, batches[0], m, k), normal(1, batches[1], k, n)
    left, right = (
        cupy.asarray(x.swapaxes(1, 2)).swapaxes(1, 2) if swap else cupy.asarray(x)
        for x, swap in zip((a, b), transposed, strict=True)
    )
    np.testing.assert_allclose(matmul.matmul(left, right).get(), a @ b, rtol=1e-5, atol=1e-6)
    out = normal(2, max(batches), m + 2, n)
    on_gpu = cupy.asarray(out)
    matmul.matmul(left, right, add_to=on_gpu[:, 1:-1])
    out[:, 1:-1] += a @ b
    np.testing.assert_allclose(on_gpu.get(), out, rtol=1e-5, atol=1e-6)
