"""The limiter: within full scale exactly, smooth, the same for all channels, and only where peaks are too high."""

import numpy as np
import pytest

from audiostyle_fx._recordings import limiter
from audiostyle_fx._recordings.disk_samples import SampleFile
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._recordings.levels import true_peak
from audiostyle_fx._recordings.limiter import Limiter, choose_limiter
from audiostyle_fx._recordings.writing import write_audio

RATE = 8000


def decibels(ratio):
    return 20 * np.log10(ratio)


def rms_db(audio):
    return decibels(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


@pytest.fixture
def loud():
    """Two channels of noise at -8 dB RMS, whose peaks exceed full scale by 5.5 dB."""
    noise = np.random.default_rng(0).standard_normal((2, 5 * RATE)).astype(np.float32)
    return noise * np.float32(10 ** (-8 / 20))


def limited(audio, ceiling=1.0, quarter=10):
    blocks, gains = zip(*Limiter(ceiling, quarter).blocks(audio), strict=True)
    return np.concatenate(blocks, axis=1), np.concatenate(gains)


@pytest.mark.parametrize("quarter", [1, 2, 5, 20])
@pytest.mark.parametrize("ceiling", [1.0, 1.7])
def test_no_sample_exceeds_the_ceiling_by_its_gain_alone(loud, quarter, ceiling):
    audio, gain = limited(loud, ceiling, quarter)
    assert np.abs(loud * gain).max() <= ceiling * (1 + 1e-9), "clipping only removes the rounding"
    assert np.abs(audio).max() <= np.float32(ceiling)
    np.testing.assert_allclose(audio, loud * gain, rtol=1e-6)


def test_the_gain_is_smooth_and_reaches_a_peak_exactly():
    audio = np.full((1, 400), 0.5, np.float32)
    audio[0, 200] = -4
    result, gain = limited(audio, quarter=10)
    assert result[0, 200] == -1 and gain[200] == pytest.approx(0.25)
    assert np.flatnonzero(gain < 1 - 1e-9)[[0, -1]] == pytest.approx([161, 239], abs=1), "four quarters on both sides"
    assert np.abs(np.diff(gain)).max() < 1.1 * 0.75 / 21, "it falls by 0.75 over two quarters on each side"
    np.testing.assert_allclose(gain[1:200], gain[201:][::-1], atol=1e-12)


def test_all_channels_have_one_gain(loud):
    quiet_and_loud = loud * np.array([[0.1], [1]], np.float32)
    result, gain = limited(quiet_and_loud)
    np.testing.assert_allclose(result[0], quiet_and_loud[0] * gain, rtol=1e-6)
    assert (result[0] != quiet_and_loud[0]).mean() > 0.5


def test_only_samples_near_peaks_change(loud):
    audio = loud.clip(-1, 1)
    np.testing.assert_array_equal(limited(audio)[0], audio)
    audio[:, 20_000] = 3
    changed = np.flatnonzero((limited(audio)[0] != audio).any(axis=0))
    assert 19_960 <= changed[0] < 20_000 < changed[-1] <= 20_040


@pytest.mark.parametrize("size", [64, 1000, 40_001])
def test_blocks_do_not_matter_and_the_recording_may_be_on_disk(loud, size, tmp_path, monkeypatch):
    whole, gain = limited(loud)
    monkeypatch.setattr(limiter, "BLOCK_SAMPLES", size)
    with SampleFile(tmp_path, 2) as samples:
        samples.append(loud)
        result, gain_in_blocks = limited(samples)
        np.testing.assert_array_equal(samples[:, :], loud)
    np.testing.assert_allclose(result, whole, rtol=2e-7, atol=0)
    np.testing.assert_allclose(gain_in_blocks, gain, rtol=1e-12)


def test_peaks_at_both_ends_and_short_recordings_are_limited():
    for length in (1, 2, 50):
        audio = np.zeros((1, length), np.float32)
        audio[0, [0, -1]] = 2
        assert np.abs(limited(audio)[0]).max() == pytest.approx(1)
    assert list(Limiter(1.0, 3).blocks(np.zeros((2, 0), np.float32))) == []


@pytest.mark.parametrize(("level_db", "look_ahead_ms"), [(-11, 10), (-8, 4), (-7, 2)])
def test_the_longest_look_ahead_is_chosen_that_loses_at_most_1_db(loud, level_db, look_ahead_ms):
    audio = loud * np.float32(10 ** ((level_db + 8) / 20))
    chosen = choose_limiter(audio, RATE, np.abs(audio).max())
    assert chosen.limiter == Limiter(1.0, round(look_ahead_ms / 4000 * RATE))
    result, gain = limited(audio, chosen.limiter.ceiling, chosen.limiter.quarter)
    assert 0 < rms_db(audio) - rms_db(result) <= 1
    assert chosen.reduction == pytest.approx(gain.min())
    longer = [ms for ms in limiter.LOOK_AHEADS_MS if ms > look_ahead_ms][-1:]
    for ms in longer:
        assert rms_db(audio) - rms_db(limited(audio, 1.0, round(ms / 4000 * RATE))[0]) > 1


def test_beyond_a_loss_of_1_db_the_rest_is_turned_down(loud):
    audio = loud * np.float32(10 ** (6 / 20))
    chosen = choose_limiter(audio, RATE, np.abs(audio).max())
    assert 1.5 < chosen.limiter.ceiling < np.abs(audio).max() / 1.1
    loss = rms_db(audio) - rms_db(limited(audio, chosen.limiter.ceiling, chosen.limiter.quarter)[0])
    assert 0.9 < loss <= 1


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8"])
def test_a_written_loud_recording_stays_loud_and_never_wraps(loud, tmp_path, subtype):
    before = loud.copy()
    with pytest.warns(UserWarning, match=r"out\.wav: peaks limited by up to 5\.5 dB, because PCM_\w+ clips at full"):
        level = write_audio(tmp_path / "out.wav", loud, RATE, subtype, limit=True)
    np.testing.assert_array_equal(loud, before)
    written = read_audio(tmp_path / "out.wav", "input")[0]
    assert level.gain_db == 0 and level.limited_db == pytest.approx(decibels(np.abs(loud).max()), abs=1e-3)
    assert rms_db(loud) - rms_db(written) < 1
    assert np.abs(written).max() <= 1 and np.abs(written - loud).max() < np.abs(loud).max() - 1 + 2**-6


def test_what_is_limited_and_turned_down_says_both(loud, tmp_path):
    audio = 2 * loud
    with pytest.warns(
        UserWarning, match=r"peaks limited by up to \d\.\d dB and turned down by \d\.\d dB, because PCM_16"
    ):
        level = write_audio(tmp_path / "out.wav", audio, RATE, "PCM_16", limit=True)
    written = read_audio(tmp_path / "out.wav", "input")[0]
    assert decibels(np.abs(written).max()) == pytest.approx(
        decibels(np.abs(audio).max()) + level.gain_db - level.limited_db, abs=1e-3
    )
    assert -1.1 < decibels(true_peak([written])) < -0.99
    assert rms_db(audio) + level.gain_db - rms_db(written) == pytest.approx(1, abs=0.1)


def test_a_format_that_does_not_clip_is_not_limited(loud, tmp_path):
    assert write_audio(tmp_path / "out.wav", loud, RATE, "FLOAT", limit=True) == (0, 0)
    np.testing.assert_array_equal(read_audio(tmp_path / "out.wav", "input")[0], loud)
