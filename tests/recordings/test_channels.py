"""A style is brought to the channels of a content."""

import numpy as np
import pytest

from audiostyle_fx._recordings.channels import match_channels


def test_channels_are_matched_side_by_side(tone):
    np.testing.assert_array_equal(match_channels(tone, np.array([True, True])), tone)
    np.testing.assert_array_equal(match_channels(tone, np.array([False, True])), tone[1:])


@pytest.mark.parametrize("active", [[True], [True, True, True], [True, False, True]])
def test_channels_are_mixed_for_another_number(tone, active):
    out = match_channels(tone, np.array(active))
    assert out.shape == (sum(active), 4000) and out.dtype == np.float32
    for channel in out:
        np.testing.assert_allclose(channel, tone.mean(axis=0), atol=1e-7)


def test_a_silent_style_channel_is_matched_with_no_sound(tone):
    half = np.stack([tone[0], np.zeros(4000, np.float32)])
    np.testing.assert_array_equal(match_channels(half, np.array([True, False])), half[:1])
    np.testing.assert_allclose(match_channels(half, np.array([True, True])), [half[0] / 2] * 2, atol=1e-7)


def test_channels_that_cancel_raise(tone):
    opposite = np.stack([tone[0], -tone[0]])
    np.testing.assert_array_equal(match_channels(opposite, np.array([True, True])), opposite)
    with pytest.raises(ValueError, match=r"style.*2 channels.*cancel"):
        match_channels(opposite, np.array([True]))
    nearly = np.stack([tone[0], -0.9 * tone[0]])
    np.testing.assert_allclose(match_channels(nearly, np.array([True]))[0], 0.05 * tone[0], atol=1e-7)
