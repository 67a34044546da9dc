"""Formats that libsndfile does not read: each codec in its containers is read in place, or with a warning."""

import warnings

import numpy as np
import pytest

from audiostyle_fx._recordings.files import SoundFileReader, read_audio

MAX_EXCESS = 80
"""Samples by which a recording may be longer than it was: containers name their length in coarse units."""

PLACED = [
    ("m4a", "aac"),
    ("mp4", "aac"),
    ("mka", "aac"),
    ("mkv", "aac"),
    ("m4a", "alac"),
    ("caf", "alac"),
    ("wv", "wavpack"),
    ("tta", "tta"),
    ("mka", "flac"),
    ("mp4", "flac"),
    ("oga", "flac"),
    ("webm", "libopus"),
    ("mka", "libopus"),
    ("mp4", "libopus"),
    ("ogg", "libopus"),
    ("mka", "libmp3lame"),
    ("mp3", "libmp3lame"),
    ("mov", "pcm_s16le"),
    ("mov", "pcm_s24le"),
    ("mka", "pcm_f32le"),
    ("flac", "flac"),
]
ERRORS = {
    "alac": 2**-23,
    "wavpack": 2**-7,
    "tta": 2**-7,
    "flac": 2**-15,
    "pcm_s16le": 2**-15,
    "pcm_s24le": 2**-23,
    "pcm_f32le": 0,
}
"""The most that lossless codecs change, in the sample format that their encoder names first."""

UNPLACED = [
    ("aac", "aac", 2112),
    ("ts", "aac", 2112),
    ("ac3", "ac3", 1536),
    ("eac3", "eac3", 1536),
    ("wma", "wmav2", 4096),
    ("avi", "libmp3lame", 2304),
    ("mp2", "mp2", 1152),
]
"""Containers, codecs, and the most samples of a packet, by which the sound can be off its place."""

QUICK = [("m4a", "aac"), ("webm", "libopus"), ("m4a", "alac"), ("mka", "libmp3lame")]


def slow_but(quick, cases):
    return [case if case in quick else pytest.param(*case, marks=pytest.mark.slow) for case in cases]


@pytest.mark.parametrize(("ending", "codec"), slow_but(QUICK, PLACED))
def test_sound_comes_in_place_and_whole(tmp_path, bursts, encode, lag, ending, codec):
    path = encode(tmp_path / f"sound.{ending}", codec, bursts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples, rate = read_audio(path, "input")
    assert rate == 48000 and len(samples) == 1 and lag(samples[0], bursts) == 0
    assert 0 <= samples.shape[1] - len(bursts) <= (0 if codec in ERRORS else MAX_EXCESS)
    assert np.abs(samples[0, : len(bursts)] - bursts).max() <= ERRORS.get(codec, 0.1)


@pytest.mark.parametrize(("ending", "codec", "most"), slow_but([("wma", "wmav2", 4096)], UNPLACED))
def test_sound_of_unknown_place_gets_a_word(tmp_path, bursts, encode, lag, ending, codec, most):
    path = encode(tmp_path / f"sound.{ending}", codec, bursts)
    with SoundFileReader(path, "input") as reader:
        if reader.decoder.startswith("PyAV"):
            with pytest.warns(UserWarning, match="does not say where its sound begins"):
                samples = np.concatenate(list(reader.blocks()), axis=1)
        else:  # libsndfile's MP2
            samples = np.concatenate(list(reader.blocks()), axis=1)
            assert not reader.is_placed
    assert abs(lag(samples[0], bursts)) <= most and abs(samples.shape[1] - len(bursts)) <= 2 * most


@pytest.mark.parametrize("ending", ["m4a", "mp4"])
def test_an_encoder_without_time_stamps_gets_a_word(tmp_path, bursts, encode, lag, ending):
    path = encode(tmp_path / f"sound.{ending}", "aac", bursts, has_times=False)
    with pytest.warns(UserWarning, match="does not say where its sound begins"):
        samples, _ = read_audio(path, "input")
    assert abs(lag(samples[0], bursts)) <= 1024


def test_a_part_is_that_of_the_whole(tmp_path, bursts, encode):
    path = encode(tmp_path / "sound.m4a", "aac", bursts)
    whole, _ = read_audio(path, "input")
    with SoundFileReader(path, "input") as reader:
        part = np.concatenate(list(reader.blocks(0.25, 0.5)), axis=1)
    np.testing.assert_array_equal(part, whole[:, 12000:36000])


def test_the_bit_rate_is_known(tmp_path, bursts, encode):
    path = encode(tmp_path / "sound.m4a", "aac", bursts)
    with SoundFileReader(path, "input") as reader:
        assert 0 < reader.kept().kbits <= 200 and reader.subtype is None


def test_the_sound_of_a_damaged_file_goes_on(tmp_path, bursts, encode, lag):
    path = encode(tmp_path / "sound.m4a", "aac", np.tile(bursts, 4))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(is damaged|ends early|is shorter)", UserWarning)
        samples, _ = read_audio(path, "input")
    assert lag(samples[0, -len(bursts) :], bursts) == pytest.approx(samples.shape[1] - 4 * len(bursts), abs=1024)


def test_a_video_without_sound_is_refused(tmp_path):
    import av

    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match="it holds no sound"):
        read_audio(tmp_path / "film.mp4", "input")


def test_of_several_soundtracks_the_first_is_read(tmp_path, bursts):
    import av

    path = tmp_path / "film.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_f32le", rate=48000) for _ in range(2)]
        for stream in streams:
            stream.layout = "mono"
        for level, stream in zip((1.0, 0.5), streams, strict=True):
            frame = av.AudioFrame.from_ndarray(level * bursts[None], format="flt", layout="mono")
            frame.sample_rate = 48000
            container.mux(stream.encode(frame))
    with pytest.warns(UserWarning, match="holds 2 soundtracks; the first was read"):
        samples, _ = read_audio(path, "input")
    np.testing.assert_array_equal(samples[0], bursts)


@pytest.mark.parametrize("name", ["song.m4a", "song.wav"])
def test_without_pyav_the_error_names_the_cure(tmp_path, bursts, encode, monkeypatch, name):
    encode(tmp_path / "song.m4a", "aac", bursts).rename(tmp_path / name)
    monkeypatch.setattr("audiostyle_fx._recordings.decoding.opening.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install av") as error:
        read_audio(tmp_path / name, "input")
    assert "ormat not recognised" in str(error.value) and f"ffmpeg -i {tmp_path / name} -f wav -" in str(error.value)
    assert "does not exist" not in str(error.value)
