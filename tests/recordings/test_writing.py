"""Writing: recordings are read back, only a finished file replaces an old one, and nothing clips."""

import os
import stat

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._recordings.levels import true_peak
from audiostyle_fx._recordings.writing import check_writable, write_audio


@pytest.mark.parametrize(
    ("ending", "subtype", "tolerance"),
    [
        ("wav", "FLOAT", 0),
        ("wav", "DOUBLE", 0),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-23),
        ("WAV", "PCM_U8", 2**-7),
        ("aiff", "PCM_24", 2**-23),
        ("aif", "PCM_32", 2**-23),
        ("aiff", "FLOAT", 0),
        ("aiff", "PCM_16", 2**-15),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
        ("ogg", "VORBIS", 0.05),
        ("mp3", "MPEG_LAYER_III", 0.3),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_again(tmp_path, tone, ending, subtype, tolerance, channels):
    path = tmp_path / f"tone.{ending}"
    write_audio(path, tone[:channels], 8000, subtype)
    samples, rate = read_audio(path, "input")
    assert samples.dtype == np.float32 and samples.flags["C_CONTIGUOUS"]
    assert rate == 8000 and len(samples) == channels
    assert soundfile.info(path).subtype == subtype
    np.testing.assert_allclose(samples[:, : tone.shape[1]], tone[:channels], rtol=0, atol=tolerance)
    assert os.listdir(tmp_path) == [path.name]


def test_an_empty_recording_is_written_and_read(tmp_path):
    path = tmp_path / "empty.wav"
    write_audio(path, np.zeros((2, 0), np.float32), 8000)
    assert read_audio(path, "input")[0].shape == (2, 0)


def test_an_old_file_is_replaced(tmp_path, tone):
    path = tmp_path / "out.wav"
    path.write_bytes(b"what was here before")
    write_audio(path, tone, 8000)
    assert read_audio(path, "input")[0].shape == tone.shape
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_permissions_are_those_of_any_new_file(tmp_path, tone):
    plain = tmp_path / "plain"
    plain.touch()
    write_audio(tmp_path / "out.wav", tone, 8000)
    assert (tmp_path / "out.wav").stat().st_mode == plain.stat().st_mode


def test_a_replaced_file_passes_on_its_permissions(tmp_path, tone):
    path = tmp_path / "out.wav"
    path.write_bytes(b"private")
    path.chmod(0o600)
    write_audio(path, tone, 8000)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_followed(tmp_path, tone):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out.wav").symlink_to(tmp_path / "folder" / "kept.wav")
    write_audio(tmp_path / "out.wav", tone, 8000)
    assert (tmp_path / "out.wav").is_symlink()
    assert soundfile.info(tmp_path / "folder" / "kept.wav").frames == tone.shape[1]


def test_the_ending_of_a_link_names_the_format(tmp_path, tone):
    (tmp_path / "out.flac").symlink_to(tmp_path / "kept")
    check_writable(tmp_path / "out.flac", 8000, 2)
    write_audio(tmp_path / "out.flac", tone, 8000)
    assert soundfile.info(tmp_path / "kept").format == "FLAC"


@pytest.mark.parametrize("target", ["nowhere/out.wav", "folder", os.devnull])
def test_a_link_to_no_file_is_found_before(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out.wav").symlink_to(tmp_path / target)
    with pytest.raises(ValueError, match=r"out\.wav' must name a file in a folder that exists"):
        check_writable(tmp_path / "out.wav", 8000, 2)


def test_a_minute_of_vorbis_is_written(tmp_path):
    minute = np.random.default_rng(0).standard_normal((1, 60 * 44100)).astype(np.float32) * 0.05
    write_audio(tmp_path / "out.ogg", minute, 44100)
    assert soundfile.info(tmp_path / "out.ogg").frames == minute.shape[1]


@pytest.mark.parametrize("failure", [soundfile.SoundFileError("disk full"), OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [b"what was here before", None])
def test_an_encoder_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, tone, monkeypatch, failure, old):
    path = tmp_path / "out.wav"
    if old is not None:
        path.write_bytes(old)

    def write(file, samples):
        assert sum(len(p.read_bytes()) for p in tmp_path.glob(".*.wav")) > 0, "half a file is there when it fails"
        raise failure

    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    with pytest.raises(type(failure)):
        write_audio(path, tone, 8000)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == ({} if old is None else {"out.wav": old})


def test_a_replacement_that_fails_leaves_nothing_behind(tmp_path, tone):
    (tmp_path / "out.wav").mkdir()
    with pytest.raises(OSError, match=r"out\.wav"):
        write_audio(tmp_path / "out.wav", tone, 8000)
    assert os.listdir(tmp_path) == ["out.wav"]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_formats_that_clip_are_turned_down_with_a_warning(tmp_path, tone, ending):
    path = tmp_path / f"loud.{ending}"
    with pytest.warns(UserWarning, match=rf"loud\.{ending}.*turned down by 7\.0 dB"):
        gain_db = write_audio(path, 2 * 2 * tone, 8000).gain_db
    assert gain_db == pytest.approx(-20 * np.log10(true_peak([4 * tone])) - 1) and -7.1 < gain_db < -7
    samples, gain = read_audio(path, "input")[0], 10 ** (gain_db / 20)
    np.testing.assert_allclose(samples[:, :4000], 4 * gain * tone, rtol=0, atol=2**-15 if ending != "ogg" else 0.1)


@pytest.mark.parametrize(("subtype", "gain"), [("PCM_16", 2), ("FLOAT", 8), ("DOUBLE", 8)])
def test_what_fits_is_neither_turned_down_nor_warned_of(tmp_path, tone, subtype, gain):
    assert str(write_audio(tmp_path / "out.wav", gain * tone, 8000, subtype).gain_db) == "0.0"
    samples = read_audio(tmp_path / "out.wav", "input")[0]
    np.testing.assert_allclose(samples, gain * tone, rtol=0, atol=2**-15 if subtype == "PCM_16" else 0)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_given_full_scale_counts_in_every_format(tmp_path, tone, subtype):
    gain_db = write_audio(tmp_path / "out.wav", tone, 8000, subtype, full_scale=2.0).gain_db
    assert gain_db == pytest.approx(-6.0206, abs=1e-3)
    np.testing.assert_allclose(read_audio(tmp_path / "out.wav", "input")[0], tone / 2, rtol=0, atol=2**-15)


def test_one_channel_may_be_a_plain_array(tmp_path, tone):
    write_audio(tmp_path / "out.wav", tone[0], 8000, "FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "out.wav", "input")[0], tone[:1])


@pytest.mark.parametrize("sample_rate", [8000.0, np.float32(8000), np.int64(8000)])
def test_a_rate_may_be_any_kind_of_number(tmp_path, tone, sample_rate):
    check_writable(tmp_path / "out.wav", sample_rate, 2)
    write_audio(tmp_path / "out.wav", tone, sample_rate)
    assert soundfile.info(tmp_path / "out.wav").samplerate == 8000


def test_a_folder_that_does_not_exist_is_named(tmp_path, tone):
    with pytest.raises(ValueError, match=r"output '.*out\.wav' must name a file in a folder that exists"):
        write_audio(tmp_path / "nowhere" / "out.wav", tone, 8000)


def test_writing_does_not_change_the_audio(tmp_path, tone):
    loud = 4 * tone
    with pytest.warns(UserWarning, match="turned down"):
        write_audio(tmp_path / "out.wav", loud, 8000)
    np.testing.assert_array_equal(loud, 4 * tone)


@pytest.mark.parametrize("name", ["out.wav", "out.FLAC", "two.dots.ogg", "out.mp3", "out.aiff"])
def test_what_can_be_written_passes_and_nothing_is_touched(tmp_path, name):
    (tmp_path / name).write_bytes(b"old")
    check_writable(tmp_path / name, 44100, 2)
    assert (tmp_path / name).read_bytes() == b"old" and len(os.listdir(tmp_path)) == 1
