"""Signals and settings that tests share: short, seeded and at a low rate, so that a transfer takes milliseconds."""

import os
import signal
import threading

# Two workers share the cores already, and products are small: a second thread of OpenBLAS would only wait for its turn.
# It reads this when NumPy is imported, in the workers too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from support import cupy_stand_in

from audiostyle_fx import Window
from audiostyle_fx._engine.arrays import fft, matmul, threads
from audiostyle_fx._engine.cuda import device_threads, devices, graphs, streams
from audiostyle_fx._engine.kernels import launch
from audiostyle_fx._transfer.whole_recordings import prepared_sections

RATE = 8000


def _notes(seed, pitches, timbre, decay):
    """A second of four notes over a noise floor, float32, read-only so that nobody can change what others use."""
    rng = np.random.default_rng(seed)
    length = RATE // 4
    seconds = np.arange(length) / RATE
    notes = [
        np.exp(-decay * seconds)
        * sum(level * np.sin(2 * np.pi * pitch * k * seconds) for k, level in enumerate(timbre, 1))
        for pitch in rng.choice(pitches, 4)
    ]
    audio = np.concatenate(notes) + 0.02 * rng.standard_normal(4 * length)
    return _frozen(0.2 * audio / np.abs(audio).max())


def _frozen(audio):
    audio = np.asarray(audio, np.float32)
    audio.flags.writeable = False
    return audio


@pytest.fixture(scope="session")
def rate():
    return RATE


@pytest.fixture(scope="session")
def content():
    """One second, mono."""
    return _notes(1, [220.0, 247.0, 262.0, 294.0, 330.0], [1, 0.3, 0.1], decay=8)


@pytest.fixture(scope="session")
def style():
    """One second, mono, brighter and more sustained than the content."""
    return _notes(2, [440.0, 494.0, 523.0, 587.0], [1, 1, 1, 0.8, 0.8, 0.5], decay=1)


@pytest.fixture(scope="session")
def other_style():
    return _notes(3, [150.0, 165.0, 180.0], [1, 0.1, 0.6, 0.1, 0.4], decay=20)


@pytest.fixture(scope="session")
def stereo(content):
    """Two channels that differ."""
    return _frozen([content, 0.5 * _notes(4, [196.0, 165.0, 131.0], [1, 0.5], decay=4)])


@pytest.fixture(scope="session")
def quick_stages():
    """Windows, width and iterations with which all three stages run in some ten milliseconds."""
    return {
        "windows": Window(n_fft=256),
        "kernel_width": 3,
        "spectrogram_iters": 4,
        "phase_iters": 3,
        "waveform_iters": 3,
    }


@pytest.fixture(scope="session")
def quick(quick_stages):
    """Parameters of a quick transfer by the losses alone."""
    return {"preset": "plain", **quick_stages}


GPU = pytest.param("gpu", marks=pytest.mark.gpu)


@pytest.fixture(params=["stand-in", GPU])
def cupy(request, monkeypatch):
    """CuPy on a real GPU, or its stand-in with two GPUs, for which the kernels are built for the host."""
    yield from _cupy(request.param, monkeypatch)


@pytest.fixture(params=["stand-in", pytest.param("threads", marks=pytest.mark.slow), GPU])
def cupy_of_threads(request, monkeypatch):
    """The variants of `cupy`, and a third one in which each thread of a block is a thread of the host."""
    yield from _cupy(request.param, monkeypatch)


@pytest.fixture
def stand_in(cupy):
    """The stand-in alone, for tests of numbers that a real GPU does not count or shares with other programs."""
    if cupy is not cupy_stand_in.cupy:
        pytest.skip("a real GPU does not count, and has other users")
    return cupy_stand_in


def _cupy(kind, monkeypatch):
    if kind == "gpu":
        yield pytest.importorskip("cupy")
        return
    cupy_stand_in.install(monkeypatch, devices=2)
    monkeypatch.setattr(cupy_stand_in.RawModule, "fibers", kind != "threads")
    monkeypatch.setattr(matmul, "cuda_matmul", cupy_stand_in.matmul)
    monkeypatch.setattr(graphs, "record_graph", cupy_stand_in.record_graph)
    devices.forget_devices()
    launch.forget_kernels()
    fft.forget_plans()
    yield cupy_stand_in.cupy
    devices.forget_devices()
    launch.forget_kernels()
    streams.forget_thread()
    device_threads.forget_threads()


@pytest.fixture
def no_work(monkeypatch):
    """Fail the test if a transfer begins."""

    def three_stages(*args, **kwargs):
        pytest.fail("the work began although the arguments are wrong")

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)


@pytest.fixture
def shared_out(monkeypatch):
    """Share work of any size among three threads, in blocks of a given size; fails if only one thread had work."""
    used = set()

    def share(block):
        original = threads.share

        def noting(function, blocks, max_threads):
            def noted(rows):
                used.add(threading.current_thread())
                function(rows)

            original(noted, blocks, max_threads)

        monkeypatch.setattr(threads, "BLOCK", block)
        monkeypatch.setattr(threads, "FEW_ELEMENTS", 0)
        monkeypatch.setattr(threads, "FEW_OPERATIONS", 0)
        monkeypatch.setattr(threads, "cores", lambda: 3)
        monkeypatch.setattr(threads, "share", noting)

    yield share
    assert used - {threading.main_thread()}


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Let programs that tests start receive interrupts, which shells disable for background processes."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
