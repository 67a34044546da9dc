"""From damaged files all readable metadata are read, in little time and memory."""

import dataclasses
import random
import struct
import tracemalloc

import pytest

from audiostyle_fx._recordings.metadata import (
    Broadcast,
    CuePoint,
    Loop,
    Metadata,
    Picture,
    read_metadata,
)
from audiostyle_fx._recordings.metadata.bounded_file import MAX_BYTES, MAX_READS, BoundedFile

FULL = Metadata(
    {"title": "Кино", "comment": "c" * 300, "composer": "me"},
    (Picture("image/png", 3, "d", bytes(300)),),
    (Loop(1, 2),),
    61.0,
    (CuePoint(5, "a", "b", 7),),
    Broadcast(5, "d"),
)
KINDS = ["wav", "rf64", "aiff", "flac", "vorbis", "opus", "mp3", "caf"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short_are_read_without_an_error(sound_file, kind):
    file = sound_file(kind)
    file.write(FULL)
    data = file.path.read_bytes()
    for length in {*range(0, 200, 9), *range(0, len(data), len(data) // 50)}:
        file.path.write_bytes(data[:length])
        assert isinstance(read_metadata(file.path), Metadata)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_without_an_error(sound_file, kind):
    file = sound_file(kind)
    file.write(FULL)
    data = file.path.read_bytes()
    chance = random.Random(kind)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(20):
            damaged[chance.randrange(len(data))] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
        file.path.write_bytes(damaged)
        assert isinstance(read_metadata(file.path), Metadata)


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_what_is_read_of_damaged_files_can_be_written(sound_file, kind):
    file = sound_file(kind)
    file.write(dataclasses.replace(FULL, tags={}, pictures=()))
    data, chance = file.path.read_bytes(), random.Random(kind)
    for _ in range(40):
        damaged = bytearray(data)
        for _ in range(5):
            damaged[chance.randrange(len(file.samples) * 2, len(data))] = chance.choice(
                (127, 255, chance.randrange(256))
            )
        file.path.write_bytes(damaged)
        metadata = read_metadata(file.path).in_part(0, 2**40, 8000, 48000)
        for other in ("wavex", "aifc"):
            sound_file(other).write(metadata)


def test_missing_and_empty_files_have_no_metadata(tmp_path):
    (tmp_path / "empty").touch()
    assert (
        read_metadata(tmp_path / "empty") == read_metadata(tmp_path / "none") == read_metadata(tmp_path) == Metadata()
    )


def test_a_damaged_chunk_loses_only_itself(wav_with):
    info = b"LIST" + struct.pack("<I", 14) + b"INFOINAM\x02\0\0\0ok"
    path = wav_with(b"smpl\x02\0\0\0ab" + b"bext\0\0\0\0" + info + b"cue \xff\xff\xff\x7f\0\0")
    assert read_metadata(path) == Metadata({"title": "ok"})


def test_a_count_beyond_the_chunk_takes_what_is_there(wav_with):
    path = wav_with(b"cue " + struct.pack("<III4sIII", 28, 0xFFFFFFFF, 1, b"data", 0, 0, 42))
    assert read_metadata(path).cue_points == ()


def test_endless_small_chunks_end(wav_with):
    path = wav_with(b"junk\0\0\0\0" * 300_000 + b"LIST" + struct.pack("<I", 14) + b"INFOINAM\x02\0\0\0ok")
    assert read_metadata(path) == Metadata()


def test_sizes_that_are_only_claimed_take_no_memory(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"ID3\x04\0\0\x7f\x7f\x7f\x7fTIT2\x7f\x7f\x7f\x7f\0\0\x03title")
    tracemalloc.start()
    read_metadata(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_bounded_file_ends_endless_reading(tmp_path):
    (tmp_path / "a").write_bytes(bytes(10))
    with (tmp_path / "a").open("rb") as file:
        bounded = BoundedFile(file)
        assert bounded.read() == bytes(10)
        with pytest.raises(OSError, match="too much reading"):
            [bounded.at(0, MAX_BYTES) for _ in range(MAX_READS + 1)]
