"""``--dry-run``: what the command would do is printed, and nothing is written."""

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from support.commands import QUICK, fails, finished, names, run, run_on_folder
from support.processes import contents

from audiostyle_fx._effects_chain.run import run as run_job
from audiostyle_fx.folders import dry_run, workers

TEXTURE_STAGES = ["waveform_iters=3", "kernel_width=2,6"]
CHAIN = ["style", "style.wav", *QUICK]


def planned(capsys, *words):
    """The plan's records of files and its totals, of a command that writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    code = run("--dry-run", "--json", *words)
    shown = capsys.readouterr()
    assert shown.out, shown.err
    *files, totals = [json.loads(line) for line in shown.out.splitlines()]
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    assert code == (1 if totals["fail"] else 0)
    assert {file.pop("kind") for file in files} == {"planned"} and totals.pop("kind") == "plan"
    return {file.pop("file"): file for file in files}, totals


def test_a_folder(stems, capsys):
    Path("in/b/bad.wav").write_text("a text")
    Path("in/notes.txt").write_text("a text")
    files, totals = planned(capsys, "in", "out", *CHAIN)
    assert not Path("out").exists() and len(files) == 7
    assert {name: file["action"] for name, file in files.items()} == {
        name: "fail" if name == "b/bad.wav" else "process" for name in files
    }
    assert files["solo.wav"].items() >= {"duration": 0.5, "sample_rate": 8000, "replaces": False}.items()
    assert files["solo.wav"]["decoder"] == "libsndfile: WAV, PCM_16"
    assert files["b/bad.wav"]["error"].startswith("IN '") and "can't be read as audio" in files["b/bad.wav"]["error"]
    assert totals.pop("seconds") > 0
    assert totals == {"process": 6, "finish": 0, "skip": 0, "fail": 1, "duration": 3.0, "passed_over": ["notes.txt"]}


def test_what_an_earlier_run_finished_is_skipped_as_by_the_run(stems, capsys):
    assert run_on_folder("-q", "--include", "b/*", *CHAIN) == 0
    files, totals = planned(capsys, "in", "out", *CHAIN)
    assert [name for name, file in files.items() if file["action"] == "skip"] == ["b/one.wav", "b/two.wav"]
    assert files["b/one.wav"]["replaces"] and totals["skip"] == 2 and totals["process"] == 4
    assert planned(capsys, "--force", "in", "out", *CHAIN)[1]["process"] == 6
    made = finished("out")
    capsys.readouterr()
    assert run_on_folder(*CHAIN) == 0
    assert "2 files of 6 finished before" in capsys.readouterr().err
    assert finished("out").items() >= {name: made[name] for name in ("b/one.wav", "b/two.wav")}.items()


def test_what_an_earlier_run_left_without_its_level_is_finished(stems, capsys, monkeypatch):
    def interrupted(task, progress=None):
        if task.name == "a/soft.wav":
            raise KeyboardInterrupt
        return perform(task, progress)

    perform = workers.perform
    monkeypatch.setattr(workers, "perform", interrupted)
    assert run_on_folder("-q", "--include", "a/*", *CHAIN) == 130
    monkeypatch.setattr(workers, "perform", perform)
    capsys.readouterr()
    before = contents()
    files, totals = planned(capsys, "in", "out", "--include", "a/*", *CHAIN)
    assert {name: file["action"] for name, file in files.items()} == {
        "a/bass.wav": "finish",
        "a/loud.wav": "finish",
        "a/soft.wav": "process",
    }
    assert totals["finish"] == 2 and totals["duration"] == 0.5 and contents() == before


def test_what_would_be_refused_is_refused(stems, capsys):
    Path("out").mkdir()
    Path("out/solo.wav").write_text("not ours")
    assert "--overwrite replaces them" in fails(capsys, 2, "--dry-run", "in", "out", *CHAIN)
    assert planned(capsys, "--overwrite", "in", "out", *CHAIN)[0]["solo.wav"]["replaces"]


def test_lines_of_a_folder(stems, capsys):
    Path("in/notes.txt").write_text("a text")
    assert run("--dry-run", "--format", "flac", "--include", "solo*", "--include", "*.txt", "in", "out", *CHAIN) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    line, passed_over, counts, time = shown.out.splitlines()
    assert line == "process solo.flac: 0.5 s by libsndfile: WAV, PCM_16" and counts == "files: 1 to process"
    assert passed_over == "passed over: 1 file that is not a recording: notes.txt"
    assert re.fullmatch(r"0\.5 s of sound, in about \d+\.\d s", time)


def test_the_time_grows_with_the_work(stems, capsys, monkeypatch, content):
    long = Path("in/long.wav")
    soundfile.write(long, content[:8000].repeat(30), 8000)
    monkeypatch.setattr(dry_run, "EXCERPT_SECONDS", 0.5)
    monkeypatch.setattr(dry_run, "time", SimpleNamespace(perf_counter=itertools.count().__next__))
    _, totals = planned(capsys, "in", "out", "--include", "solo*", *CHAIN)
    _, of_both = planned(capsys, "in", "out", "--include", "solo*", "--include", "long*", *CHAIN)
    assert of_both["duration"] == 30.5 and of_both["seconds"] == 61 * totals["seconds"]


@pytest.mark.slow
def test_several_processes(stems, capsys):
    files, totals = planned(capsys, "--jobs", "2", "in", "out", *CHAIN)
    assert len(files) == totals["process"] == 6 and totals["seconds"] > 0


def test_one_file_and_several(folder, capsys):
    files, totals = planned(capsys, "--start", "0.5", "song.wav", "out.flac", *CHAIN)
    assert files["out.flac"]["action"] == "process" and files["out.flac"]["duration"] == 0.5
    assert totals["process"] == 1 and totals["seconds"] > 0
    files, totals = planned(capsys, "song.wav", "style.wav", "new/", "gain", "-3")
    assert (
        list(files) == ["new/song.wav", "new/style.wav"]
        and totals["duration"] == 1 + files["new/style.wav"]["duration"]
    )


def test_an_existing_result_is_not_asked_for(folder, capsys):
    Path("out.wav").write_text("something")
    assert run("--dry-run", "song.wav", "out.wav", *CHAIN) == 0
    assert "process out.wav: 1.0 s by libsndfile: WAV, FLOAT; exists: needs --overwrite\n" in capsys.readouterr().out
    assert run("--dry-run", "--overwrite", "song.wav", "out.wav", *CHAIN) == 0
    assert "; replaces a file\n" in capsys.readouterr().out
    assert Path("out.wav").read_text() == "something"


def test_a_texture(folder, capsys):
    files, totals = planned(capsys, "-n", "out.wav", "style", "style.wav", "duration=0.5", *TEXTURE_STAGES)
    assert files == {"out.wav": {"action": "process", "replaces": False}}
    assert totals["duration"] == 0.5 and totals["seconds"] > 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--start", "7", "song.wav", "out.wav"], "--start 7 must be within the recording, which is 1 s long"),
        (["--bits", "32", "song.wav", "out.flac"], "--bits 32 can't be written to 'out.flac'"),
        (["nowhere.wav", "out.wav"], "IN 'nowhere.wav': there is no such file"),
        (["song.wav", "nowhere/out.wav"], "OUT 'nowhere/out.wav' must name a file in a folder that exists"),
        (["song.wav", "style.wav/out.wav"], "must name a file in a folder that exists"),
        (["song.wav", 256 * "a" + ".wav"], "can't be the name of a file"),
        (["song.wav", "out.xyz"], "the format must be one of"),
    ],
)
def test_what_can_not_be_done_is_said(words, why, folder, capsys):
    files, totals = planned(capsys, *words, "gain", "-3")
    assert totals["fail"] == 1 and why in next(iter(files.values()))["error"]


def test_an_excerpt_that_fails_leaves_the_plan(folder, capsys, monkeypatch):
    def failing(job, chain, progress=None):
        raise RuntimeError("no memory left")

    monkeypatch.setattr("audiostyle_fx.cli.dry_run.run", failing)
    monkeypatch.setattr("audiostyle_fx.cli.dry_run.EXCERPT_SECONDS", 0.5)
    assert run_job is not failing
    assert run("--dry-run", "song.wav", "out.wav", *CHAIN) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "files: 1 to process",
        "the time could not be measured: no memory left",
    ]


def test_nothing_is_left_behind(folder, capsys, tmp_path_factory, monkeypatch):
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert run("--dry-run", "song.wav", "out.wav", *CHAIN) == 0
    assert names(temporary) == [] and names(".") == ["song.wav", "style.wav"]


@pytest.mark.parametrize("out", ["out.wav", "out.xyz"])
def test_a_texture_that_can_not_be_made(out, folder, capsys):
    files, totals = planned(capsys, "-n", out, "style", "style.wav", "duration=2", "kernel_width=9999")
    assert totals["fail"] == 1 and ("must be one of" if out == "out.xyz" else "needs at least") in files[out]["error"]


def test_a_style_that_is_too_short_for_some_files(stems, capsys):
    words = ["--set", "one*", "kernel_width=999", "in", "out", *CHAIN]
    files, totals = planned(capsys, *words)
    assert totals["fail"] == 1 and "needs at least" in files["b/one.wav"]["error"] and totals["seconds"] > 0
    assert run_on_folder("-q", *words[:3], *CHAIN) == 1


def test_a_folder_that_can_not_be_written_to(stems, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "must be a folder that can be written to" in fails(capsys, 1, "--dry-run", "in", "out", *CHAIN)


def test_a_missing_style_is_a_planned_failure(folder, capsys):
    assert run("--dry-run", "--json", "song.wav", "out.wav", "style", "nowhere.wav") == 1
    record = json.loads(capsys.readouterr().out)
    assert record.items() >= {"kind": "planned", "file": "out.wav", "action": "fail"}.items()
    assert "nowhere.wav" in record["error"]
