"""Files that are joined, cut short, or damaged: all sound in them is read in place, and a warning names the rest."""

import struct
import warnings

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.files import SoundFileReader, read_audio
from audiostyle_fx.folders.headers import read_header

N = 3 * 48000
PLAIN = ("wav", "aiff", "au", "caf", "w64")
CODED = {"flac": "PCM_16", "mp3": "MPEG_LAYER_III", "ogg": "VORBIS", "opus": "OPUS"}


@pytest.fixture(scope="module")
def sound():
    """Three seconds of noise that is as loud all through, one channel at 48 kHz, float32."""
    noise = np.convolve(np.random.default_rng(0).standard_normal(N), np.hanning(17) / 8, "same")
    return (0.1 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory, sound):
    """The sound in each format, as bytes by ending."""
    folder, held = tmp_path_factory.mktemp("files"), {}
    for ending in (*PLAIN, *CODED):
        path = folder / f"sound.{ending}"
        soundfile.write(path, sound, 48000, CODED.get(ending), format="OGG" if ending == "opus" else None)
        held[ending] = path.read_bytes()
    return held


@pytest.fixture
def read(tmp_path):
    """A function that reads bytes as a file, and returns the samples of its only channel and the warnings' texts."""

    def read_bytes(data, ending):
        path = tmp_path / f"sound.{ending}"
        path.write_bytes(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            samples, rate = read_audio(path, "input")
        assert rate == 48000 and len(samples) == 1 and np.isfinite(samples).all()
        return samples[0], " ".join(str(warning.message) for warning in caught)

    return read_bytes


@pytest.mark.parametrize("ending", [*PLAIN, *CODED])
def test_a_whole_file_gets_no_word(files, read, lag, sound, ending):
    samples, said = read(files[ending], ending)
    assert said == "" and len(samples) == N and lag(samples, sound) == 0


@pytest.mark.parametrize("ending", CODED)
def test_joined_files_are_read_on(files, read, lag, sound, ending):
    samples, said = read(2 * files[ending], ending)
    assert said == "" and 2 * N <= len(samples) <= 2 * N + 2 * 1152
    assert lag(samples[:N], sound) == 0
    assert lag(samples[-N:], sound) == (0 if ending != "mp3" else pytest.approx(0, abs=1152))


@pytest.mark.parametrize("ending", PLAIN)
def test_what_follows_the_named_length_gets_a_word(files, read, sound, ending):
    samples, said = read(2 * files[ending], ending)
    assert "bytes after the length in its header; they were not read" in said
    np.testing.assert_allclose(samples, sound, atol=2**-15)


@pytest.mark.parametrize("ending", PLAIN)
def test_a_few_bytes_at_the_end_are_not_worth_a_word(files, read, ending):
    assert len(read(files[ending] + bytes(100), ending)[0]) == N and read(files[ending] + bytes(100), ending)[1] == ""


@pytest.mark.parametrize("ending", ["wav", "aiff", "au", "w64", "flac", "mp3"])
def test_of_a_file_cut_short_both_lengths_are_said(files, read, lag, sound, ending):
    data = files[ending]
    samples, said = read(data[: len(data) // 3], ending)
    assert "ends early: its header promises 3.00 s, but it holds" in said
    assert 0.3 * N - 4608 < len(samples) < N / 3 + 1152 and lag(samples, sound[: len(samples)]) == 0


@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_a_cut_file_that_does_not_know_its_length_gets_a_word(files, read, ending):
    samples, said = read(files[ending][: len(files[ending]) // 2], ending)
    assert "it may have been cut short" in said and 0 < len(samples) < N


@pytest.mark.parametrize("kind", ["overwritten", "zeroed", "missing"])
@pytest.mark.parametrize("ending", CODED)
def test_sound_goes_on_in_its_place_after_damage(files, read, lag, sound, ending, kind):
    data, middle = bytearray(files[ending]), len(files[ending]) // 2
    replacements = {"overwritten": np.random.default_rng(1).bytes(1500), "zeroed": bytes(1500), "missing": b""}
    data[middle : middle + 1500] = replacements[kind]
    samples, said = read(bytes(data), ending)
    assert "is damaged" in said and "ends early" not in said
    quarter = N // 4
    assert lag(samples[:quarter], sound[:quarter]) == 0 and lag(samples[-quarter:], sound[-quarter:]) == 0
    if ending in ("flac", "mp3"):
        assert len(samples) == N


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_file_that_was_never_finished_is_read_to_its_end(files, read, sound, size, order):
    data = bytearray(files["wav"])
    if order == ">":
        data = bytearray(b"RIFX" + data[4:])
        data[4:8] = data[4:8][::-1]
        start = data.index(b"fmt ") + 4
        data[start : start + 4] = data[start : start + 4][::-1]
        fields = struct.unpack("<HHIIHH", data[start + 4 : start + 20])
        data[start + 4 : start + 20] = struct.pack(">HHIIHH", *fields)
        begin = data.index(b"data") + 8
        data[begin:] = np.frombuffer(bytes(data[begin:]), "<i2").astype(">i2").tobytes()
    struct.pack_into(order + "I", data, data.index(b"data") + 4, size)
    samples, said = read(bytes(data), "wav")
    np.testing.assert_allclose(samples, sound, atol=2**-15)
    assert ("unfinished header" in said) == (size == 0)


def test_an_aiff_file_that_was_never_finished_is_read_to_its_end(files, read, sound):
    data = bytearray(files["aiff"])
    struct.pack_into(">I", data, data.index(b"SSND") + 4, 0)
    struct.pack_into(">I", data, data.index(b"COMM") + 10, 0)
    samples, said = read(bytes(data), "aiff")
    np.testing.assert_allclose(samples, sound, atol=2**-15)
    assert "unfinished header" in said


def test_a_flac_file_of_unknown_length_is_read_to_its_end(files, read, sound, tmp_path):
    data = bytearray(files["flac"])
    data[21] &= 0xF0  # the total of samples, 36 bits: 0 stands for "unknown"
    data[22:26] = bytes(4)
    samples, said = read(bytes(data), "flac")
    assert said == ""
    np.testing.assert_allclose(samples, sound, atol=2**-15)
    assert read_header(tmp_path / "sound.flac").n_samples == N


def test_an_mp3_file_without_a_count_is_read_to_its_end(files, read, lag, sound):
    data = files["mp3"]
    start = data.index(b"\xff\xfb")
    second = data.index(b"\xff\xfb", start + 100)
    assert any(tag in data[start:second] for tag in (b"Xing", b"Info"))
    samples, _ = read(data[second:], "mp3")
    assert N <= len(samples) <= N + 3 * 1152 and abs(lag(samples, sound)) <= 1105


@pytest.mark.parametrize("ending", [*PLAIN, "flac"])
@pytest.mark.parametrize(("start", "duration"), [(0.0, 0.5), (1.25, 1.0), (2.5, 3.0)])
def test_a_part_is_that_of_the_whole(files, tmp_path, sound, ending, start, duration):
    path = tmp_path / f"sound.{ending}"
    path.write_bytes(files[ending])
    with SoundFileReader(path, "input") as reader:
        samples = np.concatenate(list(reader.blocks(start, duration)), axis=1)[0]
    first = round(48000 * start)
    np.testing.assert_allclose(samples, sound[first : first + round(48000 * duration)], atol=2**-15)


@pytest.mark.parametrize("ending", ["mp3", "ogg", "opus"])
def test_a_bit_rate_is_kept(files, tmp_path, ending):
    path = tmp_path / f"sound.{ending}"
    path.write_bytes(files[ending])
    with SoundFileReader(path, "input") as reader:
        assert reader.kept().kbits == pytest.approx(8 * len(files[ending]) / 3000, rel=0.1)


@pytest.mark.parametrize(
    ("ending", "head"),
    [
        ("wav", b"list" + struct.pack("<I", 8192)),
        ("aiff", b"ANNO" + struct.pack(">I", 8192)),
        ("caf", b"info" + struct.pack(">q", 8192)),
        ("w64", b"list" + bytes.fromhex("f3acd3118cd100c04f8edb8a") + struct.pack("<Q", 24 + 8192)),
    ],
)
def test_chunks_after_the_sound_are_no_sound_and_not_worth_a_word(files, read, sound, ending, head):
    data = files[ending]
    padding = bytes(-len(data) % 8) if ending == "w64" else b""
    samples, said = read(data + padding + head + bytes(range(256)) * 32, ending)
    assert said == ""
    np.testing.assert_allclose(samples, sound, atol=2**-15)


def test_flac_that_does_not_decode_to_its_checksum_gets_a_word(files, read):
    data = bytearray(files["flac"])
    data[30] ^= 1  # of the checksum of all samples
    samples, said = read(bytes(data), "flac")
    assert len(samples) == N and "is damaged: the sound does not match its checksum" in said


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2])
def test_whole_flac_files_have_their_checksum(tmp_path, sound, subtype, channels):
    path = tmp_path / "sound.flac"
    soundfile.write(path, np.repeat(sound[:, None], channels, axis=1), 48000, subtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_audio(path, "input")
        with SoundFileReader(path, "input") as reader:
            list(reader.blocks(1.0, 0.5))


def written(path, samples, rate, **options):
    soundfile.write(path, samples, rate, **options)
    return path.read_bytes()


@pytest.mark.parametrize("change", ["rate", "channels"])
def test_joined_mp3_files_of_different_kinds_get_a_word(files, read, tmp_path, lag, sound, change):
    other = {"rate": (sound[:66150], 44100), "channels": (np.stack([sound, sound], axis=1), 48000)}[change]
    samples, said = read(files["mp3"] + written(tmp_path / "other.mp3", *other), "mp3")
    assert "holds several recordings of different kinds; the first was read" in said
    assert N <= len(samples) <= N + 1152 and lag(samples, sound) == 0


def test_of_joined_mp4_files_the_first_is_read_and_said(tmp_path, bursts, encode, lag):
    data = encode(tmp_path / "one.m4a", "aac", bursts).read_bytes()
    (tmp_path / "two.m4a").write_bytes(2 * data)
    with pytest.warns(UserWarning, match="holds several recordings; the first was read"):
        samples, _ = read_audio(tmp_path / "two.m4a", "input")
    assert lag(samples[0], bursts) == 0


def test_of_joined_rf64_files_the_first_is_read_and_said(tmp_path, read, sound):
    data = written(tmp_path / "one.rf64", sound, 48000, subtype="PCM_16", format="RF64")
    samples, said = read(2 * data, "wav")
    assert len(samples) == N and "bytes after the length in its header; they were not read" in said


def test_of_two_data_chunks_the_first_is_read_and_said(files, read, sound):
    data = files["wav"]
    samples, said = read(data + data[data.index(b"data") :], "wav")
    assert len(samples) == N and "bytes after the length in its header; they were not read" in said


def test_what_is_no_au_file_is_not_read_as_one(files, tmp_path):
    path = tmp_path / "sound.au"
    path.write_bytes(bytes(1000) + files["au"])
    with pytest.raises(ValueError, match="its format is not recognised"):
        read_audio(path, "input")


@pytest.mark.filterwarnings("ignore:.*is damaged. 1 of its packets:UserWarning")
def test_a_cut_wavpack_file_gives_what_is_there(tmp_path, bursts, encode):
    path = encode(tmp_path / "sound.wv", "wavpack", np.tile(bursts, 3))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.warns(UserWarning, match="its header promises 3.30 s, but it holds"):
        samples, _ = read_audio(path, "input")
    n = samples.shape[1]
    assert n > len(bursts) and np.abs(samples[0] - np.tile(bursts, 3)[:n]).max() <= 2**-7


@pytest.mark.parametrize("ending", ["wav", "aiff", "au", "w64"])
def test_a_header_is_read_with_the_length_that_is_there(files, tmp_path, ending):
    path = tmp_path / f"sound.{ending}"
    path.write_bytes(files[ending][: len(files[ending]) // 3])
    header = read_header(path)
    assert header.duration == pytest.approx(1.0, abs=0.05) and "ends early" in header.notes[-1]
