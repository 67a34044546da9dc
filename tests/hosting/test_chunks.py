"""Recordings in chunks: boards whose effects take chunks, and those whose effects refuse them."""

import numpy as np
import pedalboard
import pytest
from pedalboard import (
    Chain,
    Clipping,
    Delay,
    Gain,
    GSMFullRateCompressor,
    Mix,
    Pedalboard,
    PitchShift,
    Resample,
    Reverb,
)
from support.hosting_effects import RATE, STEREO, Delayed, Reverse

from audiostyle_fx.hosting import OfflineEffect

LATENCY = 700


def in_chunks(process, audio, sizes, silence=0):
    """The whole output for audio in chunks of alternating sizes, followed by silence."""
    audio, outputs, start = np.pad(audio, ((0, 0), (0, silence))), [], 0
    while start < audio.shape[1]:
        size = sizes[len(outputs) % len(sizes)]
        outputs.append(process(audio[:, start : start + size], RATE, reset=False))
        start += size
    return np.concatenate(outputs, axis=1)


@pytest.mark.parametrize("sizes", [[12000], [4096], [3000, 700, 3], [999, 0, 1, 5000]])
def test_native_plugins_run_before_and_after_an_effect(sizes):
    board = Pedalboard([Gain(-3), Clipping(-10), Delayed(LATENCY), Reverb(), Delay(0.1)])
    out = in_chunks(board, STEREO, sizes, silence=LATENCY + 1024)
    want = Pedalboard([Gain(-3), Clipping(-10), Reverb(), Delay(0.1)])(STEREO, RATE)
    np.testing.assert_array_equal(out[:, : STEREO.shape[1]], want)


def test_list_of_plugins_takes_chunks():
    plugins = [Gain(-3), Delayed(LATENCY), Delay(0.1)]

    def process(audio, sample_rate, reset):
        return pedalboard.process(audio, sample_rate, plugins, reset=reset)

    out = in_chunks(process, STEREO, [3000, 700], silence=LATENCY + 1024)
    want = Pedalboard([Gain(-3), Delay(0.1)])(STEREO, RATE)
    np.testing.assert_array_equal(out[:, : STEREO.shape[1]], want)


def test_branches_of_a_mix_wait_for_each_other():
    board = Pedalboard([Mix([Chain([Delayed(LATENCY), Gain(-6)]), Gain(-20)])])
    out = in_chunks(board, STEREO, [3000, 700, 3], silence=LATENCY + 1024)
    want = Gain(-6)(STEREO, RATE) + Gain(-20)(STEREO, RATE)
    np.testing.assert_array_equal(out[:, : STEREO.shape[1]], want)


@pytest.mark.parametrize("buffer_size", [1, 8192])
def test_chunks_of_few_samples_keep_their_layout(buffer_size):
    board = Pedalboard([Delayed(0), Reverb()])
    out = [board(STEREO[:, :50], RATE, buffer_size, reset=False)]
    out += [board(STEREO[:, [sample]], RATE, buffer_size, reset=False) for sample in range(50, 2048)]
    np.testing.assert_array_equal(np.concatenate(out, axis=1), Reverb()(STEREO[:, :2048], RATE, 512))


def test_reset_discards_the_samples_that_wait():
    board = Pedalboard([Gain(0), Delayed(LATENCY), Resample(4000)])
    first = in_chunks(board, STEREO, [2999])
    board.reset()
    np.testing.assert_array_equal(in_chunks(board, STEREO, [2999]), first)


def test_whole_recording_discards_the_samples_that_wait():
    board = Pedalboard([Gain(0), Delayed(0), Gain(-6)])
    assert board(STEREO[:, :700], RATE, reset=False).shape[1] == 512
    assert board(STEREO, RATE).shape == STEREO.shape
    np.testing.assert_array_equal(board(STEREO[:, 700:1212], RATE, reset=False), Gain(-6)(STEREO[:, 700:1212], RATE))


def test_effect_by_itself_discards_the_samples_that_wait_for_it():
    effect = Delayed(0)
    plugins = [Gain(0), effect]
    pedalboard.process(STEREO[:, :100], RATE, plugins, reset=False)
    effect.reset()
    out = pedalboard.process(STEREO[:, 100:700], RATE, plugins, reset=False)
    np.testing.assert_array_equal(out, STEREO[:, 100:612])


def test_another_number_of_channels_is_refused_until_reset():
    board = Pedalboard([Gain(0), Delayed(0)])
    board(STEREO, RATE, reset=False)
    with pytest.raises(RuntimeError, match=r"has 2 channels; call reset\(\) before a recording with 1"):
        board(STEREO[0], RATE, reset=False)
    board.reset()
    assert board(STEREO[0], RATE, reset=False).ndim == 1


@pytest.mark.parametrize("chunk", [STEREO, STEREO[:, :0], STEREO[0]])
def test_effect_of_whole_recordings_refuses_chunks_and_names_the_remedy(chunk):
    for plugin in (Reverse(), Pedalboard([Gain(), Mix([Reverse()])]), Pedalboard([Delayed(0), Reverse()])):
        with pytest.raises(RuntimeError, match=r"^Reverse needs the whole recording.*Read the whole file.*one call"):
            plugin(chunk, RATE, reset=False)


def test_effect_that_could_stream_is_told_how():
    class Switchable(OfflineEffect):
        @property
        def parameters(self):
            return {"streaming": False}

    with pytest.raises(RuntimeError, match=r"Switchable needs the whole .* Or set streaming=True\.$"):
        Switchable()(STEREO, RATE, reset=False)


@pytest.mark.parametrize("plugin", [PitchShift(3), GSMFullRateCompressor()])
def test_native_plugin_that_is_silent_in_blocks_is_refused(plugin):
    board = Pedalboard([Delayed(0), Chain([plugin])])
    with pytest.raises(RuntimeError, match=f"{type(plugin).__name__} returns silence in short blocks"):
        board(STEREO, RATE, reset=False)
    assert board(STEREO, RATE).any()


@pytest.mark.parametrize("result", [np.zeros((1, 4)), np.zeros((2, 4), int), np.full((2, 1), np.nan), "nothing"])
def test_what_feed_returns_is_checked(result):
    class Returning(Delayed):
        def feed(self, audio, sample_rate):
            return result

    with pytest.raises(RuntimeError, match=r"Returning\.feed (must return|returned) "):
        Returning(0)(STEREO, RATE, reset=False)


def test_streaming_effect_without_feed_says_so():
    class Promising(OfflineEffect):
        streaming = True

    with pytest.raises(NotImplementedError, match=r"feed\(audio, sample_rate\)"):
        Promising()(STEREO, RATE, reset=False)
