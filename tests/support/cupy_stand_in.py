"""A stand-in for CuPy on NumPy: the part that the package uses, as strict as CuPy on a GPU.

`install` makes it ``cupy``. It has only names that CuPy 14 has, with CuPy's arguments. Its arrays are not NumPy arrays,
and only `ndarray.get` turns them into NumPy arrays. Each belongs to one of the devices set by `configure`, whose memory
is limited and starts as NaN. While a stream captures, operations are recorded and run only when the graph is launched.
`counters` counts the copies between host and device, the waits of the host, and the launches; a graph is one launch.

Stricter than CuPy: arrays of two devices never mix; during a capture ``concatenate``, ``stack`` and ``linalg`` are
refused whatever the arrays, and so is memory that the pool would have to fetch. More lenient: pools do not fragment,
what they free is not overwritten, streams wait for each other, and plans of FFTs and matrix products need no memory.
"""

import atexit
import contextlib
import functools
import gc
import hashlib
import itertools
import math
import shutil
import sys
import tempfile
import threading
import weakref
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import scipy.fft

SCALARS = bool | int | float | complex | np.generic
counters = SimpleNamespace(host_copies=0, synchronizations=0, launches=0)
_lock, _serial, _local = threading.RLock(), itertools.count(1), threading.local()


# ---------------------------------------------------------------- errors, devices, streams
ERRORS = {
    100: "cudaErrorNoDevice: no CUDA-capable device is detected",
    101: "cudaErrorInvalidDevice: invalid device ordinal",
    900: "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing",
    901: "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture",
}


class CUDARuntimeError(RuntimeError):
    def __init__(self, status, operation=""):
        self.status = status
        super().__init__(ERRORS[status] + (operation and f" ({operation})"))


class OutOfMemoryError(MemoryError):
    def __init__(self, size, total, limit=0):
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes).")


def configure(devices=1, memory=1 << 32):
    """Start again with this many devices of ``memory`` bytes each, and with all counters at zero."""
    global _machine
    _machine = SimpleNamespace(devices=devices, memory=memory, pools=weakref.WeakSet(), dropped=[], pinned_copies=0)
    _machine.live, _machine.peak = [0] * devices, [0] * devices
    _machine.pool = MemoryPool()
    vars(counters).update(host_copies=0, synchronizations=0, launches=0)
    vars(_local).clear()


def pinned_copies():
    """Return the number of copies to or from pinned memory of the host since `configure`."""
    return _machine.pinned_copies


def live_bytes(device=0):
    return _machine.live[device]


def peak_bytes(device=0):
    """Return the most bytes that arrays used at once since `configure` or `reset_peak`."""
    return _machine.peak[device]


def reset_peak():
    _machine.peak = list(_machine.live)


def count_devices():
    if not _machine.devices:
        raise CUDARuntimeError(100)
    return _machine.devices


def device_properties(device):
    return {"name": b"a GPU on NumPy", "totalGlobalMem": _machine.memory}


def current_device():
    return getattr(_local, "device", 0)


class Device:
    def __init__(self, device=None):
        self.id, self._before = current_device() if device is None else int(device), []

    def use(self):
        if not 0 <= self.id < count_devices():
            raise CUDARuntimeError(101)
        _local.device = self.id

    def __enter__(self):
        self._before.append(current_device())
        self.use()
        return self

    def __exit__(self, *error):
        _local.device = self._before.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self):
        return hash(self.id)

    compute_capability = "90"

    @property
    def mem_info(self):
        return _machine.memory - _reserved(self.id), _machine.memory

    def synchronize(self):
        _synchronize("Device.synchronize")


class Stream:
    def __init__(self, null=False, non_blocking=False, ptds=False):
        self.ptr, self.device_id = 0 if null else next(_serial), current_device()
        self.graph, self._before = None, []

    def use(self):
        _streams()[self.device_id] = self
        return self

    def __enter__(self):
        self._before.append(_streams().get(self.device_id, Stream.null))
        return self.use()

    def __exit__(self, *error):
        _streams()[self.device_id] = self._before.pop()

    def synchronize(self):
        _synchronize("Stream.synchronize", self.graph)

    def is_capturing(self):
        return self.graph is not None

    def begin_capture(self, mode=None):
        with self:
            Graph().begin()

    def end_capture(self):
        graph = self.graph
        with self:
            graph.end()
        return graph


def _streams():
    return _local.__dict__.setdefault("streams", {})


def current_stream(device_id=None):
    return _streams().get(current_device() if device_id is None else device_id, Stream.null)


Stream.null = Stream(null=True)


# ---------------------------------------------------------------- captures
class Graph:
    """The work that the current stream gets between `begin` and `end`; each `launch` runs it, on the same memory."""

    def __init__(self):
        self.work, self.reads, self.valid = [], {}, True

    def begin(self):
        self.stream, self.device, self.start = current_stream(), current_device(), next(_serial)
        if self.stream.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        _refuse("another capture")
        self.stream.graph = self

    def end(self):
        self.stream.graph = None
        if not self.valid:
            raise CUDARuntimeError(901)

    def record(self, work, memories):
        self.work.append(work)
        self.reads.update({m.serial: weakref.ref(m) for m in memories if m.serial < self.start})

    def launch(self, stream=None):
        _refuse("Graph.launch")
        if current_device() != self.device:
            raise ValueError(f"graph of device {self.device} launched on device {current_device()}")
        if not all(reference() for reference in self.reads.values()):
            raise RuntimeError("the graph uses memory that is freed: keep the arrays that it was captured with")
        counters.launches += 1
        for work in self.work:
            work()


def _refuse(operation, error=None, graph=None):
    """Raise if the current stream captures. As in CUDA the capture is then lost, except where CuPy itself refuses."""
    graph = graph or current_stream().graph
    if graph is not None:
        graph.valid = graph.valid and error is not None
        raise error or CUDARuntimeError(900, operation)


def _refuse_cublas():
    _refuse("cuBLAS", NotImplementedError("calling cuBLAS API during stream capture is currently unsupported"))


def _host_copy(operation, on_host=None):
    _refuse(operation)
    counters.host_copies += 1
    _machine.pinned_copies += on_host is not None and _is_pinned(on_host)


def _synchronize(operation, graph=None):
    _refuse(operation, graph=graph)
    counters.synchronizations += 1


def record_graph(function):
    """Record the work of a function on the current stream, as `audiostyle_fx._engine.cuda.graphs.record_graph` does."""
    graph = Graph()
    graph.begin()
    try:
        result = function()
    finally:
        graph.end()
    return graph.launch, result


# ---------------------------------------------------------------- memory
class _Memory:
    """A piece of a pool's memory; it returns to the pool with the last array that uses it."""

    def __init__(self, pool, arena, size):
        self.pool, self.arena, self.size, self.serial, self.machine = pool, arena, size, next(_serial), _machine
        self.device_id, self.owner = arena[0], None

    def __del__(self):
        with _lock:
            self.pool.used[self.arena] -= self.size
            self.machine.live[self.device_id] -= self.size


class MemoryPool:
    """Bytes fetched from the device and bytes in use, for each device and stream: streams share no freed memory."""

    def __init__(self, allocator=None):
        self.fetched, self.used, self.base = {}, {}, allocator and allocator.__self__
        with _lock:
            _machine.pools.add(self)
        _machine.dropped.append(self)  # CuPy never returns the memory of a pool that is dropped

    def malloc(self, size):
        size, arena = math.ceil(size / 512) * 512, (current_device(), current_stream().ptr)
        with _lock:
            self._take(arena, size)
            _machine.live[arena[0]] += size
            _machine.peak[arena[0]] = max(_machine.peak[arena[0]], _machine.live[arena[0]])
            return _Memory(self, arena, size)

    def _take(self, arena, size):
        fetched, used = self.fetched.setdefault(arena, 0), self.used.setdefault(arena, 0)
        if used + size > fetched:
            _refuse("cudaMalloc")
            for clean in (lambda: None, self.free_all_blocks, lambda: (gc.collect(), self.free_all_blocks())):
                clean()
                needed = max(0, self.used[arena] + size - self.fetched[arena])
                if self.base is not None:
                    self.base._take(arena, needed)
                elif _reserved(arena[0]) + needed > _machine.memory:
                    continue
                self.fetched[arena] += needed
                break
            else:
                raise OutOfMemoryError(size, self.total_bytes())
        self.used[arena] += size

    def free_all_blocks(self, stream=None):
        with _lock:
            if self.base is not None:
                for arena, fetched in self.fetched.items():
                    self.base.used[arena] -= fetched - self.used[arena]
            self.fetched.update(self.used)

    def free_bytes(self):
        return self.total_bytes() - self.used_bytes()

    def used_bytes(self):
        return sum(n for (device, _), n in self.used.items() if device == current_device())

    def total_bytes(self):
        return sum(n for (device, _), n in self.fetched.items() if device == current_device())


def _reserved(device):
    with _lock:
        pools = list(_machine.pools)
    return sum(
        size for pool in pools if pool.base is None for arena, size in pool.fetched.items() if arena[0] == device
    )


def _no_pool(size):
    pool = MemoryPool()
    _machine.dropped.remove(pool)
    return pool.malloc(size)


class PinnedMemoryPointer(bytearray):
    """Pinned memory of the host, as a buffer; it holds NaN if it is read as floats."""


def alloc_pinned_memory(size):
    count_devices()
    return PinnedMemoryPointer(b"\xff" * (math.ceil(size / 512) * 512))


def _is_pinned(array):
    """Return whether the memory of a NumPy array is pinned."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array.obj if isinstance(array, memoryview) else array, PinnedMemoryPointer)


@contextlib.contextmanager
def using_allocator(allocator=None):
    before = getattr(_local, "allocator", None)
    _local.allocator = allocator or _no_pool
    try:
        yield
    finally:
        _local.allocator = before


def _new(shape, dtype=float, order="C", like=None):
    """Return an array of memory that nothing has written to; ``order`` "K" is the order of ``like``."""
    dtype = np.dtype(dtype)
    if dtype.char not in "?bhilqBHILQefdFD":
        raise ValueError(f"Unsupported dtype {dtype}")
    owner = np.empty_like(like, dtype, order, shape=shape) if order in ("K", "A") else np.empty(shape, dtype, order)
    memory = (getattr(_local, "allocator", None) or _machine.pool.malloc)(owner.nbytes)
    memory.owner = owner
    owner.fill(np.nan if dtype.kind in "fc" else -77 if dtype.kind == "i" else 77)
    return ndarray(owner, memory)


# ---------------------------------------------------------------- operations
def _unwrap(x):
    if isinstance(x, ndarray):
        if x._memory.device_id != current_device():
            raise ValueError(f"array device = {x._memory.device_id} while current = {current_device()}")
        return x._a
    if not isinstance(x, SCALARS):
        raise TypeError(f"Unsupported type {type(x)}")
    return x


def _launch(work, *arrays):
    """Run work, or record it if the current stream captures."""
    graph = current_stream().graph
    if graph is not None:
        graph.record(work, [a._memory for a in arrays if isinstance(a, ndarray)])
        return
    counters.launches += 1
    work()


def _apply(function, *inputs, out=None, casting="same_kind", order="C"):
    """Return the function of the inputs' NumPy arrays as a new array, or in ``out``, which may overlap the inputs."""
    arrays = [_unwrap(x) for x in inputs]
    with np.errstate(all="ignore"):
        first = np.asarray(function(*arrays))
    if out is None:
        out = _new(first.shape, first.dtype, order, first)
    elif not isinstance(out, ndarray):
        raise TypeError(f"Unsupported type {type(out)}")
    target = _unwrap(out)
    if not np.can_cast(first.dtype, target.dtype, casting):
        raise TypeError(f"Cannot cast {first.dtype} to {target.dtype} by {casting}")
    np.broadcast_to(first, target.shape)  # raises if it does not fit
    results = [first]

    def work():
        with np.errstate(all="ignore"):
            np.copyto(target, results.pop() if results else function(*arrays), casting=casting)

    if current_stream().graph is not None:
        results.clear()  # computed from old contents of the memory: only its shape and dtype are valid
    _launch(work, *inputs, out)
    return out


def _axes(k):
    """Return the number of axes that an index uses."""
    return 0 if k is None else k.ndim if isinstance(k, np.ndarray) else 1


def _index(self, key):
    """Return the key for NumPy, and whether it contains arrays; CuPy wraps indices that are out of bounds."""
    key = list(key) if isinstance(key, tuple) else [key]
    key = [asarray(k) if isinstance(k, list | np.ndarray) else k for k in key]
    dots = [i for i, k in enumerate(key) if k is ...]
    if not any(isinstance(k, ndarray) for k in key):
        return (*key, *[...][len(dots) :]), False
    for i, k in enumerate(key):
        if isinstance(k, ndarray) and k.dtype.kind == "b":
            _synchronize("a boolean index")
            key[i] = _unwrap(k)
    for i in dots:
        key[i : i + 1] = [slice(None)] * (self.ndim + 1 - sum(map(_axes, key)))
    for i, k in enumerate(key):
        if isinstance(k, ndarray):
            key[i] = functools.partial(np.remainder, _unwrap(k), self.shape[sum(map(_axes, key[:i]))])
    return key, True


def _resolve(key):
    """Return the key with the present values of its arrays, which change between launches of a graph."""
    return tuple(k() if isinstance(k, functools.partial) else k for k in key)


class ndarray:  # noqa: N801
    __hash__ = None
    __array_priority__ = 100

    def __init__(self, array, memory):
        self._a, self._memory = array, memory

    def _view(self, array):
        return ndarray(array, self._memory)

    # -------- protocols of NumPy
    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_ufunc__(self, ufunc, method, *inputs, out=(None,), **kwargs):
        function = getattr(cupy, ufunc.__name__, None)
        return function(*inputs, out=out[0], **kwargs) if function and method == "__call__" else NotImplemented

    def __array_function__(self, function, types, args, kwargs):
        try:
            mine = functools.reduce(getattr, [*function.__module__.split(".")[1:], function.__name__], cupy)
        except AttributeError:
            return NotImplemented
        return mine(*args, **kwargs) if mine is not function else NotImplemented

    # -------- to the host and back
    def get(self, stream=None, order="C", out=None, blocking=True):
        _host_copy("ndarray.get", out)
        if out is None:
            return np.array(self._a, order=order)
        if out.dtype != self.dtype:
            raise TypeError(f"{self.dtype} array cannot be obtained from {out.dtype} array")
        if out.shape != self.shape:
            raise ValueError(f"Shape mismatch. Expected shape: {self.shape}, actual shape: {out.shape}")
        if not out.flags.c_contiguous:
            raise RuntimeError("`out` cannot be specified when copying to non-contiguous ndarray")
        out[...] = self._a
        return out

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.dtype != self.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not self._a.flags.c_contiguous:
            raise RuntimeError("Cannot set to non-contiguous array")
        _unwrap(self)
        _host_copy("ndarray.set", arr)
        self._a[...] = arr

    def item(self):
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.get().item()

    def __bool__(self):
        if self.size != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(self.get())

    # -------- memory layout
    @property
    def flags(self):
        flags = self._a.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, fnc=flags.fnc)

    @property
    def device(self):
        return Device(self._memory.device_id)

    @property
    def data(self):
        return SimpleNamespace(ptr=self._a.ctypes.data, device=self.device, device_id=self._memory.device_id)

    @property
    def T(self):  # noqa: N802
        return self._view(self._a.T)

    @property
    def real(self):
        return self._view(self._a.real) if self.dtype.kind == "c" else self

    @real.setter
    def real(self, value):
        self.real[...] = value

    @property
    def imag(self):
        return self._view(self._a.imag) if self.dtype.kind == "c" else zeros_like(self)

    @imag.setter
    def imag(self, value):
        if self.dtype.kind != "c":
            raise TypeError("cannot set imag to a real array")
        self.imag[...] = value

    def __len__(self):
        return len(self._a)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        key, advanced = _index(self, key)
        return _apply(lambda a: a[_resolve(key)], self) if advanced else self._view(self._a[key])

    def __setitem__(self, key, value):
        key, advanced = _index(self, key)
        if isinstance(value, np.ndarray | list) and np.ndim(value) and not advanced:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        if isinstance(value, np.ndarray | list):
            value = asarray(value)
        if not advanced:
            _apply(np.asarray, value, out=self._view(self._a[key]), casting="unsafe")
            return
        target, given = _unwrap(self), _unwrap(value)
        np.broadcast_to(given, target[_resolve(key)].shape)

        def work():
            target[_resolve(key)] = given

        _launch(work, self, value)

    def reshape(self, *shape, order="C"):
        result = self._a.reshape(*shape, order=order)
        if np.may_share_memory(result, self._a):
            return self._view(result)
        return _apply(lambda a: a.reshape(result.shape, order=order), self)

    def ravel(self, order="C"):
        return self.reshape(-1, order=order)

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return _apply(lambda a: a.astype(dtype), self, order=order)

    def copy(self, order="C"):
        return _apply(np.array, self, order=order)

    def fill(self, value):
        self[...] = value

    def __matmul__(self, other):
        return cupy.matmul(self, other)


for _name in ("shape", "dtype", "strides", "ndim", "size", "nbytes", "itemsize"):
    setattr(ndarray, _name, property(lambda self, name=_name: getattr(self._a, name)))
for _name in ("transpose", "swapaxes", "squeeze", "view", "diagonal"):  # views of any array
    setattr(ndarray, _name, lambda self, *args, name=_name, **kw: self._view(getattr(self._a, name)(*args, **kw)))
for _function in (int, float, complex, str, repr):
    setattr(ndarray, f"__{_function.__name__}__", lambda self, function=_function: function(self.get()))


# ---------------------------------------------------------------- functions of arrays
def _ufunc(function):
    def apply(*args, out=None, dtype=None, casting="same_kind"):
        if len(args) > function.nin and out is None:
            *args, out = args
        kwargs = {} if dtype is None else {"dtype": dtype}
        return _apply(lambda *arrays: function(*arrays, **kwargs), *args, out=out, casting=casting)

    apply.__name__ = function.__name__
    return apply


def _reduction(function, typed):
    def reduce(a, axis=None, dtype=None, out=None, keepdims=False):
        kwargs = {"axis": axis, "keepdims": keepdims} | ({} if dtype is None else {"dtype": dtype})
        return _apply(lambda x: function(x, **kwargs), a, out=out)

    def untyped(a, axis=None, out=None, keepdims=False):
        return reduce(a, axis, None, out, keepdims)

    return reduce if typed else untyped


def _filled(value):
    def create(shape, dtype=float, order="C", *, like=None):
        out = _new(shape, dtype, order, like)
        if value is not None:
            out.fill(value)
        return out

    def like(a, dtype=None, order="K", subok=None, shape=None):
        return create(a.shape if shape is None else shape, dtype or a.dtype, order, like=a._a)

    return create, like


(empty, empty_like), (zeros, zeros_like), (ones, ones_like) = map(_filled, (None, 0, 1))


def full(shape, fill_value, dtype=None, order="C"):
    return _filled(fill_value)[0](shape, np.array(fill_value).dtype if dtype is None else dtype, order)


def arange(start, stop=None, step=1, dtype=None):
    start, stop = (0, start) if stop is None else (start, stop)
    return _apply(lambda: np.arange(start, stop, step, dtype))


def array(obj, dtype=None, copy=True, order="K"):
    if isinstance(obj, ndarray):
        if obj.device.id != current_device():
            copy_here = _new(obj.shape, obj.dtype)
            _launch(lambda: np.copyto(copy_here._a, obj._a), obj, copy_here)
            return copy_here.astype(obj.dtype if dtype is None else dtype, copy=False)
        return obj.astype(obj.dtype if dtype is None else dtype, order or "K", copy=bool(copy))
    _host_copy("an array from the host")
    on_host = np.array(obj, dtype)
    out = _new(on_host.shape, on_host.dtype, "F" if on_host.flags.fnc else "C")
    out._a[...] = on_host
    return out


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, copy, order)


def ascontiguousarray(a, dtype=None):
    a = asarray(a, dtype)
    return a if a.flags.c_contiguous else a.copy()


def asnumpy(a, stream=None, order="C"):
    return a.get(stream, order) if isinstance(a, ndarray) else np.asarray(a)


def get_array_module(*args):
    return cupy if any(isinstance(a, ndarray) for a in args) else np


def result_type(*args):
    return np.result_type(*[a.dtype if isinstance(a, ndarray) else a for a in args])


def where(condition, x=None, y=None):
    return nonzero(condition) if x is None and y is None else _apply(np.where, condition.astype(bool, copy=False), x, y)


def nonzero(a):
    _synchronize("nonzero")
    return tuple(asarray(found) for found in np.nonzero(_unwrap(a)))


def clip(a, a_min, a_max, out=None):
    return _apply(lambda x, *bounds: np.clip(x, *bounds), a, a_min, a_max, out=out)


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    return _apply(lambda x: np.nan_to_num(x, copy, nan, posinf, neginf), x)


def cumsum(a, axis=None, dtype=None, out=None):
    return _apply(lambda x: np.cumsum(x, axis, dtype), a, out=out)


def concatenate(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    _refuse("concatenate: a table of pointers from the host")
    if not all(isinstance(a, ndarray) for a in tup):
        raise TypeError("Only cupy arrays can be concatenated")
    return _apply(lambda *arrays: np.concatenate(arrays, axis, dtype=dtype, casting=casting), *tup, out=out)


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    if any(_unwrap(a) is a for a in tup):
        raise TypeError("Only cupy arrays can be stacked")
    tup = [a._view(np.expand_dims(a._a, axis)) for a in tup]
    return concatenate(tup, axis, out, dtype=dtype, casting=casting)


def broadcast_to(array, shape):
    return array._view(np.broadcast_to(array._a, shape))


def pad(array, pad_width, mode="constant", **kwargs):
    return _apply(lambda a: np.pad(a, pad_width, mode, **kwargs), array)


def einsum(subscripts, *operands):
    first = np.einsum(subscripts, *map(_unwrap, operands)) if len(operands) == 1 else None
    if first is not None and np.may_share_memory(first, operands[0]._a):
        return operands[0]._view(first)
    taken, given = subscripts.split("->")
    if len(operands) > 1 and set(taken) - {","} != set(given):
        _refuse_cublas()  # CuPy computes such sums by matrix products
    return _apply(lambda *arrays: np.einsum(subscripts, *arrays), *operands)


def _blas(function):
    def product(*args, **kwargs):
        _refuse_cublas()
        return _apply(lambda *arrays: function(*arrays, **kwargs), *args)

    return product


def as_strided(x, shape=None, strides=None):
    return x._view(np.lib.stride_tricks.as_strided(x._a, shape, strides))


def sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    for _ in range(1 + np.size(window_shape)):  # CuPy sends the shape to the GPU and compares it
        _host_copy("sliding_window_view")
    return x._view(np.lib.stride_tricks.sliding_window_view(x._a, window_shape, axis, writeable=True))


class Plan1d:
    """A plan of cuFFT for so many transforms of ``nx`` samples; a capture allows to use it, but not to make one."""

    def __init__(self, nx, fft_type, batch, *, devices=None, out=None):
        _refuse("a new cuFFT plan")
        self.nx, self.kind, self.batch, self.device = nx, fft_type, batch, current_device()

    def fft(self, a, out, direction):
        inputs, outputs = self.nx, self.nx
        if self.kind == "rfft":
            outputs = self.nx // 2 + 1
        if self.kind == "irfft":
            inputs = self.nx // 2 + 1
        if (a.size, out.size, self.device) != (self.batch * inputs, self.batch * outputs, current_device()):
            raise ValueError("the plan is for other arrays")
        if not (a.flags.c_contiguous and out.flags.c_contiguous):
            raise ValueError("a transform reads and writes from the first element on, whatever the strides")
        assert direction == (1 if self.kind == "irfft" else -1)
        source, target = _unwrap(a).reshape(self.batch, inputs), _unwrap(out).reshape(self.batch, outputs)

        def work():
            target[...] = getattr(scipy.fft, self.kind)(source, self.nx, norm="forward" if direction == 1 else None)
            if self.kind == "irfft":
                source.fill(np.nan)  # cuFFT may overwrite its input

        _launch(work, a, out)


_PLANS = SimpleNamespace(get_plan_cache=lambda: SimpleNamespace(clear=lambda: None))


def _planned_fft(kind):
    """Return CuPy's transform: it needs a plan, which each thread keeps and can't make during a capture."""

    def transform(a, n=None, axis=-1, norm=None):
        plans = _local.__dict__.setdefault("plans", set())
        plan = (current_device(), kind, a.dtype, n or a.shape[axis], a.size // a.shape[axis])
        if plan not in plans:
            _refuse("a new cuFFT plan")
        plans.add(plan)
        return _apply(lambda x: getattr(scipy.fft, kind)(x, n, axis, norm), a)

    return transform


def matmul(a, b, out, *, accumulate=False, tf32=False):
    """Fill ``out`` with the products of matrices, or add them to it; a capture allows it, unlike CuPy's own."""
    if accumulate:
        return _apply(lambda a, b, c: c + np.matmul(a, b), a, b, out, out=out)
    return _apply(np.matmul, a, b, out=out)


# ---------------------------------------------------------------- kernels
class RawModule:
    """CUDA source; each process builds it for the host once."""

    fibers = True  # False runs each thread of a block as a thread of the system, which takes a hundred times as long
    _built = {}  # noqa: RUF012

    def __init__(self, *, code=None, path=None, options=(), backend="nvrtc"):
        self.code, self.options = Path(path).read_text(encoding="utf-8") if code is None else code, tuple(options)

    def get_function(self, name):
        from support.host_cuda import build

        key = self.fibers, hashlib.sha256(self.code.encode()).hexdigest()
        with _lock:
            if key not in self._built:
                folder = Path(tempfile.mkdtemp())
                atexit.register(shutil.rmtree, folder, ignore_errors=True)
                source = folder / "kernels.cu"
                source.write_text(self.code, encoding="utf-8")
                self._built[key] = build(source, folder, fibers=self.fibers)
        return functools.partial(_launch_kernel, self._built[key].get_function(name))


def _launch_kernel(function, grid, block, args, *, shared_mem=0, stream=None):
    given = [_pointer(x) if isinstance(x, ndarray) else _by_value(x) for x in args]
    _launch(lambda: function(grid, block, given, shared_mem=shared_mem), *args)


def _pointer(x):
    """Return a contiguous NumPy array that starts where ``x`` does: a kernel gets an address, not the strides."""
    array = _unwrap(x)
    if array.flags.c_contiguous:
        return array
    owner = x._memory.owner
    flat = np.lib.stride_tricks.as_strided(owner, (owner.size,), (owner.itemsize,)).view(array.dtype)
    return flat[(array.ctypes.data - owner.ctypes.data) // array.itemsize :]


def _by_value(x):
    """Return a number as CuPy passes it: numbers of Python in 64 bits, those of NumPy in their own type."""
    _unwrap(x)
    return x if isinstance(x, np.generic) else np.array(x)[()]


# ---------------------------------------------------------------- the module
_UFUNCS = """abs absolute add arctan2 bitwise_and bitwise_or bitwise_xor conj conjugate copysign cos divide equal exp
expm1 floor floor_divide greater greater_equal invert isfinite isnan less less_equal log log10 log1p logical_and
logical_not logical_or maximum minimum multiply negative not_equal power remainder sign sin sqrt square subtract
true_divide"""
_OWN = """RawModule arange array asarray ascontiguousarray asnumpy broadcast_to clip concatenate cumsum einsum empty
empty_like full get_array_module nan_to_num ndarray nonzero ones ones_like pad result_type stack where zeros
zeros_like"""
_NUMPY = """bool_ complex64 complex128 dtype finfo float16 float32 float64 iinfo inf int8 int16 int32 int64 nan newaxis
pi uint8 uint16 uint32 uint64"""
_OPERATORS = """add:add sub:subtract mul:multiply truediv:true_divide floordiv:floor_divide mod:remainder pow:power
and:bitwise_and or:bitwise_or xor:bitwise_xor"""
_COMPARISONS = "lt:less le:less_equal eq:equal ne:not_equal gt:greater ge:greater_equal"


def _module(name, contents):
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)  # for importlib.util.find_spec
    vars(module).update(contents)
    return module


def _named(names, source):
    return {name: source(name) for name in names.split()}


_own, _runtime = globals().get, {"CUDARuntimeError": CUDARuntimeError}
_runtime |= {"getDevice": current_device, "getDeviceCount": count_devices}
_runtime["getDeviceProperties"] = device_properties
_cuda = {
    **_named("Device Graph MemoryPool Stream alloc_pinned_memory using_allocator", _own),
    "get_current_stream": current_stream,
    "is_available": lambda: _machine.devices > 0,
    "cufft": _module(
        "cupy.cuda.cufft",
        {
            "Plan1d": Plan1d,
            "getVersion": lambda: (13, 0),
            **{"CUFFT_C2C": "fft", "CUFFT_R2C": "rfft", "CUFFT_C2R": "irfft", "CUFFT_FORWARD": -1, "CUFFT_INVERSE": 1},
        },
    ),
    "memory": _module("cupy.cuda.memory", {"MemoryPool": MemoryPool, "OutOfMemoryError": OutOfMemoryError}),
    "runtime": _module("cupy.cuda.runtime", _runtime),
}
_tricks = _module("cupy.lib.stride_tricks", _named("as_strided sliding_window_view", _own))
cupy = _module(
    "cupy",
    {
        **_named(_OWN, _own),
        **_named(_NUMPY, lambda name: getattr(np, name)),
        **_named(_UFUNCS, lambda name: _ufunc(getattr(np, name))),
        **_named("sum mean", lambda name: _reduction(getattr(np, name), typed=True)),
        **_named("max min any all", lambda name: _reduction(getattr(np, name), typed=False)),
        **_named("matmul dot", lambda name: _blas(getattr(np, name))),
        "__version__": "14.0",
        "cuda": _module("cupy.cuda", _cuda),
        "fft": _module("cupy.fft", {**_named("fft ifft rfft irfft", _planned_fft), "config": _PLANS}),
        "get_default_memory_pool": lambda: _machine.pool,
        "lib": _module("cupy.lib", {"stride_tricks": _tricks}),
        "linalg": _module("cupy.linalg", {"norm": _blas(np.linalg.norm)}),
    },
)
for _name in ("sum", "mean", "max", "min", "any", "all", "conj"):
    setattr(ndarray, _name, lambda self, *args, name=_name, **kwargs: getattr(cupy, name)(self, *args, **kwargs))
for _pair in f"{_OPERATORS} {_COMPARISONS}".split():
    _name, _function = _pair.split(":")[0], getattr(cupy, _pair.split(":")[1])
    setattr(ndarray, f"__{_name}__", lambda self, other, function=_function: function(self, other))
    if _pair in _OPERATORS:
        setattr(ndarray, f"__r{_name}__", lambda self, other, function=_function: function(other, self))
        setattr(ndarray, f"__i{_name}__", lambda self, other, function=_function: function(self, other, out=self))
for _name, _function in {"neg": "negative", "abs": "absolute", "invert": "invert"}.items():
    setattr(ndarray, f"__{_name}__", lambda self, name=_function: getattr(cupy, name)(self))


def install(monkeypatch, devices=1, memory=1 << 32):
    """Make this module ``cupy`` until the test ends, with devices as in `configure`, and return it."""
    configure(devices, memory)
    for module in (
        cupy,
        cupy.cuda,
        cupy.cuda.cufft,
        cupy.cuda.memory,
        cupy.cuda.runtime,
        cupy.fft,
        cupy.lib,
        cupy.linalg,
    ):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for library in ("cupy_backends.cuda.libs.cublas", "cupy_backends.cuda.libs.nvrtc"):
        monkeypatch.setitem(sys.modules, library, _module(library, {"getVersion": lambda: (13, 0)}))
    return cupy


configure()
