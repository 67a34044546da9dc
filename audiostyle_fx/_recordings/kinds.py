"""Detection of sound files by their first bytes, independent of their names."""

from __future__ import annotations

import os
from typing import BinaryIO

from .decoding.mpeg import frame_header

_SOUNDS = (
    "wav wave bwf rf64 bw64 w64 aif aiff aifc aiffc afc au snd caf flac fla ogg oga opus spx mp3 mp2 mp1 mpga m2a m4a "
    "m4b m4r m4p mp4a aac adts alac wma asf ape wv tta tak mpc ofr ac3 eac3 ec3 dts amr awb dsf dff voc sd2 ra"
)
_VIDEOS = "mp4 m4v mov qt mkv mka webm avi wmv mpg mpeg vob m2ts ogv flv f4v 3gp 3g2 mxf"

SOUND_ENDINGS = frozenset(f".{name}" for name in f"{_SOUNDS} {_VIDEOS}".split())
"""Usual endings of sound files, and of videos with sound."""

HEAD_BYTES = 1 << 14
"""Bytes that are read: two frames of every format that consists of frames."""

MAX_TAGS = 4
"""The most ID3 tags before the sound that are skipped."""

_MAGIC = {
    b"caff": "CAF",
    b"#!AMR": "AMR",
    b"MAC ": "APE",
    b"wvpk": "WavPack",
    b"DSD ": "DSF",
    b"TTA1": "TTA",
    b"tBaK": "TAK",
    b"MPCK": "Musepack",
    b"MP+": "Musepack",
    b"FLV\x01": "FLV",
    b".RMF\0": "RealAudio",
    b".ra\xfd": "RealAudio",
    b"\x7f\xfe\x80\x01": "DTS",
    b"\0\0\1\xba": "MPEG-PS",
    b"Creative Voice File": "VOC",
    b"NIST_1A": "NIST",
    b"fLaC\0\0\0\x22": "FLAC",
    b"fLaC\x80\0\0\x22": "FLAC",
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb": "W64",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c": "ASF",
}
"""Kinds by the first bytes of their files."""

_FORMS = {b"AIFF": "AIFF", b"AIFC": "AIFC", b"8SVX": "8SVX", b"16SV": "8SVX"}

_OGG_CODECS = {
    b"\1vorbis": "Ogg Vorbis",
    b"OpusHead": "Ogg Opus",
    b"\x7fFLAC": "Ogg FLAC",
    b"Speex   ": "Ogg Speex",
    b"\x80theora": "Ogg Theora",
}

_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})
_PICTURE_BRANDS |= {b"crx ", b"miaf"}
"""Brands of files that are built like MP4 but contain pictures."""

_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


def sound_kind(path: str | os.PathLike[str]) -> str | None:
    """Return the kind of a sound file, such as ``"WAV"`` or ``"Ogg Opus"``, by its contents; None for other files.

    Only the beginning is read, and the bytes after an ID3 tag; nothing is decoded. Video containers count, because they
    usually have sound; MIDI and pictures do not.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    with open(path, "rb") as file:
        tagged = False
        for _ in range(MAX_TAGS):
            start = file.tell()
            head = file.read(HEAD_BYTES)
            if (tag := _id3_bytes(head)) is None:
                break
            tagged = True
            file.seek(start + tag)
        return _kind(head, file) or ("MP3" if tagged else None)


def _id3_bytes(head: bytes) -> int | None:
    """Return the size of the ID3 tag at the beginning of a file; None if there is no tag."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] > 9 or max(head[6:10]) > 127:
        return None
    footer = 10 if head[5] & 0x10 else 0
    return 10 + footer + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _kind(head: bytes, file: BinaryIO) -> str | None:
    """Return the kind of data that begins with these bytes."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    return _container(head, os.fstat(file.fileno()).st_size) or _frames(head)


def _container(head: bytes, size: int) -> str | None:
    """Return the kind of a container that names its contents after its first bytes."""
    first, form = head[:4], head[8:12]
    if first in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return {b"WAVE": "WAV" if first in (b"RIFF", b"RIFX") else first.decode(), b"AVI ": "AVI"}.get(form)
    if first == b"FORM":
        return _FORMS.get(form)
    if first == b"FRM8":
        return "DSDIFF" if head[12:16] == b"DSD " else None
    if first in (b".snd", b"dns."):
        order = "big" if first == b".snd" else "little"
        return "AU" if int.from_bytes(head[4:8], order) >= 24 else None  # type: ignore[arg-type]
    if first == b"OggS":
        packet = head[27 + head[26] :] if len(head) > 27 else b""
        return next((kind for magic, kind in _OGG_CODECS.items() if packet.startswith(magic)), "Ogg")
    if first == b"\x1a\x45\xdf\xa3":
        return "WebM" if b"webm" in head[:256] else "Matroska" if b"matroska" in head[:256] else None
    return _mp4(head, size)


def _mp4(head: bytes, size: int) -> str | None:
    """Return the kind of a file that consists of boxes with sizes and names; old QuickTime files have no "ftyp"."""
    name, box_size = head[4:8], int.from_bytes(head[:4], "big")
    if name == b"ftyp" and box_size >= 12 and head[8:12] not in _PICTURE_BRANDS:
        return "MOV" if head[8:12] == b"qt  " else "MP4"
    return "MOV" if name in (b"moov", b"mdat", b"wide") and (8 <= box_size <= size or box_size == 1) else None


def _frames(head: bytes) -> str | None:
    """Return the kind of a stream of frames; two frames of MPEG, AAC or AC-3 must follow each other."""
    for kind, frame_bytes in (("MP3", _mpeg_bytes), ("AAC", _aac_bytes), ("AC-3", _ac3_bytes)):
        size = frame_bytes(head, 0)
        if size and frame_bytes(head, size):
            return kind
    for packet, offset in ((188, 0), (192, 4)):  # with time stamps on Blu-ray
        starts = range(offset, offset + 5 * packet, packet)
        if len(head) > starts[-1] and all(head[i] == 0x47 for i in starts):
            return "MPEG-TS"
    return None


def _mpeg_bytes(head: bytes, start: int) -> int:
    """Return the size of the MPEG audio frame (layer I, II or III) at a position; 0 if there is no frame."""
    header = frame_header(head, start)
    return header.size if header else 0


def _aac_bytes(head: bytes, start: int) -> int:
    """Return the size of the ADTS frame at a position; 0 if there is no frame."""
    if len(head) < start + 7 or head[start] != 0xFF or head[start + 1] & 0xF6 != 0xF0 or head[start + 2] >> 2 & 15 > 12:
        return 0
    size = (head[start + 3] & 3) << 11 | head[start + 4] << 3 | head[start + 5] >> 5
    return size if size >= 7 else 0


def _ac3_bytes(head: bytes, start: int) -> int:
    """Return the size of the AC-3 or E-AC-3 frame at a position; 0 if there is no frame."""
    if len(head) < start + 6 or head[start : start + 2] != b"\x0b\x77":
        return 0
    if head[start + 5] >> 3 > 10:  # E-AC-3
        return 2 * (((head[start + 2] & 7) << 8 | head[start + 3]) + 1)
    frequency, code = head[start + 4] >> 6, head[start + 4] & 63
    if frequency == 3 or code >= 2 * len(_AC3_RATES):
        return 0
    kbits = _AC3_RATES[code // 2]
    return 2 * (2 * kbits, 96_000 * kbits // 44_100 + (code & 1), 3 * kbits)[frequency]
