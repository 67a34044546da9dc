"""cuBLAS's strided batched product by itself: what CuPy offers over it refuses to be captured in a CUDA graph."""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from typing import Any, NamedTuple

WORKSPACE_BYTES = 32 << 20
"""What NVIDIA recommends for its largest cards; a graph must not depend on memory that cuBLAS takes as it goes."""


# cudaDataType_t and cublasComputeType_t, with the type of the scalars.
KINDS = {"float32": (0, 68, ctypes.c_float), "float64": (1, 70, ctypes.c_double)}


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
    """A batch of matrices in memory, columns first as cuBLAS has them.

    Attributes
    ----------
    pointer : int
        Address on the card.
    transposed : bool
        Whether it is the rows that lie one after the other.
    leading : int
        Elements from one column (or row, if transposed) to the next.
    stride : int
        Elements from one matrix to the next; 0 for one that all items share.
    """

    pointer: int
    transposed: bool
    leading: int
    stride: int


class Cublas:
    """A handle of cuBLAS with a workspace of its own, for one thread and the card it was made on."""

    def __init__(self) -> None:
        self._cupy = importlib.import_module("cupy")
        self._cupy.cuda.device.get_cublas_handle()  # has CuPy load the library, wherever it found it
        version = self._cupy.cuda.runtime.runtimeGetVersion() // 1000
        self._library = ctypes.CDLL(f"cublas64_{version}.dll" if sys.platform == "win32" else f"libcublas.so.{version}")
        for name, arguments in _ARGUMENTS.items():
            getattr(self._library, name).argtypes = arguments
        self._handle, self._stream = ctypes.c_void_p(), None
        self._call("cublasCreate_v2", ctypes.byref(self._handle))
        self._workspace = self._cupy.cuda.alloc(WORKSPACE_BYTES)

    def __del__(self) -> None:
        """Give the handle back."""
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
        """C = a b + beta c on the current stream, for matrices (m, k), (k, n) and (m, n); sizes are m, n, k, batch."""
        stream = self._cupy.cuda.get_current_stream().ptr
        if stream != self._stream:  # which resets the workspace
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
            raise MemoryError(f"cuBLAS: {name} found too little memory")
        if status:
            raise RuntimeError(f"cuBLAS: {name} failed with status {status}")


_handles = threading.local()


def cublas() -> Cublas:
    """The handle of this thread for the current card."""
    cards: dict[int, Cublas] = _handles.__dict__.setdefault("cards", {})
    card = importlib.import_module("cupy").cuda.Device().id
    if card not in cards:
        cards[card] = Cublas()
    return cards[card]
