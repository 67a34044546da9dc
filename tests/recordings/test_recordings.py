"""Recordings: files, rates, channels and levels."""

import os
import stat

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings import files, formats, writing
from audiostyle_fx._recordings.channels import match_channels
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._recordings.silence import silence_mask
from audiostyle_fx._recordings.writing import write_audio


@pytest.fixture
def tone():
    """Half a second of 440 Hz in two channels, full scale being 0.5."""
    t = np.arange(4000) / 8000
    return np.stack([0.5 * np.sin(880 * np.pi * t), 0.25 * np.cos(880 * np.pi * t)]).astype(np.float32)


# ---------------------------------------------------------------- files
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
    writing.check_writable(tmp_path / "out.flac", 8000, 2)
    write_audio(tmp_path / "out.flac", tone, 8000)
    assert soundfile.info(tmp_path / "kept").format == "FLAC"


@pytest.mark.parametrize("target", ["nowhere/out.wav", "folder", os.devnull])
def test_a_link_to_no_file_is_found_before(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out.wav").symlink_to(tmp_path / target)
    with pytest.raises(ValueError, match=r"out\.wav' must name a file in a folder that exists"):
        writing.check_writable(tmp_path / "out.wav", 8000, 2)


def test_a_minute_of_vorbis_is_written(tmp_path):
    minute = np.random.default_rng(0).standard_normal((1, 60 * 44100)).astype(np.float32) * 0.05
    write_audio(tmp_path / "out.ogg", minute, 44100)
    assert soundfile.info(tmp_path / "out.ogg").frames == minute.shape[1]


@pytest.mark.parametrize("name", ["out.ogg", "out.oga"])
def test_a_rate_beyond_vorbis_is_refused(tmp_path, name):
    writing.check_writable(tmp_path / name, 192_000, 2)
    with pytest.raises(ValueError, match="200001 Hz"):
        writing.check_writable(tmp_path / name, 200_001, 2)


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
    with pytest.warns(UserWarning, match=rf"loud\.{ending}.*turned down by 6\.0 dB"):
        write_audio(path, 2 * 2 * tone, 8000)
    samples = read_audio(path, "input")[0]
    np.testing.assert_allclose(samples[:, :4000], 2 * tone, rtol=0, atol=2**-15 if ending != "ogg" else 0.1)


@pytest.mark.parametrize(("subtype", "gain"), [("PCM_16", 2), ("FLOAT", 8), ("DOUBLE", 8)])
def test_what_fits_is_neither_turned_down_nor_warned_of(tmp_path, tone, subtype, gain):
    write_audio(tmp_path / "out.wav", gain * tone, 8000, subtype)
    samples = read_audio(tmp_path / "out.wav", "input")[0]
    np.testing.assert_allclose(samples, gain * tone, rtol=0, atol=2**-15 if subtype == "PCM_16" else 0)


def test_writing_does_not_change_the_audio(tmp_path, tone):
    loud = 4 * tone
    with pytest.warns(UserWarning, match="turned down"):
        write_audio(tmp_path / "out.wav", loud, 8000)
    np.testing.assert_array_equal(loud, 4 * tone)


def test_reading_names_the_parameter_and_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"input='.*nowhere\.wav'.*no such file"):
        read_audio(tmp_path / "nowhere.wav", "input")
    (tmp_path / "text.wav").write_text("a text")
    with pytest.raises(ValueError, match=r"input='.*text\.wav'.*read"):
        read_audio(tmp_path / "text.wav", "input")
    with pytest.raises(ValueError, match=r"input=.*read"):
        read_audio(tmp_path, "input")


@pytest.mark.parametrize(
    ("name", "channels", "why"),
    [
        ("out.xyz", 1, r"\.flac.*\.wav"),
        ("out", 1, r"\.flac.*\.wav"),
        (".wav", 1, r"\.flac.*\.wav"),
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
        writing.check_writable(tmp_path / name, 8000, channels)
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
    with pytest.raises(ValueError, match=rf"can't hold 1 channels at {sample_rate} Hz"):
        writing.check_writable(tmp_path / name, sample_rate, 1)
    with pytest.raises(ValueError, match=rf"can't hold 1 channels at {sample_rate} Hz"):
        write_audio(tmp_path / name, tone[:1], sample_rate)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "aiff", "caf"])
@pytest.mark.parametrize(
    "sample_rate", [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]
)
def test_rates_and_channels_are_kept(tmp_path, tone, ending, sample_rate):
    for channels in range(1, 9):
        path, audio = tmp_path / f"out.{ending}", np.resize(tone[:, :256], (channels, 256))
        writing.check_writable(path, sample_rate, channels, 256)
        write_audio(path, audio, sample_rate)
        samples, rate = read_audio(path, "input")
        assert samples.shape == audio.shape and rate == sample_rate


# ---------------------------------------------------------------- long files
@pytest.mark.parametrize(("subtype", "fits"), [("PCM_16", 500), ("PCM_24", 333), ("FLOAT", 250), ("DOUBLE", 125)])
def test_more_than_wav_holds_becomes_rf64(tmp_path, tone, monkeypatch, subtype, fits):
    monkeypatch.setattr(formats, "RIFF_BYTES", 2000)
    path = tmp_path / "out.wav"
    for n_samples, want in ((fits, "WAV"), (fits + 1, "RF64")):
        write_audio(path, tone[:, :n_samples], 8000, subtype, {"title": "a title"})
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.frames) == (want, subtype, n_samples)
        np.testing.assert_allclose(read_audio(path, "input")[0], tone[:, :n_samples], rtol=0, atol=2**-15)
        assert files.read_format(path)[1]["title"] == "a title"
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
        lambda: writing.check_writable(path, 8000, 2, 4000),
        lambda: write_audio(path, tone, 8000),
    ):
        with pytest.raises(ValueError, match=r"can't hold .* GiB; \.wav can"):
            call()
    assert os.listdir(tmp_path) == []


def test_the_limit_is_below_four_gibibytes():
    assert 2**32 - 2**21 < formats.RIFF_BYTES < 2**32 - 2**16


# ---------------------------------------------------------------- tags
TAGS = {
    "title": "Tïtle \u97f3",
    "artist": "somebody",
    "album": "an album",
    "date": "2001",
    "genre": "Polka",
    "tracknumber": "7",
    "comment": "so good",
    "copyright": "me",
    "license": "CC0",
    "software": "an encoder (libsndfile)",
}
LOST = {  # by the format, silently
    "wav": {"license"},
    "rf64": {"license"},
    "aiff": {"album", "date", "genre", "tracknumber", "license"},
    "flac": set(),
    "ogg": set(),
    "caf": set(),
    "mp3": {"copyright", "license", "software"},
    "w64": set(TAGS),
    "au": set(TAGS),
}


@pytest.mark.parametrize("ending", LOST)
def test_tags_are_kept_as_far_as_the_format_has_them(tmp_path, tone, ending):
    path = tmp_path / f"out.{ending}"
    write_audio(path, tone, 8000, None, TAGS)
    found = files.read_format(path)[1]
    kept = {name: value for name, value in TAGS.items() if name not in LOST[ending]}
    assert {name: found.get(name) for name in kept} == kept
    np.testing.assert_allclose(read_audio(path, "input")[0][:, :4000], tone, rtol=0, atol=0.3)
    assert not {"license", "album"} & LOST[ending] & found.keys()


def test_tags_that_can_not_be_written_are_left_out(tmp_path, tone):
    write_audio(tmp_path / "out.wav", tone, 8000, None, {"title": "", "artist": "me"})
    assert files.read_format(tmp_path / "out.wav")[1]["artist"] == "me"


@pytest.mark.parametrize("name", ["out.wav", "out.FLAC", "two.dots.ogg", "out.mp3", "out.aiff"])
def test_what_can_be_written_passes_and_nothing_is_touched(tmp_path, name):
    (tmp_path / name).write_bytes(b"old")
    writing.check_writable(tmp_path / name, 44100, 2)
    assert (tmp_path / name).read_bytes() == b"old" and len(os.listdir(tmp_path)) == 1


# ---------------------------------------------------------------- rates
@pytest.mark.parametrize(("from_rate", "to_rate"), [(8000, 16000), (44100, 22050), (44100, 48000), (22050.0, 8000.0)])
def test_resampling_keeps_a_tone(from_rate, to_rate):
    def sine(rate):
        return np.sin(2 * np.pi * 300 * np.arange(int(rate)) / rate)[None].astype(np.float32)

    out = resample(sine(from_rate), from_rate, to_rate)
    assert out.dtype == np.float32 and out.shape == (1, int(to_rate))
    inner = slice(int(0.1 * to_rate), int(0.9 * to_rate))
    np.testing.assert_allclose(out[:, inner], sine(to_rate)[:, inner], atol=2e-3)


def test_resampling_to_the_same_rate_changes_nothing(tone):
    np.testing.assert_array_equal(resample(tone, 44100, 44100.0), tone)


def test_resampling_removes_what_the_lower_rate_can_not_hold():
    high = np.sin(2 * np.pi * 9000 * np.arange(44100) / 44100)[None].astype(np.float32)
    assert rms(resample(high, 44100, 8000)) < 1e-2 * rms(high)


# ---------------------------------------------------------------- channels
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


# ---------------------------------------------------------------- levels
def test_rms(tone):
    assert rms(tone[:1]) == pytest.approx(0.5 / np.sqrt(2), rel=1e-6)
    assert rms(np.zeros((2, 100))) == rms(np.zeros((1, 0))) == 0
    assert rms(np.full(100, 1e30, np.float32)) == pytest.approx(1e30, rel=1e-6)


# ---------------------------------------------------------------- digital silence
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
