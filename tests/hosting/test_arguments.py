"""`process` of effects and boards accepts and refuses the arguments that native code does."""

import math

import numpy as np
import pedalboard
import pedalboard_native
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pedalboard import Gain, LowpassFilter, Pedalboard
from support.hosting_effects import RATE, STEREO, Identity, Reverse


def mostly(usual, unusual):
    """Draw a usual value nine times out of ten, so that a whole call is more often accepted than not."""
    return st.integers(0, 9).flatmap(lambda number: st.sampled_from(unusual if number == 9 else usual))


ARRAYS = st.tuples(
    mostly([(2, 9), (9, 2), (7,), (1, 1), (3, 2), (2, 1), (4, 3), (2, 4), (40, 33)], [(2, 2), (3, 3), (), (2, 3, 4)])
    | st.tuples(st.integers(0, 5), st.integers(0, 5)),
    mostly(["f4", "f8"], [">f4", ">f8", "f2", "g", "i2", "u1", "?", "c8", "O", "U3", "M8[s]"]),
    mostly(["C", "F", "strided", "backwards", "readonly"], ["list", "subclass"]),
)


RATES = mostly([44100, 44100.0, np.float32(8000), np.int64(8000), True, 0, -1.0, math.nan, math.inf], ["1", None, 1j])


BUFFER_SIZES = mostly([8192, 1, 3, np.int32(64), np.array(7), True], [np.float32(2), 1.5, -1, 2**32, 2**80, None, "64"])


RESETS = mostly([True, 1, np.True_, 2.5], ["no", [1], object()])


CALLS = st.tuples(
    ARRAYS,
    RATES,
    BUFFER_SIZES,
    RESETS,
    mostly(["positional", "keywords", "call", "two", "reset first"], ["one", "misspelt", "too many"]),
)


class Subclass(np.ndarray):
    """An array class of the user's own."""


def make_array(description):
    shape, dtype, layout = description
    values = np.random.default_rng(1).uniform(-1, 1, math.prod(shape)) * (1 if dtype != "u1" else 0)
    array = values.reshape(shape).astype("i8" if dtype == "M8[s]" else dtype).astype(dtype)
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "backwards" and array.ndim:
        return array[::-1]
    if layout == "readonly":
        array.flags.writeable = False
    if layout == "list":
        return array.tolist()
    return array.view(Subclass) if layout == "subclass" else array


def outcome(plugin, call):
    """Return the result of a call of a plugin, or the type of the exception that it raised."""
    description, rate, buffer_size, reset, form = call
    array = make_array(description)
    if form == "reset first":
        plugin.reset()
    try:
        if form == "keywords":
            return plugin.process(input_array=array, sample_rate=rate, buffer_size=buffer_size, reset=reset)
        if form == "call":
            return plugin(array, rate, buffer_size, reset)
        if form == "two":
            return plugin.process(array, rate)
        if form == "one":
            return plugin.process(array)
        if form == "misspelt":
            return plugin.process(audio=array, sample_rate=rate)
        if form == "too many":
            return plugin.process(array, rate, buffer_size, reset, None)
        return plugin.process(array, rate, buffer_size, reset)
    except Exception as error:
        return type(error)


def assert_same(got, want, note):
    if isinstance(want, type):
        assert got is want, note
        return
    assert isinstance(got, np.ndarray), (got, note)
    assert type(got) is type(want) is np.ndarray
    assert got.dtype == want.dtype == np.float32
    assert got.flags.c_contiguous and got.flags.writeable
    np.testing.assert_array_equal(got, want, err_msg=str(note))


@settings(max_examples=120, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=3))
def test_accepts_and_rejects_what_a_native_gain_does(calls):
    native, effect = Gain(0), Identity()
    native_board, board = Pedalboard([Gain(0)]), Pedalboard([Identity()])
    for call in calls:
        assert_same(outcome(effect, call), outcome(native, call), call)
        assert_same(outcome(board, call), outcome(native_board, call), call)


@settings(max_examples=80, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=4))
def test_takes_the_same_axis_for_time_as_native_code(calls):
    native, board = Pedalboard([LowpassFilter(50)]), Pedalboard([Identity(), LowpassFilter(50)])
    for call in calls:
        assert_same(outcome(board, call), outcome(native, call), call)


def test_list_goes_by_the_layout_that_its_first_plugin_knows():
    square, effect = np.array([[1, 2], [3, 4]], np.float32), Reverse()
    effect(STEREO.T, RATE)
    np.testing.assert_array_equal(pedalboard.process(square, RATE, [None, effect, Gain(0)]), square[::-1])
    pedalboard.process(STEREO, RATE, [effect])
    np.testing.assert_array_equal(effect(square, RATE), square[:, ::-1])


@pytest.mark.parametrize("arguments", [(), (STEREO,), (STEREO, RATE), (STEREO, RATE, [], 1, True, 0)])
def test_process_with_other_arguments_is_refused_as_natively(arguments):
    with pytest.raises(TypeError) as native:
        pedalboard_native.process(*arguments)
    with pytest.raises(TypeError) as hooked:
        pedalboard.process(*arguments)
    assert str(hooked.value) == str(native.value)


def test_square_array_only_after_the_layout_is_known():
    square = np.array([[1, 2], [3, 4]], np.float32)
    for plugin in (Reverse(), Pedalboard([Reverse()])):
        with pytest.raises(RuntimeError, match="layout"):
            plugin(square, RATE)
        plugin(STEREO, RATE)
        np.testing.assert_array_equal(plugin(square, RATE), square[:, ::-1])
        plugin(STEREO.T, RATE)
        np.testing.assert_array_equal(plugin(square, RATE), square[::-1])
        plugin.reset()
        with pytest.raises(RuntimeError, match="layout"):
            plugin(square, RATE)


@pytest.mark.parametrize("arguments", [(STEREO, "forty-four"), ([0.0], RATE), (STEREO, RATE, 1.5)])
def test_type_errors_speak_of_the_callers_plugin(arguments):
    for plugin in (Reverse(), Pedalboard([Reverse()])):
        with pytest.raises(TypeError, match=rf"Invoked with: <[a-z_.]*{type(plugin).__name__} "):
            plugin(*arguments)


@pytest.mark.parametrize("buffer_size", [0, False, np.int64(0), np.float32(0.5)])
def test_buffer_size_below_one_is_refused(buffer_size):
    for plugin in (Reverse(), Pedalboard([Reverse()])):
        with pytest.raises(ValueError, match=f"buffer_size={buffer_size} must be at least 1"):
            plugin(STEREO, RATE, buffer_size)
