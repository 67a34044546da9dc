"""Names of tags, and the tags that also apply to another recording made from a recording.

The names are those of Vorbis comments, in lower case: title, artist, album, date, genre, tracknumber, comment,
copyright, license, albumartist, composer, bpm, isrc and so on. Other names are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

SYNONYMS = {
    "album artist": "albumartist",
    "album_artist": "albumartist",
    "comments": "comment",
    "disc": "discnumber",
    "recorded date": "date",
    "tempo": "bpm",
    "track": "tracknumber",
    "track number": "tracknumber",
    "year": "date",
}

UNTRUE_NAMES = {
    *("software", "encoder", "encodersettings", "encoder settings", "encoder_options", "encodertool", "encoding"),
    *("encoded_by", "encoded by", "encodedby", "encoding application", "source encoder", "vendor"),
    *("itunnorm", "itunsmpb", "itunpgap", "gapless", "length", "duration", "md5", "cuesheet", "log"),
    *("acoustid_fingerprint", "acoustid fingerprint", "waveformatextensible_channel_mask"),
    *("major_brand", "minor_version", "compatible_brands"),
}
"""Names of tags that describe the file they were read from: its levels, its encoder, its exact samples.

"software" is one of them: libsndfile and others write the program that made the file into it.
"""

UNTRUE_BEGINNINGS = ("replaygain_", "r128_", "mp3gain_", "accuraterip", "ctdb")


def is_untrue(name: str) -> bool:
    """Return whether a tag describes its file rather than the music."""
    name = name.lower().removeprefix("comment:")
    return name in UNTRUE_NAMES or name.startswith(UNTRUE_BEGINNINGS)


def usable_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the tags that also apply to another recording, by name; in ``pairs`` a name may occur repeatedly."""
    values: dict[str, list[str]] = {}
    for any_name, any_text in pairs:
        name = any_name.encode(errors="replace").decode().strip().lower().replace("\0", "")
        text = any_text.encode(errors="replace").decode().strip("\0").rstrip().replace("\0", "; ")
        name = SYNONYMS.get(name, name)
        if name and text.strip() and not is_untrue(name) and text not in values.setdefault(name, []):
            values[name].append(text)
    return {name: "; ".join(texts) for name, texts in values.items() if texts}


def decoded(text: bytes, *fallbacks: str) -> str:
    """Return text up to its first NUL, decoded from UTF-8 or else from the first encoding that fits."""
    text = text.partition(b"\0")[0]
    for encoding in ("utf-8", *fallbacks):
        try:
            return text.decode(encoding)
        except UnicodeDecodeError:
            continue
    return text.decode("latin-1")
