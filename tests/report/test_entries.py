"""Entries of the listening page: made from results and records, and their data in the page."""

import base64
import math
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.listening_page import RATE, STAGES, media_names, page_data, page_sound
from support.tunes import tune

from audiostyle_fx import style_file, stylize, texture
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx.report import ArrayRecording, Entry, write_report


# ---------------------------------------------------------------- on the page
def test_a_page_holds_its_recordings(recording, tmp_path):
    page, content, result = tmp_path / "page.html", recording("c.wav"), recording("r.wav", seed=1)
    write_report(page, [Entry("one", result, content, (recording("s.wav", 0.3, channels=2),))], "A title")
    data = page_data(page)
    [entry] = data["entries"]
    assert data["title"] == "A title" and data["inline"] and entry["error"] is None and not entry["problems"]
    for kind, path in (("content", content), ("result", result)):
        audio, rate = page_sound(page, entry[kind])
        np.testing.assert_allclose(audio[0], soundfile.read(path)[0], atol=1 / 32768)
        assert rate == RATE
    style = data["recordings"][entry["style"][0]]
    assert (style["name"], style["channels"], style["rate"], style["duration"]) == ("s.wav", 2, RATE, 0.3)
    assert base64.b64decode(style["picture"]).startswith(b"\x89PNG")
    level = 20 * math.log10(np.sqrt(np.mean(soundfile.read(result)[0] ** 2)))
    assert entry["level"]["result"] == pytest.approx(level, abs=1e-3)
    assert media_names(page) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.wav", "page.html", "r.wav", "s.wav"]


def test_values_that_json_lacks_become_text(tmp_path):
    page = tmp_path / "page.html"
    given = {"n": math.inf, "w": (1, np.float32(2)), "a": np.arange(2), "p": page, "none": None, "on": True}
    write_report(page, [Entry("one", None, parameters=given)])
    parameters = page_data(page)["entries"][0]["parameters"]
    assert parameters == {"n": "inf", "w": [1, 2.0], "a": [0, 1], "p": str(page), "none": None, "on": True}


def test_the_final_losses_are_those_of_the_last_stage(tmp_path):
    page = tmp_path / "page.html"
    write_report(page, [Entry("one", None, stages=STAGES), Entry("other", None, stages={"phase": STAGES["phase"]})])
    full, partial = page_data(page)["entries"]
    assert full["final_loss"] == {"style": 12.5, "content": 3.25}
    assert partial["final_loss"] == {"style": 15.0, "content": 3.5}
    assert list(full["stages"]) == list(STAGES) and full["stages"]["phase"]["inconsistency"] == [0.3, 0.2, 0.15, 0.1]


def test_losses_that_are_not_finite_are_left_out(tmp_path):
    page = tmp_path / "page.html"
    stage = {"seconds": 1, "iterations": [0, 1], "style_loss": [1.0, math.nan], "content_loss": [math.inf, 2.0]}
    write_report(page, [Entry("one", None, stages={"waveform": {**stage, "inconsistency": None}})])
    [entry] = page_data(page)["entries"]
    assert entry["final_loss"] == {"style": None, "content": 2.0}
    assert entry["stages"]["waveform"]["content_loss"] == [None, 2.0]


def test_what_was_done_to_fit_full_scale_is_on_the_page(recording, tmp_path):
    page, path = tmp_path / "page.html", recording("r.wav")
    record = {"status": "done", "gain_db": -0.5, "limited_db": 6.25}
    write_report(page, [Entry.of_record("one", record, None, path), Entry("other", path)])
    one, other = page_data(page)["entries"]
    assert (one["gain"], one["limited"], other["gain"], other["limited"]) == (-0.5, 6.25, 0, 0)


def test_a_gain_that_stems_have_in_common_says_so(recording, tmp_path):
    page, path = tmp_path / "page.html", recording("r.wav")
    records = [{"status": "done", "song": song} for song in ("2000 samples at 8000 Hz", "")]
    write_report(page, [Entry.of_record("one", record, None, path) for record in records])
    assert [entry["common_gain"] for entry in page_data(page)["entries"]] == [True, False]


def test_the_louder_of_content_and_result_is_played_more_quietly(recording, tmp_path):
    page, soft, loud = tmp_path / "page.html", recording("soft.wav", peak=0.1), recording("loud.wav", peak=0.4)
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(800), RATE)
    style = (recording("s.wav", peak=0.9),)
    write_report(page, [Entry("one", loud, soft, style), Entry("two", soft, loud), Entry("three", soft, silent)])
    assert [entry["equal_loudness"] for entry in page_data(page)["entries"]] == [
        {"content": 1, "result": pytest.approx(0.25, abs=1e-4)},
        {"content": pytest.approx(0.25, abs=1e-4), "result": 1},
        {"content": 1, "result": 1},
    ]


def test_only_the_part_that_was_styled_is_on_the_page(recording, tmp_path):
    page, content = tmp_path / "page.html", recording("c.wav", 1.0)
    write_report(page, [Entry("one", recording("r.wav", 0.25), content, start=0.5, duration=0.25)])
    audio, _ = page_sound(page, page_data(page)["entries"][0]["content"])
    np.testing.assert_allclose(audio[0], soundfile.read(content)[0][4000:6000], atol=1 / 32768)


def test_content_and_result_keep_their_levels_to_each_other(recording, tmp_path):
    page, content, result = tmp_path / "page.html", recording("c.wav", peak=0.4), recording("r.wav", peak=2)
    write_report(
        page, [Entry("one", result, content, (recording("s.wav"),)), Entry("other", recording("o.wav"), content)]
    )
    loud, quiet = page_data(page)["entries"]
    peaks = {kind: np.abs(page_sound(page, loud[kind])[0]).max() for kind in ("content", "result")}
    assert peaks == pytest.approx({"content": 0.2, "result": 1.0}, abs=1e-3)
    assert loud["turned_down"] == pytest.approx(6.02, abs=0.01)
    assert np.abs(page_sound(page, loud["style"][0])[0]).max() == pytest.approx(0.5, abs=1e-3)
    assert quiet["turned_down"] == 0
    assert np.abs(page_sound(page, quiet["content"])[0]).max() == pytest.approx(0.4, abs=1e-3)


def test_what_a_result_keeps_of_its_content_is_on_the_page(tmp_path):
    page, song = tmp_path / "page.html", tune()
    padded = ArrayRecording(np.pad(song, ((0, 0), (RATE, 0))), 22_050)
    content, noise = ArrayRecording(song, 22_050), np.random.default_rng(0).standard_normal(song.shape)
    entries = [
        Entry("all", ArrayRecording(np.concatenate([song, -song]) / 2, 22_050), content),
        Entry("none", ArrayRecording(noise, 22_050), content),
        Entry("of a part", content, padded, start=RATE / 22_050),
        Entry("at another rate", ArrayRecording(resample(song, 22_050, 44_100), 44_100), content),
    ]
    write_report(page, entries)
    same, other, part, resampled = (list(entry["kept"].values()) for entry in page_data(page)["entries"])
    assert list(page_data(page)["entries"][0]["kept"]) == ["melody", "attacks", "dynamics"]
    assert same == part == pytest.approx([1, 1, 1], abs=1e-3)
    assert resampled == pytest.approx([1, 1, 1], abs=0.02) and other == pytest.approx([0, 0, 0], abs=0.1)


def test_nothing_is_kept_of_a_texture_and_nothing_can_be_said_of_silence(recording, tmp_path):
    page, silence = tmp_path / "page.html", ArrayRecording(np.zeros(3 * RATE), RATE)
    sound, short = recording("r.wav", 3.0), recording("short.wav", 0.01)
    entries = [Entry("texture", sound), *(Entry("pair", *pair) for pair in ((silence, sound), (short, short)))]
    write_report(page, [*entries, Entry("no content", sound, tmp_path / "gone.wav"), Entry("failed", None, error="no")])
    nothing = dict.fromkeys(("melody", "attacks", "dynamics"))
    assert [entry["kept"] for entry in page_data(page)["entries"]] == [None, nothing, nothing, None, None]


def test_silence_has_no_level(tmp_path):
    page, path = tmp_path / "page.html", tmp_path / "r.wav"
    soundfile.write(path, np.zeros(800), RATE)
    write_report(page, [Entry("one", path)])
    assert page_data(page)["entries"][0]["level"] == {"result": None}


# ---------------------------------------------------------------- failures
def test_a_failed_entry_says_why(recording, tmp_path):
    page = tmp_path / "page.html"
    write_report(page, [Entry("one", None, recording("c.wav"), error="the transfer failed"), Entry("two", None)])
    failed, missing = page_data(page)["entries"]
    assert (failed["error"], missing["error"]) == ("the transfer failed", "There is no result.")
    assert page_data(page)["recordings"] == []


def test_recordings_that_cannot_be_read_are_named(recording, tmp_path):
    page, good, bad, empty = tmp_path / "page.html", recording("r.wav"), tmp_path / "bad.wav", recording("e.wav", 0)
    bad.write_text("no sound")
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.full(100, np.nan), RATE, "FLOAT")
    entries = [
        Entry("one", tmp_path / "gone.wav", good),
        Entry("two", good, bad, (empty, nan)),
        Entry("three", good, good, start=5.0),
    ]
    write_report(page, entries)
    without_result, without_style, too_late = page_data(page)["entries"]
    assert without_result["result"] is None and without_result["content"] is not None
    assert re.search(r"result='.*gone.wav'.*no such file", *without_result["problems"])
    assert without_style["result"] is not None and without_style["style"] == []
    expected = ("content='.*bad.wav", "style='.*e.wav' is empty", "NaN")
    for problem, pattern in zip(without_style["problems"], expected, strict=True):
        assert re.search(pattern, problem)
    assert re.search(r"start=5.* must be within content=", *too_late["problems"])


# ---------------------------------------------------------------- from results
def test_an_entry_of_a_result_in_a_file(recording, tmp_path, quick):
    page, song, anthem = tmp_path / "page.html", recording("song.wav", 0.5), recording("anthem.wav", 0.5, seed=1)
    result = style_file(song, tmp_path / "styled.flac", anthem, start=0.1, **quick)
    entry = Entry.of_result(result, content=str(song), style=str(anthem), start=0.1, chain="style anthem.wav")
    assert (entry.name, entry.result) == ("styled.flac", tmp_path / "styled.flac")
    assert (entry.content, entry.style, entry.chain) == (song, (anthem,), "style anthem.wav")
    write_report(page, [entry])
    [shown] = page_data(page)["entries"]
    assert shown["parameters"]["n_filters"] == "inf" and not shown["problems"] and shown["start"] == 0.1
    assert shown["final_loss"]["style"] == pytest.approx(result.style_loss, rel=1e-4)
    assert shown["final_loss"]["content"] == pytest.approx(result.content_loss, rel=1e-4)
    assert len(shown["stages"]["phase"]["inconsistency"]) == quick["phase_iters"]
    assert shown["seconds"] == pytest.approx(result.seconds, rel=1e-4)
    names = [page_data(page)["recordings"][k]["name"] for k in (shown["content"], shown["result"], *shown["style"])]
    assert names == ["song.wav", "styled.flac", "anthem.wav"]
    assert page_sound(page, shown["content"])[0].shape == page_sound(page, shown["result"])[0].shape == (1, 3200)


def test_an_entry_of_a_result_in_memory(content, style, rate, quick, recording, tmp_path):
    page, anthem = tmp_path / "page.html", recording("anthem.wav", 0.5)
    result = stylize(content, style, rate, **quick)
    other_rate = ArrayRecording(style, 2 * rate, "played faster")
    write_report(page, [Entry.of_result(result, "song", content, [style, other_rate, anthem])])
    data = page_data(page)
    [shown] = data["entries"]
    assert shown["name"] == "song" and not shown["problems"]
    audio, page_rate = page_sound(page, shown["result"])
    np.testing.assert_allclose(audio[0] * 10 ** (shown["turned_down"] / 20), result.audio, atol=2 / 32768)
    assert page_rate == rate
    names = [data["recordings"][k]["name"] for k in (shown["content"], shown["result"], *shown["style"])]
    assert names == ["array", "array", "array", "played faster", "anthem.wav"]
    assert data["recordings"][shown["style"][1]]["duration"] == 0.5


def test_an_array_of_several_entries_is_on_the_page_once(content, style, rate, quick, tmp_path):
    page, results = tmp_path / "page.html", [stylize(content, style, rate, seed=seed, **quick) for seed in range(2)]
    write_report(page, [Entry.of_result(result, content=content, style=style) for result in results])
    first, second = page_data(page)["entries"]
    assert first["name"] == "result" and first["style"] == second["style"]


def test_an_entry_of_a_texture_has_no_content(style, rate, quick_stages, tmp_path):
    entry = Entry.of_result(texture(style, rate, 0.5, **quick_stages), "texture", style=(style,))
    write_report(tmp_path / "page.html", [entry])
    [shown] = page_data(tmp_path / "page.html")["entries"]
    assert shown["content"] is None and shown["result"] is not None and len(shown["style"]) == 1


def test_an_entry_is_named_after_the_content_file_if_the_result_is_in_memory(content, style, rate, quick):
    assert Entry.of_result(stylize(content, style, rate, **quick), content="music/song.wav").name == "song.wav"


def test_an_array_that_is_no_recording_is_refused(content, style, rate, quick):
    result = stylize(content, style, rate, **quick)
    with pytest.raises(TypeError, match="int64"):
        Entry.of_result(result, content=np.zeros(100, np.int64))
    with pytest.raises(ValueError, match="more channels than samples"):
        Entry.of_result(result, style=np.zeros((8000, 2)))
    with pytest.raises(ValueError, match=r"sample_rate=44\.1"):
        ArrayRecording(content, 44.1)


# ---------------------------------------------------------------- from records
def test_an_entry_of_a_record(tmp_path):
    record = {
        "status": "done",
        "seconds": 4.5,
        "transfers": [
            {"parameters": {"alpha": 1}, "stages": {}},
            {"parameters": {"alpha": 0.5}, "stages": {"waveform": STAGES["waveform"]}},
        ],
    }
    entry = Entry.of_record("a/b.wav", record, "in/a/b.wav", "out/a/b.wav", ["s.wav"], start=2.0, chain="style s.wav")
    assert entry == Entry(
        "a/b.wav",
        Path("out/a/b.wav"),
        Path("in/a/b.wav"),
        (Path("s.wav"),),
        start=2.0,
        seconds=4.5,
        parameters={"alpha": 0.5},
        chain="style s.wav",
        stages={"waveform": STAGES["waveform"]},
    )


@pytest.mark.parametrize("transfers", [{}, {"transfers": []}])
def test_an_entry_of_a_record_without_transfers(transfers):
    entry = Entry.of_record("b.wav", {"status": "done", "seconds": 1.0, **transfers}, None, "b.wav")
    assert entry == Entry("b.wav", Path("b.wav"), seconds=1.0)


def test_an_entry_of_a_failed_record():
    entry = Entry.of_record("b.wav", {"status": "failed", "error": "not audio"}, "in/b.wav", "out/b.wav")
    assert entry == Entry("b.wav", None, Path("in/b.wav"), error="not audio")
