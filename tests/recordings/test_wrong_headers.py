"""Headers that contradict their files: the existing sound is read, and a warning names the missing part."""

import struct

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.decoding.aiff import MAX_BYTES, _inspection
from audiostyle_fx._recordings.files import read_audio


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(-(2**15), 2**15, 1000).astype(np.int16)


def changed(path, mark, offset, *values, kind):
    """Overwrite values at some bytes after a mark."""
    data = bytearray(path.read_bytes())
    struct.pack_into(kind, data, data.index(mark) + offset, *values)
    path.write_bytes(data)


def test_wav_samples_of_no_bits_are_as_wide_as_their_bytes(tmp_path, noise):
    path = tmp_path / "in.wav"
    soundfile.write(path, noise, 8000)
    changed(path, b"fmt ", 22, 0, kind="<H")
    np.testing.assert_array_equal(read_audio(path, "input")[0][0] * 2**15, noise)


def test_aiff_sound_is_no_longer_than_its_chunk(tmp_path, noise):
    path = tmp_path / "in.aiff"
    soundfile.write(path, noise, 8000)
    with path.open("ab") as file:
        file.write(b"ANNO\0\0\0\4text")
    changed(path, b"COMM", 10, 4000, kind=">I")
    with pytest.warns(UserWarning, match=r"ends early: its header promises 0\.50 s, but it holds 0\.12 s"):
        samples = read_audio(path, "input")[0]
    np.testing.assert_array_equal(samples[0] * 2**15, noise)


def test_aiff_sound_beyond_the_end_of_the_file_is_none(tmp_path, noise):
    path = tmp_path / "in.aiff"
    soundfile.write(path, noise, 8000)
    changed(path, b"SSND", 8, 10_000, kind=">I")
    with pytest.warns(UserWarning, match=r"ends early: its header promises 0\.12 s, but it holds 0\.00 s"):
        assert read_audio(path, "input")[0].shape == (1, 0)


def test_aiff_sound_beyond_4_gib_is_refused():
    common = struct.pack(">HIH", 1, 0, 16) + bytes(10)
    with pytest.raises(ValueError, match="more than 4 GiB"):
        _inspection(b"AIFF", common, 54, 0, 54 + MAX_BYTES + 2)
