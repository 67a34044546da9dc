"""Hosting: whole-buffer Python effects in pedalboard's own containers."""

import copy
import gc
import itertools
import math
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pedalboard
import pedalboard.io
import pedalboard_native
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pedalboard import Chain, Compressor, Delay, Gain, LowpassFilter, Mix, Pedalboard, PitchShift, Plugin, Reverb

import audiostyle_fx
from audiostyle_fx.hosting import bridge
from audiostyle_fx.hosting.bridge import OfflineEffect, install, uninstall

RATE = 44100.0
STEREO = (np.random.default_rng(0).standard_normal((2, 12000)) * 0.1).astype(np.float32)
TWICE = "same plugin instance is being used multiple times"


class Reverse(OfflineEffect):
    """Plays a recording backwards: right only if it is given the whole of it."""

    def __init__(self, strength=1.0, impulse=None):
        super().__init__()
        self.strength = strength
        self.impulse = impulse
        self.seen = []

    @property
    def parameters(self):
        return {"strength": self.strength, "impulse": self.impulse}

    def render(self, audio, sample_rate):
        self.seen.append((audio.shape, audio.dtype, sample_rate))
        return audio[:, ::-1] * np.float32(self.strength)


class Identity(OfflineEffect):
    """Changes nothing."""

    def render(self, audio, sample_rate):
        return audio


class Doing(OfflineEffect):
    """Renders with a function given by the test."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def render(self, audio, sample_rate):
        return self.function(audio)


@pytest.fixture(autouse=True)
def installed():
    install()
    yield
    install()  # also after a test that failed while it was uninstalled


@pytest.fixture
def uninstalled():
    uninstall()
    yield
    install()


def reverse(audio):
    return np.ascontiguousarray(audio[..., ::-1])


def run_python(code, *, expected="ok"):
    """Run a script in a fresh interpreter in which warnings are errors, and compare the last line it prints."""
    root = str(Path(audiostyle_fx.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert result.stdout.strip().endswith(expected), result.stdout + result.stderr
    assert result.returncode == 0, result.stderr


# -------------------------------------------------------------------------------- in every container


def test_effect_in_a_stock_board():
    board = Pedalboard([Reverse(), Reverb()])
    gc.collect()
    assert type(board) is Pedalboard
    assert type(board[0]) is Reverse
    want = Reverb()(reverse(STEREO), RATE)
    np.testing.assert_array_equal(board(STEREO, RATE), want)
    np.testing.assert_array_equal(board.process(STEREO, RATE), want)
    np.testing.assert_array_equal(board(sample_rate=RATE, buffer_size=64, reset=True, input_array=STEREO), want)
    assert board[0].seen == [((2, 12000), np.float32, RATE)] * 3


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

    np.testing.assert_array_equal(Mix([Doing(overwrite), Identity()])(STEREO, RATE), STEREO)


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


def test_function_process():
    np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, [Reverse()]), reverse(STEREO))
    np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, Pedalboard([Reverse()])), reverse(STEREO))
    # plugin after plugin, where a board runs block after block: with PitchShift behind Reverb the tails differ
    behind = [Reverb(), PitchShift(2)]
    by_list = pedalboard.process(STEREO, RATE, [Reverse(), *behind])
    np.testing.assert_array_equal(by_list, pedalboard.process(reverse(STEREO), RATE, behind))
    by_board = Pedalboard([Reverse(), *behind])(STEREO, RATE)
    np.testing.assert_array_equal(by_board, Pedalboard(behind)(reverse(STEREO), RATE))
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


# -------------------------------------------------------------------------------- equal to native

IMPULSE = np.random.default_rng(5).standard_normal((1, 500)).astype(np.float32) * 0.05
NATIVE = {
    name: make
    for name, make in {
        "Bitcrush": lambda: pedalboard.Bitcrush(6),
        "BrickwallLimiter": lambda: pedalboard.BrickwallLimiter(),
        "Chorus": lambda: pedalboard.Chorus(),
        "Clipping": lambda: pedalboard.Clipping(-6),
        "Compressor": lambda: Compressor(-20, 4),
        "Convolution": lambda: pedalboard.Convolution(IMPULSE, 1.0, sample_rate=RATE),
        "Delay": lambda: Delay(0.01),
        "Distortion": lambda: pedalboard.Distortion(),
        "GSMFullRateCompressor": lambda: pedalboard.GSMFullRateCompressor(),
        "Gain": lambda: Gain(-3),
        "HighpassFilter": lambda: pedalboard.HighpassFilter(),
        "HighShelfFilter": lambda: pedalboard.HighShelfFilter(gain_db=6),
        "Invert": lambda: pedalboard.Invert(),
        "LadderFilter": lambda: pedalboard.LadderFilter(),
        "Limiter": lambda: pedalboard.Limiter(),
        "LowShelfFilter": lambda: pedalboard.LowShelfFilter(gain_db=6),
        "LowpassFilter": lambda: LowpassFilter(),
        "MP3Compressor": lambda: pedalboard.MP3Compressor(),
        "NoiseGate": lambda: pedalboard.NoiseGate(),
        "PeakFilter": lambda: pedalboard.PeakFilter(gain_db=6),
        "Phaser": lambda: pedalboard.Phaser(),
        "PitchShift": lambda: PitchShift(3),
        "Resample": lambda: pedalboard.Resample(),
        "Reverb": lambda: Reverb(),
    }.items()
    if hasattr(pedalboard, name)
}
DELAYING = {"GSMFullRateCompressor", "MP3Compressor", "PitchShift", "Resample"}
LATENT = DELAYING | {"BrickwallLimiter"}
MEMORYLESS = {"Bitcrush", "Clipping", "Distortion", "Gain", "Invert"}


@pytest.mark.parametrize(
    ("seconds", "samples"),
    [({*DELAYING, "Convolution", "Delay"}, 4000), pytest.param({*NATIVE}, 8000, marks=pytest.mark.slow)],
    ids=["some", "all"],
)
def test_identity_effect_splits_a_board_exactly_but_for_the_documented_exceptions(seconds, samples):
    audio = STEREO[0, :samples]
    different = set()
    for first, second in itertools.product(NATIVE, sorted(seconds & {*NATIVE})):
        got = Pedalboard([NATIVE[first](), Identity(), NATIVE[second]()])(audio, RATE)
        by_hand = NATIVE[second]()(NATIVE[first]()(audio, RATE), RATE)
        np.testing.assert_array_equal(got, by_hand, err_msg=f"{first}, {second}")
        whole = Pedalboard([NATIVE[first](), NATIVE[second]()])(audio, RATE)
        if np.array_equal(got, whole):
            continue
        different.add((first, second))
        if second == "Convolution":
            assert first in LATENT
            np.testing.assert_allclose(got, whole, rtol=0, atol=1e-7)
        else:
            assert second in DELAYING and first not in MEMORYLESS
            np.testing.assert_array_equal(got[: samples // 2], whole[: samples // 2], err_msg=f"{first}, {second}")
    assert {("Reverb", "PitchShift"), ("Chorus", "PitchShift"), ("PitchShift", "Resample")} <= different


@pytest.mark.parametrize("buffer_size", [1000, 8192, 100000])
def test_native_stretches_run_as_boards_of_their_own(buffer_size):
    stretch = [PitchShift(-2), Reverb(), Compressor(-20, 4), PitchShift(1)]
    board = Pedalboard([Reverse(), *stretch, Reverse(), Chain([Delay(0.01)])])
    middle = Pedalboard(stretch)(reverse(STEREO), RATE, buffer_size)
    want = Chain([Delay(0.01)])(reverse(middle), RATE, buffer_size)
    np.testing.assert_array_equal(board(STEREO, RATE, buffer_size), want)


def test_buffer_size_reaches_native_code(monkeypatch):
    sizes = []

    def listening(audio, rate, plugins, buffer_size, reset):
        sizes.append(buffer_size)
        return pedalboard_native.process(audio, rate, plugins, buffer_size, reset)

    monkeypatch.setattr(bridge, "_native_list_process", listening)
    Pedalboard([Gain(), Reverse(), Mix([Gain(), Reverse()])])(STEREO, RATE, 777)
    assert sizes == [777, 777]


def test_mix_with_an_identity_equals_the_native_mix():
    native = Mix([Reverb(), PitchShift(2), Gain(-6), Chain([Delay(0.01), Compressor(-20, 4)])])
    hosted = Mix([Reverb(), Chain([Identity(), PitchShift(2)]), Gain(-6), Chain([Delay(0.01), Compressor(-20, 4)])])
    np.testing.assert_array_equal(hosted(STEREO, RATE), native(STEREO, RATE))


@pytest.mark.parametrize("run", [lambda *args: Pedalboard(args[2])(*args[:2]), lambda *args: pedalboard.process(*args)])
def test_earlier_use_of_a_plugin_does_not_change_what_a_stretch_takes_for_time(run):
    click = np.array([[1, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    want = LowpassFilter(50)(click, RATE)
    lowpass = LowpassFilter(50)
    lowpass(np.zeros((4, 100), np.float32), RATE)
    np.testing.assert_array_equal(run(click, RATE, [Identity(), lowpass]), want)


# -------------------------------------------------------------------------------- arguments and results


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


@pytest.mark.parametrize("zero", [0, False, np.int64(0), np.float32(0.5)])
def test_buffer_size_zero_raises_and_does_not_hang(zero):
    for plugin in (Reverse(), Pedalboard([Reverse()])):
        with pytest.raises(ValueError, match="buffer_size"):
            plugin(STEREO, RATE, zero)


@pytest.mark.parametrize("chunk", [STEREO, STEREO[:, :0], STEREO[0]])
def test_chunks_are_refused_with_the_remedy(chunk):
    for plugin in (Reverse(), Pedalboard([Gain(), Mix([Reverse()])])):
        with pytest.raises(RuntimeError, match=r"Reverse needs the whole recording.*Read the whole file.*one call"):
            plugin(chunk, RATE, reset=False)


def test_nothing_to_render():
    effect = Reverse()
    for shape in ((0,), (2, 0), (0, 2)):
        assert Pedalboard([effect, Reverb()])(np.zeros(shape), RATE).shape == shape
    assert effect.seen == []


def test_input_is_never_changed_and_output_never_shared():
    kept = []

    def overwrite_and_keep(audio):
        audio *= 2
        kept.append(audio)
        return audio

    before = STEREO.copy()
    for source in (STEREO, STEREO.T, STEREO[0], np.asfortranarray(STEREO), STEREO.astype(np.float64)):
        for plugin in (Doing(overwrite_and_keep), Pedalboard([Doing(overwrite_and_keep)])):
            output = plugin(source, RATE)
            np.testing.assert_array_equal(output, source.astype(np.float32) * 2)
            assert not np.shares_memory(output, source)
            assert not np.shares_memory(output, kept[-1]) and not np.shares_memory(kept[-1], source)
    np.testing.assert_array_equal(STEREO, before)


@pytest.mark.parametrize(
    "bad",
    [
        lambda audio: audio[:, :-1],
        lambda audio: audio[:1],
        lambda audio: audio[0],
        lambda audio: audio.T,
        lambda audio: None,
        lambda audio: audio.tolist(),
        lambda audio: np.ones(audio.shape, np.int16),
        lambda audio: audio * 1j,
        lambda audio: np.full(audio.shape, np.nan),
        lambda audio: np.where(audio == audio.max(), np.inf, audio),
        lambda audio: np.full(audio.shape, 1e300),
    ],
)
def test_what_render_returns_is_checked(bad):
    for plugin in (Doing(bad), Pedalboard([Doing(bad), Reverb()])):
        with pytest.raises(RuntimeError, match=r"Doing\.render"):
            plugin(STEREO, RATE)


def test_render_may_return_another_precision():
    output = Doing(lambda audio: np.asfortranarray(audio.astype(np.float64) / 3))(STEREO, RATE)
    assert output.dtype == np.float32 and output.flags.c_contiguous
    np.testing.assert_array_equal(output, (STEREO.astype(np.float64) / 3).astype(np.float32))


def test_effect_without_render_says_so():
    with pytest.raises(NotImplementedError, match="OfflineEffect does not implement render"):
        Pedalboard([OfflineEffect()])(STEREO, RATE)


# -------------------------------------------------------------------------------- never silently dry


def containers_with_an_effect():
    return [
        Reverse(),
        Pedalboard([Reverse()]),
        Pedalboard([Gain(), Reverse(), Reverb()]),
        Chain([Chain([Reverse()])]),
        Mix([Gain(), Chain([Reverse()])]),
    ]


@pytest.mark.parametrize("samples", [0, 1, 2, 100, 20000])
def test_native_half_can_not_be_run(samples):
    audio = np.zeros((2, samples), np.float32) if samples != 2 else np.zeros(2, np.float32)
    for plugin in containers_with_an_effect():
        for run in (Plugin.process, Plugin.__call__):
            for reset in (True, False):
                with pytest.raises(RuntimeError, match=TWICE):
                    run(plugin, audio, RATE, reset=reset)
        with pytest.raises(RuntimeError, match=TWICE):
            pedalboard_native.process(audio, RATE, [Gain(), plugin])


def test_effect_is_not_taken_for_an_empty_list_of_plugins():
    for run in (pedalboard.process, pedalboard_native.process):
        with pytest.raises(TypeError):
            run(STEREO, RATE, Reverse())


def test_native_half_is_silent_where_native_code_does_not_look_for_duplicates():
    inside = bridge._entries(Reverse())
    assert len(inside) == 2 and inside[0] is inside[1]
    assert not Chain([inside[0]])(STEREO, RATE).any()


def test_board_raises_while_uninstalled(uninstalled):
    for plugin in containers_with_an_effect()[1:]:
        gc.collect()
        with pytest.raises(RuntimeError, match=TWICE):
            plugin(STEREO, RATE)
        with pytest.raises(RuntimeError, match=TWICE):
            pedalboard.process(STEREO, RATE, [plugin])
    np.testing.assert_array_equal(Reverse()(STEREO, RATE), reverse(STEREO))  # by itself it needs no hooks


def test_lost_python_half_is_reported():
    uninstall()
    board = Pedalboard([Gain(), Chain([Reverse()])])
    gc.collect()
    install()
    for run in (board, board.process, Pedalboard([Reverse(), board])):
        with pytest.raises(RuntimeError, match="lost its Python half"):
            run(STEREO, RATE)
    with pytest.raises(RuntimeError, match=TWICE):
        pedalboard.process(STEREO, RATE, [board])
    board[1][0] = Reverse()
    gc.collect()
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(Gain()(STEREO, RATE)))


def test_names_and_boards_from_before_the_import():
    """Captured functions raise, boards can be filled, and the import of the bridge alone changes nothing."""
    run_python(
        """
        import gc
        import numpy as np
        import pedalboard
        from pedalboard import Chain, Gain, Mix, Pedalboard, PluginContainer, process
        run, call, append, construct = Pedalboard.process, Pedalboard.__call__, Pedalboard.append, Chain.__init__
        early = Pedalboard([])
        bound = early.process
        filled = Pedalboard([Mix([Gain(0), Gain(0)])])
        chains = Pedalboard([Chain([Gain(0)]), Chain([Gain(0)])])
        from audiostyle_fx import pedalboard_bridge
        from audiostyle_fx.hosting.bridge import OfflineEffect, install
        if "process" not in vars(PluginContainer):  # not installed by the package itself
            assert Chain.__init__ is construct
        install()
        assert Chain.__init__ is not construct

        class Reverse(OfflineEffect):
            def render(self, audio, sample_rate):
                return audio[:, ::-1]

        audio = np.arange(200, dtype=np.float32).reshape(2, 100)
        early.append(Reverse())
        unseen = Reverse()
        held = Pedalboard([])
        append(held, unseen)
        board = Pedalboard([Reverse()])
        lost = Pedalboard([])
        append(lost, Reverse())
        gc.collect()
        raised = []
        for attempt in (
            lambda: process(audio, 44100, [board]),
            lambda: process(audio, 44100, [Reverse()]),
            lambda: run(board, audio, 44100),
            lambda: call(board, audio, 44100),
            lambda: bound(audio, 44100),
            lambda: lost(audio, 44100),
            lambda: pedalboard.process(audio, 44100, [lost]),
        ):
            try:
                attempt()
            except RuntimeError as error:
                raised.append("same plugin instance" in str(error) or "lost its Python half" in str(error))
        assert raised == [True] * 7, raised
        assert np.array_equal(board(audio, 44100), audio[:, ::-1])
        assert np.array_equal(early(audio, 44100), audio[:, ::-1])
        assert np.array_equal(held(audio, 44100), audio[:, ::-1])
        assert np.array_equal(pedalboard.process(audio, 44100, [Reverse()]), audio[:, ::-1])

        filled[0][1] = Reverse()
        gc.collect()
        assert np.array_equal(filled(audio, 44100), audio + audio[:, ::-1])
        for container in chains:
            container.append(Reverse())
            del container[0]
        del container
        gc.collect()
        assert np.array_equal(chains(audio, 44100), audio)

        bridge.uninstall()
        assert Chain.__init__ is construct and "process" not in vars(PluginContainer)
        print("ok")
        """
    )


@pytest.mark.skipif(not hasattr(getattr(pedalboard.io, "AudioStream", None), "plugins"), reason="no audio devices")
def test_live_stream_is_refused():
    stream_type = pedalboard.io.AudioStream
    for board in containers_with_an_effect():
        for arguments in ({"plugins": board}, {"output_device_name": "x", "plugins": board}):
            with pytest.raises(TypeError, match="live AudioStream"):
                stream_type(**arguments)
        with pytest.raises(TypeError, match="live AudioStream"):
            stream_type(None, "x", board)
        with pytest.raises(TypeError, match="live AudioStream"):
            stream_type.plugins.fset(object(), board)
    hooked = failure_to_open()
    uninstall()
    assert failure_to_open() == hooked


def test_effect_can_not_be_put_where_a_stream_plays():
    class Stream:
        """As much of a live stream as the refusal looks at."""

    stream, inner, outside = Stream(), Mix([Gain(0)]), Pedalboard([])
    board = stream.plugins = Pedalboard([Gain(0), Chain([inner])])
    bridge._streams.add(stream)
    for put in (
        lambda: board.append(Reverse()),
        lambda: inner.insert(0, Chain([Reverse()])),
        lambda: inner.__setitem__(0, Reverse()),
    ):
        with pytest.raises(TypeError, match="live AudioStream"):
            put()
    assert len(board) == 2 and len(inner) == 1
    inner.append(Gain(1))
    outside.append(Reverse())
    del stream
    inner.append(Reverse())


def failure_to_open():
    try:
        pedalboard.io.AudioStream("no such device", "no such device", Pedalboard([Gain()]))
    except Exception as error:
        return type(error), str(error)
    raise AssertionError("opened a device that does not exist")


# -------------------------------------------------------------------------------- installing


def everything_in_pedalboard():
    owners = {
        id(owner): owner
        for module in (pedalboard, pedalboard_native, pedalboard_native.utils, pedalboard.io)
        for owner in (module, *(value for value in vars(module).values() if isinstance(value, type)))
    }
    return {(owner, name): value for owner in owners.values() for name, value in vars(owner).items()}


def test_install_changes_the_table_and_nothing_else_and_uninstall_takes_it_back(uninstalled):
    before = everything_in_pedalboard()
    install()
    after = everything_in_pedalboard()
    changed = {place for place in before | after if before.get(place) is not after.get(place)}
    assert changed == {(owner, name) for owner, name, _, _ in bridge._PATCHES}
    assert all(reason for *_, reason in bridge._PATCHES)
    assert Pedalboard.process.__doc__ == Plugin.process.__doc__
    install()
    assert all(everything_in_pedalboard()[place] is value for place, value in after.items())
    uninstall()
    uninstall()
    again = everything_in_pedalboard()
    assert again.keys() == before.keys() and all(again[place] is value for place, value in before.items())


def test_uninstall_leaves_what_others_have_changed_since(uninstalled, monkeypatch):
    install()
    ours = pedalboard.process

    def theirs(*args, **kwargs):
        return ours(*args, **kwargs)

    pedalboard.process = theirs
    try:
        uninstall()
        assert pedalboard.process is theirs
        np.testing.assert_array_equal(pedalboard.process(STEREO, RATE, [Reverse()]), reverse(STEREO))
    finally:
        pedalboard.process = pedalboard_native.process


def test_module_can_be_loaded_again():
    run_python(
        """
        import importlib
        import numpy as np
        import pedalboard
        from audiostyle_fx import pedalboard_bridge
        bridge.install()
        first = pedalboard.Pedalboard([bridge.OfflineEffect()])
        importlib.reload(pedalboard_bridge)
        bridge.install()

        class Reverse(bridge.OfflineEffect):
            def render(self, audio, sample_rate):
                return audio[:, ::-1]

        audio = np.arange(200, dtype=np.float32).reshape(2, 100)
        assert np.array_equal(pedalboard.Pedalboard([Reverse()])(audio, 44100), audio[:, ::-1])
        try:
            first(audio, 44100)
        except RuntimeError as error:
            assert "same plugin instance" in str(error) or "Python half" in str(error)
        else:
            raise AssertionError("an effect of the module as it was before must not pass audio")
        bridge.uninstall()
        assert "process" not in vars(pedalboard.PluginContainer)
        print("ok")
        """
    )


def test_install_from_many_threads(uninstalled):
    before = everything_in_pedalboard()
    barrier = threading.Barrier(8)

    def both(_):
        barrier.wait(10)
        install()
        return len(bridge._undo)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(both, range(8))) == {len(bridge._PATCHES)}
    uninstall()
    assert everything_in_pedalboard() == before


def test_install_is_all_or_nothing(uninstalled, monkeypatch):
    before = everything_in_pedalboard()
    broken = (*bridge._PATCHES, (Chain, "no_such_name", bridge._taking, "fails"))
    monkeypatch.setattr(bridge, "_PATCHES", broken)
    with pytest.raises(AttributeError):
        install()
    monkeypatch.undo()
    assert everything_in_pedalboard() == before


def test_installing_again_revives_boards():
    board = Pedalboard([Reverse(), Gain(0)])
    uninstall()
    install()
    gc.collect()
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO))


# -------------------------------------------------------------------------------- as a Python object


class Weird:
    """Shows itself in a way of its own."""

    def __repr__(self):
        return "<weird>"


def test_repr():
    effect = Reverse(0.5, np.zeros((2, 44100), np.float32))
    package = __name__.partition(".")[0]
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


def test_reset_reaches_the_effects():
    resets = []

    class Counting(Identity):
        def reset(self):
            resets.append(self)

    effect = Counting()
    Pedalboard([Gain(), Mix([Chain([effect])])]).reset()
    assert resets == [effect]


# -------------------------------------------------------------------------------- memory


def test_no_leak_over_thousands_of_boards():
    gc.collect()
    notes = len(bridge._notes)
    effects = []
    for _ in range(2000):
        board = Pedalboard([Mix([Chain([Reverse()])]), Gain()])
        board(STEREO[:, :64], RATE)
        effects.append(weakref.ref(board[0][0][0]))
    assert effects[-1]() is not None
    del board
    gc.collect()
    assert not any(effect() for effect in effects)
    assert len(bridge._notes) == notes


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
    seen = weakref.ref(effect)
    del effect, first
    gc.collect()
    np.testing.assert_array_equal(second(STEREO, RATE), reverse(STEREO))
    del second
    gc.collect()
    assert seen() is None


# -------------------------------------------------------------------------------- threads


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

    board = Pedalboard([gain, Doing(meet), Reverb()])
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


def test_exceptions_come_through_unchanged():
    error = LookupError("no such style")

    def fail(audio):
        raise error

    board = Pedalboard([Gain(0), Mix([Chain([Doing(fail)])])])
    with pytest.raises(LookupError) as caught:
        board(STEREO, RATE)
    assert caught.value is error
    board[1][0][0].function = reverse
    np.testing.assert_array_equal(board(STEREO, RATE), reverse(STEREO))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_interrupt_stops_an_effect_and_leaves_the_board_usable():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    def interrupted(audio):
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            np.fft.rfft(audio)
        return audio

    board = Pedalboard([Gain(0), Doing(interrupted), Reverb()])
    try:
        with pytest.raises(KeyboardInterrupt):
            board(STEREO, RATE)
    finally:
        signal.signal(signal.SIGINT, before)
    board[1].function = reverse
    np.testing.assert_array_equal(board(STEREO, RATE), Reverb()(reverse(STEREO), RATE))


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
