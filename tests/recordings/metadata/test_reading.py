"""Metadata that other programs wrote, as far as it stays true."""

import base64
import io
import struct

import mutagen
import pytest
from mutagen import apev2, flac, id3, ogg

from audiostyle_fx._recordings.metadata import CuePoint, Loop, Metadata, Picture, read_metadata


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def id3_tag(*frames):
    tag = id3.ID3()
    for frame in frames:
        tag.add(frame)
    return tag


def id3_bytes(*frames):
    buffer = io.BytesIO()
    id3_tag(*frames).save(buffer, v1=0)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"Caf\xe9", "Café"), ("Кино".encode(), "Кино"), (b"\x93a\x94", "“a”"), (b"a\0b", "a")],
)
def test_info_is_utf8_or_windows_1252(wav_with, text, expected):
    path = wav_with(chunk(b"LIST", b"INFO" + chunk(b"INAM", text)))
    assert read_metadata(path).tags == {"title": expected}


@pytest.mark.parametrize("name", [b"id3 ", b"ID3 "])
@pytest.mark.parametrize("file_format", ["WAV", "RF64"])
def test_id3_of_wav_wins_over_info(wav_with, name, file_format):
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"old") + chunk(b"IART", b"me"))
    tag = chunk(name, id3_bytes(id3.TIT2(3, ["new"]), id3.TCOM(3, ["he"])))
    for data in (info + tag, tag + info):
        assert read_metadata(wav_with(data, file_format)).tags == {"title": "new", "artist": "me", "composer": "he"}


def test_a_pad_byte_that_was_left_out_is_no_problem(wav_with):
    odd = b"LIST" + struct.pack("<I", 4 + 8 + 3) + b"INFOINAM" + struct.pack("<I", 3) + b"odd"
    assert read_metadata(wav_with(odd + chunk(b"LIST", b"INFO" + chunk(b"IART", b"me")))).tags == {
        "title": "odd",
        "artist": "me",
    }


def test_regions_of_wav_are_read(wav_with):
    cue = chunk(b"cue ", struct.pack("<I" + "II4sIII" * 2, 2, 7, 0, b"data", 0, 0, 90, 8, 1, b"data", 0, 0, 20))
    adtl = chunk(b"ltxt", struct.pack("<II4s4H", 7, 50, b"rgn ", 0, 0, 0, 0)) + chunk(
        b"labl", struct.pack("<I", 8) + b"a\0"
    )
    assert read_metadata(wav_with(cue + chunk(b"LIST", b"adtl" + adtl))).cue_points == (
        CuePoint(20, "a"),
        CuePoint(90, length=50),
    )


def test_aiff_text_in_mac_roman_is_read(tmp_path):
    path = tmp_path / "a.aiff"
    path.write_bytes(b"FORM\0\0\0\x14AIFFNAME\0\0\0\x04Caf\x8e")
    assert read_metadata(path).tags == {"title": "Café"}


@pytest.mark.parametrize("kind", ["flac", "vorbis", "opus"])
def test_what_describes_the_old_audio_is_left_out(sound_file, kind):
    file = sound_file(kind)
    found = mutagen.File(file.path)
    if found.tags is None:
        found.add_tags()
    names = "REPLAYGAIN_TRACK_GAIN R128_TRACK_GAIN ENCODER ENCODED_BY SOFTWARE CUESHEET MP3GAIN_UNDO iTunSMPB"
    found.update({name: ["x"] for name in names.split()} | {"TITLE": ["kept"], "MOOD": ["merry", "sad"]})
    found.save()
    assert read_metadata(file.path).tags == {"title": "kept", "mood": "merry; sad"}


def test_levels_and_encoders_in_id3_are_left_out(sound_file):
    file = sound_file("mp3")
    id3_tag(
        id3.TXXX(3, "replaygain_track_gain", ["-3 dB"]),
        id3.COMM(3, "eng", "iTunNORM", ["0000"]),
        id3.COMM(3, "eng", "iTunSMPB", ["0000"]),
        id3.TSSE(3, ["LAME"]),
        id3.TENC(3, ["LAME"]),
        id3.RVA2("track", 1, -3.0, 1.0),
        id3.COMM(3, "eng", "", ["kept"]),
        id3.COMM(3, "eng", "mood", ["merry"]),
    ).save(file.path)
    assert read_metadata(file.path).tags == {"comment": "kept", "comment:mood": "merry"}


def test_utf8_that_is_declared_as_latin1_is_repaired(sound_file):
    file = sound_file("mp3")
    id3_tag(id3.TIT2(0, ["Кино".encode().decode("latin-1")]), id3.TPE1(0, ["Café"])).save(file.path)
    assert read_metadata(file.path).tags == {"title": "Кино", "artist": "Café"}


def test_id3_version_1_alone_is_read(sound_file):
    file = sound_file("mp3")
    tag = b"TAG" + b"Caf\xe9".ljust(30, b"\0") + b"me".ljust(30, b"\0") + bytes(30) + b"2001" + bytes(30) + b"\xff"
    file.path.write_bytes(file.path.read_bytes() + tag)
    assert read_metadata(file.path).tags == {"title": "Café", "artist": "me", "date": "2001"}


def test_loops_in_vorbis_comments_are_read(sound_file):
    file = sound_file("vorbis")
    found = mutagen.File(file.path)
    found.update({"LOOPSTART": ["7"], "LOOPLENGTH": ["100"]})
    found.save()
    assert read_metadata(file.path) == Metadata(loops=(Loop(7, 107),))


@pytest.mark.parametrize("magic", [b"wvpk", b"MAC ", b"MPCK"])
def test_ape_tags_are_read(tmp_path, magic):
    path = tmp_path / "a"
    path.write_bytes(magic + bytes(100))
    tags = apev2.APEv2()
    tags.update({"Title": "Кино", "Track": "7", "Replaygain_Track_Gain": "1", "Year": "2001"})
    tags["Cover Art (Front)"] = apev2.APEValue(b"a.png\0\x89PNG1", apev2.BINARY)
    tags.save(path)
    assert read_metadata(path) == Metadata(
        {"title": "Кино", "tracknumber": "7", "date": "2001"}, (Picture("image/png", 3, "", b"\x89PNG1"),)
    )


def comments(picture):
    """Vorbis comments as they lie in a file: a title and a picture."""
    texts = ["TITLE=Кино", "METADATA_BLOCK_PICTURE=" + base64.b64encode(picture.write()).decode()]
    coded = [text.encode() for text in texts]
    return struct.pack("<II", 0, len(coded)) + b"".join(struct.pack("<I", len(text)) + text for text in coded)


@pytest.mark.parametrize("codec", ["speex", "flac"])
def test_speex_and_flac_in_ogg_are_read(sound_file, tmp_path, codec):
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", b"data"
    body = comments(picture)
    if codec == "speex":
        header = struct.pack("<13I", 1, 80, 8000, 0, 4, 1, 0, 160, 0, 1, 0, 0, 0)
        packets = [b"Speex   1.2".ljust(28, b"\0") + header, body]
    else:
        info = sound_file("flac").path.read_bytes()[:42]  # its magic and its first block
        packets = [b"\x7fFLAC\1\0\0\1" + info, b"\x84" + len(body).to_bytes(3, "big") + body]
    path = tmp_path / "a.ogg"
    pages = [ogg.OggPage(), ogg.OggPage()]
    for number, (page, packet) in enumerate(zip(pages, packets, strict=True)):
        page.serial, page.sequence, page.first, page.packets = 7, number, not number, [packet]
    path.write_bytes(b"".join(page.write() for page in pages))
    assert read_metadata(path) == Metadata({"title": "Кино"}, (Picture("image/png", 3, "", b"data"),))
