"""Saving arrays: one call that checks, does not clip, and keeps what the recording had."""

import os

import numpy as np
import pytest
import soundfile

from audiostyle_fx import save_audio
from audiostyle_fx._recordings.files import read_audio, read_format
from audiostyle_fx._recordings.formats import _can_write
from audiostyle_fx._recordings.levels import true_peak


def test_loud_audio_is_limited_or_turned_down_and_never_clipped(tmp_path, tone):
    with pytest.warns(UserWarning, match=r"out\.wav: peaks limited by up to \d.* because PCM_16 clips"):
        level = save_audio(tmp_path / "out.wav", 4 * tone, 44100)
    assert level.limited_db > 0
    with pytest.warns(UserWarning, match=r"out\.wav: turned down by 7\.0 dB, because PCM_16 clips"):
        level = save_audio(tmp_path / "out.wav", 4 * tone, 44100, limit=False)
    written = read_audio(tmp_path / "out.wav", "input")[0]
    assert true_peak([written]) == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    np.testing.assert_allclose(written, 4 * 10 ** (level.gain_db / 20) * tone, rtol=0, atol=2**-14)


@pytest.mark.parametrize(("ending", "subtype"), [("wav", "FLOAT"), ("wav", "PCM_24"), ("flac", "PCM_16")])
def test_what_fits_is_written_as_it_is(tmp_path, tone, ending, subtype):
    path = tmp_path / f"out.{ending}"
    assert save_audio(path, tone.astype(np.float64), 44100, subtype) == (0, 0)
    assert soundfile.info(path).subtype == subtype
    np.testing.assert_allclose(read_audio(path, "input")[0], tone, rtol=0, atol=2**-15)


def test_format_rate_tags_and_bit_rate_follow_another_recording(tmp_path, tone):
    with soundfile.SoundFile(tmp_path / "song.flac", "w", 44100, 2, "PCM_24") as file:
        file.title = "a title"
        file.write(tone.T)
    save_audio(tmp_path / "out.wav", tone, 44100, like=tmp_path / "song.flac")
    subtype, kept = read_format(tmp_path / "out.wav")
    assert subtype == "PCM_24" and kept.metadata.tags["title"] == "a title"
    save_audio(tmp_path / "out.wav", tone, 44100, "PCM_16", like=tmp_path / "song.flac", rate=22050)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.subtype, info.samplerate, info.frames) == ("PCM_16", 22050, tone.shape[1] // 2)


def test_the_bit_rate_is_as_asked(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 4 * 44100)).astype(np.float32)
    sizes = {}
    for quality in (64, 128, 320):
        save_audio(tmp_path / "out.mp3", noise, 44100, quality=quality)
        sizes[quality] = os.path.getsize(tmp_path / "out.mp3") / 125 / 4
    assert sizes == {quality: pytest.approx(quality, rel=0.05) for quality in sizes}


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"audio": [0.0]}, TypeError, "audio is a list"),
        ({"audio": np.full((1, 9), np.nan)}, ValueError, "audio holds NaN"),
        ({"sample_rate": 44.1}, ValueError, "sample_rate=44.1 Hz is outside"),
        ({"sample_rate": 44100.5}, ValueError, "a whole number"),
        ({"rate": 44.1}, ValueError, "rate=44.1 Hz is outside"),
        ({"subtype": "PCM_25"}, ValueError, "subtype='PCM_25' must be None or one of"),
        ({"subtype": "VORBIS"}, ValueError, r"subtype='VORBIS' can't be written to .*out\.wav"),
        ({"quality": 128}, ValueError, "quality=128 only applies to MP3"),
        ({"like": "nowhere.wav"}, FileNotFoundError, "like='nowhere.wav': there is no such file"),
        ({"limit": 1}, TypeError, "limit=1 must be True or False"),
        ({"path": "out.xyz"}, ValueError, "the format must be one of"),
    ],
)
def test_what_is_refused_leaves_the_earlier_file(tmp_path, monkeypatch, tone, arguments, error, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.wav").write_bytes(b"as it was")
    with pytest.raises(error, match=why):
        save_audio(**{"path": "out.wav", "audio": tone, "sample_rate": 44100, **arguments})
    assert os.listdir() == ["out.wav"] and (tmp_path / "out.wav").read_bytes() == b"as it was"


def test_a_resource_fork_in_the_working_folder_forbids_no_format(tmp_path, monkeypatch):
    """Next to a file named "._", libsndfile opens no MP3 from memory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "._").touch()
    _can_write.cache_clear()
    save_audio("song.mp3", np.zeros((2, 4000), np.float32), 44100)
    assert soundfile.info("song.mp3").channels == 2
