"""Kinds of sound files by their first bytes."""

import io

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.kinds import HEAD_BYTES, SOUND_ENDINGS, sound_kind

ID3 = b"ID3\4\0\0\0\0\2\1" + bytes(257)
"""A tag of 257 bytes after its header."""

MP3_FRAME = b"\xff\xfb\x90\x00".ljust(417, b"\0")
MP2_FRAME = b"\xff\xfd\x84\x00".ljust(384, b"\0")
AAC_FRAME = b"\xff\xf1\x50\x80\x02\x1f\xfc".ljust(16, b"\0")
AC3_FRAME = b"\x0b\x77\0\0\x14\x40".ljust(768, b"\0")
ASF_ID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
W64_ID = bytes.fromhex("726966662e91cf11a5d628db04c10000")


@pytest.fixture
def file(tmp_path):
    """A function that writes bytes to a file without an ending and returns its path."""

    def write(content):
        path = tmp_path / "take 1"
        path.write_bytes(content)
        return path

    return write


def ogg(packet):
    return b"OggS\0\2" + bytes(20) + b"\1\x1e" + packet


@pytest.mark.parametrize(
    ("format", "subtype", "kind"),
    [
        ("WAV", "PCM_16", "WAV"),
        ("WAVEX", "FLOAT", "WAV"),
        ("RF64", "PCM_24", "RF64"),
        ("W64", "PCM_16", "W64"),
        ("AIFF", "PCM_16", "AIFF"),
        ("AIFF", "FLOAT", "AIFC"),
        ("AU", "PCM_16", "AU"),
        ("CAF", "PCM_16", "CAF"),
        ("FLAC", "PCM_16", "FLAC"),
        ("OGG", "VORBIS", "Ogg Vorbis"),
        ("OGG", "OPUS", "Ogg Opus"),
        ("MP3", "MPEG_LAYER_III", "MP3"),
        ("VOC", "PCM_16", "VOC"),
        ("SVX", "PCM_16", "8SVX"),
        ("NIST", "PCM_16", "NIST"),
    ],
)
def test_files_that_libsndfile_writes(format, subtype, kind, file):
    written = io.BytesIO()
    soundfile.write(written, np.random.default_rng(0).uniform(-0.5, 0.5, 8000), 8000, subtype, format=format)
    assert sound_kind(file(written.getvalue())) == kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"RIFX\0\0\0\0WAVE", "WAV"),
        (b"BW64\xff\xff\xff\xffWAVE", "BW64"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (W64_ID, "W64"),
        (b"dns.\x18\0\0\0", "AU"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (ID3 + b"fLaC\0\0\0\x22", "FLAC"),
        (ID3 + b"anything", "MP3"),
        (ID3 + ID3 + 2 * AAC_FRAME, "AAC"),
        (ogg(b"\x7fFLAC\1\0"), "Ogg FLAC"),
        (ogg(b"Speex   1.2"), "Ogg Speex"),
        (ogg(b"\x80theora"), "Ogg Theora"),
        (ogg(b"fishead\0"), "Ogg"),
        (2 * MP3_FRAME, "MP3"),
        (2 * MP2_FRAME, "MP3"),
        (2 * AAC_FRAME, "AAC"),
        (2 * AC3_FRAME, "AC-3"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0", "MP4"),
        (b"\0\0\0\x14ftypqt  ", "MOV"),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", "MOV"),
        (ASF_ID, "ASF"),
        (b"MAC \x96\x0f", "APE"),
        (b"wvpk\0\0\0\0", "WavPack"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "Matroska"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm", "WebM"),
        (b"#!AMR-WB\n", "AMR"),
        (b"DSD \x1c\0\0\0", "DSF"),
        (b"FRM8" + bytes(8) + b"DSD ", "DSDIFF"),
        (5 * b"G".ljust(188, b"\xff"), "MPEG-TS"),
        (5 * b"\0\0\0\0G".ljust(192, b"\xff"), "MPEG-TS"),
        (b"\0\0\1\xba\x44", "MPEG-PS"),
    ],
)
def test_other_sound_files(content, kind, file):
    assert sound_kind(file(content)) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"ID3",
        b"a text that is longer than the shortest header",
        "ä text in UTF-16".encode("utf-16"),
        b"MThd\0\0\0\6\0\1",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0RMIDdata",
        b"FORM\0\0\0\0ILBM",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypavif",
        b"\0\0\0\xffmoov",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\0\5\x16\7\0\2\0\0Mac OS X",
        b"RPKN\2\0",
        MP3_FRAME + MP3_FRAME[1:],
        AAC_FRAME,
        b"\x0b\x77\0\0\xff\x40",
        b"\x1a\x45\xdf\xa3\x93",
        b".snd\0\0\0\0",
        b"Good morning".ljust(2000),
        bytes(HEAD_BYTES + 100),
    ],
)
def test_other_files(content, file):
    assert sound_kind(file(content)) is None


def test_a_tag_that_claims_more_than_the_file_holds(file):
    assert sound_kind(file(b"ID3\4\0\0\x7f\x7f\x7f\x7f")) == "MP3"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        sound_kind(tmp_path / "nowhere")


def test_endings_are_lower_case_with_a_dot():
    assert all(ending.startswith(".") and ending == ending.lower() for ending in SOUND_ENDINGS)
    assert {".wav", ".aifc", ".m4a", ".mp2", ".mov"} <= SOUND_ENDINGS and ".mid" not in SOUND_ENDINGS
