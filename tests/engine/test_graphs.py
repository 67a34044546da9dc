"""Iterations as CUDA graphs."""

import numpy as np
import pytest
from support.twins import normal

from audiostyle_fx._engine.cuda import graphs, streams
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.optimizers.adam import Adam
from audiostyle_fx._engine.optimizers.minimize import minimize

TERMS = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.5, 0.1)]
record_on_stream = graphs.record_graph  # before the fixture `cupy` replaces it


def minimized(cupy, n_iter):
    """Run Adam on the closed form, on the current device."""
    content, style, x = (cupy.asarray(np.abs(normal(i, 1, 30, 9))) for i in range(3))
    objective, adam = InfiniteWidth.of_styles(content, style, TERMS), Adam(0.1, n_iter, beta1=0.9, beta2=0.9)
    return minimize(objective.value_and_grad, x, adam, n_iter, lambda iteration, losses: None)


def test_an_iteration_is_one_launch_and_one_copy(stand_in, cupy):
    launches = {}
    with streams.computing_on("cuda:0"):
        for n_iter in (5, 45):
            stand_in.counters.launches = 0
            minimized(cupy, n_iter)
            launches[n_iter] = stand_in.counters.launches
    assert launches[45] - launches[5] == 40 * 2


def test_a_function_that_can_not_be_captured_is_called_with_a_warning(monkeypatch, cupy):
    with streams.computing_on("cuda:0"):
        want, losses = (a.get() for a in minimized(cupy, 8))

    def refuse(function):
        raise NotImplementedError("not while capturing")

    monkeypatch.setattr(graphs, "record_graph", refuse)
    with streams.computing_on("cuda:0"), pytest.warns(RuntimeWarning, match="not while capturing"):
        got, got_losses = (a.get() for a in minimized(cupy, 8))
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


def test_losses_are_due_at_the_ends_and_now_and_then(stand_in, cupy):
    losses = cupy.zeros((2, 1))
    before = stand_in.counters.synchronizations
    due = [iteration for iteration in range(26) if streams.losses_due(iteration, 25, losses)]
    assert due == [0, 10, 20, 25]
    assert stand_in.counters.synchronizations - before == len(due)
    assert all(streams.losses_due(iteration, 25, np.zeros((2, 1))) for iteration in range(26))
