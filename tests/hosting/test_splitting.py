"""Native plugins before and after an effect return the same as without it, apart from documented exceptions."""

import itertools

import numpy as np
import pedalboard
import pytest
from pedalboard import Chain, Compressor, Delay, Gain, LowpassFilter, Mix, Pedalboard, PitchShift, Reverb
from support.hosting_effects import RATE, STEREO, Identity, Reverse, reverse

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


def test_buffer_size_reaches_native_code():
    convolution = NATIVE["Convolution"]  # rounds differently in blocks of other sizes
    board = Pedalboard([convolution(), Reverse(), Mix([convolution(), Reverse()])])
    middle = reverse(convolution()(STEREO, RATE, 777))
    np.testing.assert_array_equal(board(STEREO, RATE, 777), convolution()(middle, RATE, 777) + reverse(middle))
    assert not np.array_equal(board(STEREO, RATE), board(STEREO, RATE, 777))


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
