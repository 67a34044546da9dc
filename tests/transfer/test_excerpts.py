"""Excerpts of a long style: every patch is equally likely, and a transfer comes as near to the style."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiostyle_fx import stylize
from audiostyle_fx._transfer.styles.excerpts import excerpts


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(1, 1000), st.integers(0, 10))
def test_excerpts_are_as_long_as_asked_for_and_do_not_overlap(n_samples, length, total, seed):
    taken = np.zeros(n_samples, int)
    for excerpt in excerpts(n_samples, length, total, seed):
        assert 0 <= excerpt.start < excerpt.stop <= n_samples
        taken[excerpt] += 1
    assert taken.max() == 1
    count = max(1, round(total / length))
    assert taken.sum() == (n_samples if n_samples <= max(total, count * length) else count * length)


def test_every_patch_is_as_likely_as_any_other():
    n_samples, length, total, patch, draws = 500, 40, 120, 15, 4000
    counts = np.zeros(n_samples - patch + 1)  # draws that hold the patch from a sample on
    for seed in range(draws):
        for excerpt in excerpts(n_samples, length, total, seed):
            counts[excerpt.start : max(excerpt.start, excerpt.stop - patch + 1)] += 1
    probability = 3 * (length - patch + 1) / n_samples
    assert np.abs(counts / draws - probability).max() < 5 * np.sqrt(probability / draws)
    assert counts.mean() / draws == pytest.approx(probability, rel=0.01)


def test_excerpts_represent_the_whole_style(content, style, other_style, rate, quick):
    notes = np.concatenate([style, other_style]).reshape(-1, rate // 4)
    long = notes[np.random.default_rng(5).integers(len(notes), size=40)].reshape(-1)
    few = {**quick, "spectrogram_iters": 10, "waveform_iters": 5}
    whole, some, again, other = (
        stylize(content, long, rate, **few, style_seconds=seconds, seed=seed).audio
        for seconds, seed in ((math.inf, 0), (6, 0), (6, 0), (6, 1))
    )
    np.testing.assert_array_equal(some, again)
    assert not np.array_equal(some, whole) and not np.array_equal(some, other)
    judge = {
        **few,
        "alpha": 0,
        "style_seconds": math.inf,
        "spectrogram_iters": 1,
        "phase_iters": 0,
        "waveform_iters": 0,
    }
    start, best, least = (
        stylize(audio, long, rate, **judge).stages["spectrogram"].style_loss[0] for audio in (content, some, whole)
    )
    assert least < best < least + 0.1 * start


def test_a_short_style_is_used_whole(content, style, rate, quick):
    want = stylize(content, style, rate, **quick, style_seconds=math.inf).audio
    np.testing.assert_array_equal(stylize(content, style, rate, **quick, style_seconds=1).audio, want)


def test_channels_are_cut_alike(stereo, style, rate, quick):
    long = np.tile(style, 6) * np.linspace(0.2, 1, 6 * rate, dtype=np.float32)
    twice = stylize(np.stack([stereo[0]] * 2), long, rate, **quick, style_seconds=2).audio
    np.testing.assert_allclose(twice[0], twice[1], atol=1e-4 * np.abs(twice).max())


def test_excerpts_of_silence_alone_are_refused(content, style, rate, quick, no_work):
    long = np.pad(style, (0, 60 * rate))
    with pytest.raises(
        ValueError, match="style chosen with style_seconds=1 contain only silence; increase style_seconds"
    ):
        stylize(content, long, rate, **quick, style_seconds=1)
