"""Recordings from file to file: the results of `stylize` in bounded memory, and never a partial file."""

import math
import os

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audiostyle_fx import style_file, stylize
from audiostyle_fx._recordings.disk_samples import SampleFile
from audiostyle_fx._transfer.whole_recordings import prepared_sections


@pytest.fixture
def song(tmp_path, stereo, rate):
    """Three seconds of stereo in a file, with a stretch of silence."""
    samples = np.concatenate([stereo, 0 * stereo[:, :2000], 0.5 * stereo, stereo[::-1]], axis=1)
    path = tmp_path / "song.wav"
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return path


@given(st.integers(1, 5), st.lists(st.integers(0, 20), max_size=4), st.tuples(st.integers(-30, 30), st.integers(0, 60)))
def test_a_sample_file_is_an_array(channels, blocks, window):
    rng = np.random.default_rng(0)
    array = np.zeros((channels, 0), np.float32)
    with SampleFile(".", channels) as file:
        for size in blocks:
            block = rng.standard_normal((channels, size)).astype(np.float32)
            file.append(block)
            array = np.concatenate([array, block], axis=1)
        some = slice(*window)
        assert file.shape == array.shape
        np.testing.assert_array_equal(file[:, some], array[:, some])
        np.testing.assert_array_equal(file[1:, some], array[1:, some])
        file[:, some] = array[:, some] = -array[:, some]
        np.testing.assert_array_equal(file[:, :], array)


def test_a_sample_file_starts_as_silence_and_takes_blocks_that_fit():
    with SampleFile(".", 2, 10) as file:
        file[:, 4:6] = np.ones((2, 2))
        np.testing.assert_array_equal(file[:, :], np.repeat([[0] * 4 + [1] * 2 + [0] * 4], 2, axis=0))
        for key, value in (((slice(None), slice(8, 12)), np.ones((2, 4))), ((slice(1), slice(2)), np.ones((1, 2)))):
            with pytest.raises(ValueError, match="can't be written"):
                file[key] = value


@pytest.mark.parametrize("parameters", [{"section_seconds": 1.0}, {"mix": 0.5}, {"normalize": False}], ids=str)
def test_the_result_is_that_of_stylize(song, style, rate, quick, tmp_path, parameters):
    samples, _ = soundfile.read(song, dtype="float32")
    want = stylize(samples.T.copy(), style, rate, **quick, **parameters)
    got = style_file(song, tmp_path / "out.wav", style, **quick, **parameters)
    written, written_rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(written.T, want.audio)
    assert (written_rate, soundfile.info(tmp_path / "out.wav").subtype) == (rate, "FLOAT")
    assert got.parameters == want.parameters and got.sample_rate == want.sample_rate
    np.testing.assert_array_equal(got.stages["waveform"].style_loss, want.stages["waveform"].style_loss)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.wav", "song.wav"]


def test_tags_are_kept_and_clipping_is_avoided(song, style, quick, tmp_path):
    with soundfile.SoundFile(song) as file:
        samples = file.read()
    with soundfile.SoundFile(tmp_path / "loud.flac", "w", 8000, 2) as file:
        file.artist = "somebody"
        file.write(samples / np.abs(samples).max())
    with pytest.warns(UserWarning, match="peaks limited by up to"):
        result = style_file(tmp_path / "loud.flac", tmp_path / "out.flac", style, **quick)
    with soundfile.SoundFile(tmp_path / "out.flac") as file:
        assert file.artist == "somebody" and file.frames == len(samples)
        written = file.read()
    assert np.abs(written).max() == pytest.approx(1, abs=1e-4)
    wet = stylize(samples.T / np.abs(samples).max(), style, 8000, **quick).audio
    assert result.gain_db == 0 and result.limited_db == pytest.approx(20 * np.log10(np.abs(wet).max()), abs=0.01)
    assert 0 < 20 * np.log10(np.std(wet) / np.std(written)) < 1, "it stays loud"


@pytest.mark.parametrize(
    ("source", "target", "parameters", "error", "why"),
    [
        ("nowhere.wav", "out.wav", {}, FileNotFoundError, "in_path='.*nowhere.wav'"),
        ("text.wav", "out.wav", {}, ValueError, "in_path='.*text.wav' can't be read"),
        ("nan.wav", "out.wav", {}, ValueError, "in_path='.*nan.wav' holds NaN"),
        ("song.wav", "nowhere/out.wav", {}, ValueError, "output '.*out.wav' must name a file in a folder"),
        ("song.wav", "out.xyz", {}, ValueError, "the format must be one of"),
        ("song.wav", "out.wav", {"alpha": -1}, ValueError, "alpha=-1 must be at least 0"),
        ("song.wav", "out.wav", {"subtype": "PCM_17"}, ValueError, "subtype='PCM_17' must be None or one of .*PCM_16"),
        ("song.wav", "out.wav", {"kernel_width": 1000}, ValueError, "style is .* s long"),
    ],
)
def test_errors_come_before_any_work(song, style, tmp_path, no_work, source, target, parameters, error, why):
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "nan.wav", np.full(8000, np.nan), 8000, subtype="FLOAT")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=why):
        style_file(tmp_path / source, tmp_path / target, style, **parameters)
    assert sorted(tmp_path.iterdir()) == before


def test_an_earlier_file_stays_until_the_new_one_is_finished(song, style, quick, tmp_path, monkeypatch):
    (tmp_path / "out.wav").write_bytes(b"an earlier result")

    def fails(*args, **kwargs):
        raise RuntimeError("it broke")

    monkeypatch.setattr(prepared_sections, "three_stages", fails)
    with pytest.raises(RuntimeError, match="it broke"):
        style_file(song, tmp_path / "out.wav", style, **quick)
    assert (tmp_path / "out.wav").read_bytes() == b"an earlier result"
    assert sorted(os.listdir(tmp_path)) == ["out.wav", "song.wav"]


def test_a_song_may_be_replaced_by_its_result(song, style, quick):
    before = song.read_bytes()
    style_file(song, song, style, **quick)
    assert len(song.read_bytes()) == len(before) and song.read_bytes() != before


@pytest.mark.parametrize("samples", [np.zeros((0, 2)), np.zeros((8000, 2))], ids=["empty", "silent"])
def test_silence_stays_silence(style, quick, tmp_path, samples):
    soundfile.write(tmp_path / "song.wav", samples, 8000)
    style_file(tmp_path / "song.wav", tmp_path / "out.wav", style, **quick)
    written, _ = soundfile.read(tmp_path / "out.wav", always_2d=True)
    np.testing.assert_array_equal(written, samples)


def test_sections_are_read_and_written_one_by_one(stereo, style, rate, quick, tmp_path, monkeypatch):
    widest = []
    for name in ("__getitem__", "__setitem__"):
        original = getattr(SampleFile, name)

        def spy(self, key, *value, original=original):
            widest.append(len(range(*key[1].indices(self.shape[1]))))
            return original(self, key, *value)

        monkeypatch.setattr(SampleFile, name, spy)
    for name in ("files.READ_SAMPLES", "writing.WRITE_SAMPLES", "levels.PEAK_SAMPLES"):
        monkeypatch.setattr(f"audiostyle_fx._recordings.{name}", rate)
    soundfile.write(tmp_path / "song.wav", np.tile(stereo, 12).T, rate)
    style_file(tmp_path / "song.wav", tmp_path / "out.wav", style, **quick, section_seconds=1.0)
    assert 0 < max(widest) <= 5 * rate, "the longest are the stretches whose level is measured"


@pytest.mark.parametrize(("start", "duration"), [(0.0, 1.3), (1.7, math.inf), (0.51, 0.7), (2.5, 100.0)])
def test_a_part_of_the_recording(song, style, rate, quick, tmp_path, monkeypatch, start, duration):
    monkeypatch.setattr("audiostyle_fx._recordings.files.READ_SAMPLES", 1000)
    samples = soundfile.read(song, dtype="float32")[0].T
    part = samples[:, round(start * rate) :][:, : round(min(duration, 100) * rate)]
    outcome = style_file(song, tmp_path / "out.flac", style, start=start, duration=duration, subtype="PCM_24", **quick)
    written = soundfile.read(tmp_path / "out.flac")[0].T
    np.testing.assert_allclose(written, stylize(part.copy(), style, rate, **quick).audio, atol=1e-6)
    assert soundfile.info(tmp_path / "out.flac").subtype == "PCM_24" and outcome.duration == part.shape[1] / rate


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"start": -1}, "start=-1 must be at least 0"),
        ({"start": 4}, "start=4 must be within in_path='.*song.wav', which is 3.25 s long"),
        ({"duration": 0}, "duration=0 must be above 0"),
        ({"duration": math.nan}, "duration=nan must be"),
    ],
)
def test_parts_that_are_none(song, style, tmp_path, no_work, part, why):
    with pytest.raises(ValueError, match=why):
        style_file(song, tmp_path / "out.wav", style, **part)
