"""Sound of the listening page, and the folder next to it."""

import os
import tracemalloc

import numpy as np
import pytest
import soundfile
from support.listening_page import RATE, media_names, page_data, page_sound

from audiostyle_fx._recordings import files
from audiostyle_fx.report import ArrayRecording, Entry, write_report
from audiostyle_fx.report import page as report_page
from audiostyle_fx.report.media import is_page_media


@pytest.fixture
def media_in_folder(monkeypatch):
    """Have every page keep its media in a folder."""
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)


# ---------------------------------------------------------------- sound
@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize(
    ("rate", "channels", "page_rate", "page_channels"),
    [(96_000, 6, 48_000, 1), (48_000, 2, 48_000, 2), (44_100, 3, 44_100, 1), (2000, 2, 8000, 2)],
)
def test_sound_is_what_browsers_play(recording, tmp_path, rate, channels, page_rate, page_channels, in_memory):
    page, path = tmp_path / "page.html", recording("r.wav", 0.1, rate, channels)
    result = ArrayRecording(soundfile.read(path)[0].T, rate) if in_memory else path
    write_report(page, [Entry("one", result)])
    audio, audio_rate = page_sound(page, 0)
    assert (audio_rate, len(audio)) == (page_rate, page_channels)
    assert audio.shape[1] == pytest.approx(0.1 * page_rate, abs=2)
    [facts] = page_data(page)["recordings"]
    assert (facts["rate"], facts["channels"]) == (rate, channels)


def test_more_than_two_channels_are_mixed(recording, tmp_path):
    page, path = tmp_path / "page.html", recording("r.wav", channels=3)
    write_report(page, [Entry("one", path)])
    np.testing.assert_allclose(page_sound(page, 0)[0][0], soundfile.read(path)[0].mean(axis=1), atol=1 / 32768)


def test_arrays_sound_as_files_do(recording, tmp_path):
    path = recording("r.wav", 1.0, 96_000, 2)
    array = ArrayRecording(soundfile.read(path)[0].T, 96_000)
    for name, sound in (("file", path), ("array", array)):
        write_report(tmp_path / f"{name}.html", [Entry("one", sound, sound, start=0.25, duration=0.5)])
    for k in range(2):
        from_file, from_array = (page_sound(tmp_path / f"{name}.html", k)[0] for name in ("file", "array"))
        np.testing.assert_array_equal(from_file, from_array)


def test_parts_of_arrays(tmp_path):
    page, array = tmp_path / "page.html", ArrayRecording(np.linspace(-1, 1, 1000), RATE)
    write_report(page, [Entry("one", array, array, start=0.1, duration=0.01), Entry("two", array, array, start=0.125)])
    part, too_late = page_data(page)["entries"]
    np.testing.assert_allclose(page_sound(page, part["content"])[0][0], array.audio[800:880], atol=1 / 32768)
    assert too_late["problems"] == ["start=0.125 s is not within 'array', which is 0.125 s long"]


def test_an_empty_array_is_named(tmp_path):
    write_report(tmp_path / "page.html", [Entry("one", ArrayRecording(np.zeros(0), RATE, "take 1"))])
    assert page_data(tmp_path / "page.html")["entries"][0]["problems"] == ["result 'take 1' is empty"]


def test_a_sample_rate_with_a_fraction(tmp_path):
    write_report(tmp_path / "page.html", [Entry("one", ArrayRecording(np.zeros(11_026), 11_025.5))])
    audio, rate = page_sound(tmp_path / "page.html", 0)
    assert rate == 11_026 and audio.shape[1] == pytest.approx(11_026, abs=2)


@pytest.mark.slow
def test_long_recordings_are_not_held_in_memory(recording, tmp_path, monkeypatch, media_in_folder):
    monkeypatch.setattr(files, "READ_SAMPLES", 1 << 13)
    path = tmp_path / "long.wav"
    block = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2)).astype(np.float32)
    with soundfile.SoundFile(path, "w", RATE, 2, "FLOAT") as file:
        for _ in range(300):
            file.write(block)
    write_report(tmp_path / "warm.html", [Entry("one", recording("r.wav"))])
    tracemalloc.start()
    try:
        write_report(tmp_path / "page.html", [Entry("one", path)])
        assert tracemalloc.get_traced_memory()[1] < 0.6 * path.stat().st_size
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- the media folder
def test_much_media_are_in_a_folder_each_recording_once(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 1000)
    page, content, style = tmp_path / "my page.html", recording("c.wav"), recording("s.wav")
    entries = [Entry(str(k), recording(f"{k}.wav", seed=k), content, (style,)) for k in range(4)]
    write_report(page, entries)
    data = page_data(page)
    assert not data["inline"] and len(data["recordings"]) == 6
    assert len({entry["content"] for entry in data["entries"]}) == 1
    assert len({index for entry in data["entries"] for index in entry["style"]}) == 1
    assert all(facts["sound"].startswith("my%20page_media/") for facts in data["recordings"])
    assert len(media_names(page)) == 12 and page.stat().st_size < 60_000


def test_a_new_page_deletes_the_media_of_the_earlier_one(recording, tmp_path, monkeypatch, media_in_folder):
    page, entries = tmp_path / "page.html", [Entry("one", recording("r.wav"))]
    write_report(page, entries)
    earlier = media_names(page)
    write_report(page, entries)
    assert len(media_names(page)) == 2 and not set(media_names(page)) & set(earlier)
    (tmp_path / "page_media" / "mine.wav").write_bytes(b"kept")
    monkeypatch.undo()
    write_report(page, entries)
    assert media_names(page) == ["mine.wav"] and page_data(page)["inline"]


@pytest.mark.parametrize("inline", [0, 2**24])
def test_a_page_that_fails_leaves_the_earlier_one_whole(recording, tmp_path, monkeypatch, inline):
    monkeypatch.setattr(report_page, "INLINE_BYTES", inline)
    page, entries = tmp_path / "page.html", [Entry("one", recording("r.wav"))]
    write_report(page, entries)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_report(page, [*entries, *entries])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(OSError, match="no space"):
        write_report(tmp_path / "new.html", entries)
    assert media_names(tmp_path / "new.html") is None


def test_a_file_with_the_name_of_the_folder_is_left_alone(recording, tmp_path):
    (tmp_path / "page_media").write_text("mine")
    with pytest.raises(ValueError, match="needs 'page_media' as its media folder, but this is a file"):
        write_report(tmp_path / "page.html", [Entry("one", recording("r.wav"))])
    assert (tmp_path / "page_media").read_text() == "mine"


def test_media_folders_are_known_by_their_page(recording, tmp_path, media_in_folder):
    write_report(tmp_path / "page.html", [Entry("one", recording("r.wav"))])
    (tmp_path / "other_media").mkdir()
    (tmp_path / "_media").mkdir()
    (tmp_path / "old_media").mkdir()
    (tmp_path / "old.htm").touch()
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and is_page_media(path))
    assert folders == ["old_media", "page_media"]
    assert not is_page_media(str(tmp_path / "page"))
