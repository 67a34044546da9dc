"""The strength of a transfer: the song at 0, the style at 1, and steps between them that mean the same."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.distances import distance

from audiostyle_fx import StyleTransfer, Window, stylize, stylize_batch
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup
from audiostyle_fx._transfer.styles.style_levels import BandLevels
from audiostyle_fx._transfer.whole_recordings.band_matching import ContentLevels

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"
SMALL = {"windows": Window(n_fft=256), "kernel_width": 3}


@pytest.fixture(scope="session")
def loudly_changing(content):
    """Two seconds of notes, the first of them far softer than the second."""
    return np.concatenate([0.3 * content, content])


def content_loss(*args, **parameters):
    return stylize(*args, **SMALL, **parameters).stages["waveform"].content_loss[-1]


# ---------------------------------------------------------------- strength or alpha
def test_strength_and_alpha_exclude_each_other(content, style, rate, no_work):
    with pytest.raises(ValueError, match=r"strength=0\.5 and alpha=0\.1 can't be combined"):
        stylize(content, style, rate, strength=0.5, alpha=0.1)
    with pytest.raises(ValueError, match="strength=None and alpha=None don't say how much"):
        stylize(content, style, rate, strength=None)
    with pytest.raises(ValueError, match="optimizer='lbfgs' needs alpha instead of strength"):
        stylize(content, style, rate, optimizer="lbfgs")


def test_one_that_is_given_takes_the_place_of_the_other(style):
    effect = StyleTransfer(style, alpha=0.1)
    assert (effect.strength, effect.alpha) == (None, 0.1)
    effect.strength = 0.6
    assert (effect.strength, effect.alpha) == (0.6, None)
    effect.update(preset="bold")
    assert (effect.strength, effect.alpha) == (None, 0.001)
    effect = StyleTransfer(style, preset="bold", strength=0.2)
    assert (effect.strength, effect.alpha) == (0.2, None)


# ---------------------------------------------------------------- from the song to the style
def test_strength_0_is_the_song(stereo, style, rate, quick_stages):
    np.testing.assert_array_equal(stylize(stereo, style, rate, **quick_stages, strength=0).audio, stereo)
    both = [stereo, stereo[::-1]]
    for result, content in zip(stylize_batch(both, style, rate, **quick_stages, strength=0), both, strict=True):
        np.testing.assert_array_equal(result.audio, content)
    stream = StyleTransfer(style, **quick_stages, strength=0, streaming=True, section_seconds=0.5)
    latency = stream.latency(rate)
    out = stream(np.pad(stereo, ((0, 0), (0, latency))), rate, reset=False)
    np.testing.assert_array_equal(out[:, -stereo.shape[1] :], stereo)


def test_the_way_rises_with_the_strength(content, style, other_style, rate):
    for song, other in ((content, style), (other_style, style)):
        ends = [content_loss(song, other, rate, strength=strength) for strength in (0.2, 0.6, 1)]
        assert ends[0] < ends[1] < ends[2]
        assert np.array(ends[:2]) / ends[2] == pytest.approx([0.2, 0.6], abs=0.2)


@pytest.mark.slow
def test_a_strength_means_the_same_on_the_shipped_pair_and_its_reverse():
    (song, rate), (style, _) = (
        soundfile.read(EXAMPLES / f"{name}.ogg", dtype="float32", frames=9 * 44100)
        for name in ("mountain_king", "anthem")
    )
    song, style, rate = song.mean(axis=1)[::2], style.mean(axis=1)[::2], rate / 2
    for content, other in ((song, style), (style, song)):
        ends = {
            strength: stylize(content, other, rate, strength=strength).stages["waveform"].content_loss[-1]
            for strength in (0.3, 0.5, 0.7, 1)
        }
        for strength in (0.3, 0.5, 0.7):
            assert ends[strength] / ends[1] == pytest.approx(strength, abs=0.1)


def test_strength_1_holds_nothing_of_the_song(content, style, rate):
    losses = [
        stylize(content, style, rate, **SMALL, strength=1, content_share=share).stages["waveform"].style_loss
        for share in (0, 0.9)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-9)


@pytest.mark.parametrize("n_filters", [np.inf, 7])
def test_a_song_in_its_own_style_stays_as_it_is(rate, n_filters):
    click = np.zeros(48, np.float32)  # which no filter takes anywhere: the end of the way is 0, or less by rounding
    click[3], click[17:] = -1, 1e-10
    audio = stylize(
        click, click, rate, windows=Window(n_fft=20, hop_length=6), kernel_width=1, n_filters=n_filters
    ).audio
    assert distance(audio, click) < 0.2


# ---------------------------------------------------------------- another take
def test_another_seed_is_another_take(content, other_style, rate):
    first, same, other = (stylize(content, other_style, rate, **SMALL, seed=seed).audio for seed in (0, 0, 1))
    np.testing.assert_array_equal(same, first)
    assert distance(other, first) > 0.02
    losses = [content_loss(content, other_style, rate, seed=seed) for seed in (0, 1)]
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


# ---------------------------------------------------------------- dynamics and bands
def levels(audio, rate, seconds=0.4):
    """Level in dB of each stretch of this length."""
    length = round(seconds * rate)
    power = np.square(audio, dtype=np.float64)[: len(audio) // length * length]
    return 10 * np.log10(power.reshape(-1, length).mean(axis=1) + 1e-12)


def test_the_level_follows_the_songs(loudly_changing, style, rate):
    follows, free = (stylize(loudly_changing, style, rate, **SMALL, dynamics=d).audio for d in (True, False))
    want = levels(loudly_changing, rate)
    assert np.ptp(want) > 8
    assert abs(levels(follows, rate) - want).max() < 1
    assert abs(levels(free, rate) - want).max() > 2 * abs(levels(follows, rate) - want).max()


def test_fades_end_as_the_songs_do(content, style, rate):
    fade = np.minimum(1, np.arange(len(content))[::-1] / (0.5 * rate)) ** 3
    song = (content * fade).astype(np.float32)
    audio = stylize(song, style, rate, **SMALL).audio
    of_song, of_audio = levels(song, rate, 0.1)[-3:], levels(audio, rate, 0.1)[-3:]
    assert abs(of_audio - of_song)[:2].max() < 3
    assert of_song[2] < -79 and of_audio[2] < -73  # so soft that the transform's side lobes count


def matching(content, style, rate, n_sections=1, **parameters):
    """The equaliser's settings for a recording that comes in sections."""
    setup = TransferSetup.of(choose({**SMALL, **parameters}), rate)
    levels, rng = ContentLevels(setup, n_sections), np.random.default_rng(0)
    for part in np.array_split(content, n_sections):
        levels.add(part[None], slice(0, len(part)))
    return levels.matching(BandLevels.of(style[None], setup, rng, slice(0, len(style)), 1000))


def test_the_equaliser_goes_as_far_as_the_strength_asks(content, style, rate):
    depths = [matching(content, style, rate, strength=strength).depth for strength in (0.01, 0.3, 0.6, 1)]
    assert depths[0] < 0.5 and depths == sorted(depths) and depths[-1] == 1
    assert matching(content, content, rate, strength=0.01).depth == 1, "it changes nothing there"
    assert matching(content, style, rate, alpha=0.1).depth == 1


def test_the_equalisers_gains_do_not_depend_on_sections(content, style, rate):
    song = np.tile(content, 4)
    whole, parts = (matching(song, style, rate, n_sections) for n_sections in (1, 5))
    assert np.abs(whole.gains - parts.gains).mean() < 0.5 and np.abs(whole.gains).mean() > 3
    assert parts.depth == pytest.approx(whole.depth, abs=0.1)


# ---------------------------------------------------------------- whatever way recordings come
def test_a_batch_gives_what_each_gives_alone(content, style, other_style, rate, quick_stages):
    recordings = [content, other_style, 0.01 * content[::-1], np.zeros_like(content)]
    results = stylize_batch(recordings, style, rate, **quick_stages)
    for recording, result in zip(recordings, results, strict=True):
        np.testing.assert_array_equal(result.audio, stylize(recording, style, rate, **quick_stages).audio)


@pytest.mark.slow
def test_long_recordings_go_the_same_way_as_short_ones(content, style, rate):
    song, ways = np.tile(content, 4), []
    for seconds in (10, 1):
        loss, end = (content_loss(song, style, rate, strength=s, section_seconds=seconds) for s in (0.33, 1))
        ways.append(loss / end)
    assert ways == pytest.approx([0.33, 0.33], abs=0.2) and ways[1] == pytest.approx(ways[0], abs=0.1)
