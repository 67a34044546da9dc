"""The parameter key: the style is moved into the content's key, and the result says so."""

import numpy as np
import pytest
from support.tunes import RATE, tune

from audiostyle_fx import StyleTransfer, stylize, stylize_batch, texture
from audiostyle_fx._recordings.pitch_classes import PitchClasses, semitones_between
from audiostyle_fx._recordings.transposition import transposed
from audiostyle_fx._transfer.parameters.parameter_list import Parameters
from audiostyle_fx._transfer.styles.matched_styles import match_styles
from audiostyle_fx._transfer.styles.style_keys import style_semitones
from audiostyle_fx._transfer.whole_recordings.preparation import PreparedTransfer
from audiostyle_fx._transfer.whole_recordings.streaming import Stream

SHORT = {"preset": "plain", "spectrogram_iters": 2, "phase_iters": 1, "waveform_iters": 1, "device": "cpu"}
MOVED = {**SHORT, "key": "content"}
STYLE = tune(harmonics=(1, 0.2, 0.6, 0.1, 0.3))


def noise(seconds=6):
    return np.random.default_rng(0).standard_normal((1, seconds * RATE)).astype(np.float32) / 10


def prepared(style, **parameters):
    return PreparedTransfer.of(style, None, None, RATE, Parameters(**parameters))


@pytest.mark.parametrize("semitones", [3.0, -4.3])
def test_style_is_moved_into_the_contents_key(semitones):
    result = stylize(tune(semitones), STYLE, RATE, **MOVED)
    assert result.key == pytest.approx((semitones,), abs=0.1)
    assert f"style moved by {result.key[0]:+g} semitones" in repr(result)


def test_moved_style_is_what_the_transfer_hears():
    alone = {**SHORT, "normalize": False}  # levels are measured before the move
    by_number = stylize(tune(3), STYLE, RATE, key=3, **alone)
    itself = stylize(tune(3), transposed(STYLE, RATE, 3.0), RATE, key="style", **alone)
    np.testing.assert_allclose(by_number.audio, itself.audio, atol=1e-5)
    assert by_number.key == (3.0,) and itself.key == (0.0,)


def test_key_of_the_style_moves_nothing():
    kept = stylize(tune(3), STYLE, RATE, key="style", **SHORT)
    moved = stylize(tune(3), STYLE, RATE, **MOVED)
    assert kept.key == (0.0,) and "moved" not in repr(kept)
    assert np.abs(kept.audio - moved.audio).max() > 1e-3


@pytest.mark.parametrize(("content", "style"), [(noise(), STYLE), (tune(3), noise())], ids=["content", "style"])
def test_without_pitches_nothing_is_moved(content, style):
    assert stylize(content, style, RATE, **MOVED).key == (0.0,)


def test_each_of_several_styles_is_moved_by_its_own_interval():
    key = stylize(tune(2), [tune(), noise(), tune(-1)], RATE, **MOVED).key
    assert key == pytest.approx((2, 0, 3), abs=0.1)


@pytest.mark.slow
def test_batch_of_several_keys_equals_the_single_recordings():
    contents = [tune(3), tune(-2), noise(), tune(3) * 0.5]
    batch = stylize_batch(contents, STYLE, RATE, **MOVED)
    for content, result in zip(contents, batch, strict=True):
        single = stylize(content, STYLE, RATE, **MOVED)
        assert result.key == single.key
        np.testing.assert_allclose(result.audio, single.audio, atol=1e-5)


def test_stream_moves_the_style_by_its_first_section():
    content = np.concatenate([tune(3), tune(3)], axis=1)
    whole = {}
    for key in ("content", 3.0, "style"):
        effect = StyleTransfer(STYLE, key=key, section_seconds=2, streaming=True, **SHORT)
        whole[key] = effect.process(content, RATE, reset=False)
    np.testing.assert_allclose(whole["content"], whole[3.0], atol=1e-5)
    assert np.abs(whole["content"] - whole["style"]).max() > 1e-3


@pytest.mark.slow
def test_stream_waits_for_a_section_with_pitches_and_stays_in_its_key():
    """The stream begins with drums, then has C moved by 3 semitones, then by -2: styles are moved once, by 3."""
    content = np.concatenate([noise(6), tune(3), tune(-2)], axis=1)
    stream = Stream(prepared(STYLE, section_seconds=2, **MOVED), 1)
    moves = []
    for start in range(0, content.shape[1], RATE):
        stream.feed(content[:, start : start + RATE])
        moves.append(stream._semitones)
    assert moves[4] == (0.0,) and moves[-1] == pytest.approx((3,), abs=0.2)
    assert len(set(moves[moves.index(moves[-1]) :])) == 1


def test_moved_style_comes_from_the_cache():
    transfer = prepared(STYLE)
    move = style_semitones(transfer.styles, tune(3), transfer.setup)
    targets = [match_styles(transfer.styles, np.ones(1, bool), transfer.setup, move) for _ in range(2)]
    assert targets[0].samples[0] is targets[1].samples[0]
    moved = PitchClasses.of(targets[0].samples[0], RATE)
    assert semitones_between(moved, PitchClasses.of(STYLE, RATE)) == pytest.approx(3, abs=0.1)


def test_long_style_is_moved_in_its_excerpts():
    transfer = prepared(np.tile(STYLE, 5), style_seconds=12)
    target = match_styles(transfer.styles, np.ones(1, bool), transfer.setup, (4.0,))
    assert sum(piece.shape[1] for piece in target.samples) / RATE < 13 / 2 ** (4 / 12)
    assert sum(target.shares) == pytest.approx(1)


def test_style_that_would_become_too_short():
    short = STYLE[:, : round(0.4 * RATE)]
    assert style_semitones(prepared(short).styles, tune(5), prepared(short).setup) == (0.0,)
    with pytest.raises(ValueError, match="key=12 makes style too short for kernel_width=11"):
        stylize(tune(), short, RATE, key=12, **SHORT)


@pytest.mark.parametrize("value", ["Content", 13, -12.5, float("nan")])
def test_other_keys_are_refused(value):
    with pytest.raises(ValueError, match=r"key=.* must be 'content', 'style', or semitones from -12 to 12"):
        stylize(tune(), STYLE, RATE, key=value)


def test_textures_and_the_original_are_never_moved():
    assert texture(STYLE, RATE, 1, spectrogram_iters=0, phase_iters=0, waveform_iters=1).key == (0.0,)
    few = {"spectrogram_iters": 1, "phase_iters": 1, "n_filters": 4}
    assert stylize(tune(3), STYLE, RATE, preset="original", **few).key == (0.0,)
    with pytest.raises(ValueError, match="key='content' must be 'style' for a texture"):
        texture(STYLE, RATE, 1, key="content")
