"""The strided batched product of cuBLAS, called directly: CuPy's own functions can't be captured in a CUDA graph."""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from typing import Any, NamedTuple

WORKSPACE_BYTES = 32 << 20
"""NVIDIA's recommendation for its largest GPUs. A graph must not depend on memory that cuBLAS allocates when needed."""


KINDS = {"float32": (0, 68, ctypes.c_float), "float64": (1, 70, ctypes.c_double)}
"""For each dtype: cudaDataType_t, cublasComputeType_t and the C type of the scalars."""


COMPUTE_32F_FAST_TF32 = 77


GEMM_DEFAULT = -1


NOT_ALLOCATED = 3  # CUBLAS_STATUS_ALLOC_FAILED


_INT, _LONG, _POINTER = ctypes.c_int, ctypes.c_longlong, ctypes.c_void_p


_MATRIX = [_POINTER, _INT, _INT, _LONG]


_ARGUMENTS = {
    "cublasCreate_v2": [_POINTER],
    "cublasDestroy_v2": [_POINTER],
    "cublasSetStream_v2": [_POINTER, _POINTER],
    "cublasSetWorkspace_v2": [_POINTER, _POINTER, ctypes.c_size_t],
    "cublasGemmStridedBatchedEx": [
        *[_POINTER, _INT, _INT, _INT, _INT, _INT, _POINTER, *_MATRIX, *_MATRIX, _POINTER, *_MATRIX],
        *[_INT, _INT, _INT],
    ],
}


class Matrices(NamedTuple):
    """The memory layout of a batch of matrices, stored by columns as in cuBLAS.

    Attributes
    ----------
    pointer : int
        Address on the GPU.
    transposed : bool
        Whether the matrices are stored by rows instead.
    leading : int
        Elements from one column (or row, if ``transposed``) to the next.
    stride : int
        Elements from one matrix to the next; 0 if all items share one matrix.
    """

    pointer: int
    transposed: bool
    leading: int
    stride: int


class Cublas:
    """A handle of cuBLAS with its own workspace, for one thread and the device that is current when it is made."""

    def __init__(self) -> None:
        self._cupy = importlib.import_module("cupy")
        self._cupy.cuda.device.get_cublas_handle()  # makes CuPy load the library, wherever it is
        version = self._cupy.cuda.runtime.runtimeGetVersion() // 1000
        self._library = ctypes.CDLL(f"cublas64_{version}.dll" if sys.platform == "win32" else f"libcublas.so.{version}")
        for name, arguments in _ARGUMENTS.items():
            getattr(self._library, name).argtypes = arguments
        self._handle, self._stream = ctypes.c_void_p(), None
        self._call("cublasCreate_v2", ctypes.byref(self._handle))
        self._workspace = self._cupy.cuda.alloc(WORKSPACE_BYTES)

    def __del__(self) -> None:
        """Destroy the handle."""
        if getattr(self, "_handle", None) and not sys.is_finalizing():
            self._library.cublasDestroy_v2(self._handle)

    def gemm(
        self,
        a: Matrices,
        b: Matrices,
        c: Matrices,
        sizes: tuple[int, int, int, int],
        dtype: str,
        beta: float,
        tf32: bool,
    ) -> None:
        """Compute c = a b + beta c on the current stream.

        Parameters
        ----------
        a, b, c : Matrices
            Of shapes (m, k), (k, n) and (m, n).
        sizes : tuple of int
            m, n, k and the batch size.
        dtype : {"float32", "float64"}
        beta : float
        tf32 : bool
            Whether float32 factors may be rounded to TF32.

        Raises
        ------
        MemoryError
            If cuBLAS can't allocate memory.
        RuntimeError
            If cuBLAS fails otherwise.
        """
        stream = self._cupy.cuda.get_current_stream().ptr
        if stream != self._stream:  # setting the stream resets the workspace
            self._call("cublasSetStream_v2", self._handle, stream)
            self._call("cublasSetWorkspace_v2", self._handle, self._workspace.ptr, WORKSPACE_BYTES)
            self._stream = stream
        kind, compute, scalar = KINDS[dtype]
        if tf32 and dtype == "float32":
            compute = COMPUTE_32F_FAST_TF32
        m, n, k, batch = sizes
        self._call(
            "cublasGemmStridedBatchedEx",
            *(self._handle, int(a.transposed), int(b.transposed), m, n, k),
            *(ctypes.byref(scalar(1)), a.pointer, kind, a.leading, a.stride),
            *(b.pointer, kind, b.leading, b.stride),
            *(ctypes.byref(scalar(beta)), c.pointer, kind, c.leading, c.stride),
            *(batch, compute, GEMM_DEFAULT),
        )

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status == NOT_ALLOCATED:
            raise MemoryError(f"cuBLAS: {name} could not allocate memory")
        if status:
            raise RuntimeError(f"cuBLAS: {name} failed with status {status}")


_handles = threading.local()


def cublas() -> Cublas:
    """Return this thread's handle for the current device."""
    handles: dict[int, Cublas] = _handles.__dict__.setdefault("by_device", {})
    device_id = importlib.import_module("cupy").cuda.Device().id
    if device_id not in handles:
        handles[device_id] = Cublas()
    return handles[device_id]
