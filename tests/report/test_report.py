"""The listening page: what it holds, what lies beside it, and, in a real browser, that it plays."""

import base64
import contextlib
import functools
import http.server
import io
import json
import math
import os
import re
import shutil
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiostyle_fx
from audiostyle_fx import style_file
from audiostyle_fx._recordings import files
from audiostyle_fx.report import page as report_page
from audiostyle_fx.report.page import Entry, write_report

RATE = 8000
NASTY = "a/<b>bold</b> & \"quoted\" 'Übung'</script><script>window.broken = 1</script>.wav"
STAGES = {
    "spectrogram": {"seconds": 1.5, "iterations": [0, 1, 2], "style": [900.0, 90.0, 9.0], "content": [0.0, 2.0, 3.0]},
    "phase": {
        "seconds": 0.5,
        "iterations": [0, 4],
        "style": np.array([20.0, 15.0]),
        "content": np.array([4.0, 3.5]),
        "inconsistency": np.array([0.3, 0.2, 0.15, 0.1]),
    },
    "waveform": {"seconds": 2, "iterations": [0, 1], "style": [15.0, 12.5], "content": [3.5, 3.25]},
}


@pytest.fixture
def recording(tmp_path):
    """A function that writes noise and returns its path."""

    def write(name, seconds=0.2, rate=RATE, channels=1, peak=0.5, seed=0):
        noise = np.random.default_rng(seed).uniform(-1, 1, (round(seconds * rate), channels))
        path = tmp_path / name
        soundfile.write(path, peak * noise / np.abs(noise).max(initial=1e-9), rate, "FLOAT")
        return path

    return write


def page_data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())[1])


def sound(page, number):
    """The samples of a recording of the page, (channels, samples), and its rate."""
    data = page_data(page)
    held = data["recordings"][number]["sound"]
    read, rate = soundfile.read(
        io.BytesIO(base64.b64decode(held)) if data["inline"] else page.parent / held, always_2d=True
    )
    return read.T, rate


def media(page):
    folder = page.with_name(f"{page.stem}_media")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else None


# ---------------------------------------------------------------- what the page holds
def test_a_page_holds_its_recordings(recording, tmp_path):
    page, content, result = tmp_path / "page.html", recording("c.wav"), recording("r.wav", seed=1)
    write_report(page, [Entry("one", result, content, (recording("s.wav", 0.3, channels=2),))], "A title")
    data = page_data(page)
    [entry] = data["entries"]
    assert data["title"] == "A title" and data["inline"] and entry["error"] is None and not entry["problems"]
    for kind, path in (("content", content), ("result", result)):
        held, rate = sound(page, entry[kind])
        np.testing.assert_allclose(held[0], soundfile.read(path)[0], atol=1 / 32768)
        assert rate == RATE
    style = data["recordings"][entry["style"][0]]
    assert (style["name"], style["channels"], style["rate"], style["duration"]) == ("s.wav", 2, RATE, 0.3)
    assert base64.b64decode(style["picture"]).startswith(b"\x89PNG")
    level = 20 * math.log10(np.sqrt(np.mean(soundfile.read(result)[0] ** 2)))
    assert entry["level"]["result"] == pytest.approx(level, abs=1e-3)
    assert media(page) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.wav", "page.html", "r.wav", "s.wav"]


def test_the_page_asks_for_nothing_from_the_network(recording, tmp_path):
    write_report(tmp_path / "page.html", [Entry("one", recording("r.wav"))])
    addresses = set(re.findall(r"\w+://[^\"'\s]+", (tmp_path / "page.html").read_text()))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which nothing is fetched from


def test_text_stays_text(tmp_path):
    page = tmp_path / "page.html"
    entry = Entry(NASTY, None, chain="style </script>\u2028\udcff", parameters={"<i>": "</script>"}, error="<!--")
    write_report(page, [entry], title=NASTY)
    template = Path(audiostyle_fx.__file__).with_name("report").joinpath("page.html").read_text()
    assert page.read_text().count("<script") == template.count("<script") and "{{DATA}}" not in page.read_text()
    assert page_data(page)["title"] == page_data(page)["entries"][0]["name"] == NASTY
    assert page_data(page)["entries"][0]["parameters"] == {"<i>": "</script>"}


def test_what_json_has_no_word_for_becomes_text(tmp_path):
    page = tmp_path / "page.html"
    given = {"n": math.inf, "w": (1, np.float32(2)), "a": np.arange(2), "p": page, "none": None, "on": True}
    write_report(page, [Entry("one", None, parameters=given)])
    told = page_data(page)["entries"][0]["parameters"]
    assert told == {"n": "inf", "w": [1, 2.0], "a": [0, 1], "p": str(page), "none": None, "on": True}


def test_the_final_losses_are_those_of_the_last_stage(tmp_path):
    page = tmp_path / "page.html"
    write_report(page, [Entry("one", None, stages=STAGES), Entry("other", None, stages={"phase": STAGES["phase"]})])
    one, other = page_data(page)["entries"]
    assert one["loss"] == {"style": 12.5, "content": 3.25} and other["loss"] == {"style": 15.0, "content": 3.5}
    assert list(one["stages"]) == list(STAGES) and one["stages"]["phase"]["inconsistency"] == [0.3, 0.2, 0.15, 0.1]


def test_an_outcome_becomes_an_entry_as_the_readme_has_it(recording, tmp_path, quick):
    page, song, anthem = tmp_path / "page.html", recording("song.wav", 0.5), recording("anthem.wav", 0.5, seed=1)
    outcome = style_file(song, anthem, tmp_path / "styled.flac", **quick)
    stages = {name: vars(stage) for name, stage in outcome.stages.items()}
    entry = Entry("song", tmp_path / "styled.flac", song, (anthem,), parameters=outcome.parameters, stages=stages)
    write_report(page, [entry])
    [entry] = page_data(page)["entries"]
    assert entry["parameters"]["n_filters"] == "inf" and not entry["problems"]
    assert entry["loss"]["style"] == pytest.approx(outcome.stages["waveform"].style_loss[-1], rel=1e-4)
    assert len(entry["stages"]["phase"]["inconsistency"]) == quick["phase_iters"]


def test_losses_that_are_not_finite_are_left_out(tmp_path):
    page = tmp_path / "page.html"
    stage = {"seconds": 1, "iterations": [0, 1], "style": [1.0, math.nan], "content": [math.inf, 2.0]}
    write_report(page, [Entry("one", None, stages={"waveform": {**stage, "inconsistency": None}})])
    [entry] = page_data(page)["entries"]
    assert entry["loss"] == {"style": None, "content": 2.0} and entry["stages"]["waveform"]["content"] == [None, 2.0]


# ---------------------------------------------------------------- sound
def test_only_the_part_that_was_styled_is_there(recording, tmp_path):
    page, content = tmp_path / "page.html", recording("c.wav", 1.0)
    write_report(page, [Entry("one", recording("r.wav", 0.25), content, start=0.5, duration=0.25)])
    held, _ = sound(page, page_data(page)["entries"][0]["content"])
    np.testing.assert_allclose(held[0], soundfile.read(content)[0][4000:6000], atol=1 / 32768)


@pytest.mark.parametrize(
    ("rate", "channels", "held_rate", "held_channels"),
    [(96_000, 6, 48_000, 1), (48_000, 2, 48_000, 2), (44_100, 3, 44_100, 1), (2000, 2, 8000, 2)],
)
def test_sound_is_what_browsers_play(recording, tmp_path, rate, channels, held_rate, held_channels):
    page = tmp_path / "page.html"
    write_report(page, [Entry("one", recording("r.wav", 0.1, rate, channels))])
    held, got = sound(page, 0)
    assert (got, len(held)) == (held_rate, held_channels)
    assert held.shape[1] == pytest.approx(0.1 * held_rate, abs=2)
    [told] = page_data(page)["recordings"]
    assert (told["rate"], told["channels"]) == (rate, channels)


def test_more_than_two_channels_are_mixed(recording, tmp_path):
    page, path = tmp_path / "page.html", recording("r.wav", channels=3)
    write_report(page, [Entry("one", path)])
    np.testing.assert_allclose(sound(page, 0)[0][0], soundfile.read(path)[0].mean(axis=1), atol=1 / 32768)


def test_content_and_result_keep_their_levels_to_each_other(recording, tmp_path):
    page, content, result = tmp_path / "page.html", recording("c.wav", peak=0.4), recording("r.wav", peak=2)
    write_report(
        page, [Entry("one", result, content, (recording("s.wav"),)), Entry("other", recording("o.wav"), content)]
    )
    one, other = page_data(page)["entries"]
    peaks = {kind: np.abs(sound(page, one[kind])[0]).max() for kind in ("content", "result")}
    assert peaks == pytest.approx({"content": 0.2, "result": 1.0}, abs=1e-3)
    assert one["turned_down"] == pytest.approx(6.02, abs=0.01)
    assert np.abs(sound(page, one["style"][0])[0]).max() == pytest.approx(0.5, abs=1e-3)
    assert other["turned_down"] == 0 and np.abs(sound(page, other["content"])[0]).max() == pytest.approx(0.4, abs=1e-3)


def test_silence_has_no_level(recording, tmp_path):
    page, path = tmp_path / "page.html", tmp_path / "r.wav"
    soundfile.write(path, np.zeros(800), RATE)
    write_report(page, [Entry("one", path)])
    assert page_data(page)["entries"][0]["level"] == {"result": None}


@pytest.mark.slow
def test_long_recordings_are_not_held_in_memory(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "READ_SAMPLES", 1 << 13)
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
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


# ---------------------------------------------------------------- media beside the page
def test_much_media_lie_in_a_folder_each_recording_once(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 1000)
    page, content, style = tmp_path / "my page.html", recording("c.wav"), recording("s.wav")
    entries = [Entry(str(k), recording(f"{k}.wav", seed=k), content, (style,)) for k in range(4)]
    write_report(page, entries)
    data = page_data(page)
    assert not data["inline"] and len(data["recordings"]) == 6
    assert len({entry["content"] for entry in data["entries"]}) == 1
    assert len({number for entry in data["entries"] for number in entry["style"]}) == 1
    assert all(one["sound"].startswith("my%20page_media/") for one in data["recordings"])
    assert len(media(page)) == 12 and page.stat().st_size < 60_000


def test_an_earlier_page_takes_its_media_with_it(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
    page, entries = tmp_path / "page.html", [Entry("one", recording("r.wav"))]
    write_report(page, entries)
    earlier = media(page)
    write_report(page, entries)
    assert len(media(page)) == 2 and not set(media(page)) & set(earlier)
    (tmp_path / "page_media" / "mine.wav").write_bytes(b"kept")
    monkeypatch.undo()
    write_report(page, entries)
    assert media(page) == ["mine.wav"] and page_data(page)["inline"]


@pytest.mark.parametrize("inline", [0, 2**24])
def test_a_page_that_fails_leaves_the_earlier_one_whole(recording, tmp_path, monkeypatch, inline):
    monkeypatch.setattr(report_page, "INLINE_BYTES", inline)
    page, entries = tmp_path / "page.html", [Entry("one", recording("r.wav"))]
    write_report(page, entries)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(report_page.os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_report(page, [*entries, *entries])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(OSError, match="no space"):
        write_report(tmp_path / "new.html", entries)
    assert media(tmp_path / "new.html") is None


@pytest.mark.parametrize("name", ["nowhere/page.html", "."])
def test_a_page_must_be_a_file_in_a_folder(tmp_path, name):
    with pytest.raises(ValueError, match="page="):
        write_report(tmp_path / name, [])


def test_a_file_in_the_place_of_the_folder_is_left_alone(recording, tmp_path):
    (tmp_path / "page_media").write_text("mine")
    with pytest.raises(ValueError, match="'page_media' beside it must be a folder"):
        write_report(tmp_path / "page.html", [Entry("one", recording("r.wav"))])
    assert (tmp_path / "page_media").read_text() == "mine"


# ---------------------------------------------------------------- what went wrong
def test_a_failed_entry_says_why(recording, tmp_path):
    page = tmp_path / "page.html"
    write_report(page, [Entry("one", None, recording("c.wav"), error="the transfer failed"), Entry("two", None)])
    one, two = page_data(page)["entries"]
    assert (one["error"], two["error"]) == ("the transfer failed", "There is no result.")
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
    one, two, three = page_data(page)["entries"]
    assert one["result"] is None and one["content"] is not None
    assert re.search(r"result='.*gone.wav'.*no such file", *one["problems"])
    assert two["result"] is not None and two["style"] == []
    for found, expected in zip(two["problems"], ("content='.*bad.wav", "style='.*e.wav' is empty", "NaN"), strict=True):
        assert re.search(expected, found)
    assert re.search(r"start=5 must be within content=", *three["problems"])


def test_a_page_may_be_empty(tmp_path):
    write_report(tmp_path / "page.html", [])
    assert page_data(tmp_path / "page.html")["entries"] == []


# ---------------------------------------------------------------- in a browser
@pytest.fixture(scope="module")
def chromium():
    """Chromium, driven by Playwright; a machine that is to have it sets REQUIRE_BROWSER."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        lacking = "Playwright or Chromium is not installed"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a page, which must neither fail nor say anything on the console."""
    said, contexts = [], []

    def failed(request):
        if request.failure != "net::ERR_ABORTED":  # which is the page's own doing, where it goes on to other sound
            said.append(f"{request.url[:100]} {request.failure}")

    def open_page(address, width=1280, height=900):
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", failed)
        page.goto(address if isinstance(address, str) else address.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def three(recording, tmp_path):
    """A page of three entries, the last one failed."""
    style = (recording("s.wav", 3.0, seed=7), recording("t.wav", 2.0, seed=8))
    entries = [
        Entry(NASTY, recording("r1.wav", 6.0), recording("c1.wav", 6.0), style[:1], stages=STAGES, seconds=3.0),
        Entry("2 <i>", recording("r2.wav", 6.0, seed=1, peak=0.1), recording("c2.wav", 6.0), style, seconds=1.0),
        Entry("10 failed", None, error="RuntimeError: <b>no</b>"),
    ]
    entries[1] = Entry(**{**vars(entries[1]), "stages": {"waveform": {**STAGES["waveform"], "style": [2e5, 1e5]}}})
    write_report(tmp_path / "page.html", entries, title=NASTY)
    return tmp_path / "page.html"


AUDIO = """(kind) => { const one = document.querySelector(`audio[data-kind=${kind}]`);
    return {at: one.currentTime, paused: one.paused, error: one.error && one.error.message, src: one.currentSrc}; }"""
BEYOND = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const box = one.getBoundingClientRect(), text = one instanceof HTMLElement ? box.left + one.scrollWidth : 0;
    return !one.closest(".view") && Math.max(box.right, text) > innerWidth + 0.5;
}).map((one) => one.outerHTML.slice(0, 80))"""
PLAYS = "([kind, from]) => document.querySelector(`audio[data-kind=${kind}]`).currentTime > from"


def names(page):
    return page.locator("#index tbody button").all_inner_texts()


@pytest.mark.slow
def test_it_plays_and_switches_at_the_same_position(visit, three):
    page = visit(three)
    assert page.evaluate(AUDIO, "result")["src"] == ""  # nothing is decoded before it is asked for
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["result", 0.5])
    page.evaluate("""() => { window.starts = [];
        for (const one of document.querySelectorAll("audio"))
            one.addEventListener("playing", () => starts.push([one.dataset.kind, one.currentTime])); }""")
    for key, kind, other in (("1", "content", "result"), ("b", "result", "content"), ("a", "content", "result")):
        page.keyboard.press(key)
        page.wait_for_function("(kind) => starts.length && starts.at(-1)[0] === kind", arg=kind)
        started, left = page.evaluate("starts.at(-1)[1]"), page.evaluate(AUDIO, other)
        assert left["paused"] and abs(started - left["at"]) < 0.1
        page.wait_for_function(PLAYS, arg=[kind, started + 0.3])
    before = page.evaluate(AUDIO, "content")["at"]
    page.keyboard.press("s")
    page.wait_for_function(PLAYS, arg=["style", 0.3])
    page.keyboard.press("2")  # where the pair was left, not where the style is
    page.wait_for_function("starts.at(-1)[0] === 'result'")
    assert before <= page.evaluate("starts.at(-1)[1]") < before + 0.4
    page.keyboard.press("Space")
    states = [page.evaluate(AUDIO, kind) for kind in ("content", "result", "style")]
    assert all(state["paused"] and state["error"] is None for state in states)


@pytest.mark.slow
def test_a_style_starts_over_at_its_end(visit, three):
    page = visit(three)
    page.keyboard.press("3")
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["style", 0.2])
    page.evaluate("document.querySelector('audio[data-kind=style]').currentTime = 2.8")
    page.wait_for_function("document.querySelector('audio[data-kind=style]').currentTime < 1")
    assert not page.evaluate(AUDIO, "style")["paused"]


@pytest.mark.slow
def test_a_click_in_a_picture_listens_there(visit, three):
    page = visit(three)
    view = page.get_by_role("slider", name="Position in content")
    box = view.bounding_box()
    view.click(position={"x": box["width"] / 2, "y": 20})
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(PLAYS, arg=["content", 3.05])
    assert page.evaluate(AUDIO, "content")["at"] < 4.5
    page.keyboard.press("Space")  # the button that was clicked does not keep the key
    assert page.evaluate(AUDIO, "content")["paused"]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(AUDIO, "content")["at"] < 3
    assert page.get_by_role("button", name="Content").first.get_attribute("aria-pressed") == "true"


@pytest.mark.slow
def test_the_list_is_sorted_filtered_and_stepped_through(visit, three):
    page = visit(three)
    assert page.locator("#name").inner_text() == NASTY and page.title() == NASTY
    assert page.evaluate("window.broken") is None
    page.get_by_role("button", name="Sort by name").click()
    assert names(page) == ["2 <i>", NASTY, "10 failed"]
    page.get_by_role("button", name="Sort by name").click()
    assert names(page) == [NASTY, "2 <i>", "10 failed"]  # what failed stays last
    orders = {
        "final style loss": [NASTY, "2 <i>", "10 failed"],
        "level of the result": ["2 <i>", NASTY, "10 failed"],
        "computing time": ["2 <i>", NASTY, "10 failed"],
    }
    for column, order in orders.items():
        page.get_by_role("button", name=f"Sort by {column}").click()
        assert names(page) == order
    page.keyboard.press("k")
    assert page.locator("#name").inner_text() == "2 <i>"
    assert page.get_by_role("button", name="Style 2").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    assert page.locator("#problems").inner_text() == "RuntimeError: <b>no</b>"
    assert not page.locator("#transport").is_visible()
    page.keyboard.press("ArrowUp")
    assert page.locator("#name").inner_text() == NASTY
    page.get_by_placeholder("Filter by name").press_sequentially("FAIL jk")
    assert page.get_by_placeholder("Filter by name").input_value() == "FAIL jk"
    assert names(page) == [] and page.locator("#name").inner_text() == NASTY
    page.get_by_placeholder("Filter by name").fill("FAIL")
    assert names(page) == ["10 failed"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 700, 1280])
def test_nothing_is_wider_than_the_window(visit, three, width):
    page = visit(three, width, 740)
    for _ in range(3):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(BEYOND) == []
        page.keyboard.press("j")


@pytest.mark.slow
def test_long_words_are_broken_on_a_phone(visit, recording, tmp_path):
    word = "x" * 150
    result = recording("r.wav")
    longest = result.rename(tmp_path / f"{word}.wav")
    known = {"result": longest, "chain": word, "parameters": {"p": word}, "stages": STAGES}
    entries = [Entry(word, content=tmp_path / f"{word}.flac", **known), Entry(word, None, error=word)]
    write_report(tmp_path / "page.html", entries, title=word)
    page = visit(tmp_path / "page.html", 360, 740)
    for _ in range(2):
        assert page.evaluate(BEYOND) == []
        page.keyboard.press("j")


@pytest.mark.slow
def test_two_hundred_entries_play_from_the_folder(visit, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
    content, style = recording("c.wav", 2.0), recording("s.wav", 2.0)
    results = [recording(f"{k}.wav", 2.0, seed=k) for k in range(4)]
    entries = [Entry(f"{k:03d} ü.wav", results[k % 4], content, (style,), stages=STAGES, seconds=k) for k in range(200)]
    write_report(tmp_path / "page.html", entries)
    assert len(media(tmp_path / "page.html")) == 12
    page = visit(tmp_path / "page.html")
    assert len(names(page)) == 200
    for _ in range(55):
        page.keyboard.press("j")
    assert page.locator("#name").inner_text() == "055 ü.wav"
    row = page.get_by_role("button", name="055 ü.wav").bounding_box()
    assert 0 < row["y"] < 900 - row["height"] and page.evaluate("scrollY") == 0  # the list has scrolled, not the page
    page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 100)")
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["result", 0.3])
    page.keyboard.press("1")
    page.wait_for_function(PLAYS, arg=["content", 0.5])
    page.get_by_placeholder("Filter by name").fill("199")
    page.get_by_role("button", name="199 ü.wav").click()
    page.wait_for_function(PLAYS, arg=["content", 0.1])  # goes on playing
    assert page.evaluate(AUDIO, "content")["error"] is None


@pytest.mark.slow
def test_it_starts_in_the_middle_whatever_the_server_can(visit, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
    write_report(tmp_path / "page.html", [Entry("one", recording("r.wav", 60.0, 48_000, 2))])
    handler = functools.partial(SequentialServer, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = visit(f"http://127.0.0.1:{server.server_address[1]}/page.html")
        view = page.get_by_role("slider")
        view.click(position={"x": 0.8 * view.bounding_box()["width"], "y": 20})
        page.keyboard.press("Space")
        page.wait_for_function(PLAYS, arg=["result", 48.3])
        view.click(position={"x": 0.2 * view.bounding_box()["width"], "y": 20})
        page.wait_for_function(PLAYS, arg=["result", 12.1])
        assert page.evaluate(AUDIO, "result")["at"] < 20
        page.close()
        server.shutdown()


class SequentialServer(http.server.SimpleHTTPRequestHandler):
    """Gives whole files only."""

    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        with contextlib.suppress(ConnectionError):  # the browser had enough
            super().copyfile(source, outputfile)
