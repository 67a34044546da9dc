"""The devices that can compute: the CPU and NVIDIA GPUs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import warnings
from functools import lru_cache

PRECISIONS = ("float32", "tf32")


LIBRARIES = ("cupy.cuda.cufft", "cupy_backends.cuda.libs.cublas", "cupy_backends.cuda.libs.nvrtc")
"""What CuPy loads when it first needs it, and may then not find."""


OLDEST_CAPABILITY = 75
"""Compute capability 7.5, the oldest that CUDA 13 compiles for."""


def check_device(device: str) -> None:
    """Raise unless the device is one that is here; "auto", which always is, does not load CuPy before it is needed.

    Raises
    ------
    ValueError
        If it is not "auto", "cpu", "cuda" or "cuda:" and the number of a card that is there.
    RuntimeError
        If a card is asked for where CuPy or a driver is missing; says which.
    """
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device={device!r} must be 'auto', 'cpu', 'cuda' or 'cuda:' and a card's number")
    if device != "auto":
        places(device)


def places(device: str) -> list[str]:
    """The places that a device stands for, "cpu" or cards, such as "cuda:0"; raises as `check_device` does."""
    if device == "cpu":
        return ["cpu"]
    cards, missing = _cards()
    if device == "auto":
        return cards or ["cpu"]
    if not cards:
        raise RuntimeError(f"device={device!r} can't be used: {missing}")
    if device != "cuda" and device not in cards:
        raise ValueError(f"device={device!r} must be one of {', '.join(cards)}")
    return cards if device == "cuda" else [device]


@lru_cache(maxsize=1)
def _cards() -> tuple[list[str], str]:
    """The cards that can be used, and what is missing where there is none."""
    if _forked:
        return [], "the process was forked after CUDA had been used; use multiprocessing's spawn"
    if importlib.util.find_spec("cupy") is None:
        extras = "pip install 'audiostyle-fx[cuda13]', or [cuda12] with a driver older than 580"
        return [], f"CuPy is not installed ({extras})"
    try:
        cupy = importlib.import_module("cupy")
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # whatever a broken installation raises
        if type(error).__name__ == "CUDARuntimeError":
            return [], f"CuPy finds no card that it can use ({error}); is NVIDIA's driver installed, and recent enough?"
        return [], _told(f"CuPy is installed, but can't be imported ({error})")
    found = [card for card in range(count) if int(cupy.cuda.Device(card).compute_capability) >= OLDEST_CAPABILITY]
    if not found:
        return [], "there is no card of compute capability 7.5 or newer"
    try:
        *_, compiler = [importlib.import_module(library) for library in LIBRARIES]
        compiler.getVersion()
    except Exception as error:
        return [], _told(f"CuPy lacks a library of CUDA ({error}); its extra `ctk` brings them all")
    return [f"cuda:{card}" for card in found], ""


def _told(missing: str) -> str:
    """Warn that what is missing keeps a card from being used by "auto"."""
    warnings.warn(f"{missing}: device='auto' is the CPU", RuntimeWarning, stacklevel=4)
    return missing


_forked = False


def _after_fork() -> None:
    """Forget the cards: CUDA does not survive a fork once it has been used."""
    global _forked
    _forked = _forked or bool(_cards.cache_info().currsize and _cards()[0])
    _cards.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _number(place: str) -> int:
    return int(place.removeprefix("cuda:"))
