"""Who does the work on many files: in turn, processes of its own, any executor."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from support.processes import gone, wait_for
from support.worker_tasks import failed, work

import audiostyle_fx
from audiostyle_fx.folders import executors
from audiostyle_fx.folders.executors import LOST, InTurn, Processes, Through, cluster, visible_cards


def answers(crew, tasks):
    """Each task with its answer, as they come."""
    waiting, found = list(tasks), []
    while waiting or crew.busy():
        while waiting and crew.room():
            crew.submit(waiting.pop(0))
        found.append(crew.next())
    return found


def test_in_turn():
    with InTurn(work) as crew:
        assert answers(crew, [("a", 1), ("b", 2)]) == [(("a", 1), 1), (("b", 2), 2)]
        crew.submit(("a", 3))
        assert not crew.room() and crew.busy()


def test_through_an_executor_which_stays_open():
    with ThreadPoolExecutor(2) as executor:
        with Through(executor, work, failed) as crew:
            tasks = [("a", 1), ("raise", "no luck"), ("b", 2)]
            found = dict(answers(crew, tasks))
        assert found == {("a", 1): 1, ("b", 2): 2, tasks[1]: ("failed", "no luck", "no luck")}
        assert executor.submit(int, "3").result() == 3


def test_an_executor_is_given_so_many_tasks_at_a_time(monkeypatch):
    monkeypatch.setattr(executors, "MOST_WAITING", 2)
    with ThreadPoolExecutor(1) as executor, Through(executor, work, failed) as crew:
        assert crew.room()
        crew.submit(("a", 1))
        crew.submit(("a", 2))
        assert not crew.room()
        crew.next()
        assert crew.room()


@pytest.mark.parametrize("how", ["broken", "cancelled"])
def test_an_executor_that_loses_everything(how):
    class Executor(ThreadPoolExecutor):
        def submit(self, *arguments):
            future = Future()
            future.cancel() if how == "cancelled" else future.set_exception(BrokenExecutor("it broke"))
            future.set_running_or_notify_cancel() if how == "cancelled" else None
            return future

    with Executor(1) as executor, Through(executor, work, failed) as crew:
        crew.submit(("a", 1))
        with pytest.raises(BrokenExecutor, match=r"it broke|has dropped its tasks"):
            crew.next()


def test_what_waits_is_cancelled_at_the_end():
    with ThreadPoolExecutor(1) as executor:
        with Through(executor, work, failed) as crew:
            executor.submit(time.sleep, 0.1)
            crew.submit(("a", 1))
            (future,) = crew._futures
        assert future.cancelled()


@pytest.mark.parametrize(
    ("device", "there", "visible", "want"),
    [
        ("cuda", ["cuda:0", "cuda:1"], None, ("0", "1")),
        ("auto", ["cuda:0", "cuda:1"], "", ("0", "1")),
        ("cuda", ["cuda:0", "cuda:1"], "2,5", ("2", "5")),
        ("auto", ["cuda:1"], "GPU-a, GPU-b", ("GPU-b",)),
        ("cuda:1", ["cuda:1"], None, ()),
        ("auto", ["cpu"], "2", ()),
        ("cpu", ["cpu"], None, ()),
    ],
)
def test_cards_are_named_as_the_parent_sees_them(device, there, visible, want, monkeypatch):
    monkeypatch.setattr(executors, "device_names", lambda asked: there if asked == device else None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_cards(device) == want


def test_no_cluster_and_one_that_is_not_installed(monkeypatch):
    with cluster(None) as executor:
        assert executor is None
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(ImportError, match=r"--dask needs Dask: pip install 'audiostyle-fx\[dask\]'"), cluster("local"):
        pass


# ---------------------------------------------------------------- processes of its own
@pytest.mark.parametrize(("jobs", "threads"), [(1, 4), (2, 2), (3, 1), (4, 1), (9, 1)])
def test_processes_together_have_no_more_threads_than_cores(jobs, threads, monkeypatch):
    monkeypatch.setattr(executors, "cores", lambda: 4)
    assert executors.share_of_cores(jobs) == threads


@pytest.mark.slow
def test_every_process_has_its_card_and_its_share_of_the_cores(monkeypatch):
    monkeypatch.setattr(executors, "device_names", lambda device: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(executors, "cores", lambda: 6)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with Processes(2, work, failed) as crew:
        found = answers(crew, [("environment", "CUDA_VISIBLE_DEVICES")] * 6)
        cards = {answer for _, answer in found}
        threads = {answer[0] for _, answer in answers(crew, [("environment", "OMP_NUM_THREADS")] * 2)}
    assert {card for card, _ in cards} == {"0", "1"} and len(cards) == 2, "one card a process"
    assert threads == {"3"}
    assert all(gone(pid) for _, pid in cards)


@pytest.mark.slow
def test_a_task_that_ends_its_process_fails_alone(tmp_path):
    tasks = [("a", 1), ("kill", 2), ("b", 3), ("kill once", str(tmp_path / "once")), ("raise", "no luck"), ("c", 4)]
    last = ("kill once", str(tmp_path / "last"))
    with Processes(2, work, failed, "cpu") as crew:
        found = dict(answers(crew, tasks))
        assert answers(crew, [last]) == [(last, last[1])], "by itself, but not yet the second time"
    assert found[tasks[1]] == ("failed", 2, LOST)
    assert found[tasks[4]] == ("failed", "no luck", "no luck")
    assert {task: found[task] for task in tasks if task[0] in "abc"} == {("a", 1): 1, ("b", 3): 3, ("c", 4): 4}
    assert found[tasks[3]] == tasks[3][1], "done again, with success"


@pytest.mark.slow
def test_a_process_killed_while_it_waits_costs_nothing():
    with Processes(2, work, failed, "cpu") as crew:
        ((_, (_, pid)),) = answers(crew, [("environment", "PATH")])
        os.kill(pid, signal.SIGKILL)
        assert dict(answers(crew, [("a", 1), ("b", 2), ("c", 3)])) == {("a", 1): 1, ("b", 2): 2, ("c", 3): 3}


@pytest.mark.slow
def test_processes_that_can_not_begin_are_an_error(monkeypatch):
    monkeypatch.setattr(executors, "_begin_worker", os._exit)
    with Processes(1, work, failed, "cpu") as crew, pytest.raises(RuntimeError, match="if __name__ == '__main__'"):
        answers(crew, [("a", 1)])


PARENT = """
import sys
from support.worker_tasks import failed, work
from audiostyle_fx.workers import Processes
if __name__ == "__main__":
    with Processes(2, work, failed, "cpu") as crew:
        crew.submit(("sleep", sys.argv[1] + "/a"))
        crew.submit(("sleep", sys.argv[1] + "/b"))
        crew.next()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_their_parent(number, tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    roots = f"{Path(audiostyle_fx.__file__).parents[1]}:{Path(__file__).parents[1]}"
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path)]
    parent = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": roots}, start_new_session=True, stderr=subprocess.PIPE
    )
    wait_for(lambda: len(list(tmp_path.glob("? *"))) == 2, 30)
    pids = [int(path.name.split()[1]) for path in tmp_path.glob("? *")]
    assert not any(map(gone, pids))
    os.killpg(parent.pid, number) if number == signal.SIGINT else parent.send_signal(number)
    _, shown = parent.communicate(timeout=30)
    assert (parent.returncode, b"KeyboardInterrupt" in shown) == (-number, number == signal.SIGINT)
    wait_for(lambda: all(map(gone, pids)), 30)
