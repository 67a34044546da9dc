"""Threads that share boards and effects, and interrupts."""

import gc
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pedalboard import Chain, Compressor, Delay, Gain, Mix, Pedalboard, Reverb
from support.hosting_effects import RATE, STEREO, Calling, Identity, Reverse, reverse


def test_eight_threads_on_one_board_and_on_many():
    board = Pedalboard([Reverb(), Reverse(), Mix([Compressor(-20, 4), Chain([Identity(), Delay(0.01)])])])
    want = board(STEREO, RATE)

    def fresh(_):
        return Pedalboard([Reverb(), Reverse(), Mix([Compressor(-20, 4), Delay(0.01)])])(STEREO, RATE)

    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: board(STEREO, RATE), range(32)):
            np.testing.assert_array_equal(result, want)
        for result in pool.map(fresh, range(32)):
            np.testing.assert_array_equal(result, want)


def test_nothing_is_locked_while_an_effect_renders():
    both_inside = threading.Barrier(2)
    gain = Gain(0)

    def meet(audio):
        both_inside.wait(10)  # broken, and raises, unless another thread renders on the same board at the same time
        with ThreadPoolExecutor(1) as helper:  # another thread may use the board, its plugins and the hooks meanwhile
            helper.submit(lambda: (gain(STEREO, RATE), Pedalboard([Identity()]), len(board), list(board))).result(10)
        return audio

    board = Pedalboard([gain, Calling(meet), Reverb()])
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: board(STEREO, RATE), range(2)))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], Reverb()(STEREO, RATE))


def test_threads_that_fill_one_board_lose_nothing():
    board = Pedalboard([])

    def fill(_):
        for _ in range(50):
            board.append(Reverse())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(8)))
    gc.collect()
    assert len(board) == 400 and all(type(plugin) is Reverse for plugin in board)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_interrupt_stops_an_effect_and_leaves_the_board_usable():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    def interrupted(audio):
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            np.fft.rfft(audio)
        return audio

    board = Pedalboard([Gain(0), Calling(interrupted), Reverb()])
    try:
        with pytest.raises(KeyboardInterrupt):
            board(STEREO, RATE)
    finally:
        signal.signal(signal.SIGINT, before)
    board[1].function = reverse
    np.testing.assert_array_equal(board(STEREO, RATE), Reverb()(reverse(STEREO), RATE))
