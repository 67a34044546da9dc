"""Processes that do tasks: their cores and GPUs, and tasks whose process ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.executor_answers import answers
from support.processes import gone, wait_for
from support.worker_tasks import failed, prepare, work

import audiostyle_fx
from audiostyle_fx.folders.executors import processes
from audiostyle_fx.folders.executors.processes import LOST, LocalProcesses

ROOTS = [str(Path(audiostyle_fx.__file__).parents[1]), str(Path(__file__).parents[1])]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(ROOTS)}


@pytest.mark.parametrize(("jobs", "threads"), [(1, 4), (2, 2), (3, 1), (4, 1), (9, 1)])
def test_processes_together_have_no_more_threads_than_cores(jobs, threads, monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 4)
    assert processes.cores_per_process(jobs) == threads


@pytest.mark.slow
def test_every_process_has_its_share_of_the_cores(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 6)
    with LocalProcesses(2, work, failed) as workers:
        found = answers(workers, [("environment", "OMP_NUM_THREADS")] * 6)
    threads, pids = zip(*(answer for _, answer in found), strict=True)
    assert set(threads) == {"3"} and all(gone(pid) for pid in pids)


@pytest.mark.slow
def test_a_task_that_ends_its_process_fails_alone(tmp_path):
    tasks = [("a", 1), ("kill", 2), ("b", 3), ("kill once", str(tmp_path / "once")), ("raise", "no luck"), ("c", 4)]
    last = ("kill once", str(tmp_path / "last"))
    with LocalProcesses(2, work, failed) as workers:
        found = dict(answers(workers, tasks))
        assert answers(workers, [last]) == [(last, last[1])], "by itself, but not yet the second time"
    assert found[tasks[1]] == ("failed", 2, LOST)
    assert found[tasks[4]] == ("failed", "no luck", "no luck")
    assert {task: found[task] for task in tasks if task[0] in "abc"} == {("a", 1): 1, ("b", 3): 3, ("c", 4): 4}
    assert found[tasks[3]] == tasks[3][1], "done again, with success"


@pytest.mark.slow
def test_the_neighbours_of_a_killed_process_do_not_begin_again(tmp_path):
    task, other = ("count", str(tmp_path / "begun")), ("kill", 2)
    with LocalProcesses(2, work, failed) as workers:
        answers(workers, [("environment", "PATH")] * 2)  # both have started
        assert dict(answers(workers, [task, other])) == {task: task[1], other: ("failed", 2, LOST)}
    assert (tmp_path / "begun").read_text() == "x"


@pytest.mark.slow
def test_a_process_killed_while_it_waits_costs_nothing():
    with LocalProcesses(2, work, failed) as workers:
        ((_, (_, pid)),) = answers(workers, [("environment", "PATH")])
        os.kill(pid, signal.SIGKILL)
        assert dict(answers(workers, [("a", 1), ("b", 2), ("c", 3)])) == {("a", 1): 1, ("b", 2): 2, ("c", 3): 3}


UNGUARDED = """
from support.worker_tasks import failed, work
from audiostyle_fx.folders.executors.processes import LocalProcesses
with LocalProcesses(1, work, failed) as workers:
    workers.submit(("a", 1))
    print(workers.next_answer())
"""


@pytest.mark.slow
def test_a_program_that_starts_processes_where_it_is_imported_is_an_error(tmp_path):
    (tmp_path / "parent.py").write_text(UNGUARDED)
    command = [sys.executable, str(tmp_path / "parent.py")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 1 and "if __name__ == '__main__'" in done.stderr.splitlines()[-1]


PARENT = """
import sys
from support.worker_tasks import failed, work
from audiostyle_fx.folders.executors.processes import LocalProcesses
if __name__ == "__main__":
    with LocalProcesses(2, work, failed) as workers:
        workers.submit(("sleep", sys.argv[1] + "/a"))
        workers.submit(("sleep", sys.argv[1] + "/b"))
        workers.next_answer()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_their_parent(number, tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path)]
    parent = subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True, stderr=subprocess.PIPE)
    wait_for(lambda: len(list(tmp_path.glob("? *"))) == 2, 30)
    pids = [int(path.name.split()[1]) for path in tmp_path.glob("? *")]
    assert not any(map(gone, pids))
    os.killpg(parent.pid, number) if number == signal.SIGINT else parent.send_signal(number)
    _, shown = parent.communicate(timeout=30)
    assert (parent.returncode, b"KeyboardInterrupt" in shown) == (-number, number == signal.SIGINT)
    wait_for(lambda: all(map(gone, pids)), 30)


# ---------------------------------------------------------------- time limits
@pytest.mark.slow
def test_a_task_that_takes_too_long_fails_alone(tmp_path):
    tasks = [("a", 1), ("sleep", str(tmp_path / "long")), ("b", 2)]
    with LocalProcesses(1, work, failed, time_limit=1.0) as workers:
        found = dict(answers(workers, tasks))
    assert found == {
        tasks[0]: 1,
        tasks[2]: 2,
        tasks[1]: ("failed", tasks[1][1], "it took longer than the time limit of 1 s"),
    }
    (begun,) = tmp_path.glob("long *")
    assert gone(int(begun.name.split()[1])), "it was begun once, and killed"


@pytest.mark.slow
def test_a_task_that_is_not_prepared_in_time_fails_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "OPENING_SECONDS", 1.0)
    tasks = [("a", 1), ("hang", 2), ("raise", "no luck"), ("b", 3)]
    with LocalProcesses(2, work, failed, prepare=prepare) as workers:
        found = dict(answers(workers, tasks))
    assert found[tasks[1]] == ("failed", 2, "it could not be opened within 1 s")
    assert found[tasks[2]] == ("failed", "no luck", "no luck"), "errors of the preparation do not count"
    assert (found[tasks[0]], found[tasks[3]]) == (1, 3)


@pytest.mark.slow
def test_a_process_may_take_long_to_start():
    """The time to start, which exceeds this limit, does not count."""
    with LocalProcesses(1, work, failed, time_limit=0.25) as workers:
        assert answers(workers, [("a", 1)]) == [(("a", 1), 1)]
