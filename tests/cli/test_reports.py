"""The page that the command writes."""

import json
from pathlib import Path

import pytest
from support.commands import QUICK, STYLED, fails, run

pytestmark = pytest.mark.usefixtures("folder")


def test_a_page_that_fails_leaves_the_result_done(capsys, monkeypatch):
    def fail(page, entries):
        raise OSError("no room")

    monkeypatch.setattr("audiostyle_fx.report.write_report", fail)
    assert run("--json", "--report", "page.html", "song.wav", "out.wav", "gain", "-3") == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["status"] == "done" and Path("out.wav").is_file()
    assert shown.err == "audiostyle: --report page.html: no room\n"


@pytest.mark.parametrize(
    "words",
    [
        ["song.wav", "out.wav", "gain", "-3", "style", "style.wav", *QUICK],
        ["-n", "out.wav", "style", "style.wav", "duration=0.5", "waveform_iters=3", "windows=256smp", "kernel_width=3"],
        ["song.wav", "out.wav", "gain", "-3"],
    ],
)
def test_a_page_to_listen_with(words, monkeypatch):
    entries = []
    monkeypatch.setattr("audiostyle_fx.report.write_report", lambda page, given: entries.append((page, given)))
    assert run("-q", "--report", "page.html", *words) == 0
    ((page, (entry,)),) = entries
    assert (page, entry.name, entry.result, entry.error) == ("page.html", "out.wav", Path("out.wav"), None)
    assert entry.content == (None if "-n" in words else Path("song.wav"))
    assert entry.chain == " ".join(words[2:]) and entry.seconds > 0
    if "style" in words:
        assert entry.style == (Path("style.wav"),)
        assert entry.parameters["kernel_width"] == 3 and len(entry.stages["waveform"]["style_loss"]) == 4


def test_a_page_that_can_not_be_written_is_found_before_any_work(capsys, no_work):
    assert "nowhere/page.html" in fails(capsys, 1, *STYLED, "--report", "nowhere/page.html")
    for page in ("song.wav", "style.wav", "page.txt"):
        assert f"--report {page!r} must end in .html" in fails(capsys, 2, *STYLED, "--report", page)
    Path("song.html").write_bytes(Path("song.wav").read_bytes())
    assert "must not be a recording" in fails(
        capsys, 1, "song.html", *STYLED[1:], "--report", "./song.html", "--overwrite"
    )


def test_a_page_that_can_not_be_written_is_in_the_record_of_the_file(capsys):
    assert run("--json", "--report", "song.wav/page.html", "song.wav", "out.wav", "gain", "-3") == 1
    event = json.loads(capsys.readouterr().out)
    assert (event["file"], event["status"]) == ("out.wav", "failed") and not Path("out.wav").exists()
