"""Digital silence and the fades next to it."""

import numpy as np

from audiostyle_fx._recordings.silence import silence_mask


def masked(*runs, channels=1, length=1000):
    """The mask of ones with zeros from and to the given samples, at 8000 Hz: 80 make silence, and 8 a fade."""
    audio = np.ones((channels, length), np.float32)
    for start, stop in runs:
        audio[0, start:stop] = 0
    return silence_mask(audio, 8000)


def test_only_long_runs_of_zeros_are_silence():
    np.testing.assert_array_equal(masked(), 1)
    np.testing.assert_array_equal(masked((100, 179), (300, 301)), 1)
    mask = masked((100, 180))
    assert mask.dtype == np.float32
    assert np.flatnonzero(mask[0] == 0).tolist() == list(range(100, 180))


def test_sound_fades_out_and_in_next_to_silence():
    mask = masked((100, 300))[0]
    rise = mask[300:308]
    assert (np.diff(rise) > 0).all() and rise[0] > 0 and rise[-1] < 1
    np.testing.assert_array_equal(mask[92:100], rise[::-1])
    np.testing.assert_array_equal(mask[:92], 1)
    np.testing.assert_array_equal(mask[308:], 1)


def test_silence_at_the_ends_and_close_together():
    mask = masked((0, 100), (900, 1000))[0]
    assert not mask[:100].any() and not mask[900:].any() and mask[108:892].all()
    between = masked((100, 300), (303, 500))[0]
    assert not between[100:300].any() and not between[303:500].any()
    assert (between[300:303] > 0).all() and (between[300:303] < 0.5).all(), "faded from both sides"
    near_the_start = masked((3, 200))[0]
    assert (np.diff(near_the_start[:4]) < 0).all() and near_the_start[0] < 1
    near_the_end = masked((800, 997))[0]
    assert (np.diff(near_the_end[996:]) > 0).all() and near_the_end[-1] < 1


def test_every_channel_has_its_own_silence():
    mask = masked((100, 300), channels=2)
    assert not mask[0, 100:300].any()
    np.testing.assert_array_equal(mask[1], 1)


def test_silence_is_counted_in_seconds():
    audio = np.ones((1, 2000), np.float32)
    audio[0, 500:700] = 0  # 25 ms at 8000 Hz, 4.5 ms at 44,100 Hz
    assert not silence_mask(audio, 8000)[0, 500:700].any()
    np.testing.assert_array_equal(silence_mask(audio, 44100), 1)
