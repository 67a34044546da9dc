"""Effects as Python objects: repr, copies and pickles."""

import copy
import pickle

import numpy as np
import pytest
from pedalboard import Chain, Pedalboard
from support.hosting_effects import RATE, STEREO, Identity, Reverse, reverse

from audiostyle_fx.hosting import OfflineEffect


class Weird:
    """An object with an unusual repr."""

    def __repr__(self):
        return "<weird>"


def test_repr():
    effect = Reverse(0.5, np.zeros((2, 44100), np.float32))
    package = Reverse.__module__.partition(".")[0]
    want = f"<{package}.Reverse strength=0.5 impulse=<array (2, 44100) float32> at 0x{id(effect):x}>"
    assert repr(effect) == want
    assert want in repr(Pedalboard([effect])) and want in repr(Chain([effect]))
    assert "strength='anthem.wav' impulse=<weird>" in repr(Reverse("anthem.wav", Weird()))
    assert repr(OfflineEffect()).startswith("<audiostyle_fx.OfflineEffect at 0x")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    impulse = np.arange(10, dtype=np.float32)
    effect = pickle.loads(pickle.dumps(Reverse(0.5, impulse), protocol))
    assert type(effect) is Reverse and effect.strength == 0.5
    np.testing.assert_array_equal(effect.impulse, impulse)
    np.testing.assert_array_equal(Pedalboard([effect])(STEREO, RATE), reverse(STEREO) * np.float32(0.5))
    pair = pickle.loads(pickle.dumps([effect, effect], protocol))
    assert pair[0] is pair[1]


def test_copy_and_deepcopy():
    effect = Reverse(0.5, np.arange(10, dtype=np.float32))
    shallow, deep = copy.copy(effect), copy.deepcopy(effect)
    assert type(shallow) is type(deep) is Reverse and shallow.strength == deep.strength == 0.5
    assert shallow.impulse is effect.impulse and deep.impulse is not effect.impulse
    np.testing.assert_array_equal(deep.impulse, effect.impulse)
    np.testing.assert_array_equal(
        Pedalboard([effect, shallow, deep])(STEREO, RATE), reverse(STEREO) * np.float32(0.125)
    )


def test_effect_with_attributes_but_no_parameters_is_not_copied():
    effect = Identity()
    copy.copy(Pedalboard([effect])[0])
    effect.strength = 0.5
    for carry in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="needs `parameters`"):
            carry(effect)
