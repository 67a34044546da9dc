"""The command with folders: exit codes, what is shown, and runs that are killed, stopped and shared out."""

import importlib.util
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import soundfile
from support.processes import children, contents, gone, wait_for

import audiostyle_fx
from audiostyle_fx.cli import command
from audiostyle_fx.folders.find import Selection, find
from audiostyle_fx.folders.manifest import HIDDEN, NAME

QUICK = ["windows=256smp", "kernel_width=3", "spectrogram_iters=4", "phase_iters=3", "waveform_iters=3"]
STYLED = ["style", "style.wav", *QUICK]
COMMAND = [sys.executable, "-m", "audiostyle_fx"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(audiostyle_fx.__file__).parents[1])}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, style, content):
    """The current folder, with a style and two songs in it, one of them with a stem that clips."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("style.wav", style, 8000, subtype="FLOAT")
    for name, level in [
        ("a/bass", 0.3),
        ("a/loud", 4.9),
        ("a/soft", 0.05),
        ("b/one", 0.5),
        ("b/two", 0.4),
        ("solo", 1),
    ]:
        path = Path("in", f"{name}.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, level * content[100 * len(name) :][:4000], 8000)


def run(*words):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return command.main(["in", "out", *words])


def finished(folder):
    return {name: data for name, data in contents(folder).items() if HIDDEN not in name}


def records(folder="out"):
    return json.loads(Path(folder, NAME).read_text())["files"]


# ---------------------------------------------------------------- what is shown, and exit codes
def test_lines_where_there_is_no_terminal(capsys):
    assert run(*STYLED) == 0
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == "" and len(contents()) == 6
    assert re.fullmatch(r"1/6 a/bass.wav: 0.5 s in \d+\.\d s, \d+:\d\d left", lines[0])
    assert "audiostyle: a: its files turned down by 2.6 dB, as one would clip at full scale" in lines
    assert re.fullmatch(r"6 files done in \d+:\d\d, \d+\.\d\d x real time", lines[-1])


def test_some_failed(capsys):
    Path("in/b/bad.wav").write_text("a text")
    assert run("-q", *STYLED) == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if "turned down" not in line]
    assert len(failed) == 1 and failed[0].startswith("audiostyle: b/bad.wav: input=")
    assert len(contents()) == 6 and records()["b/bad.wav"]["status"] == "failed"
    Path("in/b/bad.wav").unlink()
    assert run("-q", *STYLED) == 0
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(*STYLED) == 0
    shown = capsys.readouterr().err
    assert "6/6" in shown and "%|" in shown and shown.splitlines()[-1].startswith("6 files done in ")


def test_json_for_scripts(capsys):
    assert run("--json", "--include", "solo.*", *STYLED) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["start", *["stage"] * 5, "made", "file", "end"]
    assert events[-2]["status"] == "done" and events[-2]["losses"].keys() == {"style", "content"}
    assert events[-1].items() >= {"done": 1, "skipped": 0, "failed": 0}.items()


def test_options_of_folders(capsys):
    words = ["--include", "*/*", "--include", "solo.wav", "--exclude", "b/*", "--format", "flac", "--independent"]
    assert run("-q", "--start", "0.1", "--duration", "0.2", *words, *STYLED) == 0
    assert contents().keys() == {"a/bass.flac", "a/loud.flac", "a/soft.flac", "solo.flac"}
    assert soundfile.info("out/solo.flac").frames == 1600
    levels = {name: record["full_scale"] for name, record in records().items()}
    assert levels.pop("a/loud.flac") > 1 and set(levels.values()) == {1}
    assert "a/loud.flac: turned down by" in capsys.readouterr().err


def test_skipped_and_forced(capsys):
    words = ["--include", "b/*", *STYLED]
    assert run(*words) == run(*words) == run("--force", *words) == 0
    ends = [line for line in capsys.readouterr().err.splitlines() if " in 0:0" in line]
    assert [end.partition(" in ")[0] for end in ends] == ["2 files done", "0 files done, 2 skipped", "2 files done"]


def test_chains_and_folders_without_style():
    assert run("-q", "--include", "b/*", "gain", "-6", "invert") == 0
    before, after = (soundfile.read(f"{folder}/b/one.wav")[0] for folder in ("in", "out"))
    assert abs(after + 10 ** (-6 / 20) * before).max() < 2**-14
    assert records()["b/one.wav"]["transfers"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["in", "in/out"], "must not be the same folder, nor one in the other"),
        (["in", "in"], "must not be the same folder"),
        (["in", "style.wav"], "must be a folder, as the input is one"),
        (["in", "out", "--include", "*.mp3"], "holds no recordings that --include and --exclude leave"),
        (["in", "out", "--format", "xyz"], "format='xyz' must be one of"),
        (["in", "out", "--jobs", "0"], "--jobs 0 must be at least 1"),
        (["in", "out", "--jobs", "two"], "invalid int value: 'two'"),
        (["in", "out", "--jobs", "2", "--dask", "tcp://nowhere"], "--jobs is for this machine"),
        (["style.wav", "out.wav", "--jobs", "2"], "--jobs is for a folder, and IN is none"),
        (["style.wav", "out.wav", "--force"], "--force is for a folder, and IN is none"),
        (["nowhere", "out", "--exclude", "x"], "--exclude is for a folder, and IN is none"),
        (["-n", "out.wav", "--jobs", "2"], "--jobs is for a folder, and IN is none"),
        (["style.wav", "-", "--json"], "--json and OUT - would both be on standard output"),
        (["in", "out", "--report", "out/audiostyle.json"], "must end in .html"),
    ],
)
def test_what_is_not_understood(words, why, capsys, no_work):
    before = contents(".")
    assert command.main([*words, *STYLED]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("audiostyle: ") and why in line
    assert contents(".") == before


@pytest.mark.parametrize("page", ["out/pages/listen.html", "listen.html"])
def test_a_page_of_a_folder_shows_every_file_and_is_no_input_of_the_next(page, monkeypatch):
    Path("in/a/broken.wav").write_bytes(b"RIFF")
    shown = []
    monkeypatch.setattr("audiostyle_fx.report.write_report", lambda page, entries: shown.append((page, entries)))
    words = ["-q", "--format", "flac", "--exclude", "a/soft.wav", "--report", page, "gain", "-6"]
    assert run(*words) == 1
    Path("in").rename("moved")
    assert command.main(["moved", "out", *words]) == 1  # where all that can be done has been
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
    assert not any("_media" in name for name in find(where, where + "/../other", Selection()))


@pytest.mark.parametrize(
    ("page", "why"),
    [("in/page.html", "must not be in IN"), ("nowhere/page.html", "folder that exists"), ("sub.html", "")],
)
def test_a_page_that_can_not_be_is_found_before_any_work(page, why, capsys, no_work):
    Path("sub.html").mkdir()
    assert run("--report", page, *STYLED) == 1
    assert why in capsys.readouterr().err and not Path("out").exists()


def test_a_style_that_is_not_there_and_no_dask(capsys, monkeypatch, no_work):
    assert run("style", "nowhere.wav") == 1
    assert "style='nowhere.wav'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    assert run("--dask", "local", *STYLED) == 1
    assert "pip install 'audiostyle-fx[dask]'" in capsys.readouterr().err


def test_interrupted_and_taken_up(capsys, monkeypatch):
    make, calls = audiostyle_fx.folders.one_file._make, []

    def interrupt(task, progress):
        calls.append(task)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return make(task, progress)

    with monkeypatch.context() as patch:
        patch.setattr("audiostyle_fx.folders.one_file._make", interrupt)
        assert run("-q", *STYLED) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "audiostyle: interrupted; the same command goes on with the rest"
    assert finished("out").keys() == {"a/bass.wav", "a/loud.wav", "a/soft.wav"}
    assert run(*STYLED) == 0
    assert "3 files of 6 finished before" in capsys.readouterr().err and len(contents()) == 6


# ---------------------------------------------------------------- in processes of its own
def unbroken(*words):
    """The contents of a folder that an unbroken run has made."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert command.main(["-q", "in", "whole", *words]) == 0
    return contents("whole")


def begin(*words, **arguments):
    return subprocess.Popen([*COMMAND, "in", "out", *words], env=ENVIRONMENT, stderr=subprocess.PIPE, **arguments)


LONGER = [
    *STYLED[:2],
    "windows=256smp",
    "kernel_width=3",
    "spectrogram_iters=40",
    "phase_iters=20",
    "waveform_iters=40",
]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")])
def test_killed_at_random_moments_until_all_is_done(jobs):
    words, rng, kills = [*jobs, *LONGER], random.Random(3), 0
    start = time.monotonic()
    whole = unbroken(*words)
    span = time.monotonic() - start + 3
    while True:
        process = begin("-q", *words)
        try:
            process.communicate(timeout=rng.uniform(0.5, span * (1 + kills / 4)))
            if kills >= 4:
                break
            for path in list(Path("out").glob("*/*.wav"))[:2]:
                path.unlink()
            kills += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        assert finished("out").items() <= whole.items(), "what is there is whole"
    assert process.returncode == 0
    assert contents() == whole and not Path("out", HIDDEN).exists()
    assert {record["status"] for record in records().values()} == {"done"}


@pytest.mark.slow
def test_a_killed_worker_costs_nothing():
    whole = unbroken("--jobs", "2", *LONGER)
    process = begin("--jobs", "2", *LONGER)
    wait_for(lambda: any(name.startswith(HIDDEN + "/staged") for name in contents()))
    workers = [pid for pid in children(process.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
    os.kill(workers[0], signal.SIGKILL)
    shown = process.communicate(timeout=120)[1]
    assert process.returncode == 0 and b"6 files done" in shown
    assert contents() == whole


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["begun", "at work"])
def test_nothing_goes_on_when_the_command_ends(number, moment):
    process = begin("--jobs", "2", *LONGER, "spectrogram_iters=4000", start_new_session=True)
    wait_for(lambda: len(children(process.pid)) >= (2 if moment == "begun" else 3))
    if moment == "at work":
        time.sleep(4)
    others = children(process.pid)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    shown = process.communicate(timeout=20)[1].decode()  # far less than what is in work takes
    wait_for(lambda: all(map(gone, others)), 10)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert shown.splitlines() == ["audiostyle: interrupted; the same command goes on with the rest"]
    whole = unbroken("--jobs", "2", *STYLED)
    assert run("-q", "--jobs", "2", "--force", *STYLED) == 0 and contents() == whole


@pytest.mark.slow
def test_a_file_size_limit_leaves_nothing_half_written():
    """As with a full disk: the two longer files can't be written."""
    words = ["--independent", *STYLED]
    whole = unbroken(*words)
    for name in ("a/bass", "solo"):
        audio = soundfile.read(f"in/{name}.wav")[0]
        soundfile.write(f"in/{name}.wav", list(audio) * 4, 8000)
    limit = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from audiostyle_fx import cli; "
    )
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (32_000, 32_000)); sys.exit(command.main(sys.argv[1:]))"
    command = [sys.executable, "-c", limit, "in", "out", *words]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    failed = {line.split(": ")[1] for line in done.stderr.splitlines() if "File too large" in line or "rror" in line}
    assert done.returncode == 1 and failed == {"a/bass.wav", "solo.wav"}
    assert contents() == {name: data for name, data in whole.items() if name not in failed}
    assert run("-q", *words) == 0 and len(contents()) == 6


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs the extra `dask`")
def test_a_dask_cluster_that_loses_a_worker():
    """Two workers, one of which is killed while both are at work."""
    whole = unbroken("--jobs", "2", *LONGER)
    process = begin("--dask", "local", "--jobs", "2", *LONGER, "spectrogram_iters=400")
    wait_for(lambda: any(name.startswith(HIDDEN + "/staged") for name in contents()))
    workers = [pid for pid in children(process.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    shown = process.communicate(timeout=300)[1].decode()
    assert process.returncode == 0 and "6 files done" in shown, shown
    wait_for(lambda: all(map(gone, workers)), 10)
    unbroken("--jobs", "2", "--force", *LONGER, "spectrogram_iters=400")
    assert contents() == contents("whole") != whole
