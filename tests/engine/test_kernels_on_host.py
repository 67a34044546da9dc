"""Kernels on the host run as on a GPU, and refuse everything that CUDA would refuse."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support import host_cuda

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels run on the host on Linux alone")

SOURCE = r"""
constexpr int MOST = 128;

__device__ float block_sum(float value) {
    __shared__ float values[1024];
    values[threadIdx.x] = value;
    __syncthreads();
    for (unsigned int step = blockDim.x / 2; step > 0; step /= 2) {
        if (threadIdx.x < step) values[threadIdx.x] += values[threadIdx.x + step];
        __syncthreads();
    }
    return values[0];
}

extern "C" __global__ void __launch_bounds__(MOST, 2) sums(const float *__restrict__ x, float *out, int size) {
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) sum += __ldg(x + i);
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

extern "C" __global__ void reversed(const float2 *x, float2 *out, int size) {
    extern __shared__ float shared[];
    const int i = threadIdx.x, at = blockIdx.x * size + i;
    shared[2 * i] = x[at].x;
    shared[2 * i + 1] = x[at].y;
    __syncthreads();
    out[at] = make_float2(shared[2 * (size - 1 - i)], shared[2 * (size - 1 - i) + 1]);
}

extern "C" __global__ void some_return(const int *x, int *out, int n) {
    __shared__ int last;
    const int i = threadIdx.x;
    if (i >= n) return;
    if (i == n - 1) last = x[blockIdx.x];
    __syncthreads();
    if (i % 2) return;
    out[blockIdx.x * blockDim.x + i] = last + i;
    __syncthreads();
    if (i == 0) last = -1;
    __syncthreads();
    out[blockIdx.x * blockDim.x + i] += last;
}

extern "C" __global__ void places(int *out) {
    const int place[12] = {
        int(blockIdx.x),  int(blockIdx.y),  int(blockIdx.z),  int(gridDim.x),  int(gridDim.y),  int(gridDim.z),
        int(threadIdx.x), int(threadIdx.y), int(threadIdx.z), int(blockDim.x), int(blockDim.y), int(blockDim.z)};
    const int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    const int threads = blockDim.x * blockDim.y * blockDim.z;
#pragma unroll
    for (int k = 0; k < 12; ++k) out[(block * threads + thread) * 12 + k] = place[k];
}

extern "C" __global__ void read_before_write(float *out, float *out_dynamic, int write) {
    __shared__ float fixed[64];
    extern __shared__ float shared[];
    out[blockIdx.x * blockDim.x + threadIdx.x] = fixed[threadIdx.x];
    out_dynamic[blockIdx.x * blockDim.x + threadIdx.x] = shared[threadIdx.x];
    if (write) fixed[threadIdx.x] = shared[threadIdx.x] = 0;
}

extern "C" __global__ void no_barrier(float *out, int reach) {
    __shared__ float values[64];
    values[threadIdx.x] = 1;
    out[blockIdx.x * blockDim.x + threadIdx.x] = values[(threadIdx.x + reach) % 64];
}

extern "C" __global__ void write_at(int at) {
    extern __shared__ float shared[];
    shared[at] = 1;
}

extern "C" __global__ void types(
    float *a, const double *b, int *c, const long long *d, float2 *e, const bool *, int g, long long h, float i,
    double j, bool) {
    a[0] = static_cast<float>(b[0] + c[0] + d[0] + e[0].x + e[0].y + g + h + i + j);
}

extern "C" __global__ void maths(float *out) {
    out[0] = max(-2, min(3, 4)) + fmaxf(1.5f, fminf(2.5f, 9.0f)) + rsqrtf(4.0f);
    out[1] = static_cast<float>(cospi(1e6 + 0.25)) + sinpif(-0.5f);
}

extern "C" __global__ void nothing() {}
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The kernels on threads and on fibers."""
    folder = tmp_path_factory.mktemp("host_cuda")
    source = folder / "kernels.cu"
    source.write_text(SOURCE)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda fibers: host_cuda.build(source, folder, fibers=fibers), (False, True)))


@pytest.fixture(params=[0, 1], ids=["threads", "fibers"])
def module(request, modules):
    return modules[request.param]


@pytest.fixture
def fibers(modules):
    return modules[1]


@pytest.fixture
def types():
    """Arguments of the kernel `types`."""
    arrays = [np.ones(1, dtype) for dtype in ("f4", "f8", "i4", "i8", "c8", "?")]
    return [*arrays, np.int32(1), np.int64(1), np.float32(1), np.float64(1), np.bool_(True)]


def test_sums_of_blocks(module):
    x, out = np.arange(1000, dtype=np.float32), np.full(5, np.nan, np.float32)
    sums = module.get_function("sums")
    for threads in (64, 32):  # more, then fewer
        out.fill(np.nan)
        sums((5,), (threads,), (x, out, np.int32(x.size)))
        owner = np.arange(x.size) // threads % 5
        assert out.tolist() == [x[owner == block].sum() for block in range(5)]


def test_dynamic_shared_memory(module):
    x = np.arange(96, dtype=np.float32).view(np.complex64)
    out = np.zeros_like(x)
    module.get_function("reversed")((3,), (16,), (x, out, np.int32(16)), shared_mem=16 * 8)
    assert (out.reshape(3, 16) == x.reshape(3, 16)[:, ::-1]).all()


def test_nobody_waits_for_threads_that_returned(module):
    x, out = np.array([10, 20, 30], np.int32), np.zeros((3, 32), np.int32)
    module.get_function("some_return")((3,), (32,), (x, out, np.int32(5)))
    expected = np.zeros((3, 32))
    expected[:, :5:2] = x[:, None] + [0, 2, 4] - 1
    assert (out == expected).all()


@pytest.mark.parametrize(("grid", "block"), [((3,), (4,)), ((2, 3), (4, 2)), ((2, 3, 2), (2, 3, 4)), ([1, 1, 4], [1])])
def test_every_thread_of_every_block_runs_once(module, grid, block):
    grids, blocks = (np.array([*sizes, 1, 1][:3]) for sizes in (grid, block))
    out = np.full((*grids[::-1], *blocks[::-1], 12), -1, np.int32)
    module.get_function("places")(grid, block, (out,))
    indices = np.moveaxis(np.indices(out.shape[:6]), 0, -1)[..., ::-1]  # of thread x, y, z and of block x, y, z
    assert (out[..., 0:3] == indices[..., 3:6]).all() and (out[..., 6:9] == indices[..., 0:3]).all()
    assert (out[..., 3:6] == grids).all() and (out[..., 9:12] == blocks).all()


@pytest.mark.parametrize("write", [0, 1])
def test_shared_memory_starts_as_garbage_in_every_block(module, write):
    outs = np.zeros((2, 3, 64), np.float32)
    for _ in range(2):
        module.get_function("read_before_write")((3,), (64,), (*outs, np.int32(write)), shared_mem=256)
        assert np.isnan(outs).all()
        outs.fill(0)


@pytest.mark.parametrize("reach", [-1, 1])
def test_a_missing_barrier_shows(fibers, reach):
    out, again = np.zeros((2, 4, 64), np.float32)
    for result in (out, again):
        fibers.get_function("no_barrier")((4,), (64,), (result, np.int32(reach % 64)))
    assert np.isnan(out).any() and (out == 1).any()
    np.testing.assert_array_equal(out, again)


def test_writes_past_shared_memory_are_found(module):
    kernel = module.get_function("write_at")
    for shared_mem in (4, 1024, 48 << 10):
        kernel((2,), (8,), (np.int32(shared_mem // 4 - 1),), shared_mem=shared_mem)
        with pytest.raises(RuntimeError, match="write_at wrote past"):
            kernel((2,), (8,), (np.int32(shared_mem // 4),), shared_mem=shared_mem)


def test_maths(module):
    out = np.zeros(2, np.float32)
    module.get_function("maths")((1,), (1,), (out,))
    np.testing.assert_allclose(out, [3 + 2.5 + 0.5, 0.5**0.5 - 1], rtol=1e-6)


def test_all_types_pass(fibers, types):
    kernel = fibers.get_function("types")
    assert kernel.types == ("f4*", "const f8*", "i4*", "const i8*", "c8*", "const b1*", "i4", "i8", "f4", "f8", "b1")
    kernel((1,), (1,), types)
    assert types[0] == 8
    types[1].flags.writeable = False
    types[7], types[9], types[10] = 2, 3.0, True  # in 64 bits, as CuPy passes them
    kernel((1,), (1,), types)
    assert types[0] == 11


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, np.ones(1)),
        (0, np.ones(1, "i4")),
        (0, np.float32(1)),
        (0, None),
        (3, np.ones(1, "i4")),
        (4, np.ones(2, "f4")),
        (6, 1),
        (6, np.int64(1)),
        (6, np.uint32(1)),
        (6, np.float32(1)),
        (6, np.ones(1, "i4")),
        (7, np.int32(1)),
        (8, 1.0),
        (9, np.float32(1)),
        (9, 1),
        (10, 1),
    ],
)
def test_arguments_of_other_types_are_refused(fibers, types, at, wrong):
    types[at] = wrong
    with pytest.raises(TypeError, match=f"types: argument {at} is"):
        fibers.get_function("types")((1,), (1,), types)


def test_arrays_that_cannot_be_what_the_kernel_expects_are_refused(fibers, types):
    kernel = fibers.get_function("types")
    types[0] = np.ones(4, np.float32)[::2]
    with pytest.raises(ValueError, match="argument 0 is not C-contiguous"):
        kernel((1,), (1,), types)
    types[0] = np.ones(4, np.float32)
    types[0].flags.writeable = False
    with pytest.raises(TypeError, match=r"argument 0 is const f4\*, the kernel's parameter f4\*"):
        kernel((1,), (1,), types)
    with pytest.raises(TypeError, match="takes 11 arguments, not 10"):
        kernel((1,), (1,), types[:-1])


@pytest.mark.parametrize(
    ("grid", "block", "shared_mem"),
    [
        ((0,), (1,), 0),
        ((1, 65536), (1,), 0),
        ((1, 1, 65536), (1,), 0),
        ((2**31,), (1,), 0),
        ((), (1,), 0),
        ((1, 1, 1, 1), (1,), 0),
        ((1,), (0,), 0),
        ((1,), (1025,), 0),
        ((1,), (32, 33), 0),
        ((1,), (1, 1, 65), 0),
        ((1,), (1,), -1),
        ((1,), (1,), (48 << 10) + 1),
    ],
)
def test_limits_of_a_launch(fibers, grid, block, shared_mem):
    with pytest.raises(ValueError, match=r"grid=|block=|shared_mem="):
        fibers.get_function("nothing")(grid, block, (), shared_mem=shared_mem)


def test_launch_bounds(fibers):
    assert fibers.get_function("nothing").max_threads == 1024
    x, out = np.zeros((2, 1), np.float32)
    with pytest.raises(ValueError, match=r"sums: block=\(129, 1, 1\) has more threads than 128"):
        fibers.get_function("sums")((1,), (129,), (x, out, np.int32(1)))


def test_the_largest_block(fibers):
    out = np.full((1024, 12), -1, np.int32)
    fibers.get_function("places")((1,), (16, 16, 4), (out,))
    assert (out >= 0).all()


def test_a_warning_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("CXXFLAGS", "-fsyntax-only")  # which is where warnings are found
    (tmp_path / "bad.cu").write_text('\nextern "C" __global__ void bad(float *x) {\n x[0] = 0; int unused; }\n')
    with pytest.raises(RuntimeError, match=r"bad\.cu:3:\d+: error: .*unused"):
        host_cuda.build(tmp_path / "bad.cu", tmp_path)


@pytest.mark.parametrize("named", ["", "no-such-compiler -O3"])
def test_no_compiler(tmp_path, monkeypatch, named):
    (tmp_path / "kernels.cu").write_text(SOURCE)
    monkeypatch.setenv("CXX", named)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no C\\+\\+ compiler"):
        host_cuda.build(tmp_path / "kernels.cu", tmp_path)
