"""Formats: the rates, channels, sample formats and lengths that each can hold; others are refused."""

import math
import os

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings import formats
from audiostyle_fx._recordings.encoding import Kept
from audiostyle_fx._recordings.files import read_audio, read_format
from audiostyle_fx._recordings.metadata import Metadata
from audiostyle_fx._recordings.writing import check_writable, write_audio


@pytest.mark.parametrize(
    ("ending", "asked", "given"),
    [
        ("wav", None, "PCM_16"),
        ("flac", "FLOAT", "PCM_16"),
        ("ogg", "PCM_24", "VORBIS"),
        ("wav", "VORBIS", "PCM_16"),
        ("mp3", "PCM_16", "MPEG_LAYER_III"),
        ("flac", "MPEG_LAYER_III", "PCM_16"),
        ("wav", "MPEG_LAYER_III", "PCM_16"),
    ],
)
def test_a_sample_format_that_does_not_fit_gives_the_formats_own(tmp_path, tone, ending, asked, given):
    path = tmp_path / f"tone.{ending}"
    write_audio(path, tone, 44100, asked)
    assert soundfile.info(path).subtype == given
    assert soundfile.info(path).samplerate == 44100


@pytest.mark.parametrize("name", ["out.ogg", "out.oga"])
def test_a_rate_beyond_vorbis_is_refused(tmp_path, name):
    check_writable(tmp_path / name, 192_000, 2)
    with pytest.raises(ValueError, match="200001 Hz"):
        check_writable(tmp_path / name, 200_001, 2)


@pytest.mark.parametrize(
    ("name", "channels", "why"),
    [
        ("out.xyz", 1, r"\.wav, \.flac.* \d+ others"),
        ("out", 1, r"\.wav, \.flac.* \d+ others"),
        (".wav", 1, r"\.wav, \.flac.* \d+ others"),
        ("nowhere/out.wav", 1, "folder"),
        (".", 1, "folder"),
        ("out.mp3", 3, "3 channels"),
        ("out.flac", 9, "9 channels"),
        ("out.raw", 1, r"out\.raw"),
        ("out.sd2", 1, r"out\.sd2"),  # writes a second file beside it
        ("out.svx", 2, "2 channels"),
    ],
)
def test_what_can_not_be_written_is_found_before(tmp_path, name, channels, why):
    with pytest.raises(ValueError, match=why):
        check_writable(tmp_path / name, 8000, channels)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "sample_rate"),
    [
        ("out.mp3", 96_000),
        ("out.mp3", 44_000),
        ("out.flac", 65_537),  # opens, and fails at the first sample
        ("out.svx", 96_000),  # opens, and writes another rate into its header
        ("out.htk", 44_100),  # the same
        ("out.ogg", 200_001),
    ],
)
def test_a_rate_that_the_format_can_not_hold_is_refused(tmp_path, tone, name, sample_rate):
    with pytest.raises(ValueError, match=rf"can't hold 1 channel at {sample_rate} Hz"):
        check_writable(tmp_path / name, sample_rate, 1)
    with pytest.raises(ValueError, match=rf"can't hold 1 channel at {sample_rate} Hz"):
        write_audio(tmp_path / name, tone[:1], sample_rate)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("sample_rate", [44_100.5, math.inf, math.nan])
def test_a_rate_that_no_format_can_hold_is_refused(tmp_path, tone, sample_rate):
    with pytest.raises(ValueError, match=rf"sound files can't hold a sample rate of {sample_rate} Hz"):
        check_writable(tmp_path / "out.wav", sample_rate, 1)
    with pytest.raises(ValueError, match=rf"out\.wav'.* {sample_rate} Hz; it must be a whole number"):
        write_audio(tmp_path / "out.wav", tone[:1], sample_rate)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("sample_rate", [0, -8000, 2**31, 1e300])
def test_a_rate_beyond_all_formats_is_refused(tmp_path, sample_rate):
    with pytest.raises(ValueError, match="can't hold 2 channels at"):
        check_writable(tmp_path / "out.wav", sample_rate, 2)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "aiff", "caf"])
@pytest.mark.parametrize(
    "sample_rate", [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]
)
def test_rates_and_channels_are_kept(tmp_path, tone, ending, sample_rate):
    for channels in range(1, 9):
        path, audio = tmp_path / f"out.{ending}", np.resize(tone[:, :256], (channels, 256))
        check_writable(path, sample_rate, channels, 256)
        write_audio(path, audio, sample_rate)
        samples, rate = read_audio(path, "input")
        assert samples.shape == audio.shape and rate == sample_rate


@pytest.mark.parametrize(("subtype", "fits"), [("PCM_16", 500), ("PCM_24", 333), ("FLOAT", 250), ("DOUBLE", 125)])
def test_more_than_wav_holds_becomes_rf64(tmp_path, tone, monkeypatch, subtype, fits):
    monkeypatch.setattr(formats, "RIFF_BYTES", 2000)
    path = tmp_path / "out.wav"
    for n_samples, want in ((fits, "WAV"), (fits + 1, "RF64")):
        write_audio(path, tone[:, :n_samples], 8000, subtype, Kept(metadata=Metadata({"title": "a title"})))
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.frames) == (want, subtype, n_samples)
        np.testing.assert_allclose(read_audio(path, "input")[0], tone[:, :n_samples], rtol=0, atol=2**-15)
        assert read_format(path)[1].metadata.tags["title"] == "a title"
    assert path.read_bytes()[:4] == b"RF64"


def test_a_sample_format_that_rf64_has_not_becomes_its_own(tmp_path, tone, monkeypatch):
    monkeypatch.setattr(formats, "RIFF_BYTES", 2000)
    write_audio(tmp_path / "out.wav", tone, 8000, "MS_ADPCM")
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.format, info.subtype, info.frames) == ("RF64", "PCM_16", 4000)


@pytest.mark.parametrize(
    ("ending", "holds"), [("aiff", False), ("au", False), ("flac", True), ("w64", True), ("caf", True)]
)
def test_more_than_another_format_holds_is_refused(tmp_path, tone, monkeypatch, ending, holds):
    monkeypatch.setattr(formats, "RIFF_BYTES", 2000)
    path = tmp_path / f"out.{ending}"
    if holds:
        write_audio(path, tone, 8000)
        assert soundfile.info(path).frames == 4000
        return
    for call in (
        lambda: check_writable(path, 8000, 2, 4000),
        lambda: write_audio(path, tone, 8000),
    ):
        with pytest.raises(ValueError, match=r"can't hold .* GiB; \.wav can"):
            call()
    assert os.listdir(tmp_path) == []


def test_the_limit_is_below_four_gibibytes():
    assert 2**32 - 2**21 < formats.RIFF_BYTES < 2**32 - 2**16
