"""The level of a recording without its pauses, and the curve that evens it."""

import numpy as np
import pytest

from audiostyle_fx._recordings import gain_curve
from audiostyle_fx._recordings.gain_curve import MAX_LIFT_DB, Dynamics, block_energies, block_samples
from audiostyle_fx._recordings.levels import RMS, rms


@pytest.fixture
def tone(rate):
    t = np.arange(rate) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 440 * t), 0.25 * np.sin(2 * np.pi * 330 * t)]).astype(np.float32)


# ---------------------------------------------------------------- the level
@pytest.mark.parametrize(("pause_db", "counts"), [(-np.inf, False), (-70, False), (-50, True)])
def test_pauses_do_not_count(tone, rate, pause_db, counts):
    pause = 10 ** (pause_db / 20) * tone
    level = Dynamics.of(np.concatenate([pause, tone, pause], axis=1), rate).rms
    assert level == pytest.approx(rms(tone) / (np.sqrt(3) if counts else 1), rel=1e-4)


def test_level_of_short_and_silent_recordings(tone, rate):
    for silent in (np.zeros((2, 1000), np.float32), np.zeros((2, 0), np.float32)):
        assert (Dynamics.of(silent, rate).rms, Dynamics.of(silent, rate).gain) == (0, 1)
    assert Dynamics.of(np.full((1, 1), 0.3, np.float32), rate).rms == pytest.approx(0.3)
    assert Dynamics.of(tone[:, :81], rate).rms == pytest.approx(rms(tone[:, :81]))  # 81 is a block of 80 and one of 1
    assert Dynamics.of(tone, rate).gain == pytest.approx(RMS / rms(tone))


@pytest.mark.parametrize("gain", [1e-15, 1e3])
def test_gate_goes_with_the_level(tone, rate, gain):
    audio = np.append(tone, 1e-4 * tone, axis=1)
    assert Dynamics.of(gain * audio, rate).rms == pytest.approx(gain * Dynamics.of(audio, rate).rms, rel=1e-5)


# ---------------------------------------------------------------- the curve
DIP = slice(12_000, 20_000)  # the second from 1.5 s on


@pytest.fixture
def steady(rate):
    return 0.1 * np.random.default_rng(0).standard_normal(4 * rate)


def dipped(audio, decibels=-30.0, where=DIP):
    """The audio, falling by some decibels for a while."""
    audio = audio.copy()
    audio[where] *= audio.dtype.type(10 ** (decibels / 20))
    return audio


def lift(audio, rate, window=None):
    """The curve in dB above the gain, (samples,)."""
    audio = np.atleast_2d(audio)
    dynamics, window = Dynamics.of(audio, rate), window or slice(0, audio.shape[1])
    return 20 * np.log10(np.broadcast_to(dynamics.curve(window) / dynamics.gain, window.stop - window.start))


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.65])
@pytest.mark.parametrize("decibels", [-30.0, -np.inf])
def test_short_pauses_are_left_alone(steady, rate, seconds, decibels):
    dynamics = Dynamics.of(dipped(steady, decibels, slice(12_000, 12_000 + round(seconds * rate)))[None], rate)
    assert dynamics.curve(slice(0, len(steady))) == dynamics.gain


def test_notes_are_left_alone(content, rate):
    dynamics = Dynamics.of(content[None], rate)
    assert dynamics.curve(slice(0, len(content))) == dynamics.gain


@pytest.mark.parametrize(("decibels", "lifted"), [(-4, 0), (-20, 20), (-30, 30), (-45, 45), (-90, 90)])
def test_long_dips_are_brought_up_to_the_rest(steady, rate, decibels, lifted):
    up, level = lift(dipped(steady, decibels), rate), 10 * np.log10(0.75) if lifted else 0  # over all four seconds
    np.testing.assert_allclose(up[DIP][100:-100], min(lifted + level, MAX_LIFT_DB), atol=2)
    assert not up[: DIP.start].any() and not up[DIP.stop :].any(), "nothing loud is made louder"


@pytest.mark.parametrize("ramp", [0.01, 0.1, 0.5])
def test_ramps_are_followed(steady, rate, ramp):
    decibels = np.interp(np.arange(len(steady)) / rate, [1.5, 1.5 + ramp, 3.5 - ramp, 3.5], [0, -30, -30, 0])
    up, level = lift(steady * 10 ** (decibels / 20), rate), 10 * np.log10(np.mean(10 ** (decibels / 10)))
    np.testing.assert_allclose(up[decibels < -29.9][100:-100], level + 30, atol=2)
    assert not up[decibels == 0].any()
    assert (up + decibels).max() <= 0, "nothing comes out louder than what is loud"


def test_a_quiet_beginning_and_a_quiet_end_are_brought_up(steady, rate):
    for where in (slice(0, 8000), slice(-8000, None)):
        audio = steady.copy()
        audio[where] *= 0.01
        np.testing.assert_allclose(lift(audio, rate)[where][100:-100], 40, atol=2)


def test_any_window_of_the_curve_is_a_part_of_it(content, rate):
    audio = dipped(np.tile(content, 4))
    whole, rng = lift(audio, rate), np.random.default_rng(0)
    assert np.abs(np.diff(whole)).max() < 0.5, "it is continuous"
    for start, stop in [(0, 1), (len(audio) - 1, len(audio)), *np.sort(rng.integers(0, len(audio), (50, 2)))]:
        np.testing.assert_array_equal(lift(audio, rate, slice(start, stop)), whole[start:stop])


def test_levels_do_not_depend_on_how_the_recording_is_read(content, rate, monkeypatch):
    audio = np.stack([dipped(np.tile(content, 4)), dipped(np.tile(content, 4), -40)[::-1]])[:, :-17]
    want = lift(audio, rate)
    monkeypatch.setattr(gain_curve, "READ_BLOCKS", 3)
    np.testing.assert_array_equal(lift(audio, rate), want)


def test_one_curve_for_all_channels(content, rate):
    mono, other = dipped(np.tile(content, 4)), np.tile(content, 4)
    want = lift(mono, rate)
    np.testing.assert_array_equal(lift(np.stack([mono, mono]), rate), want)
    np.testing.assert_array_equal(lift(np.stack([mono, other]), rate), lift(np.stack([other, mono]), rate))
    assert not lift(np.stack([mono, other]), rate).any(), "one channel alone falls"
    two = np.stack([mono, np.zeros_like(mono)])
    curve = Dynamics.of(two, rate, np.array([True, False])).curve(slice(0, len(mono)))
    np.testing.assert_array_equal(curve, Dynamics.of(mono[None], rate).curve(slice(0, len(mono))))


@pytest.mark.parametrize("power", [-60, -3, 20])
def test_the_curve_goes_with_the_level_exactly(content, rate, power):
    audio, window = dipped(np.tile(content, 4))[None], slice(0, 32_000)
    scaled = Dynamics.of(np.float32(2.0**power) * audio, rate).curve(window)
    np.testing.assert_array_equal(scaled * 2.0**power, Dynamics.of(audio, rate).curve(window))


def test_silence_brings_nothing_up(content, rate):
    silent = np.zeros(4 * rate, np.float32)
    assert Dynamics.of(silent[None], rate).curve(slice(0, 4 * rate)) == 1
    audio = np.concatenate([silent, content, content, silent])
    up = lift(audio, rate)
    assert np.isfinite(up).all() and not up[4 * rate : 6 * rate - 2000].any()


def test_a_level_known_from_elsewhere_counts(tone, rate):
    quiet, block = np.tile(0.03 * tone, 3), block_samples(rate)
    energies = block_energies(np.concatenate([quiet, np.tile(tone, 3)], axis=1), block).mean(axis=1)
    whole, n_samples = Dynamics(energies, 2 * quiet.shape[1], block), quiet.shape[1]
    first = energies[: n_samples // block]
    alone, informed = Dynamics(first, n_samples, block), Dynamics(first, n_samples, block, whole.rms)
    assert not alone.lift.any() and alone.gain == pytest.approx(RMS / rms(quiet), rel=0.01)
    assert informed.gain == whole.gain
    assert informed.lift[:-1] == pytest.approx(whole.lift[: len(first)], abs=0.5) and informed.lift.max() > 20
