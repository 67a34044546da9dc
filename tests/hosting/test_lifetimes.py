"""The Python halves of effects live as long as their boards, and no longer."""

import gc
import weakref

import numpy as np
import pytest
from pedalboard import Chain, Gain, Mix, Pedalboard
from support.hosting_effects import RATE, STEREO, Identity, Reverse, reverse

from audiostyle_fx.hosting.plugin_notes import PluginNote


def count_notes():
    return sum(isinstance(value, PluginNote) for value in gc.get_objects())


@pytest.mark.slow
def test_no_leak_over_thousands_of_boards():
    gc.collect()
    notes = count_notes()
    effects = []
    for _ in range(2000):
        board = Pedalboard([Mix([Chain([Reverse()])]), Gain()])
        board(STEREO[:, :64], RATE)
        effects.append(weakref.ref(board[0][0][0]))
    assert effects[-1]() is not None
    del board
    gc.collect()
    assert not any(effect() for effect in effects)
    assert count_notes() == notes


@pytest.mark.parametrize(
    "take_out",
    [
        lambda board: board.remove(board[1]),
        lambda board: board.__delitem__(1),
        lambda board: board.__setitem__(1, Gain()),
        lambda board: board.__setitem__(1, Reverse()),
    ],
)
def test_what_is_taken_out_is_let_go(take_out):
    board = Pedalboard([Identity(), Reverse(), Chain([Identity()])])
    effect = weakref.ref(board[1])
    gc.collect()
    assert effect() is not None
    take_out(board)
    gc.collect()
    assert effect() is None
    assert type(board[0]) is Identity and type(board[len(board) - 1][0]) is Identity


def test_effect_outlives_one_of_two_boards():
    effect = Reverse()
    first, second = Pedalboard([effect]), Pedalboard([effect])
    reference = weakref.ref(effect)
    del effect, first
    gc.collect()
    np.testing.assert_array_equal(second(STEREO, RATE), reverse(STEREO))
    del second
    gc.collect()
    assert reference() is None


def test_cycle_through_an_effect_is_collected():
    class Owner:
        pass

    class Part(Chain):
        pass

    owner, part = Owner(), Part([Gain()])
    effect = Identity()
    owner.board = Pedalboard([effect, part])
    effect.callback = owner  # as a window does that shows progress
    part.owner = owner.board
    owner.board(STEREO, RATE)
    alive = weakref.ref(owner)
    del owner, part, effect
    gc.collect()
    assert alive() is None
