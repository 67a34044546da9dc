"""The level of a recording without its pauses, and the curve that evens it."""

import numpy as np
import pytest

from audiostyle_fx.audio import RMS, rms
from audiostyle_fx.dynamics import Dynamics


@pytest.fixture
def tone(rate):
    t = np.arange(rate) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 440 * t), 0.25 * np.sin(2 * np.pi * 330 * t)]).astype(np.float32)


# ---------------------------------------------------------------- the level
@pytest.mark.parametrize(("pause_db", "counts"), [(-np.inf, False), (-70, False), (-50, True)])
def test_pauses_do_not_count(tone, rate, pause_db, counts):
    pause = 10 ** (pause_db / 20) * tone
    level = Dynamics(np.concatenate([pause, tone, pause], axis=1), rate).rms
    assert level == pytest.approx(rms(tone) / (np.sqrt(3) if counts else 1), rel=1e-4)


def test_level_of_short_and_silent_recordings(tone, rate):
    for silent in (np.zeros((2, 1000), np.float32), np.zeros((2, 0), np.float32)):
        assert (Dynamics(silent, rate).rms, Dynamics(silent, rate).gain) == (0, 1)
    assert Dynamics(np.full((1, 1), 0.3, np.float32), rate).rms == pytest.approx(0.3)
    assert Dynamics(tone[:, :81], rate).rms == pytest.approx(rms(tone[:, :81]))  # 81 is a block of 80 and one of 1
    assert Dynamics(tone, rate).gain == pytest.approx(RMS / rms(tone))


@pytest.mark.parametrize("gain", [1e-15, 1e3])
def test_gate_goes_with_the_level(tone, rate, gain):
    audio = np.append(tone, 1e-4 * tone, axis=1)
    assert Dynamics(gain * audio, rate).rms == pytest.approx(gain * Dynamics(audio, rate).rms, rel=1e-5)
