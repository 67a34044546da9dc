"""Tags are kept as far as the format has them."""

import numpy as np
import pytest

from audiostyle_fx._recordings.files import read_audio, read_format
from audiostyle_fx._recordings.writing import write_audio

TAGS = {
    "title": "Tïtle \u97f3",
    "artist": "somebody",
    "album": "an album",
    "date": "2001",
    "genre": "Polka",
    "tracknumber": "7",
    "comment": "so good",
    "copyright": "me",
    "license": "CC0",
    "software": "an encoder (libsndfile)",
}
LOST = {  # by the format, silently
    "wav": {"license"},
    "rf64": {"license"},
    "aiff": {"album", "date", "genre", "tracknumber", "license"},
    "flac": set(),
    "ogg": set(),
    "caf": set(),
    "mp3": {"copyright", "license", "software"},
    "w64": set(TAGS),
    "au": set(TAGS),
}


@pytest.mark.parametrize("ending", LOST)
def test_tags_are_kept_as_far_as_the_format_has_them(tmp_path, tone, ending):
    path = tmp_path / f"out.{ending}"
    write_audio(path, tone, 8000, None, TAGS)
    found = read_format(path)[1]
    kept = {name: value for name, value in TAGS.items() if name not in LOST[ending]}
    assert {name: found.get(name) for name in kept} == kept
    np.testing.assert_allclose(read_audio(path, "input")[0][:, :4000], tone, rtol=0, atol=0.3)
    assert not {"license", "album"} & LOST[ending] & found.keys()


def test_tags_that_can_not_be_written_are_left_out(tmp_path, tone):
    write_audio(tmp_path / "out.wav", tone, 8000, None, {"title": "", "artist": "me"})
    assert read_format(tmp_path / "out.wav")[1]["artist"] == "me"
