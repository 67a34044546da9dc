"""Iterations as CUDA graphs."""

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.twins import normal

from audiostyle_fx._engine.arrays import matmul
from audiostyle_fx._engine.cuda import devices, graphs, streams
from audiostyle_fx._engine.kernels import lbfgs
from audiostyle_fx._engine.objectives.balance import Balance
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv, draw_filters
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._engine.optimizers.adam import Adam
from audiostyle_fx._engine.optimizers.lbfgs import LBFGS
from audiostyle_fx._engine.optimizers.minimize import minimize
from audiostyle_fx._engine.spectra.level_following import LevelFollower
from audiostyle_fx._engine.spectra.stft import STFT

TERMS = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.5, 0.1)]
record_on_stream = graphs.record_graph  # before the fixture `cupy` replaces it


def adam(n_iter):
    return Adam(0.1, n_iter, beta1=0.9, beta2=0.9)


def minimized(cupy, n_iter, optimizer):
    """Run an optimizer on the closed form, on the current device."""
    content, style, x = (cupy.asarray(np.abs(normal(i, 1, 30, 9))) for i in range(3))
    objective = InfiniteWidth.of_styles(content, style, TERMS)
    return minimize(objective.value_and_grad, x, optimizer, n_iter, lambda iteration, losses: None)


@pytest.mark.parametrize("make", [adam, LBFGS])
def test_an_iteration_is_one_launch(stand_in, cupy, monkeypatch, make):
    monkeypatch.setattr(lbfgs, "PARTS", 2)  # on the host, blocks take long
    launches = {}
    with streams.computing_on("cuda:0"):
        for n_iter in (6, 16):
            stand_in.counters.launches = 0
            minimized(cupy, n_iter, make(n_iter))
            launches[n_iter] = stand_in.counters.launches
    assert launches[16] - launches[6] == 10


def test_few_iterations_are_not_recorded(stand_in, cupy, monkeypatch):
    monkeypatch.setattr(graphs, "record_graph", lambda function: pytest.fail("this takes longer than launching them"))
    with streams.computing_on("cuda:0"):
        minimized(cupy, 5, adam(5))


def steered(xp, n_iter, n_filters):
    """Run Adam on an objective whose balance is steered; return the point, alpha, and its memory before and after."""
    content, style, x, song = (xp.asarray(np.abs(normal(i, 1, 30, 9))) for i in range(4))
    alpha = xp.full(1, 0.1, np.float32)
    balance = Balance(alpha, 0.4, xp.full(1, 8.0))
    if n_filters is None:
        objective = InfiniteWidth(content, InfiniteWidth.style_statistics(style, TERMS), TERMS, balance, song)
    else:
        filters = draw_filters(TERMS, 9, n_filters, 0, like=content)
        statistics = RandomConv.style_statistics(style, TERMS, (1.0,), filters)
        objective = RandomConv(content, statistics, TERMS, filters, balance, song)
    x, history = minimize(objective.value_and_grad, x, adam(n_iter), n_iter, lambda iteration, losses: None)
    assert balance.alpha is alpha
    return x, alpha, history


def followed(xp, n_iter):
    """Run Adam on a waveform that follows the level of another one."""
    y, other = (xp.asarray(normal(i, 1, 2, 600)) for i in range(2))
    stfts = [STFT(32, 8), STFT(16, 4)]
    spectra = [stft.log_magnitude(stft.forward(other)) for stft in stfts]
    others = [(InfiniteWidth(spectra[1], None, TERMS), stfts[1])]
    first, mask = InfiniteWidth.of_styles(spectra[0], spectra[0][:, 20:], TERMS), xp.ones((1, 1, 1), np.float32)
    follower = LevelFollower.of(other, 400)
    waveform = WaveformObjective(first, stfts[0], y, mask, None, others, 1.5, follower)
    adam, u = Adam(2.5e-3, n_iter, beta1=0.9, beta2=0.9), waveform.coordinates(y)
    u, history = minimize(waveform.value_and_grad, u, adam, n_iter, lambda iteration, losses: None)
    return waveform.samples(u), history


RUNS = {
    "closed form": functools.partial(steered, n_filters=None),
    "by filters": functools.partial(steered, n_filters=6),
    "by patches": functools.partial(steered, n_filters=200),
    "level": followed,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "run",
    [pytest.param(run, id=name, marks=[pytest.mark.slow] * (name == "by patches")) for name, run in RUNS.items()],
)
def test_what_is_steered_and_followed_is_recorded_too(stand_in, cupy, run):
    launches, copies = {}, {}
    with streams.computing_on("cuda:0"):
        run(cupy, 6)  # builds kernels and copies what is kept
        for n_iter in (6, 26):
            stand_in.counters.launches = stand_in.counters.host_copies = stand_in.counters.synchronizations = 0
            found = run(cupy, n_iter)
            launches[n_iter] = stand_in.counters.launches
            copies[n_iter] = stand_in.counters.host_copies, stand_in.counters.synchronizations
        found = [a.get() for a in found]
    assert launches[26] - launches[6] == 20
    assert copies[26] == copies[6]
    for array, expected in zip(found, run(np, 26), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-3, atol=1e-3 * abs(expected).max())


def test_a_function_that_can_not_be_captured_is_called_with_a_warning(monkeypatch, cupy):
    with streams.computing_on("cuda:0"):
        want, losses = (a.get() for a in minimized(cupy, 8, adam(8)))

    def refuse(function):
        raise NotImplementedError("not while capturing")

    monkeypatch.setattr(graphs, "record_graph", refuse)
    with streams.computing_on("cuda:0"), pytest.warns(RuntimeWarning, match="not while capturing"):
        got, got_losses = (a.get() for a in minimized(cupy, 8, adam(8)))
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(got_losses, losses)


def test_an_interrupt_while_capturing_is_not_lost(monkeypatch, cupy):
    calls = []

    class Stream:
        def begin_capture(self):
            calls.append("begin")

        def end_capture(self):
            calls.append("end")
            raise RuntimeError("the capture is not valid")

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(cupy.cuda, "get_current_stream", Stream)
    with pytest.raises(KeyboardInterrupt):
        record_on_stream(interrupted)
    assert calls == ["begin", "end"]


def test_several_gpus_record_one_after_the_other(stand_in, cupy):
    """Each thread's third call records; both threads begin it together, and work for a while."""
    together, recording, most = threading.Barrier(2), [], []

    def work_on(device):
        with streams.computing_on(device) as xp:
            x, stream = xp.zeros(3, np.float32), xp.cuda.get_current_stream()

            def add_one():
                if stream.is_capturing():
                    recording.append(device)
                    most.append(len(recording))
                    time.sleep(0.05)
                    recording.remove(device)
                x.__iadd__(np.float32(1))
                return x

            with graphs.captured(add_one, x) as graph:
                graph()
                graph()
                together.wait(timeout=60)
                for _ in range(3):
                    graph()
            return x.get()

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(work_on, devices.device_names("cuda")))
    assert most == [1, 1]
    np.testing.assert_array_equal(results, np.full((2, 3), 5))


def test_losses_are_due_at_the_ends_and_now_and_then(stand_in, cupy):
    losses = cupy.zeros((2, 1))
    before = stand_in.counters.synchronizations
    due = [iteration for iteration in range(26) if streams.losses_due(iteration, 25, losses)]
    assert due == [0, 10, 20, 25]
    assert stand_in.counters.synchronizations - before == len(due)
    assert all(streams.losses_due(iteration, 25, np.zeros((2, 1))) for iteration in range(26))


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_products_are_rounded_where_that_is_allowed_and_faster(stand_in, monkeypatch, precision):
    monkeypatch.setattr(matmul, "LEAST_TF32", 2 * 2 * 2 * 2)
    rounded, real = [], matmul.cuda_matmul
    monkeypatch.setattr(matmul, "cuda_matmul", lambda *a, tf32, **k: rounded.append(tf32) or real(*a, **k))
    with streams.computing_on("cuda:0", precision) as xp:
        a = xp.ones((1, 2, 2), np.float32)
        matmul.matmul(a, a)
        matmul.matmul(a[:, :1], a)
    assert rounded == [precision == "tf32", False]
