"""A folder's progress on standard error: lines, or a bar on a terminal."""

import io

import pytest

from audiostyle_fx import ProgressEvent
from audiostyle_fx.folders import progress_display
from audiostyle_fx.folders.progress_display import FileBar, FileLines, display, folder_progress


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
    return ProgressEvent(kind="start", files=files, skipped=skipped, bytes=size)


def made(name="a.wav", size=100):
    return ProgressEvent(kind="made", file=name, bytes=size, duration=20.0, seconds=9.0)


def finished(name="a.wav", size=100):
    return ProgressEvent(kind="file", file=name, bytes=size, record={"status": "done"})


def failed(name="b.wav", size=100):
    return ProgressEvent(kind="file", file=name, bytes=size, record={"status": "failed", "error": "it broke"})


def end(done=2, skipped=1, failed=1, seconds=65.4):
    return ProgressEvent(kind="end", done=done, skipped=skipped, failed=failed, seconds=seconds)


def stage(name="waveform", iteration=50, iterations=50, sections=(0, 2)):
    where = {"iteration": iteration, "iterations": iterations, "section": sections[0], "sections": sections[1]}
    return ProgressEvent(kind="stage", file="a.wav", stage=name, **where)


def play(show, now, *events):
    for event in events:
        now.seconds += 10
        show(event)


def test_lines_count_and_tell_the_time_left(file, now):
    play(FileLines(file, now=now), now, start(), made(), finished(), failed(), made("c.wav"), finished("c.wav"), end())
    assert file.getvalue().splitlines() == [
        "1 file of 4 finished before",
        "2/4 a.wav: 20.0 s of sound in 9.0 s, 00:20 left",
        "audiostyle: b.wav: it broke",
        "4/4 c.wav: 20.0 s of sound in 9.0 s",
        "2 files done, 1 skipped, 1 failed in 01:05, 0.67 x real time",
    ]


def test_files_that_are_processed_again_do_not_count_as_finished(file, now):
    again = ProgressEvent(kind="again", files=1, bytes=100)
    play(FileLines(file, now=now), now, start(3, 2, 100), again, made(), made("b.wav"), end(2, 1, 0))
    assert [line.partition(":")[0] for line in file.getvalue().splitlines()[1:3]] == ["2/3 a.wav", "3/3 b.wav"]
    assert "00:20 left" in file.getvalue()


def test_files_of_an_earlier_run_take_none_of_the_time(file, now):
    """Two waiting stems are finished, and one of two other files is processed."""
    lines = FileLines(file, now=now)
    play(lines, now, start(4, 0, 200), finished("a.wav", 500), finished("b.wav", 500), made("c.wav"))
    assert file.getvalue() == "3/4 c.wav: 20.0 s of sound in 9.0 s, 00:30 left\n"


def test_quietly_only_errors_are_shown(file, now):
    play(FileLines(file, quiet=True, now=now), now, start(), stage(), made(), finished(), failed(), end())
    assert file.getvalue() == "audiostyle: b.wav: it broke\n"


@pytest.mark.parametrize("name", ["a\nb.wav", "a\x1b[2J.wav", "a\udcff.wav"])
def test_names_stay_on_their_line(name, file, now):
    play(FileLines(file, now=now), now, start(2, 0, 200), made(name), failed(name + "2"))
    lines = file.getvalue().encode().decode().splitlines()
    assert len(lines) == 2 and all(line.isprintable() for line in lines)
    assert repr(name) in lines[0]


def test_nothing_to_do(file, now):
    play(FileLines(file, now=now), now, start(2, 2, 0), end(0, 2, 0, 0.2))
    assert file.getvalue().splitlines()[-1] == "0 files done, 2 skipped in 00:00"


@pytest.mark.parametrize("size", [0, 100])
def test_a_bar_shows_files_stage_and_pace(size, file, now):
    bar = FileBar(file, now=now)
    play(bar, now, start(2, 0, 2 * size))
    bar.bar.mininterval = 0
    play(bar, now, stage("spectrogram", 0), stage("phase", 3, 3), stage(sections=(1, 2)))
    if size:
        assert "0/2 a.wav waveform" in file.getvalue()
    play(bar, now, made(size=size), finished(size=size), failed(size=size), end(1, 0, 1))
    shown = file.getvalue()
    assert "2/2" in shown and "x real time" in shown and "audiostyle: b.wav: it broke\n" in shown
    assert shown.splitlines()[-1] == "1 file done, 1 failed in 01:05, 0.29 x real time"


def test_a_bar_moves_with_the_stages_and_never_back(file, now):
    bar = FileBar(file, now=now)
    play(bar, now, start(2, 0, 100), stage("waveform", 25, 50, (0, 1)))
    begin, stop = progress_display.STAGE_SHARES["waveform"]
    assert bar.bar.n == pytest.approx(50 * (begin + 0.5 * (stop - begin)))
    play(bar, now, made(size=10))  # smaller than the mean
    before = bar.bar.n
    play(bar, now, stage("spectrogram", 0, 50, (0, 1)))
    assert bar.bar.n >= before
    bar.bar.close()


def test_the_display_suits_standard_error(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    kinds = [(True, False, FileBar), (True, True, FileLines), (False, False, FileLines), (False, True, FileLines)]
    for terminal, quiet, kind in kinds:
        monkeypatch.setattr("sys.stderr", Terminal() if terminal else io.StringIO())
        assert type(display(quiet=quiet)) is kind
    assert folder_progress(print) is print
    assert folder_progress(None)(start()) is None
    with pytest.raises(TypeError, match="progress='loud'"):
        folder_progress("loud")


@pytest.mark.parametrize("show", [FileLines, FileBar])
def test_files_that_are_no_recordings_are_named(show, file, now):
    event = ProgressEvent(kind="start", files=1, passed_over=("notes.txt", "cover.jpg"))
    play(show(file, now=now), now, event, end())
    assert "passed over: 2 files that are not recordings: notes.txt, cover.jpg\n" in file.getvalue()


def test_quiet_lines_do_not_name_them(file, now):
    play(FileLines(file, quiet=True, now=now), now, ProgressEvent(kind="start", files=1, passed_over=("notes.txt",)))
    assert file.getvalue() == ""
