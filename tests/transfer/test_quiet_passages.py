"""Quiet passages of a content stay as quiet in the result, and are styled at an even level."""

import numpy as np
import pytest

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import ratio_to_db, rms

DIP = slice(12_000, 20_000)  # the second from 1.5 s on


ADAM = {"optimizer": "adam"}
"""Whose first steps are small everywhere, so that levels are those that the normalisation gives back."""


@pytest.fixture
def dipped(content):
    """Four seconds of the content, falling by 30 dB for one."""
    audio = np.tile(content, 4)
    audio[DIP] *= audio.dtype.type(10 ** (-30 / 20))
    return audio


def level_change_db(result, content, samples):
    return ratio_to_db(rms(result[samples]) / rms(content[samples]))


@pytest.mark.parametrize("section_seconds", [10.0, 1.0])
def test_the_result_falls_where_the_content_does(dipped, style, rate, quick, section_seconds):
    result = stylize(dipped, style, rate, **quick, **ADAM, section_seconds=section_seconds).audio
    for samples in (DIP, slice(DIP.start + 2000, DIP.stop - 2000)):
        assert abs(level_change_db(result, dipped, samples)) < 6
    louder = np.delete(np.arange(len(dipped)), np.r_[DIP])
    assert abs(level_change_db(result, dipped, louder)) < 1


def test_a_quiet_beginning_is_styled_at_its_own_level(content, style, rate, quick):
    audio = np.concatenate([np.zeros(2 * rate, np.float32), 0.01 * np.tile(content, 2), np.tile(content, 2)])
    result = stylize(audio, style, rate, **quick, **ADAM, section_seconds=1).audio
    assert not result[: 2 * rate].any()
    quiet, loud = slice(2 * rate, 4 * rate - 100), slice(4 * rate, 6 * rate)  # without the last blocks before the jump
    for samples in (quiet, loud):
        assert abs(level_change_db(result, audio, samples)) < 3


def test_the_stages_get_an_even_level_unless_levels_are_left_alone(dipped, style, rate, quick, stage_inputs):
    for normalize in (True, False):
        stylize(dipped, style, rate, **quick, normalize=normalize)
    even, plain = (contents[0, 0] for contents, _ in stage_inputs)
    assert ratio_to_db(rms(even[DIP]) / rms(even)) == pytest.approx(0, abs=2)
    np.testing.assert_array_equal(plain, dipped)
