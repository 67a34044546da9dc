"""The devices that can compute: the CPU and NVIDIA GPUs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

LIBRARIES = ("cupy.cuda.cufft", "cupy_backends.cuda.libs.cublas", "cupy_backends.cuda.libs.nvrtc")
"""Modules whose libraries CuPy loads only when it needs them, and which may then be missing."""


OLDEST_CAPABILITY = 75
"""Compute capability 7.5, the oldest that CUDA 13 compiles for."""


def check_device(device: str) -> None:
    """Raise unless the device can be used; for "auto", which can always be used, CuPy is not imported.

    Raises
    ------
    ValueError
        If it is not "auto", "cpu", "cuda" or "cuda:" and the number of a GPU of this machine.
    RuntimeError
        If it is a GPU, but CuPy or the driver is missing; the message says which.
    """
    _check_form(device)
    if device != "auto":
        device_names(device)


def _check_form(device: str) -> None:
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device={device!r} must be 'auto', 'cpu', 'cuda' or 'cuda:' and the number of a GPU")


def device_names(device: str) -> list[str]:
    """Return the devices that ``device=`` stands for: ``["cpu"]``, or GPUs such as ``["cuda:0", "cuda:1"]``.

    Raises
    ------
    ValueError, RuntimeError
        As `check_device` does.
    """
    _check_form(device)
    if device == "cpu":
        return ["cpu"]
    gpus, problem = _usable_gpus()
    if device == "auto":
        return gpus or ["cpu"]
    if not gpus:
        raise RuntimeError(f"device={device!r} can't be used: {problem}")
    if device != "cuda" and device not in gpus:
        raise ValueError(f"device={device!r} must be one of {', '.join(gpus)}")
    return gpus if device == "cuda" else [device]


def describe_gpus() -> tuple[list[str], str]:
    """Return a line about each usable GPU and "", or an empty list and the reason."""
    gpus, problem = _usable_gpus()
    if not gpus:
        return [], problem
    cupy = importlib.import_module("cupy")
    lines = []
    for gpu in gpus:
        facts = cupy.cuda.runtime.getDeviceProperties(device_index(gpu))
        name = facts["name"].decode(errors="replace")
        lines.append(f"{gpu}: {name}, {facts['totalGlobalMem'] / 2**30:.1f} GiB, CuPy {cupy.__version__}")
    return lines, ""


def device_index(device: str) -> int:
    """Return CUDA's number of a GPU: 1 for "cuda:1"."""
    return int(device.removeprefix("cuda:"))


@lru_cache(maxsize=1)
def _usable_gpus() -> tuple[list[str], str]:
    """Return the names of the usable GPUs and "", or an empty list and the reason."""
    if _given is not None:
        return list(_given), ""
    if _forked:
        return [], "the process was forked after CUDA had been used; use the start method 'spawn' of multiprocessing"
    if importlib.util.find_spec("cupy") is None:
        extras = "pip install 'audiostyle-fx[cuda13]', or [cuda12] with a driver older than 580"
        return [], f"CuPy is not installed ({extras})"
    try:
        cupy = importlib.import_module("cupy")
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # a broken installation may raise anything
        if type(error).__name__ == "CUDARuntimeError":
            return [], f"CuPy finds no GPU that it can use ({error}); is a recent driver by NVIDIA installed?"
        return [], _with_warning(f"CuPy is installed, but can't be imported ({error})")
    found = [index for index in range(count) if int(cupy.cuda.Device(index).compute_capability) >= OLDEST_CAPABILITY]
    if not found:
        return [], "there is no GPU of compute capability 7.5 or newer"
    try:
        *_, compiler = [importlib.import_module(library) for library in LIBRARIES]
        compiler.getVersion()
    except Exception as error:
        return [], _with_warning(f"CuPy can't load a library of CUDA ({error}); CuPy's extra `ctk` installs them all")
    return [f"cuda:{index}" for index in found], ""


def _with_warning(problem: str) -> str:
    """Warn that a problem makes "auto" use the CPU, and return the problem."""
    warnings.warn(f"{problem}: device='auto' uses the CPU", RuntimeWarning, stacklevel=4)
    return problem


_forked = False
_given: tuple[str, ...] | None = None


def use_only(names: Sequence[str] | None) -> None:
    """Use GPUs that another process has found, without looking for any; None to look for them again."""
    global _given
    _given = None if names is None else tuple(names)
    _usable_gpus.cache_clear()


def forget_devices(*, forked: bool = False) -> None:
    """Forget which GPUs can be used, so that they are looked up again.

    Parameters
    ----------
    forked : bool
        Whether this process is a forked child: after a fork it can't use a GPU if CUDA was used before the fork.
        False also forgets an earlier fork.
    """
    global _forked
    used = bool(_usable_gpus.cache_info().currsize and _usable_gpus()[0])
    _forked = forked and (_forked or used)
    _usable_gpus.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: forget_devices(forked=True))
