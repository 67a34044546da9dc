"""Recordings in chunks: nothing is lost or depends on the chunks, and results are close to whole recordings'."""

import numpy as np
import pedalboard
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from pedalboard import Chain, Clipping, Delay, Gain, Mix, Pedalboard, Resample, Reverb
from support.distances import distance

from audiostyle_fx import OfflineEffect, StyleTransfer, Window, style_file
from audiostyle_fx._recordings.gain_curve import Dynamics
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx._transfer.whole_recordings.preparation import PreparedTransfer
from audiostyle_fx._transfer.whole_recordings.rolling_samples import RollingSamples
from audiostyle_fx._transfer.whole_recordings.streaming import Stream

SECTION = 1.0


@pytest.fixture(scope="module")
def song(stereo):
    """Four seconds of stereo."""
    return np.concatenate([stereo, 0.7 * stereo[::-1], stereo[:, ::-1], stereo], axis=1)


@pytest.fixture
def streamed(style, quick):
    """An effect that takes chunks."""
    return StyleTransfer(style, **quick, section_seconds=SECTION, streaming=True)


def fed(plugin, audio, rate, sizes, silence):
    """The whole output for audio in chunks of alternating sizes, followed by silence."""
    audio, out, at = np.pad(audio, ((0, 0), (0, silence))), [], 0
    while at < audio.shape[1]:
        size = sizes[len(out) % len(sizes)]
        out.append(plugin(audio[:, at : at + size], rate, reset=False))
        at += size
    return np.concatenate(out, axis=1)


# ---------------------------------------------------------------- the latest samples
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=8), st.integers(0, 60), st.integers(0, 60))
def test_rolling_samples_are_an_array(steps, start, stop):
    rng, rolling, array, forgotten = np.random.default_rng(0), RollingSamples(2), np.zeros((2, 0), np.float32), 0
    for size, before in steps:
        block = rng.standard_normal((2, size)).astype(np.float32)
        rolling.append(block)
        array = np.concatenate([array, block], axis=1)
        rolling.forget(before)
        forgotten = min(max(forgotten, before), array.shape[1])
    assert (rolling.shape, rolling.stored) == (array.shape, slice(forgotten, array.shape[1]))
    some = slice(max(start, forgotten), stop)
    rolling[:, some] = array[:, some] = -array[:, some]
    np.testing.assert_array_equal(rolling[:, some], array[:, some])
    if forgotten:
        with pytest.raises(IndexError, match="forgotten"):
            rolling[:, forgotten - 1 :]


# ---------------------------------------------------------------- chunks
def test_as_much_comes_out_as_went_in_less_the_latency(streamed, song, rate):
    latency = streamed.latency(rate)
    assert SECTION * rate < latency < 2 * SECTION * rate
    taken = given = 0
    for size in (3, 700, 7000, 0, 9000, 15_000, 3):
        taken, out = taken + size, streamed(song[:, taken : taken + size], rate, reset=False)
        given += out.shape[1]
        assert out.dtype == np.float32 and given == max(0, taken - latency)


def test_nothing_depends_on_the_chunks(streamed, song, rate):
    latency, outs = streamed.latency(rate), []
    for sizes in ([4096], [1000, 1, 17, 9000], [song.shape[1] + latency]):
        outs.append(fed(streamed, song, rate, sizes, latency))
        streamed.reset()
    assert outs[0].shape == song.shape and outs[0].any(axis=1).all()
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])


@pytest.mark.slow
def test_chunks_come_out_much_as_the_file_does(style, song, rate, tmp_path):
    parameters = {"windows": Window(n_fft=256), "kernel_width": 3, "section_seconds": SECTION}
    # A stream takes the key of its first section, a file that of the whole song.
    parameters |= {"spectrogram_iters": 20, "phase_iters": 5, "waveform_iters": 15, "key": "style"}
    level = 20 * np.log10(Dynamics.of(song, rate).rms)
    effect = StyleTransfer(style, **parameters, streaming=True, content_level_db=level)
    chunks = fed(effect, song, rate, [5000], effect.latency(rate))
    soundfile.write(tmp_path / "song.wav", song.T, rate, subtype="FLOAT")
    style_file(tmp_path / "song.wav", tmp_path / "out.wav", style, **parameters)
    whole = soundfile.read(tmp_path / "out.wav", dtype="float32")[0].T
    assert chunks.shape == whole.shape
    halves = [rms(part) for audio in (chunks, whole) for part in np.split(audio, 8, axis=1)]
    assert np.abs(20 * np.log10(np.divide(*np.split(np.array(halves), 2)))).max() < 1.5
    spectra = [np.abs(np.fft.rfft(audio.reshape(2, -1, 400), axis=2)).mean(axis=1) for audio in (chunks, whole, song)]
    assert distance(spectra[0], spectra[1]) < 0.25 * distance(spectra[2], spectra[1])


def test_mix_zero_is_the_content_a_latency_later(streamed, song, rate):
    streamed.mix = 0
    np.testing.assert_array_equal(fed(streamed, song, rate, [3000], streamed.latency(rate)), song)


@pytest.mark.parametrize(("mix", "content_level"), [(0.5, None), (1.0, None), (1.0, -20.0)])
def test_the_level_is_the_contents(streamed, song, rate, mix, content_level):
    streamed.mix, streamed.content_level_db = mix, content_level
    out = fed(streamed, song, rate, [8000], streamed.latency(rate))
    for part, dry in zip(np.split(out, 4, axis=1), np.split(song, 4, axis=1), strict=True):
        assert rms(part) == pytest.approx(rms(dry), rel=0.25)


def test_silence_stays_silent_and_what_comes_after_it_plays(streamed, song, rate):
    song = song[:, : 4 * rate].copy()
    song[:, : rate * 5 // 2] = 0
    out = fed(streamed, song, rate, [8000], streamed.latency(rate) + 5000)
    assert not out[:, : rate * 5 // 2].any() and not out[:, song.shape[1] :].any()
    played = slice(rate * 5 // 2, 4 * rate)
    assert rms(out[:, played]) == pytest.approx(rms(song[:, played]), rel=0.25)


def test_what_is_far_quieter_than_before_does_not_end_the_stream(streamed, song, rate):
    song = np.where(np.arange(song.shape[1]) < 4 * rate, song, song * np.float32(1e-20))  # as the tail of a filter is
    out = fed(streamed, song, rate, [8000], streamed.latency(rate))
    loud = slice(0, 3 * rate)
    assert rms(out[:, loud]) == pytest.approx(rms(song[:, loud]), rel=0.25)
    assert rms(out[:, 5 * rate :]) < 1e-4 * rms(song[:, loud])


def test_a_stream_that_broke_is_not_continued(streamed, song, rate):
    def fails(*args):
        raise OSError("nobody is told")

    streamed.progress = fails
    with pytest.raises(OSError, match="nobody is told"):
        streamed(song, rate, reset=False)
    with pytest.raises(RuntimeError, match=r"has a gap; call reset\(\)"):
        streamed(song, rate, reset=False)
    streamed.reset()
    assert streamed(song[:, :100], rate, reset=False).shape == (2, 0)


def test_no_more_is_kept_than_the_sections_need(style, song, rate, quick):
    transfer = PreparedTransfer.of(style, None, None, rate, choose({**quick, "section_seconds": SECTION}))
    stream = Stream(transfer, channels=2)
    for start in range(0, song.shape[1], 2000):
        stream.feed(song[:, start : start + 2000])
    for stored in stream.stored:
        assert stored.stop == song.shape[1] and stored.stop - stored.start < 2 * stream.latency


# ---------------------------------------------------------------- boards
@pytest.mark.parametrize("process", ["board", "list"])
def test_native_plugins_run_before_and_behind(streamed, song, rate, process):
    latency = streamed.latency(rate)
    before, behind = [Gain(-3), Clipping(-10)], [Reverb(), Delay(0.1)]
    alone = fed(streamed, pedalboard.process(song, rate, before), rate, [9000], latency)
    want = Pedalboard(behind)(alone, rate)
    streamed.reset()
    plugins = [Gain(-3), Clipping(-10), streamed, Reverb(), Delay(0.1)]
    board = Pedalboard(plugins) if process == "board" else lambda *a, **k: pedalboard.process(a[0], a[1], plugins, **k)
    out = fed(board, song, rate, [3000, 700, 3], latency + 1024)
    np.testing.assert_allclose(out[:, : song.shape[1]], want, atol=1e-6)


def test_branches_wait_for_each_other(streamed, song, rate):
    latency = streamed.latency(rate)
    alone = fed(streamed, song, rate, [9000], latency)
    streamed.reset()
    board = Pedalboard([Mix([Chain([streamed, Gain(-6)]), Gain(-20)])])
    out = fed(board, song, rate, [3000, 700, 3], latency + 1024)[:, : song.shape[1]]
    np.testing.assert_allclose(out, 10**-0.3 * alone + 0.1 * song, atol=1e-6)


def test_what_a_block_waits_for_is_forgotten_with_the_recording(streamed, song, rate):
    board = Pedalboard([Gain(0), streamed, Resample(4000)])
    latency = streamed.latency(rate)
    first = fed(board, song, rate, [2999], latency + 5000)
    board.reset()
    np.testing.assert_array_equal(fed(board, song, rate, [2999], latency + 5000), first)
    assert board(song, rate).shape == song.shape, "a whole recording may come between"


def test_a_list_is_reset_by_its_effect(streamed, song, rate):
    def process(audio, sample_rate, reset):
        return pedalboard.process(audio, sample_rate, [Clipping(-10), streamed], reset=reset)

    first = fed(process, song, rate, [2999], streamed.latency(rate) + 5000)
    with pytest.raises(RuntimeError, match=r"2 channels; call reset\(\)"):
        process(song[0], rate, False)
    streamed.reset()
    np.testing.assert_array_equal(fed(process, song, rate, [2999], streamed.latency(rate) + 5000), first)


@pytest.mark.parametrize("buffer_size", [1, 8192])
def test_native_plugins_get_blocks_whose_layout_is_clear(rate, buffer_size):
    song = np.random.default_rng(0).standard_normal((2, 2048)).astype(np.float32)
    board = Pedalboard([Feeds(), Reverb()])
    out = [board(song[:, :50], rate, buffer_size, reset=False)]
    out += [board(song[:, at : at + 1], rate, buffer_size, reset=False) for at in range(50, 2048)]
    np.testing.assert_array_equal(np.concatenate(out, axis=1), Reverb()(song, rate, 512))


# ---------------------------------------------------------------- errors
def test_without_streaming_the_error_names_it(style, song, rate):
    with pytest.raises(RuntimeError, match=r"StyleTransfer needs the whole .* Or set streaming=True\."):
        Pedalboard([StyleTransfer(style)])(song, rate, reset=False)


def test_other_chunks_are_refused(streamed, song, rate):
    streamed(song, rate, reset=False)
    for other, other_rate in ((song[0], rate), (song, 2 * rate)):
        with pytest.raises(RuntimeError, match="2 channels at 8000 Hz; call reset"):
            streamed(other, other_rate, reset=False)
    streamed.reset()
    assert streamed(song[0], rate, reset=False).ndim == 1


@pytest.mark.parametrize(
    ("name", "value", "error", "why"),
    [
        ("streaming", 1, TypeError, "streaming=1 must be True or False"),
        ("content_level_db", "loud", TypeError, "content_level_db='loud' must be a number"),
        ("content_level_db", 1000, ValueError, "content_level_db=1000 must be from -120 to 60"),
    ],
)
def test_values_are_checked_when_set(style, streamed, name, value, error, why):
    with pytest.raises(error, match=why):
        setattr(streamed, name, value)
    with pytest.raises(error, match=why):
        StyleTransfer(style, **{name: value})


class Feeds(OfflineEffect):
    """Takes chunks and returns predefined arrays."""

    streaming = True
    result = None

    def feed(self, audio, sample_rate):
        return audio if self.result is None else self.result


@pytest.mark.parametrize("result", [np.zeros((1, 4)), np.zeros((2, 4), int), np.full((2, 1), np.nan), "nothing"])
def test_what_an_effect_gives_is_checked(song, rate, result):
    effect = Feeds()
    np.testing.assert_array_equal(effect(song, rate, reset=False), song)
    effect.result = result
    with pytest.raises(RuntimeError, match=r"Feeds\.feed (must return|returned) "):
        effect(song, rate, reset=False)


def test_an_effect_has_to_implement_what_it_promises(song, rate):
    class Promises(OfflineEffect):
        streaming = True

    with pytest.raises(NotImplementedError, match=r"feed\(audio, sample_rate\)"):
        Promises()(song, rate, reset=False)


@pytest.mark.parametrize("plugin", [pedalboard.PitchShift(3), pedalboard.GSMFullRateCompressor()])
def test_what_is_silent_in_blocks_is_refused(streamed, song, rate, plugin):
    board = Pedalboard([streamed, Chain([plugin])])
    with pytest.raises(RuntimeError, match=f"{type(plugin).__name__} returns silence in short blocks"):
        board(song, rate, reset=False)
    assert rms(board(song, rate)) > 0.1 * rms(song)


def test_the_original_takes_no_chunks(style, song, rate):
    effect = StyleTransfer(style, preset="original", style_sample_rate=rate, streaming=True)
    for refused in (lambda: effect.latency(rate), lambda: effect(song, rate, reset=False)):
        with pytest.raises(RuntimeError, match="preset='original' needs the whole recording"):
            refused()
