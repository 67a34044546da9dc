#!/usr/bin/env bash
# NumPy 2.2.6, SciPy 1.15.3: numpy.linalg.qr of a float32 or complex64 matrix returns that dtype, but there is no loop
# for it: the matrix is converted to double precision, factorised, and rounded. Q and R equal those of the float64
# matrix, rounded, bit for bit, and Q is more orthogonal than single precision allows; it also takes twice the memory,
# and the time of double precision. numpy.linalg.svd and scipy.linalg.qr of the same matrix do work in single precision.
# Seen: {'float32': True, 'complex64': True} for the equality, ['dd->d', 'DD->D'] for the loops of numpy.linalg.qr, and
# an error of 1.2e-08 in Q's orthogonality against one of 3.0e-07 from SciPy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet numpy==2.2.6 scipy==1.15.3
cd "$folder"
env/bin/python - <<'PYTHON'
import numpy as np
import scipy
import scipy.linalg
from numpy.linalg import _umath_linalg

rng = np.random.default_rng(0)
real = rng.standard_normal((400, 80)).astype(np.float32)
matrices = {"float32": real, "complex64": (real + 1j * real[::-1]).astype(np.complex64)}
rounded = {}
for name, matrix in matrices.items():
    single, double = np.linalg.qr(matrix), np.linalg.qr(matrix.astype(np.result_type(matrix, np.float64)))
    assert single.Q.dtype == single.R.dtype == name
    pairs = zip(single, double, strict=True)
    rounded[name] = all(np.array_equal(found, wide.astype(found.dtype)) for found, wide in pairs)


def error(q):
    q = q.astype(np.float64)
    return float(np.abs(q.T @ q - np.eye(q.shape[1])).max())


of_scipy = scipy.linalg.qr(real, mode="economic")[0]
assert of_scipy.dtype == np.float32
errors = error(np.linalg.qr(real)[0]), error(of_scipy)
loops = _umath_linalg.qr_reduced.types
print("numpy", np.__version__, "scipy", scipy.__version__, rounded, loops, "errors %.1e %.1e" % errors)
assert rounded == {"float32": True, "complex64": True}, "numpy.linalg.qr behaves otherwise now"
assert loops == ["dd->d", "DD->D"] and "f->fff" in _umath_linalg.svd_s.types
assert 10 * errors[0] < errors[1]
PYTHON
