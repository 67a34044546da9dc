"""The listening page in real browsers, Chromium and Firefox: it plays, switches, sorts and fits the window."""

import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest
from support.listening_page import MARKUP, STAGES, media_names
from support.tunes import tune

from audiostyle_fx.report import ArrayRecording, Entry, write_report
from audiostyle_fx.report import page as report_page

pytestmark = pytest.mark.slow


PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox-esr", "firefox")}

OLDEST_FIREFOX = 143
"""The first that knows all commands of WebDriver BiDi by which Playwright drives a Firefox that is not its own."""

START = {
    "chromium": {"args": ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]},
    "firefox": {"channel": "moz-firefox", "firefox_user_prefs": {"media.autoplay.default": 0}},
}
MUTE = """{ const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () { this.muted = true; return play.call(this); }; }"""
"""Without a sound card, Firefox plays only what is muted. The volume is that of the page all the same."""

ABORTED = ("net::ERR_ABORTED", "NS_BINDING_ABORTED")
"""How the browsers call it when the page itself ends a request because it changes to other sound."""


def program(name):
    """The path of a browser, or None where it is not installed or too old."""
    path = next(filter(None, map(shutil.which, PROGRAMS[name])), None)
    if path and name == "firefox":
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
        path = path if int(re.search(r"\d+", version)[0]) >= OLDEST_FIREFOX else None
    return path


@pytest.fixture(scope="module", params=list(PROGRAMS))
def browser(request):
    """A browser, driven by Playwright. Without it the tests are skipped, or fail if REQUIRE_BROWSER is set."""
    path = program(request.param)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        reason = f"Playwright or {request.param} is not installed, or is too old"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = getattr(playwright, request.param).launch(executable_path=path, **START[request.param])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """A function that opens a page, which must neither fail nor write to the console."""
    messages, contexts = [], []

    def failed(request):
        if request.failure not in ABORTED:
            messages.append(f"{request.url[:100]} {request.failure}")

    def open_page(address, width=1280, height=900):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        contexts[-1].add_init_script(MUTE)
        page = contexts[-1].new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("requestfailed", failed)
        page.goto(address if isinstance(address, str) else address.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert messages == []


@pytest.fixture
def three_entries(recording, tmp_path):
    """A page of three entries, the last one failed."""
    style = (recording("s.wav", 3.0, seed=7), recording("t.wav", 2.0, seed=8))
    first = Entry(MARKUP, recording("r1.wav", 6.0), recording("c1.wav", 6.0), style[:1], seconds=3.0, stages=STAGES)
    second = Entry(
        "2 <i>",
        recording("r2.wav", 6.0, seed=1, peak=0.1),
        recording("c2.wav", 6.0),
        style,
        seconds=1.0,
        stages={"waveform": {**STAGES["waveform"], "style_loss": [2e5, 1e5]}},
    )
    entries = [first, second, Entry("10 failed", None, error="RuntimeError: <b>no</b>")]
    write_report(tmp_path / "page.html", entries, title=MARKUP)
    return tmp_path / "page.html"


AUDIO = """(kind) => { const audio = document.querySelector(`audio[data-kind=${kind}]`);
    return {time: audio.currentTime, paused: audio.paused, error: audio.error?.message ?? null, src: audio.currentSrc};
}"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((node) => {
    const box = node.getBoundingClientRect(), text = node instanceof HTMLElement ? box.left + node.scrollWidth : 0;
    return !node.closest(".view") && Math.max(box.right, text) > innerWidth + 0.5;
}).map((node) => node.outerHTML.slice(0, 80))"""
PLAYS = "([kind, from]) => document.querySelector(`audio[data-kind=${kind}]`).currentTime > from"


def names(page):
    return page.locator("#index tbody button").all_inner_texts()


def test_it_plays_and_switches_at_the_same_position(visit, three_entries):
    page = visit(three_entries)
    assert page.evaluate(AUDIO, "result")["src"] == ""  # nothing is decoded before it is asked for
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["result", 0.5])
    page.evaluate("""() => { window.starts = [];
        for (const audio of document.querySelectorAll("audio"))
            audio.addEventListener("playing", () => starts.push([audio.dataset.kind, audio.currentTime])); }""")
    for key, kind, other in (("1", "content", "result"), ("b", "result", "content"), ("a", "content", "result")):
        page.keyboard.press(key)
        page.wait_for_function("(kind) => starts.length && starts.at(-1)[0] === kind", arg=kind)
        started, left = page.evaluate("starts.at(-1)[1]"), page.evaluate(AUDIO, other)
        assert left["paused"] and abs(started - left["time"]) < 0.1
        page.wait_for_function(PLAYS, arg=[kind, started + 0.3])
    before = page.evaluate(AUDIO, "content")["time"]
    page.keyboard.press("s")
    page.wait_for_function(PLAYS, arg=["style", 0.3])
    page.keyboard.press("2")  # where the pair was left, not where the style is
    page.wait_for_function("starts.at(-1)[0] === 'result'")
    assert before <= page.evaluate("starts.at(-1)[1]") < before + 0.4
    page.keyboard.press("Space")
    states = [page.evaluate(AUDIO, kind) for kind in ("content", "result", "style")]
    assert all(state["paused"] and state["error"] is None for state in states)


VOLUMES = "() => Object.fromEntries([...document.querySelectorAll('audio')].map((a) => [a.dataset.kind, a.volume]))"


def test_content_and_result_are_equally_loud_if_wanted(visit, three_entries):
    page = visit(three_entries)
    page.keyboard.press("j")
    quieter = page.evaluate(VOLUMES)
    assert abs(quieter["content"] - 0.2) < 0.01 and quieter["result"] == quieter["style"] == 1
    page.get_by_label("Equal loudness").click()
    assert set(page.evaluate(VOLUMES).values()) == {1}
    page.keyboard.press("Space")  # the box that was clicked does not keep the key
    page.wait_for_function(PLAYS, arg=["result", 0.1])
    page.keyboard.press("e")
    assert page.evaluate(VOLUMES) == quieter
    assert "gain of the result\n0.0 dB" in page.locator("#facts").inner_text()


def test_a_style_starts_over_at_its_end(visit, three_entries):
    page = visit(three_entries)
    page.keyboard.press("3")
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["style", 0.2])
    page.evaluate("document.querySelector('audio[data-kind=style]').currentTime = 2.8")
    page.wait_for_function("document.querySelector('audio[data-kind=style]').currentTime < 1")
    assert not page.evaluate(AUDIO, "style")["paused"]


def test_a_click_in_a_picture_listens_there(visit, three_entries):
    page = visit(three_entries)
    view = page.get_by_role("slider", name="Position in content")
    box = view.bounding_box()
    view.click(position={"x": box["width"] / 2, "y": 20})
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(PLAYS, arg=["content", 3.05])
    assert page.evaluate(AUDIO, "content")["time"] < 4.5
    page.keyboard.press("Space")  # the button that was clicked does not keep the key
    assert page.evaluate(AUDIO, "content")["paused"]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(AUDIO, "content")["time"] < 3
    assert page.get_by_role("button", name="Content").first.get_attribute("aria-pressed") == "true"


LOOPED = """() => document.querySelector('audio[data-kind=result]').addEventListener("seeked", (event) => {
    (window.seeks ??= []).push(event.target.currentTime); })"""


def drag(page, kind, start, stop):
    """Drag in a picture between two shares of its width."""
    box = page.get_by_role("slider", name=f"Position in {kind}").bounding_box()
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + stop * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()


def test_a_dragged_part_is_repeated(visit, three_entries):
    page = visit(three_entries)
    drag(page, "result", 0.505, 0.605)
    assert page.locator("#unloop").inner_text() == "Repeats 0:03.0 to 0:03.6 ✕"
    # Content and result have the part in common; the style has none.
    assert [part.is_visible() for part in page.locator(".view b").all()] == [True, True, False]
    page.keyboard.press("Space")
    page.evaluate(LOOPED)
    page.wait_for_function("window.seeks?.length >= 2")  # it begins again and again
    assert all(abs(seconds - 3) < 0.1 for seconds in page.evaluate("seeks"))
    page.keyboard.press("1")
    page.wait_for_function(PLAYS, arg=["content", 3.1])
    assert page.evaluate(AUDIO, "content")["time"] < 3.8
    page.keyboard.press("l")
    assert not page.locator("#unloop").is_visible() and not page.locator(".view b").first.is_visible()
    page.wait_for_function(PLAYS, arg=["content", 3.8])


def test_a_part_up_to_the_end_of_a_style_is_repeated(visit, three_entries):
    page = visit(three_entries)
    drag(page, "style", 0.51, 1.02)
    assert page.locator("#unloop").inner_text() == "Repeats 0:01.5 to 0:03.0 ✕"
    page.evaluate(LOOPED.replace("result", "style"))
    page.keyboard.press("Space")
    page.wait_for_function("window.seeks?.length >= 2")
    assert all(abs(seconds - 1.5) < 0.1 for seconds in page.evaluate("seeks"))
    page.keyboard.press("l")
    page.wait_for_function("document.querySelector('audio[data-kind=style]').currentTime < 1")  # it starts over


def test_the_volume_holds_for_all(visit, three_entries):
    page = visit(three_entries)
    page.keyboard.press("j")
    before = page.evaluate(VOLUMES)
    page.locator("#volume").fill("50")
    assert page.evaluate(VOLUMES) == {kind: pytest.approx(volume / 2) for kind, volume in before.items()}
    page.keyboard.press("k")
    assert page.evaluate(VOLUMES)["style"] == 0.5


def test_it_opens_on_the_first_finished_file(visit, recording, tmp_path):
    failed = Entry("0 failed", None, error="RuntimeError: no")
    finished = Entry("1 done", recording("r.wav", 1.0), recording("c.wav", 1.0), (recording("s.wav", 1.0),))
    write_report(tmp_path / "page.html", [failed, finished])
    assert visit(tmp_path / "page.html").locator("#name").inner_text() == "1 done"


def test_strength_and_what_is_kept_are_shown(visit, tmp_path):
    song, silence = ArrayRecording(tune(), 22_050), ArrayRecording(np.zeros(22_050), 22_050)
    entries = [
        Entry("1", song, song, parameters={"strength": 0.5}),
        Entry("2", silence, song, parameters={"strength": None}),
        Entry("3 texture", song, parameters={"strength": 1}),
    ]
    write_report(tmp_path / "page.html", entries)
    page, shown = visit(tmp_path / "page.html"), []
    for _ in entries:
        shown.append(page.locator("#labels li").all_inner_texts())
        page.keyboard.press("j")
    assert shown == [
        ["strength 0.5", "melody kept 1.00", "attacks kept 1.00", "dynamics kept 1.00"],
        [f"{name} kept \N{EN DASH}" for name in ("melody", "attacks", "dynamics")],
        ["strength 1"],
    ]
    page.keyboard.press("k")
    assert all(label.get_attribute("title") for label in page.locator("#labels li").all())


def test_the_list_is_sorted_filtered_and_stepped_through(visit, three_entries):
    page = visit(three_entries)
    assert page.locator("#name").inner_text() == MARKUP and page.title() == MARKUP
    assert page.evaluate("window.broken") is None
    page.get_by_role("button", name="Sort by name").click()
    assert names(page) == ["2 <i>", MARKUP, "10 failed"]
    page.get_by_role("button", name="Sort by name").click()
    assert names(page) == [MARKUP, "2 <i>", "10 failed"]  # what failed stays last
    orders = {
        "final style loss": [MARKUP, "2 <i>", "10 failed"],
        "level of the result": ["2 <i>", MARKUP, "10 failed"],
        "computing time": ["2 <i>", MARKUP, "10 failed"],
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
    assert page.locator("#name").inner_text() == MARKUP
    page.get_by_placeholder("Filter by name").press_sequentially("FAIL jk")
    assert page.get_by_placeholder("Filter by name").input_value() == "FAIL jk"
    assert names(page) == [] and page.locator("#name").inner_text() == MARKUP
    page.get_by_placeholder("Filter by name").fill("FAIL")
    assert names(page) == ["10 failed"]


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_nothing_is_wider_than_the_window(visit, three_entries, width):
    page = visit(three_entries, width, 740)
    for _ in range(3):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TOO_WIDE) == []
        page.keyboard.press("j")


def test_long_words_are_broken_on_a_phone(visit, recording, tmp_path):
    word = "x" * 150
    result = recording("r.wav")
    longest = result.rename(tmp_path / f"{word}.wav")
    shown = {"result": longest, "chain": word, "parameters": {"p": word}, "stages": STAGES}
    entries = [Entry(word, content=tmp_path / f"{word}.flac", **shown), Entry(word, None, error=word)]
    write_report(tmp_path / "page.html", entries, title=word)
    page = visit(tmp_path / "page.html", 360, 740)
    for _ in range(2):
        assert page.evaluate(TOO_WIDE) == []
        page.keyboard.press("j")


def test_two_hundred_entries_play_from_the_folder(visit, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
    content, style = recording("c.wav", 2.0), recording("s.wav", 2.0)
    results = [recording(f"{k}.wav", 2.0, seed=k) for k in range(4)]
    entries = [Entry(f"{k:03d} ü.wav", results[k % 4], content, (style,), stages=STAGES, seconds=k) for k in range(200)]
    write_report(tmp_path / "page.html", entries)
    assert len(media_names(tmp_path / "page.html")) == 12
    page = visit(tmp_path / "page.html")
    assert len(names(page)) == 200
    for _ in range(55):
        page.keyboard.press("j")
    assert page.locator("#name").inner_text() == "055 ü.wav"
    row = page.get_by_role("button", name="055 ü.wav").bounding_box()
    assert 0 < row["y"] < 900 - row["height"] and page.evaluate("scrollY") == 0  # the list has scrolled, not the page
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 100)")
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=["result", 0.3])
    page.keyboard.press("1")
    page.wait_for_function(PLAYS, arg=["content", 0.5])
    page.get_by_placeholder("Filter by name").fill("199")
    page.get_by_role("button", name="199 ü.wav").click()
    page.wait_for_function(PLAYS, arg=["content", 0.1])  # goes on playing
    assert page.evaluate(AUDIO, "content")["error"] is None


def test_it_starts_in_the_middle_whatever_the_server_can(visit, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "INLINE_BYTES", 0)
    write_report(tmp_path / "page.html", [Entry("one", recording("r.wav", 60.0, 48_000, 2))])
    handler = functools.partial(SequentialServer, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = visit(f"http://127.0.0.1:{server.server_address[1]}/page.html")
        view = page.get_by_role("slider", name="Position in result")
        view.click(position={"x": 0.8 * view.bounding_box()["width"], "y": 20})
        page.keyboard.press("Space")
        page.wait_for_function(PLAYS, arg=["result", 48.3])
        view.click(position={"x": 0.2 * view.bounding_box()["width"], "y": 20})
        page.wait_for_function(PLAYS, arg=["result", 12.1])
        assert page.evaluate(AUDIO, "result")["time"] < 20
        page.close()
        server.shutdown()


class SequentialServer(http.server.SimpleHTTPRequestHandler):
    """Gives whole files only."""

    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        with contextlib.suppress(ConnectionError):  # the browser had enough
            super().copyfile(source, outputfile)
