"""What is shown of the progress with many files."""

import io
import json

import pytest
from audiostyle_fx.folders.console import Bar, Lines, clock, show_json, watcher

from audiostyle_fx.folders import console

TRANSFERS = [
    {"stages": {"phase": {"style": [3.0], "content": [4.0]}, "waveform": {"style": [9, 1.5], "content": [8, 2.5]}}}
]


class Time:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Time()


@pytest.fixture
def file():
    return io.StringIO()


def start(files=4, skipped=1, size=300):
    return {"event": "start", "files": files, "skipped": skipped, "bytes": size}


def made(name="a.wav", size=100):
    return {"event": "made", "file": name, "bytes": size, "duration": 20.0, "seconds": 9.0}


def finished(name="a.wav", size=100):
    return {"event": "file", "file": name, "bytes": size, "status": "done"}


def failed(name="b.wav", size=100):
    return {"event": "file", "file": name, "bytes": size, "status": "failed", "error": "it broke"}


def end(done=2, skipped=1, failed=1, seconds=65.4):
    return {"event": "end", "done": done, "skipped": skipped, "failed": failed, "seconds": seconds}


def stage(name="waveform", iteration=50, total=50, sections=(0, 2)):
    return {
        "event": "stage",
        "file": "a.wav",
        "stage": name,
        "iteration": iteration,
        "total": total,
        "sections": sections,
    }


def play(watch, now, *events):
    for event in events:
        now.seconds += 10
        watch(event)


def test_lines_count_and_tell_the_time_left(file, now):
    play(Lines(file, now=now), now, start(), made(), finished(), failed(), made("c.wav"), finished("c.wav"), end())
    assert file.getvalue().splitlines() == [
        "1 file of 4 finished before",
        "2/4 a.wav: 20.0 s in 9.0 s, 0:20 left",
        "audiostyle: b.wav: it broke",
        "4/4 c.wav: 20.0 s in 9.0 s",
        "2 files done, 1 skipped, 1 failed in 1:05, 0.67 x real time",
    ]


def test_what_has_to_be_done_again_counts_as_not_finished(file, now):
    again = {"event": "again", "files": 1, "bytes": 100}
    play(Lines(file, now=now), now, start(3, 2, 100), again, made(), made("b.wav"), end(2, 1, 0))
    assert [line.partition(":")[0] for line in file.getvalue().splitlines()[1:3]] == ["2/3 a.wav", "3/3 b.wav"]
    assert "0:20 left" in file.getvalue()


def test_what_an_earlier_run_made_takes_none_of_the_time(file, now):
    """Two stems that waited are finished, and of two to make one has been."""
    lines = Lines(file, now=now)
    play(lines, now, start(4, 0, 200), finished("a.wav", 500), finished("b.wav", 500), made("c.wav"))
    assert file.getvalue() == "3/4 c.wav: 20.0 s in 9.0 s, 0:30 left\n"
    play(lines, now, finished("c.wav"), failed("d.wav"))
    assert lines.left() == 0


def test_quietly_only_errors_are_shown(file, now):
    play(Lines(file, quiet=True, now=now), now, start(), stage(), made(), finished(), failed(), end())
    assert file.getvalue() == "audiostyle: b.wav: it broke\n"


@pytest.mark.parametrize("name", ["a\nb.wav", "a\x1b[2J.wav", "a\udcff.wav"])
def test_names_stay_on_their_line(name, file, now):
    play(Lines(file, now=now), now, start(2, 0, 200), made(name), failed(name + "2"))
    lines = file.getvalue().encode().decode().splitlines()
    assert len(lines) == 2 and all(line.isprintable() for line in lines)
    assert repr(name) in lines[0]


def test_nothing_to_do(file, now):
    play(Lines(file, now=now), now, start(2, 2, 0), end(0, 2, 0, 0.2))
    assert file.getvalue().splitlines()[-1] == "0 files done, 2 skipped in 0:00"


@pytest.mark.parametrize("size", [0, 100])
def test_a_bar_shows_files_stage_time_left_and_pace(size, file, now):
    bar = Bar(file, now=now)
    play(bar, now, start(2, 0, 2 * size))
    bar._bar.mininterval = 0
    play(bar, now, stage("spectrogram", 0), stage("phase", 3, 3), stage(sections=(1, 2)))
    assert "0/2 a.wav waveform" in file.getvalue()
    play(bar, now, made(size=size), finished(size=size), failed(size=size), end(1, 0, 1))
    shown = file.getvalue()
    assert "2/2" in shown and "x real time" in shown and "audiostyle: b.wav: it broke\n" in shown
    assert shown.splitlines()[-1] == "1 file done, 1 failed in 1:05, 0.29 x real time"


def test_the_time_left_counts_what_is_done_of_a_file(file, now):
    lines = Lines(file, now=now)
    play(lines, now, start(2, 0, 200))
    now.seconds += 30
    assert lines.left() == 0 and lines.left(50) == 90


def test_a_bar_moves_with_the_stages(file, now):
    bar = Bar(file, now=now)
    play(bar, now, start(1, 0, 100), stage("waveform", 25, 50, (0, 1)))
    share = console.SHARES["waveform"][0] + 0.5 * (console.SHARES["waveform"][1] - console.SHARES["waveform"][0])
    assert bar._bar.n / bar._bar.total == pytest.approx(share)
    bar._bar.close()


def test_json_is_an_object_a_line_with_the_last_losses(capsys):
    record = {**finished("a\n\udcff.wav"), "transfers": TRANSFERS}
    for event in (start(), stage("phase", 0), stage("phase", 7), stage("phase", 50), record, finished("no.wav"), end()):
        show_json(event)
    shown, errors = capsys.readouterr()
    objects = [json.loads(line) for line in shown.splitlines()]
    assert errors == "" and shown.isascii()
    assert [one["event"] for one in objects] == ["start", "stage", "stage", "file", "file", "end"]
    assert objects[3] == {**finished("a\n\udcff.wav"), "losses": {"style": 1.5, "content": 2.5}}
    assert objects[4] == finished("no.wav")
    assert record["transfers"] is TRANSFERS, "it is as it was"


def test_who_watches(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert watcher(as_json=True) is show_json
    for terminal, quiet, kind in [(True, False, Bar), (True, True, Lines), (False, False, Lines), (False, True, Lines)]:
        monkeypatch.setattr("sys.stderr", Terminal() if terminal else io.StringIO())
        found = watcher(quiet=quiet)
        assert type(found) is kind and found.quiet == quiet


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (36061, "10:01:01")])
def test_times(seconds, text):
    assert clock(seconds) == text
