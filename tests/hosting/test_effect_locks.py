"""Chunks and resets from several threads: only one call at a time uses the effect's state."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pedalboard import Chain, Gain, Mix, Pedalboard
from support.hosting_effects import RATE, STEREO, Delayed

from audiostyle_fx.hosting import OfflineEffect

CHUNK = STEREO[:, :1000]


class Watched(OfflineEffect):
    """Takes chunks, and notes whether a second thread comes in while a first one is inside."""

    streaming = True

    @property
    def parameters(self):
        return {}

    def __init__(self):
        super().__init__()
        self.inside = 0
        self.began, self.second_came = threading.Event(), threading.Event()

    def stay(self):
        """Stay inside until a second thread enters, or could have entered."""
        self.inside += 1
        if self.inside > 1:
            self.second_came.set()
        self.began.set()
        self.second_came.wait(0.1)
        self.inside -= 1

    def feed(self, audio, sample_rate):
        self.stay()
        return audio

    def reset(self):
        super().reset()
        self.stay()

    def render(self, audio, sample_rate):
        return audio


def feed(plugin):
    return plugin(CHUNK, RATE, reset=False)


def meet(effect, first, second):
    """Make a second call in another thread while a first one is inside the effect; return whether both were inside."""
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(first)
        assert effect.began.wait(30)
        second()
        other.result(30)
    return effect.second_came.is_set()


HOLDERS = {
    "alone": lambda effect: effect,
    "board": lambda effect: Pedalboard([Gain(0), effect]),
    "mix": lambda effect: Pedalboard([Mix([Gain(0), Chain([effect])])]),
}


@pytest.mark.parametrize(("first", "second"), [("alone", "alone"), ("alone", "board"), ("board", "mix")])
def test_two_chunks_are_not_in_one_effect_at_a_time(first, second):
    effect = Watched()
    holders = HOLDERS[first](effect), HOLDERS[second](effect)
    assert not meet(effect, lambda: feed(holders[0]), lambda: feed(holders[1]))


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_reset_waits_for_a_chunk_and_a_chunk_for_a_reset(holder):
    effect = Watched()
    board = HOLDERS[holder](effect)
    assert not meet(effect, lambda: feed(board), board.reset)
    effect.began.clear()
    assert not meet(effect, board.reset, lambda: feed(board))


def test_a_method_that_is_called_by_itself_waits_too():
    effect = Watched()
    assert not meet(effect, lambda: feed(effect), lambda: effect.feed(CHUNK.copy(), RATE))


def test_boards_that_hold_the_same_effects_in_another_order_do_not_wait_for_each_other():
    both = threading.Barrier(2)
    effects = Delayed(0), Delayed(0)
    boards = Pedalboard(list(effects)), Pedalboard(list(reversed(effects)))

    def run(board):
        for _ in range(50):
            both.wait(30)
            board(CHUNK, RATE, reset=False)
            board.reset()

    threads = [threading.Thread(target=run, args=[board], daemon=True) for board in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_an_effect_that_fails_lets_the_next_thread_in():
    class Failing(Watched):
        def feed(self, audio, sample_rate):
            raise RuntimeError("it broke")

    effect = Failing()
    with pytest.raises(RuntimeError, match="it broke"):
        feed(effect)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(effect.reset).result(30)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda effect: pickle.loads(pickle.dumps(effect))],
    ids=["copy", "deep", "pickle"],
)
def test_copies_and_pickles_have_locks_of_their_own(copied):
    effect = Watched()

    def while_inside():
        copied(effect).reset()  # would wait for the call that is inside the effect

    class Holding(Watched):
        def feed(self, audio, sample_rate):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(while_inside).result(30)
            return audio

    board = Pedalboard([effect, Holding()])
    np.testing.assert_array_equal(feed(board), CHUNK)
