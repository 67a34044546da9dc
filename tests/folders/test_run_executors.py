"""Runs with executors that the caller gives."""

import threading
import warnings
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest
from support.processes import contents
from support.styled_folders import made_of, statuses

from audiostyle_fx import style_folder
from audiostyle_fx.folders import one_file

pytestmark = pytest.mark.usefixtures("folder_of_recordings")


def test_a_thread_pool_gives_the_same_and_leaves_warnings_alone(song, run):
    run("unbroken")
    before = warnings.showwarning, warnings.filters[:]
    with ThreadPoolExecutor(3) as executor, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = warnings.showwarning, warnings.filters[:]
        assert run(executor=executor).failed == {}
        assert (warnings.showwarning, warnings.filters[:]) == inside
        assert executor.submit(threading.active_count).result(), "it stays open"
    assert (warnings.showwarning, warnings.filters[:]) == before
    assert contents() == contents("unbroken")


def test_threads_at_work_at_once_leave_warnings_alone(stem, quick, monkeypatch):
    """The second begins before the first ends, and ends after it."""
    stem("a/1.wav", 0.1)
    stem("b/2.wav", 0.1)
    process, first, second, ended = one_file.run, *(threading.Event() for _ in range(3))

    def overlap(job, chain, progress):
        is_first = job.source.endswith("a/1.wav")
        (first if is_first else second).set()
        assert (second if is_first else ended).wait(20)
        return process(job, chain, progress)

    class InOrder(ThreadPoolExecutor):
        def submit(self, function, task):
            assert task.name == "a/1.wav" or first.wait(20)
            return super().submit(function, task)

    def end(event):
        if event.kind == "file":
            ended.set()

    monkeypatch.setattr("audiostyle_fx.folders.one_file.run", overlap)
    before = warnings.showwarning, warnings.filters[:]
    with InOrder(2) as executor:
        assert style_folder("in", "out", "style.wav", executor=executor, progress=end, **quick).failed == {}
    assert (warnings.showwarning, warnings.filters[:]) == before


class Broken(ThreadPoolExecutor):
    """Does two tasks, and breaks when their answers have been taken."""

    def __init__(self):
        super().__init__(1)
        self.given, self.lost = 0, []

    def submit(self, function, *arguments):
        self.given += 1
        if self.given <= 2:
            return super().submit(function, *arguments)
        self.lost.append(Future())
        return self.lost[-1]

    def take(self, event):
        self.given -= event.kind == "made"
        if event.kind == "made" and self.given == len(self.lost):
            for future in self.lost:
                future.set_exception(BrokenExecutor("it broke"))


def test_a_broken_executor_ends_the_run_and_what_is_finished_is_kept(song, run, events):
    run("unbroken")
    with Broken() as executor, pytest.raises(BrokenExecutor, match="it broke"):
        run(executor=executor, progress=executor.take)
    assert statuses() == {"alone.wav": "done", "song/bass.wav": "staged"}
    assert contents()["alone.wav"] == contents("unbroken")["alone.wav"]
    assert run(progress=events.append).failed == {} and contents() == contents("unbroken")
    assert made_of(events) == ["song/loud.wav", "song/soft.wav"]


def test_tasks_that_an_executor_loses_fail_alone(song, run):
    class Loses(ThreadPoolExecutor):
        def submit(self, function, task):
            if task.name != "song/bass.wav":
                return super().submit(function, task)
            future = Future()
            future.set_exception(RuntimeError("its workers died"))
            return future

    with Loses(1) as executor:
        assert run(executor=executor).failed == {"song/bass.wav": "its workers died"}
