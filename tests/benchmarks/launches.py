"""What a GPU is asked to do, counted without one: python tests/benchmarks/launches.py.

A stand-in for CuPy runs transfers of two seconds at 8 kHz, and one of eight recordings in as many keys. It counts
kernels and calls of libraries, launches by the host (a CUDA graph is one), copies between host and device, and waits of
the host. Times are those of no GPU, but each launch costs the host some microseconds, and each wait lets the GPU run
dry. Prints Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import cupy_stand_in

from audiostyle_fx import stylize, stylize_batch
from audiostyle_fx._engine.arrays import matmul
from audiostyle_fx._engine.cuda import graphs

RATE, SECONDS = 8000, 2
CALLS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "`preset='plain'`": {"preset": "plain"},
    "`preset='voice'`": {"preset": "voice"},
}


class Patches:
    """Sets what a test would set and restore; this process ends instead."""

    setattr, setitem = staticmethod(setattr), staticmethod(dict.__setitem__)


MOVES = (0.0, 0.3, 0.7, 1.1, 1.6, -0.5, -1.0, 2.2)
"""The keys of the recordings of a batch, in semitones."""


def notes(seed: int, pitches: list[float]) -> np.ndarray:
    """Eight decaying notes and a little noise."""
    rng, times = np.random.default_rng(seed), np.arange(RATE * SECONDS // 8) / RATE
    tones = [np.exp(-6 * times) * np.sin(2 * np.pi * pitch * times) for pitch in rng.choice(pitches, 8)]
    return (0.2 * np.concatenate(tones) + 0.01 * rng.standard_normal(RATE * SECONDS)).astype(np.float32)


def counted(call: Any) -> list[int]:
    """Kernels and library calls, launches, copies and waits of a call."""
    kernels, launch = [0], cupy_stand_in.Graph.launch

    def counting(graph: Any, stream: Any = None) -> None:
        kernels[0] += len(graph.work) - 1
        launch(graph, stream)

    before = vars(cupy_stand_in.counters).copy()
    cupy_stand_in.Graph.launch = counting
    call()
    cupy_stand_in.Graph.launch = launch
    found = {name: count - before[name] for name, count in vars(cupy_stand_in.counters).items()}
    found["kernels"] = found["launches"] + kernels[0]
    return [found[name] for name in ("kernels", "launches", "host_copies", "synchronizations")]


def main() -> None:
    """Print the table."""
    cupy_stand_in.install(Patches)
    matmul.cuda_matmul, graphs.record_graph = cupy_stand_in.matmul, cupy_stand_in.record_graph
    song, style = [220.0, 247.0, 262.0, 330.0], notes(2, [440.0, 494.0, 587.0])
    content, moved = notes(1, song), [notes(1, [hz * 2 ** (move / 12) for hz in song]) for move in MOVES]
    calls: dict[str, Callable[[], Any]] = {
        name: partial(stylize, content, style, RATE, device="cuda:0", **parameters)
        for name, parameters in CALLS.items()
    }
    calls[f"{len(MOVES)} recordings in as many keys"] = partial(stylize_batch, moved, style, RATE, device="cuda:0")
    print("| transfer | kernels and library calls | launches by the host | copies | waits |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, call in calls.items():
        call()  # builds kernels, and copies what is kept
        found = counted(call)
        print(f"| {name} | " + " | ".join(f"{count:,}" for count in found) + " |", flush=True)


if __name__ == "__main__":
    main()
