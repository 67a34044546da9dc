"""Written metadata are read again, the audio does not change, and parts that a format can't hold are named."""

import dataclasses

import pytest
import soundfile

from audiostyle_fx._recordings.metadata import (
    Broadcast,
    CuePoint,
    Loop,
    Metadata,
    Picture,
    read_metadata,
    write_metadata,
)

FILES = [
    *("wav", "odd_wav", "float_wav", "wavex", "rf64", "odd_rf64", "aiff", "odd_aiff", "aifc"),
    *("flac", "vorbis", "opus", "mp3", "caf", "odd_caf", "alac"),
]
TAGS = {
    "title": "Café Кино 音楽 😀",
    "artist": "somebody",
    "album": "an album",
    "date": "2001-05-03",
    "genre": "Polka",
    "tracknumber": "7/9",
    "comment": "so\ngood",
    "copyright": "me",
    "license": "CC0",
    "albumartist": "all",
    "composer": "Dvořák",
    "bpm": "120",
    "isrc": "USABC0100001",
    "mood": "merry",
}
PICTURE = Picture("image/png", 3, "cöver", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
ALL = Metadata(
    TAGS,
    (PICTURE, dataclasses.replace(PICTURE, kind=4)),
    (Loop(10, 500), Loop(20, 30, "alternating", 5)),
    61.25,
    (CuePoint(0, "ïntro"), CuePoint(400, "verse", "loud", 100), CuePoint(801)),
    Broadcast(172800123, "dëscription", "me", "ref", "2001-05-03", "10:11:12", "A=PCM,F=48000\r\n"),
)
HELD = {  # besides tags
    "WAV": {"pictures", "loops", "root_note", "cue_points", "broadcast"},
    "AIFF": {"pictures", "loops", "root_note", "cue_points"},
    "FLAC": {"pictures", "loops"},
    "OGG": {"pictures", "loops"},
    "MP3": {"pictures"},
    "CAF": set(),
}
HELD["WAVEX"] = HELD["RF64"] = HELD["WAV"]
WORDS = {
    "pictures": "pictures",
    "loops": "loops",
    "root_note": "root note",
    "cue_points": "cue points",
    "broadcast": "broadcast description and time",
}


@pytest.mark.parametrize("kind", FILES)
def test_tags_are_kept(sound_file, kind):
    file = sound_file(kind)
    assert file.write(Metadata(TAGS)) == ()
    assert read_metadata(file.path) == Metadata(TAGS)


@pytest.mark.parametrize("kind", FILES)
def test_all_that_the_format_holds_is_kept_and_the_rest_is_named(sound_file, kind):
    file = sound_file(kind)
    simple = dataclasses.replace(ALL, loops=(Loop(10, 500),), cue_points=(CuePoint(0, "ïntro"), CuePoint(801)))
    kept = {name: getattr(simple, name) for name in HELD[file.format]}
    assert set(file.write(simple)) == {WORDS[name] for name in WORDS.keys() - HELD[file.format]}
    assert read_metadata(file.path) == Metadata(TAGS, **kept)


@pytest.mark.parametrize("kind", ["wav", "odd_wav", "rf64", "wavex"])
def test_wav_keeps_everything(sound_file, kind):
    file = sound_file(kind)
    assert file.write(ALL) == ()
    assert read_metadata(file.path) == ALL


def test_aiff_names_what_it_loses_of_loops_and_cue_points(sound_file):
    file = sound_file("aiff")
    metadata = Metadata(
        loops=(Loop(1, 2), Loop(3, 4, "backward"), Loop(5, 6, "alternating", 7), Loop(7, 8)),
        cue_points=(CuePoint(5, "é" * 128, "note", 10),),
    )
    assert set(file.write(metadata)) == {
        "loops beyond the second, or backward",
        "play counts of loops",
        "notes of cue points",
        "lengths of cue points",
        "labels of cue points beyond 255 bytes",
    }
    found = read_metadata(file.path)
    assert found.loops == (Loop(1, 2), Loop(5, 6, "alternating"))
    assert found.cue_points == (CuePoint(5, "é" * 127),)


@pytest.mark.parametrize("kind", ["flac", "vorbis"])
def test_vorbis_comments_hold_one_plain_loop(sound_file, kind):
    assert sound_file(kind).write(Metadata(loops=(Loop(1, 2), Loop(3, 4)))) == ("loops",)


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_positions_beyond_32_bits_are_named(sound_file, kind):
    file = sound_file(kind)
    metadata = Metadata(loops=(Loop(0, 2**33),), cue_points=(CuePoint(2**32), CuePoint(9)))
    assert file.write(metadata) == ("loops beyond 2**32 samples", "cue points beyond 2**32 samples")
    assert read_metadata(file.path).cue_points == (CuePoint(9),)


def test_tags_whose_names_vorbis_comments_can_not_hold_are_named(sound_file):
    file = sound_file("flac")
    assert file.write(Metadata({"a=b": "c", "größe": "d", "title": "e"})) == ("tag a=b", "tag größe")
    assert read_metadata(file.path).tags == {"title": "e"}


@pytest.mark.parametrize("file_format", ["W64", "AU"])
def test_formats_without_metadata_name_all_of_it(tmp_path, file_format):
    path = tmp_path / "a"
    soundfile.write(path, [0.0], 8000, format=file_format)
    before = path.read_bytes()
    lost = write_metadata(path, file_format, dataclasses.replace(ALL, tags={"title": "a"}))
    assert set(lost) == {"tag title", *WORDS.values()}
    assert path.read_bytes() == before
    assert not read_metadata(path)


@pytest.mark.parametrize("kind", FILES)
def test_nothing_to_write_leaves_the_file_as_it_is(sound_file, kind):
    file = sound_file(kind)
    before = file.path.read_bytes()
    assert file.write(Metadata()) == ()
    assert file.path.read_bytes() == before
    assert not read_metadata(file.path)


@pytest.mark.parametrize("length", [8_000, 64_000, 1_000_000])
@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "vorbis", "opus", "mp3", "caf"])
def test_long_comments_are_kept(sound_file, kind, length):
    file = sound_file(kind)
    tags = {"comment": "c" * length, "title": "T"}
    assert file.write(Metadata(tags)) == ()
    assert read_metadata(file.path).tags == tags


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "vorbis", "opus", "mp3"])
def test_large_pictures_are_kept(sound_file, kind):
    file = sound_file(kind)
    picture = Picture("image/jpeg", 3, "", bytes(range(251)) * 12_000)
    assert file.write(Metadata(pictures=(picture,))) == ()
    assert read_metadata(file.path).pictures == (picture,)


def test_flac_names_pictures_of_16_mb(sound_file):
    file = sound_file("flac")
    metadata = Metadata({"title": "a"}, (Picture("image/png", 3, "", bytes(1 << 24)),))
    assert file.write(metadata) == ("large pictures",)
    assert read_metadata(file.path) == Metadata({"title": "a"})


@pytest.mark.parametrize("date", ["2001", "2001-05", "2001-05-03", "spring of 2001", "2001-05-03T10:11:12"])
@pytest.mark.parametrize("kind", ["mp3", "wav", "aiff"])
def test_any_date_is_kept(sound_file, kind, date):
    file = sound_file(kind)
    file.write(Metadata({"date": date}))
    assert read_metadata(file.path).tags == {"date": date}


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_a_file_of_4_gib_stays_as_it_is(sound_file, kind):
    file = sound_file(kind)
    with file.path.open("rb+") as opened:
        opened.truncate(2**32)  # takes no room on the disk
    assert write_metadata(file.path, file.format, Metadata({"title": "a"}, root_note=60.0)) == (
        "tag title",
        "root note",
    )
    assert file.path.stat().st_size == 2**32
