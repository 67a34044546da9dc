"""Runs over folders that are killed or interrupted, that lose workers or run out of disk."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import soundfile
from support.commands import ENVIRONMENT, PROGRAM, QUICK, finished, records, run_on_folder
from support.processes import children, contents, gone, hidden_files, wait_for

from audiostyle_fx.cli import main
from audiostyle_fx.folders.records.manifest import HIDDEN, OWN_FILES

pytestmark = pytest.mark.usefixtures("stems")

STYLED = ["style", "style.wav", *QUICK]


def unbroken(*words):
    """The contents of a folder after a run without an interrupt."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["-q", "in", "whole", *words]) == 0
    return contents("whole")


def begin(*words, **arguments):
    return subprocess.Popen([*PROGRAM, "in", "out", *words], env=ENVIRONMENT, stderr=subprocess.PIPE, **arguments)


LONGER = [*STYLED[:2], *QUICK[:2], "spectrogram_iters=40", "phase_iters=20", "waveform_iters=40"]


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
    assert contents() == whole and hidden_files() == OWN_FILES
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
    process = begin("--jobs", "2", *LONGER, "spectrogram_iters=100000", start_new_session=True)
    wait_for(lambda: len(children(process.pid)) >= (2 if moment == "begun" else 3))
    if moment == "at work":
        time.sleep(4)
    others = children(process.pid)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    shown = process.communicate(timeout=20)[1].decode()  # far less than what is in work takes
    wait_for(lambda: all(map(gone, others)), 10)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert shown.splitlines() == ["audiostyle: interrupted; the same command continues with the remaining files"]
    whole = unbroken("--jobs", "2", *STYLED)
    assert run_on_folder("-q", "--jobs", "2", "--force", *STYLED) == 0 and contents() == whole


@pytest.mark.slow
def test_a_file_size_limit_leaves_nothing_half_written():
    """As with a full disk: the two longer files, of 64 kB, can't be written; the records, of 33 kB, can."""
    words = ["--independent", *STYLED]
    whole = unbroken(*words)
    for name in ("a/bass", "solo"):
        audio = soundfile.read(f"in/{name}.wav")[0]
        soundfile.write(f"in/{name}.wav", list(audio) * 4, 8000)
    limit = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from audiostyle_fx import cli; "
    )
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (48_000, 48_000)); sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", limit, "in", "out", *words]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    failed = {line.split(": ")[1] for line in done.stderr.splitlines() if "File too large" in line or "rror" in line}
    assert done.returncode == 1 and failed == {"a/bass.wav", "solo.wav"}
    assert contents() == {name: data for name, data in whole.items() if name not in failed}
    assert run_on_folder("-q", *words) == 0 and len(contents()) == 6


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
