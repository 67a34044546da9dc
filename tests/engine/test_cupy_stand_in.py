"""The rules of the stand-in for CuPy, without which a test that runs on it would show nothing."""

import importlib.util
import threading

import numpy as np
import pytest
from support import cupy_stand_in as stand_in

cp = stand_in.cupy
KERNEL = """
extern "C" __global__ void scale(const float *x, float *out, long long n, float factor) {
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = factor * x[i];
}
"""


@pytest.fixture(autouse=True)
def fresh():
    stand_in.configure(devices=2, memory=1 << 20)
    yield
    stand_in.configure()


@pytest.fixture
def x():
    return cp.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))


@pytest.fixture
def stream():
    with cp.cuda.Stream(non_blocking=True) as stream, cp.cuda.using_allocator(cp.cuda.MemoryPool().malloc):
        reserve = cp.empty(1 << 12)  # a capture takes its memory from the pool
        del reserve
        yield stream


def host(x):
    assert isinstance(x, cp.ndarray)
    return x.get()


def test_install_makes_it_cupy_until_the_test_ends():
    with pytest.MonkeyPatch.context() as patch:
        assert stand_in.install(patch) is cp
        import cupy

        assert cupy is cp and cupy.cuda.Device(0).id == 0 and importlib.util.find_spec("cupy")
    assert stand_in.sys.modules.get("cupy") is not cp


def test_every_name_is_one_that_cupy_has():
    cupy = pytest.importorskip("cupy")
    for mine, its in [(cp, cupy), *((getattr(cp, n), getattr(cupy, n)) for n in ("cuda", "fft", "lib", "linalg"))]:
        assert {name for name in vars(mine) if name[0] != "_"} <= {*dir(its)}
    for name in ("Device", "MemoryPool"):
        assert {n for n in dir(getattr(cp.cuda, name)) if n[0] != "_"} <= {*dir(getattr(cupy.cuda, name))}
    assert {name for name in dir(cp.ndarray) if name[0] != "_"} <= {*dir(cupy.ndarray)}


MIXED = {
    "operator": lambda x, a: x + a,
    "reflected": lambda x, a: a * x,
    "compared": lambda x, a: x < a,
    "in place": lambda x, a: x.__iadd__(a),
    "into NumPy": lambda x, a: a.__iadd__(x),
    "function": lambda x, a: cp.maximum(x, a),
    "NumPy's function": lambda x, a: np.add(a, x),
    "out": lambda x, a: cp.exp(x, out=a),
    "NumPy's out": lambda x, a: np.exp(a, out=x),
    "where": lambda x, a: cp.where(x > 1, x, a),
    "stack": lambda x, a: cp.stack([x, a]),
    "einsum": lambda x, a: cp.einsum("ij,ij->i", x, a),
    "conversion": lambda x, a: np.asarray(x),
    "into an array": lambda x, a: a.__setitem__(0, x[0]),
    "SciPy": lambda x, a: stand_in.scipy.fft.rfft(x),
    "a list": lambda x, a: x * a.tolist(),
}


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED)
def test_numpy_arrays_are_never_mixed_in(x, mix):
    with pytest.raises(TypeError):
        mix(x, np.ones((3, 4), np.float32))


def test_assigning_a_numpy_array_fails_as_in_cupy(x):
    with pytest.raises(ValueError, match="non-scalar"):
        x[0] = np.ones(4, np.float32)


def test_numpys_functions_give_arrays_of_the_device(x):
    for result in (np.sqrt(x), np.float32(2) * x, np.sum(x), np.add(x, x), np.fft.rfft(x)):
        assert isinstance(result, cp.ndarray)
    with pytest.raises(TypeError):
        np.median(x)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_results_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((2, 5, 6)).astype(dtype)
    a, x = a + dtype(1) / 2, cp.asarray(a + dtype(1) / 2)
    mask, rows = a.real > 0.5, np.array([0, -1, 4])
    pairs = [
        (x + 2, a + 2),
        (2.5 - x, 2.5 - a),
        (-x / 3, -a / 3),
        (x.sum(axis=1, dtype=cp.complex128), a.sum(axis=1, dtype=np.complex128)),
        (x.mean(axis=(0, 2), keepdims=True), a.mean(axis=(0, 2), keepdims=True)),
        (abs(x).max(axis=0), abs(a).max(axis=0)),
        (x[:, ::-2, None, 1:].swapaxes(0, 1).reshape(-1, 2), a[:, ::-2, None, 1:].swapaxes(0, 1).reshape(-1, 2)),
        (x[:, cp.asarray(rows)], a[:, rows]),
        (x[cp.asarray(rows[:2]), ..., 1], a[rows[:2], ..., 1]),
        (x[cp.asarray(mask)], a[mask]),
        (x[1, 2, 3], a[1, 2, 3]),
        (cp.cumsum(x, axis=1), np.cumsum(a, axis=1)),
        (cp.log10(abs(x)), np.log10(abs(a))),
        (cp.where(abs(x) > 1, x, 1), np.where(abs(a) > 1, a, 1)),
        (cp.pad(x, ((0, 0), (1, 2), (3, 0)), mode="reflect"), np.pad(a, ((0, 0), (1, 2), (3, 0)), mode="reflect")),
        (cp.einsum("bij,bij->bi", x, x), np.einsum("bij,bij->bi", a, a)),
        (cp.stack([x, x], 1), np.stack([a, a], 1)),
        (x @ x.swapaxes(1, 2), a @ a.swapaxes(1, 2)),
        (x.real.astype(np.float64).T, a.real.astype(np.float64).T),
        (cp.fft.fft(x), np.fft.fft(a).astype(np.complex64)),
        (cp.linalg.norm(x[0]), np.linalg.norm(a[0])),
        (cp.lib.stride_tricks.sliding_window_view(x, 3, axis=1), np.lib.stride_tricks.sliding_window_view(a, 3, 1)),
    ]
    for i, (found, expected) in enumerate(pairs):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), i
        np.testing.assert_allclose(host(found), expected, rtol=1e-5, atol=1e-5, err_msg=str(i))


def test_views_share_memory_and_copies_do_not(x):
    x[0, 1:3] = -1
    view, copy = x.reshape(-1)[4:8], x.T.reshape(-1)
    view *= 10
    cp.einsum("ii->i", x[:, :3])[:] = cp.asarray(np.float32([7, 8, 9]))
    assert host(x).tolist() == [[7, -1, -1, 3], [40, 8, 60, 70], [8, 9, 9, 11]]
    assert host(copy).tolist()[:3] == [0, 4, 8]
    z = cp.empty((2, 2), cp.complex64)
    z.real, z.imag = 1, z.real
    assert host(z).tolist() == [[1 + 1j] * 2] * 2


def test_advanced_indices_are_assigned_to_and_wrap_around(x):
    rows, columns = cp.asarray(np.array([0, 4])), cp.asarray(np.array([1, -1]))
    x[rows, columns] = cp.asarray(np.float32([50, 60]))
    assert host(x)[0, 1] == 50 and host(x)[1, 3] == 60


def test_results_are_contiguous_whatever_their_operands_are(x):
    assert (x.T + 1).flags.c_contiguous and x.T.copy().flags.c_contiguous
    assert x[None].swapaxes(1, 2).astype(np.float64).strides[1:] == (8, 32)  # of the same order, as in empty_like
    assert cp.empty_like(x.T).flags.f_contiguous and not cp.ascontiguousarray(x.T).flags.f_contiguous


def test_output_of_the_wrong_shape_or_kind_fails(x):
    with pytest.raises(ValueError, match=r"broadcast|dimensions"):
        cp.exp(x, out=cp.empty(4, np.float32))
    with pytest.raises(TypeError, match="Cannot cast"):
        cp.sqrt(x, out=cp.empty((3, 4), np.int32))


def test_new_memory_is_no_number():
    assert np.isnan(host(cp.empty(3, np.float32))).all() and np.isnan(host(cp.empty_like(cp.zeros(2)))).all()
    assert host(cp.empty(1, np.int32)) != 0 and not host(cp.zeros(2)).any()


def test_what_goes_to_the_host_and_what_waits_is_counted(x):
    stand_in.counters.host_copies = 0
    y = (x * 2).sum(axis=0)[1:].reshape(-1)
    assert (y > 1).all() is not True
    assert stand_in.counters.host_copies == 0
    for n, act in enumerate((y.get, y[0].item, lambda: float(y[0]), lambda: bool(y[0]), lambda: cp.asarray([1])), 1):
        act()
        assert stand_in.counters.host_copies == n
    before = stand_in.counters.launches
    cp.maximum(y, 0, out=y)
    assert stand_in.counters.launches == before + 1
    cp.nonzero(y)
    cp.cuda.get_current_stream().synchronize()
    assert stand_in.counters.synchronizations == 2


# ---------------------------------------------------------------- devices and memory
def test_arrays_of_two_devices_do_not_mix(x):
    with cp.cuda.Device(1):
        y = cp.ones((3, 4), np.float32)
        assert y.device == cp.cuda.Device(1) and x.device.id == 0
        with pytest.raises(ValueError, match="device"):
            y + x
        with pytest.raises(ValueError, match="device"):
            x + 1
        assert host(cp.asarray(x) + y).sum() == 78
    with pytest.raises(ValueError, match="device"):
        x += y
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError), cp.cuda.Device(2):
        pass
    stand_in.configure(devices=0)
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="NoDevice"):
        cp.cuda.runtime.getDeviceCount()


def test_a_thread_has_its_own_device_and_stream():
    found = []
    with cp.cuda.Device(1), cp.cuda.Stream() as stream:
        thread = threading.Thread(target=lambda: found.append((cp.cuda.Device().id, cp.cuda.get_current_stream().ptr)))
        thread.start()
        thread.join()
        assert found == [(0, 0)] and cp.cuda.get_current_stream() is stream and cp.cuda.Device().id == 1


def test_memory_is_counted_and_runs_out():
    x = cp.zeros(1 << 16)
    view = x[1:]
    assert stand_in.live_bytes() == x.nbytes and stand_in.live_bytes(1) == 0
    y = x * 2
    del x, y
    assert stand_in.live_bytes() == view.nbytes + 8 and stand_in.peak_bytes() == 1 << 20
    with pytest.raises(cp.cuda.memory.OutOfMemoryError):
        cp.empty((1 << 16) + 1)
    with cp.cuda.Device(1):
        assert cp.cuda.Device().mem_info == (1 << 20, 1 << 20)
    del view
    assert stand_in.live_bytes() == 0 and cp.cuda.Device().mem_info[0] == 1 << 19
    cp.get_default_memory_pool().free_all_blocks()
    assert cp.cuda.Device().mem_info[0] == 1 << 20


def test_a_pools_freed_memory_serves_its_stream_alone():
    pool = cp.cuda.MemoryPool()
    with cp.cuda.using_allocator(pool.malloc):
        cp.empty(1 << 10)
        cp.empty(1 << 10)
        assert pool.total_bytes() == 1 << 13 and pool.used_bytes() == 0
        with cp.cuda.Stream():
            cp.empty(1 << 10)
        assert pool.total_bytes() == 1 << 14 and pool.used_bytes() == 0
    assert cp.empty(4).nbytes and pool.used_bytes() == 0
    free = cp.cuda.Device().mem_info[0]
    with cp.cuda.using_allocator(None):  # no pool, which keeps nothing
        cp.empty(4)
    assert cp.cuda.Device().mem_info[0] == free


# ---------------------------------------------------------------- captures
def test_a_graph_does_nothing_until_launched_and_then_everything_again(x, stream):
    y, index = cp.zeros(4, np.float32), cp.asarray(np.array([1]))
    stream.begin_capture()
    product = x * 2
    y += product.sum(axis=0)
    x[index] = -1
    product[0] = y
    graph = stream.end_capture()
    assert np.isnan(host(product)).all() and not host(y).any()
    for launch in range(1, 3):
        expected = host(y) + 2 * host(x).sum(axis=0)
        graph.launch()
        np.testing.assert_array_equal(host(y), expected)
        np.testing.assert_array_equal(host(product)[0], expected)
        assert host(x)[1, 0] == -1 and stand_in.counters.launches >= launch
    index.fill(2)
    graph.launch()
    assert (host(x)[2] == -1).all()


REFUSED = {
    "from the host": lambda x: cp.asarray(np.ones(3)),
    "to the host": lambda x: x.get(),
    "to a number": lambda x: float(x[0, 0]),
    "to a truth": lambda x: bool((x > 0).all()),
    "wait for the stream": lambda x: cp.cuda.get_current_stream().synchronize(),
    "wait for the device": lambda x: cp.cuda.Device().synchronize(),
    "stack": lambda x: cp.stack([x, x]),
    "nonzero": cp.nonzero,
    "a mask": lambda x: x[x > 0],
    "an index from the host": lambda x: x[[0, 1]],
    "a value from the host": lambda x: x.__setitem__(cp.zeros(1, int), np.ones(4)),
    "a new plan": lambda x: cp.fft.rfft(x),
    "sliding windows": lambda x: cp.lib.stride_tricks.sliding_window_view(x, 2, axis=0),
    "more memory": lambda x: cp.empty(1 << 16),
    "a capture": lambda x: cp.cuda.get_current_stream().begin_capture(),
}
BLAS = {
    "matmul": lambda x: x @ x.T,
    "einsum": lambda x: cp.einsum("ij,ij->i", x, x),
    "norm": cp.linalg.norm,
}


@pytest.mark.parametrize("act", [*REFUSED.values(), *BLAS.values()], ids=[*REFUSED, *BLAS])
def test_what_no_capture_allows(x, stream, act):
    stream.begin_capture()
    with pytest.raises(NotImplementedError if act in BLAS.values() else cp.cuda.runtime.CUDARuntimeError):
        act(x)
    if act in BLAS.values():  # CuPy refuses, and CUDA does not hear of it
        stream.end_capture()
    else:
        with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="Invalidated"):
            stream.end_capture()
    assert not stream.is_capturing() and host(x + 1).any()


def test_what_a_capture_does_allow(x, stream):
    cp.fft.rfft(x)
    out, graph = cp.zeros((1, 3, 3), np.float32), stand_in.Graph()
    graph.begin()
    stand_in.matmul(x[None], x.T[None], out, accumulate=True)
    diagonal = cp.einsum("bii->bi", out)
    spectrum = cp.fft.rfft(x)
    parts = cp.where(x > 3, x, 0).astype(np.float64)
    graph.end()
    graph.launch()
    graph.launch()
    x = host(x)
    np.testing.assert_allclose(host(out)[0], 2 * x @ x.T)
    np.testing.assert_allclose(host(diagonal)[0], 2 * (x**2).sum(axis=1))
    np.testing.assert_allclose(host(spectrum), np.fft.rfft(x), rtol=1e-6, atol=1e-6)
    assert host(parts).sum() == 60


def test_plans_are_made_before_a_capture_and_may_overwrite_their_input(stream):
    samples = cp.asarray(np.arange(12, dtype=np.float32).reshape(2, 6))
    spectrum, back = cp.empty((2, 4), np.complex64), cp.empty((2, 6), np.float32)
    forward, inverse = (cp.cuda.cufft.Plan1d(6, kind, 2) for kind in ("rfft", "irfft"))
    stream.begin_capture()
    forward.fft(samples, spectrum, cp.cuda.cufft.CUFFT_FORWARD)
    inverse.fft(spectrum, back, cp.cuda.cufft.CUFFT_INVERSE)
    graph = stream.end_capture()
    graph.launch()
    np.testing.assert_allclose(host(back), 6 * host(samples), atol=1e-5)
    assert np.isnan(host(spectrum)).all()
    with pytest.raises(ValueError, match="other arrays"):
        forward.fft(samples[:1], spectrum, -1)
    with pytest.raises(ValueError, match="strides"):
        forward.fft(cp.zeros((6, 2), np.float32).T, spectrum, -1)
    stream.begin_capture()
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError):
        cp.cuda.cufft.Plan1d(8, "fft", 1)
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="Invalidated"):
        stream.end_capture()


def test_the_default_stream_cannot_capture():
    with pytest.raises(RuntimeError, match="default"):
        cp.cuda.get_current_stream().begin_capture()


def test_a_graph_outlived_by_none_of_its_inputs_fails(x, stream):
    y = x + 1
    stream.begin_capture()
    z = y * 2
    graph = stream.end_capture()
    graph.launch()
    assert host(z)[0, 0] == 2
    del y
    with pytest.raises(RuntimeError, match="freed"):
        graph.launch()


def test_kernels_run_on_arrays_and_views_and_in_graphs(x, stream):
    scale = cp.RawModule(code=KERNEL, options=("-std=c++17",)).get_function("scale")
    out, n = cp.zeros(12, np.float32), np.int64(4)
    scale((1,), (32,), (x[1:], out[2:], n, np.float32(3)))
    assert host(out).tolist() == [0, 0, 12, 15, 18, 21, 0, 0, 0, 0, 0, 0]
    scale((1,), (32,), (x[:, 1:], out[::2], 4, np.float32(1)))  # only the addresses count
    assert host(out).tolist()[:4] == [1, 2, 3, 4]
    stream.begin_capture()
    scale((1,), (32,), (out, out, n, np.float32(2)))
    graph = stream.end_capture()
    graph.launch()
    graph.launch()
    assert host(out).tolist()[:5] == [4, 8, 12, 16, 18]
    with pytest.raises(TypeError, match="Unsupported"):
        scale((1,), (32,), (x, np.zeros(12, np.float32), n, np.float32(3)))
