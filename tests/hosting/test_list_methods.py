"""Containers with effects are lists, as native ones; an effect alone is not a list."""

import gc

import numpy as np
import pytest
from pedalboard import Gain, Pedalboard, Plugin, Reverb
from support.hosting_effects import RATE, STEREO, TWICE, Identity, Reverse, reverse


def test_list_operations():
    effect = Reverse()
    board = Pedalboard([Reverb()])
    board.insert(0, effect)
    assert board[0] is effect and effect in board and len(board) == 2
    board.append(Reverse(0.5))
    gc.collect()
    assert [type(plugin) for plugin in board] == [Reverse, Reverb, Reverse]
    assert type(next(reversed(board))) is Reverse
    board.remove(effect)
    assert effect not in board
    board[0] = Identity()
    gc.collect()
    assert type(board[0]) is Identity and type(board[-1]) is Reverse
    del board[0]
    assert len(board) == 1
    board.insert(0, Identity())
    gc.collect()
    assert type(board[0]) is Identity
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO) * np.float32(0.5))


@pytest.mark.parametrize(
    ("error", "operation"),
    [
        (TypeError, lambda board: board[0:1]),
        (TypeError, lambda board: board.append("x")),
        (ValueError, lambda board: board.remove(Gain())),
        (IndexError, lambda board: board[9]),
        (IndexError, lambda board: board.insert(9, Gain())),
        (TypeError, lambda board: Pedalboard(["x"])),
        (TypeError, lambda board: Pedalboard(board[0])),
    ],
)
def test_list_operations_fail_as_natively(error, operation):
    for board in (Pedalboard([Gain()]), Pedalboard([Reverse()])):
        with pytest.raises(error):
            operation(board)
        assert len(board) == 1


@pytest.mark.parametrize(
    "operation",
    [
        len,
        iter,
        lambda effect: effect[0],
        lambda effect: Gain() in effect,
        lambda effect: effect.append(Gain()),
        lambda effect: effect.insert(0, Gain()),
        lambda effect: effect.remove(Gain()),
        lambda effect: effect.__setitem__(0, Gain()),
        lambda effect: effect.__delitem__(0),
    ],
)
def test_effect_is_no_container(operation):
    effect = Reverse()
    with pytest.raises(TypeError, match="not a container"):
        operation(effect)
    assert not hasattr(effect, "gain_db")
    with pytest.raises(RuntimeError, match=TWICE):
        Plugin.process(effect, STEREO, RATE)
