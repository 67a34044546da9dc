"""FFmpeg reads what is written, and what it writes is read."""

import struct
from fractions import Fraction

import numpy as np
import pytest
from mutagen import mp4
from mutagen.asf import ASF, ASFByteArrayAttribute

from audiostyle_fx._recordings.metadata import Broadcast, Metadata, Picture, read_metadata

av = pytest.importorskip("av")


def with_ffmpeg(path):
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        stream = container.streams.audio[0].metadata
        return {name.lower(): text for name, text in {**stream, **container.metadata}.items()}, samples


def encoded(path, codec, rate=8000):
    """Write a short file by FFmpeg."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        stream.codec_context.bit_rate = 32_000
        stream.codec_context.open()
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.codec_context.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


KINDS = ["wav", "odd_wav", "wavex", "rf64", "odd_rf64", "aiff", "odd_aiff", "flac", "vorbis", "opus", "mp3"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("title", ["Café", "音楽"])
def test_titles_are_right(sound_file, kind, title):
    file = sound_file(kind)
    file.write(Metadata({"title": title}))
    assert with_ffmpeg(file.path)[0]["title"] == title


@pytest.mark.parametrize("length", [8_000, 64_000, 1_000_000])
def test_aiff_with_a_long_comment_opens(sound_file, length):
    file = sound_file("aiff")
    file.write(Metadata({"comment": "c" * length}))
    assert with_ffmpeg(file.path)[1] == 801


def test_broadcast_descriptions_are_found(sound_file):
    file = sound_file("wav")
    file.write(Metadata(broadcast=Broadcast((3 << 32) + 5, "take")))
    found, _ = with_ffmpeg(file.path)
    assert (found["time_reference"], found["comment"]) == (str((3 << 32) + 5), "take")


def test_mp4_is_read(tmp_path):
    path = tmp_path / "a.m4a"
    encoded(path, "aac")
    file = mp4.MP4(path)
    file.tags.update(
        {
            "\xa9nam": ["Кино"],
            "trkn": [(3, 9)],
            "tmpo": [120],
            "cpil": True,
            "\xa9too": ["Lavf"],
            "----:com.apple.iTunes:iTunSMPB": [mp4.MP4FreeForm(b"0")],
            "----:com.apple.iTunes:ISRC": [mp4.MP4FreeForm(b"US1")],
            "covr": [mp4.MP4Cover(b"\x89PNG1", mp4.MP4Cover.FORMAT_PNG)],
        }
    )
    file.save()
    tags = {"title": "Кино", "tracknumber": "3/9", "bpm": "120", "compilation": "1", "isrc": "US1"}
    assert read_metadata(path) == Metadata(tags, (Picture("image/png", 3, "", b"\x89PNG1"),))


def test_wma_is_read(tmp_path):
    path = tmp_path / "a.wma"
    encoded(path, "wmav2", rate=44_100)
    file = ASF(path)
    picture = struct.pack("<BI", 3, 4) + "image/png\0d\0".encode("utf-16-le") + b"data"
    file.tags.update({"Title": ["Кино"], "WM/TrackNumber": ["7"], "WM/EncodingSettings": ["Lavf"]})
    file.tags["WM/Picture"] = [ASFByteArrayAttribute(picture)]
    file.save()
    assert read_metadata(path) == Metadata(
        {"title": "Кино", "tracknumber": "7"}, (Picture("image/png", 3, "d", b"data"),)
    )


def test_matroska_is_not_read(tmp_path):
    path = tmp_path / "a.webm"
    encoded(path, "libopus", rate=48_000)
    assert read_metadata(path) == Metadata()
