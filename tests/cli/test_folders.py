"""The command with folders: exit codes, options, and what is shown."""

import json
import re
import sys
from pathlib import Path

import pytest
import soundfile
from support.commands import QUICK, finished, records, run_on_folder
from support.processes import contents

from audiostyle_fx._effects_chain.run import run
from audiostyle_fx._engine.objectives import peaks
from audiostyle_fx.cli import main
from audiostyle_fx.folders.find import Selection, find

pytestmark = pytest.mark.usefixtures("stems")


@pytest.fixture(autouse=True)
def high_peaks(monkeypatch):
    """Switch the cost of peaks off, so that the peaks of the loud stem exceed full scale."""
    monkeypatch.setattr(peaks, "WEIGHT", 0.0)


STYLED = ["style", "style.wav", *QUICK]


def test_lines_where_there_is_no_terminal(capsys):
    assert run_on_folder(*STYLED) == 0
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == "" and len(contents()) == 6
    assert re.fullmatch(r"1/6 a/bass.wav: 0.5 s of sound in \d+\.\d s, \d+:\d\d left", lines[0])
    assert re.search(
        r"^audiostyle: a: its files turned down by \d\.\d dB, because a/loud.wav would clip by \d\.\d dB$",
        shown.err,
        re.MULTILINE,
    )
    assert re.fullmatch(r"6 files done in \d+:\d\d, \d+\.\d\d x real time", lines[-1])


def test_some_failed(capsys):
    Path("in/b/bad.wav").write_text("a text")
    assert run_on_folder("-q", *STYLED) == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if "turned down" not in line]
    assert len(failed) == 1 and failed[0].startswith("audiostyle: b/bad.wav: IN '")
    assert len(contents()) == 6 and records()["b/bad.wav"]["status"] == "failed"
    Path("in/b/bad.wav").unlink()
    assert run_on_folder("-q", *STYLED) == 0
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run_on_folder(*STYLED) == 0
    shown = capsys.readouterr().err
    assert "6/6" in shown and "%|" in shown and shown.splitlines()[-1].startswith("6 files done in ")


def test_json_for_scripts(capsys):
    assert run_on_folder("--json", "--include", "solo.*", *STYLED) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["kind"] for event in events] == ["start", *["stage"] * 5, "made", "file", "end"]
    assert events[-2]["status"] == "done" and events[-2]["losses"].keys() == {"style", "content"}
    assert events[-1].items() >= {"done": 1, "skipped": 0, "failed": 0}.items()


def test_options_of_folders(capsys):
    words = ["--include", "*/*", "--include", "solo.wav", "--exclude", "b/*", "--format", "flac", "--independent"]
    assert run_on_folder("-q", "--start", "0.1", "--duration", "0.2", *words, *STYLED) == 0
    assert contents().keys() == {"a/bass.flac", "a/loud.flac", "a/soft.flac", "solo.flac"}
    assert soundfile.info("out/solo.flac").frames == 1600
    levels = {name: record["limited_db"] for name, record in records().items()}
    assert levels.pop("a/loud.flac") > 1 and set(levels.values()) == {0}
    assert "a/loud.flac: peaks limited by up to" in capsys.readouterr().err


def test_stems_share_a_level_whatever_their_lengths():
    samples, rate = soundfile.read("in/a/soft.wav")
    soundfile.write("in/a/soft.wav", samples[:-1], rate)
    assert run_on_folder("-q", "--include", "a/*", *STYLED) == 0
    assert {record["full_scale"] for record in records().values()} == {1}
    assert run_on_folder("-q", "--include", "a/*", "--stems", *STYLED) == 0
    (full_scale,) = {record["full_scale"] for record in records().values()}
    assert full_scale > 1.05


def test_skipped_and_forced(capsys):
    words = ["--include", "b/*", *STYLED]
    assert run_on_folder(*words) == run_on_folder(*words) == run_on_folder("--force", *words) == 0
    ends = [line for line in capsys.readouterr().err.splitlines() if " in 00:0" in line]
    assert [end.partition(" in ")[0] for end in ends] == ["2 files done", "0 files done, 2 skipped", "2 files done"]


def test_chains_and_folders_without_style():
    assert run_on_folder("-q", "--include", "b/*", "gain", "-6", "invert") == 0
    before, after = (soundfile.read(f"{folder}/b/one.wav")[0] for folder in ("in", "out"))
    assert abs(after + 10 ** (-6 / 20) * before).max() < 2**-14
    assert records()["b/one.wav"]["transfers"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["in", "in/out"], "must not be the same folder, and neither may be inside the other"),
        (["in", "in"], "must not be the same folder"),
        (["in", "style.wav"], "must be a folder because IN is one"),
        (["in", "out", "--include", "*.mp3"], "contains no recordings that match --include and --exclude"),
        (["in", "out", "--format", "xyz"], "--format 'xyz' must be one of"),
        (["in", "out", "--stems", "--independent"], "--stems does not apply with --independent"),
        (["in", "out", "--time-limit", "0s"], "--time-limit 0 must be above 0 s"),
        (["in", "out", "--time-limit", "5", "--dask", "local"], "--time-limit does not apply with --dask"),
        (["style.wav", "out.wav", "--time-limit", "1:30"], "--time-limit only applies when IN is a folder"),
        (["in", "out", "--jobs", "0"], "--jobs 0 must be at least 1"),
        (["in", "out", "--jobs", "two"], "invalid int value: 'two'"),
        (["in", "out", "--jobs", "2", "--dask", "tcp://nowhere"], "--jobs does not apply with --dask tcp://nowhere"),
        (["style.wav", "out.wav", "--jobs", "2"], "--jobs only applies when IN is a folder"),
        (["style.wav", "out.wav", "--force"], "--force only applies when IN is a folder"),
        (["nowhere", "out", "--exclude", "x"], "--exclude only applies when IN is a folder"),
        (["-n", "out.wav", "--jobs", "2"], "--jobs only applies when IN is a folder"),
        (["style.wav", "-", "--json"], "--json and OUT - would both write to standard output"),
        (["in", "out", "--report", "out/audiostyle.json"], "must end in .html"),
    ],
)
def test_what_is_not_understood(words, why, capsys, no_work):
    before = contents(".")
    assert main([*words, *STYLED]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("audiostyle: ") and why in line
    assert contents(".") == before


@pytest.mark.parametrize("page", ["out/pages/listen.html", "listen.html"])
def test_a_page_of_a_folder_shows_every_file_and_is_no_input_of_the_next(page, monkeypatch):
    Path("in/a/broken.wav").write_bytes(b"RIFF")
    shown = []
    monkeypatch.setattr("audiostyle_fx.report.write_report", lambda page, entries: shown.append((page, entries)))
    words = ["-q", "--format", "flac", "--exclude", "a/soft.wav", "--report", page, "gain", "-6"]
    assert run_on_folder(*words) == 1
    Path("in").rename("moved")
    assert main(["moved", "out", *words]) == 1  # where all that can be done has been
    for folder, (where, entries) in zip(["in", "moved"], shown, strict=True):
        assert where == page and Path(page).parent.is_dir()
        by_name = {entry.name: entry for entry in entries}
        assert [*by_name] == ["a/bass.flac", "a/broken.flac", "a/loud.flac", "b/one.flac", "b/two.flac", "solo.flac"]
        for name, entry in by_name.items():
            assert entry.content == Path(folder, name).with_suffix(".wav").absolute()
            assert entry.chain == "gain -6" and (entry.error is None) == (name != "a/broken.flac")
            assert entry.result == (None if entry.error else Path("out", name))
    media = Path(page).with_name("listen_media")
    media.mkdir()
    media.joinpath("sound.wav").write_bytes(Path("style.wav").read_bytes())
    Path(page).write_text("<!doctype html>")
    where = "out" if page.startswith("out") else "."
    assert not any("_media" in name for name in find(where, where + "/../other", Selection()).recordings)


@pytest.mark.parametrize(
    ("page", "why"),
    [("in/page.html", "must not be inside IN"), ("nowhere/page.html", "folder that exists"), ("sub.html", "")],
)
def test_a_page_that_can_not_be_is_found_before_any_work(page, why, capsys, no_work):
    Path("sub.html").mkdir()
    assert run_on_folder("--report", page, *STYLED) == 1
    assert why in capsys.readouterr().err and not Path("out").exists()


def test_a_style_that_is_not_there_and_no_dask(capsys, monkeypatch, no_work):
    assert run_on_folder("style", "nowhere.wav") == 1
    assert "style='nowhere.wav'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    assert run_on_folder("--dask", "local", *STYLED) == 1
    assert "pip install 'audiostyle-fx[dask]'" in capsys.readouterr().err


def test_interrupted_and_taken_up(capsys, monkeypatch):
    jobs = []

    def interrupt(job, chain, progress):
        jobs.append(job)
        if len(jobs) == 4:
            raise KeyboardInterrupt
        return run(job, chain, progress)

    with monkeypatch.context() as patch:
        patch.setattr("audiostyle_fx.folders.one_file.run", interrupt)
        assert run_on_folder("-q", *STYLED) == 130
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line == "audiostyle: interrupted; the same command continues with the remaining files"
    assert finished("out").keys() == {"a/bass.wav", "a/loud.wav", "a/soft.wav"}
    assert run_on_folder(*STYLED) == 0
    assert "3 files of 6 finished before" in capsys.readouterr().err and len(contents()) == 6
