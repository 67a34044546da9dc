"""Levels: RMS, peaks and decibels."""

import numpy as np
import pytest

from audiostyle_fx._recordings import levels
from audiostyle_fx._recordings.levels import format_db, peak, ratio_to_db, rms


def test_rms(tone):
    assert rms(tone[:1]) == pytest.approx(0.5 / np.sqrt(2), rel=1e-6)
    assert rms(np.zeros((2, 100))) == rms(np.zeros((1, 0))) == 0
    assert rms(np.full(100, 1e30, np.float32)) == pytest.approx(1e30, rel=1e-6)


def test_peaks_are_found_in_every_block(tone, monkeypatch):
    monkeypatch.setattr(levels, "PEAK_SAMPLES", 70)
    assert peak(tone) == pytest.approx(0.5, rel=1e-6)
    tone[1, -1] = -0.75
    assert peak(tone) == 0.75
    assert peak(np.zeros((2, 0), np.float32)) == 0


@pytest.mark.parametrize(
    ("ratio", "decibels", "text"), [(1, 0, "0.0 dB"), (10, 20, "20.0 dB"), (0.5, -6.0206, "-6.0 dB")]
)
def test_decibels_are_those_of_amplitudes(ratio, decibels, text):
    assert ratio_to_db(ratio) == pytest.approx(decibels, abs=1e-4)
    assert format_db(ratio) == text
