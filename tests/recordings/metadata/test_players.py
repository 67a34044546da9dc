"""Other programs read what is written: mutagen and libsndfile, and the bytes are right."""

import struct

import mutagen
import mutagen.id3
import pytest
import soundfile

from audiostyle_fx._recordings.metadata import Broadcast, CuePoint, Loop, Metadata, Picture

TITLES = ["Café", "Кино", "音楽", "😀"]


def chunk(path, name):
    data = path.read_bytes()
    start = data.rindex(name)
    size = struct.unpack_from("<I", data, start + 4)[0]
    return data[start + 8 : start + 8 + size]


@pytest.mark.parametrize("title", TITLES)
def test_mp3_titles_are_right_in_version_2(sound_file, title):
    file = sound_file("mp3")
    file.write(Metadata({"title": title}))
    assert file.path.read_bytes()[:4] == b"ID3\x03"
    assert str(mutagen.id3.ID3(file.path)["TIT2"]) == title
    assert file.tags()["title"] == title


def test_mp3_titles_are_right_in_version_1(sound_file):
    file = sound_file("mp3")
    file.write(Metadata({"title": "Café"}))
    assert file.path.read_bytes()[-128:-90].rstrip(b"\0") == b"TAG" + "Café".encode("latin-1")


def test_mp3_has_no_version_1_where_it_could_not_be_right(sound_file):
    file = sound_file("mp3")
    file.write(Metadata({"title": "Кино"}))
    assert file.path.read_bytes()[-128:-125] != b"TAG"


def test_mp3_keeps_its_length_frame_behind_the_tag(sound_file):
    file = sound_file("mp3")
    before = file.path.read_bytes()
    file.write(Metadata({"title": "Кино"}))
    assert file.path.read_bytes().endswith(before) and b"Xing" in before[:64]
    assert soundfile.info(file.path).frames == 801


@pytest.mark.parametrize("kind", ["wav", "odd_wav", "wavex", "rf64", "odd_rf64", "aiff", "odd_aiff", "flac", "vorbis"])
@pytest.mark.parametrize("title", ["Café", "音楽"])
def test_titles_are_right_elsewhere(sound_file, kind, title):
    file = sound_file(kind)
    file.write(Metadata({"title": title, "artist": "me"}))
    if kind not in ("rf64", "odd_rf64"):  # mutagen does not know RF64
        found = mutagen.File(file.path)
        assert str(found.get("TIT2") or found["title"][0]) == title
    if kind != "odd_rf64":  # libsndfile 1.2.2 loses its way after an odd number of bytes
        assert file.tags()["artist"] == "me"


@pytest.mark.parametrize("kind", ["caf", "odd_caf", "alac"])
def test_libsndfile_finds_tags_behind_the_audio_of_caf(sound_file, kind):
    file = sound_file(kind)
    tags = {"title": "音楽", "artist": "a", "album": "b", "date": "2001", "genre": "c", "tracknumber": "7"}
    tags |= {"comment": "d", "copyright": "e", "license": "f"}
    file.write(Metadata(tags))
    assert file.tags() == tags


@pytest.mark.parametrize("length", [8_000, 64_000, 1_000_000])
def test_aiff_with_a_long_comment_opens(sound_file, length):
    file = sound_file("aiff")
    comment = "c" * length
    file.write(Metadata({"comment": comment, "title": "T"}))
    assert file.tags()["title"] == "T"
    assert str(mutagen.File(file.path)["COMM::eng"]) == comment


def test_short_plain_tags_of_wav_need_no_id3(sound_file):
    file = sound_file("wav")
    file.write(Metadata({"title": "a"}))
    assert b"id3 " not in file.path.read_bytes()


def test_wav_sizes_add_up(sound_file):
    file = sound_file("odd_wav")
    file.write(Metadata({"title": "odd"}, cue_points=(CuePoint(1, "a"),)))
    data = file.path.read_bytes()
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    names, start = [], 12
    while start < len(data):
        name, size = struct.unpack_from("<4sI", data, start)
        names.append(name)
        start += 8 + size + size % 2
    assert names == [b"fmt ", b"data", b"cue ", b"LIST", b"LIST"] and start == len(data)


def test_rf64_sizes_are_in_its_ds64_chunk(sound_file):
    file = sound_file("odd_rf64")
    file.write(Metadata({"title": "odd"}))
    data = file.path.read_bytes()
    assert data[4:8] == b"\xff" * 4
    assert struct.unpack_from("<Q", data, 20)[0] == len(data) - 8


def test_bext_chunk_is_laid_out_as_the_standard_says(sound_file):
    file = sound_file("wav")
    file.write(Metadata(broadcast=Broadcast((3 << 32) + 5, "take", "recorder", "ref", "2001-05-03", "10:11:12")))
    data = chunk(file.path, b"bext")
    assert len(data) == 602
    assert data[:5] == b"take\0" and data[256:265] == b"recorder\0" and data[288:292] == b"ref\0"
    assert data[320:338] == b"2001-05-0310:11:12"
    assert data[338:346] == bytes([5, 0, 0, 0, 3, 0, 0, 0])


def test_smpl_chunk_counts_the_last_sample_as_part_of_the_loop(sound_file):
    file = sound_file("wav")
    file.write(Metadata(loops=(Loop(10, 500, "alternating", 3),), root_note=61.5))
    fields = struct.unpack("<15I", chunk(file.path, b"smpl"))
    assert fields == (0, 0, 125_000, 61, 1 << 31, 0, 0, 1, 0, 0, 1, 10, 499, 0, 3)


def test_pictures_of_flac_are_found_by_mutagen(sound_file):
    file = sound_file("flac")
    file.write(Metadata(pictures=(Picture("image/png", 3, "d", b"data"),)))
    picture = mutagen.File(file.path).pictures[0]
    assert (picture.mime, picture.type, picture.desc, picture.data) == ("image/png", 3, "d", b"data")
