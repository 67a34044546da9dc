"""Boards, chains, mixes and lists of plugins run the offline effects in them."""

import gc

import numpy as np
import pedalboard
import pytest
from pedalboard import Chain, Compressor, Delay, Gain, Mix, Pedalboard, PitchShift, Plugin, Reverb
from support.hosting_effects import RATE, STEREO, TWICE, Calling, Identity, Reverse, reverse


def test_effect_in_a_stock_board():
    board = Pedalboard([Reverse(), Reverb()])
    gc.collect()
    assert type(board) is Pedalboard
    assert type(board[0]) is Reverse
    want = Reverb()(reverse(STEREO), RATE)
    np.testing.assert_array_equal(board(STEREO, RATE), want)
    np.testing.assert_array_equal(board.process(STEREO, RATE), want)
    np.testing.assert_array_equal(board(sample_rate=RATE, buffer_size=64, reset=True, input_array=STEREO), want)
    assert board[0].calls == [((2, 12000), np.float32, RATE)] * 3


def test_effect_by_itself():
    effect = Reverse()
    np.testing.assert_array_equal(effect(STEREO, RATE), reverse(STEREO))
    np.testing.assert_array_equal(effect.process(STEREO, RATE), reverse(STEREO))
    assert effect.is_effect and not effect.is_instrument and bool(effect) and isinstance(effect, Plugin)


def test_between_native_plugins():
    board = Pedalboard([PitchShift(2), Reverse(), Delay(0.01), Compressor(-20, 4)])
    want = Pedalboard([Delay(0.01), Compressor(-20, 4)])(reverse(PitchShift(2)(STEREO, RATE)), RATE)
    np.testing.assert_array_equal(board(STEREO, RATE), want)


def test_nested_in_mix_and_chain():
    board = Pedalboard([Mix([Chain([Reverse(), Gain(-6)]), Gain(0), None]), Reverb()])
    gc.collect()
    assert type(board[0][0][0]) is Reverse
    mixed = Gain(-6)(reverse(STEREO), RATE) + STEREO + STEREO
    np.testing.assert_array_equal(board(STEREO, RATE), Reverb()(mixed, RATE))


def test_nested_twelve_deep():
    plugin = Reverse()
    for depth in range(12):
        plugin = (Chain, Mix, Pedalboard)[depth % 3]([plugin])
    gc.collect()
    np.testing.assert_array_equal(plugin(STEREO, RATE), reverse(STEREO))


def test_none_entries_are_skipped():
    np.testing.assert_array_equal(Pedalboard([None, Reverse(), None])(STEREO, RATE), reverse(STEREO))


def test_mix_appended_to_after_construction():
    mix = Mix([Reverse()])
    mix.append(Gain(0))
    np.testing.assert_array_equal(mix(STEREO, RATE), reverse(STEREO) + STEREO)


def test_mix_branches_do_not_share_their_audio():
    def overwrite(audio):
        audio[:] = 0
        return audio

    np.testing.assert_array_equal(Mix([Calling(overwrite), Identity()])(STEREO, RATE), STEREO)


def test_users_subclasses():
    class Louder(Pedalboard):
        def process(self, *args, **kwargs):
            return super().process(*args, **kwargs) * 2

    class Unhashable(Pedalboard):
        def __eq__(self, other):
            return isinstance(other, Unhashable)

    class OwnMix(Mix):
        pass

    np.testing.assert_array_equal(Louder([Reverse()]).process(STEREO, RATE), reverse(STEREO) * 2)
    first, second = Unhashable([Reverse()]), Unhashable([Identity()])
    gc.collect()
    np.testing.assert_array_equal(first(STEREO, RATE), reverse(STEREO))
    np.testing.assert_array_equal(second(STEREO, RATE), STEREO)
    board = Pedalboard([OwnMix([Reverse(), Reverse()])])
    gc.collect()
    assert type(board[0]) is OwnMix
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO) * 2)


def test_function_process():
    np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, [Reverse()]), reverse(STEREO))
    np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, Pedalboard([Reverse()])), reverse(STEREO))
    # plugin by plugin, where a board runs block by block: with PitchShift after Reverb the tails differ
    natives = [Reverb(), PitchShift(2)]
    by_list = pedalboard.process(STEREO, RATE, [Reverse(), *natives])
    np.testing.assert_array_equal(by_list, pedalboard.process(reverse(STEREO), RATE, natives))
    by_board = Pedalboard([Reverse(), *natives])(STEREO, RATE)
    np.testing.assert_array_equal(by_board, Pedalboard(natives)(reverse(STEREO), RATE))
    assert not np.array_equal(by_list, by_board)
    for wrong in (Reverse(), Reverse, "ab", None, [Reverse(), "x"]):
        with pytest.raises(TypeError):
            pedalboard.process(STEREO, RATE, wrong)
    with pytest.raises(RuntimeError, match="Reverse needs the whole recording"):
        pedalboard.process(STEREO, RATE, [Reverse()], reset=False)


def test_the_same_instance_twice_is_refused_as_natively():
    effect, gain = Reverse(), Gain()
    for plugins in ([effect, effect], [gain, effect, gain], [effect, Mix([Chain([effect])])]):
        with pytest.raises(RuntimeError, match=TWICE):
            Pedalboard(plugins)(STEREO, RATE)


def test_parameters_changed_between_calls_take_effect():
    board = Pedalboard([Reverse()])
    board(STEREO, RATE)
    board[0].strength = 0.25
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO) * np.float32(0.25))


def test_reset_reaches_the_effects():
    resets = []

    class Counting(Identity):
        def reset(self):
            resets.append(self)

    effect = Counting()
    Pedalboard([Gain(), Mix([Chain([effect])])]).reset()
    assert resets == [effect]


def test_exceptions_come_through_unchanged():
    error = LookupError("no such style")

    def fail(audio):
        raise error

    board = Pedalboard([Gain(0), Mix([Chain([Calling(fail)])])])
    with pytest.raises(LookupError) as caught:
        board(STEREO, RATE)
    assert caught.value is error
    board[1][0][0].function = reverse
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO))
