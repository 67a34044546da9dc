"""Executors of tasks: this process, an executor that the caller gives, and Dask clusters."""

import sys
import threading
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest
from support.executor_answers import answers
from support.worker_tasks import failed, work

from audiostyle_fx.folders.executors import task_executors
from audiostyle_fx.folders.executors.task_executors import ExternalExecutor, SerialExecutor, cluster


def test_in_turn():
    with SerialExecutor(work) as workers:
        assert answers(workers, [("a", 1), ("b", 2)]) == [(("a", 1), 1), (("b", 2), 2)]
        workers.submit(("a", 3))
        assert not workers.has_capacity() and workers.has_tasks()


def test_through_an_executor_which_stays_open():
    with ThreadPoolExecutor(2) as executor:
        with ExternalExecutor(executor, work, failed) as workers:
            tasks = [("a", 1), ("raise", "no luck"), ("b", 2)]
            found = dict(answers(workers, tasks))
        assert found == {("a", 1): 1, ("b", 2): 2, tasks[1]: ("failed", "no luck", "no luck")}
        assert executor.submit(int, "3").result() == 3


def test_an_executor_is_given_so_many_tasks_at_a_time(monkeypatch):
    monkeypatch.setattr(task_executors, "MAX_SUBMITTED", 2)
    with ThreadPoolExecutor(1) as executor, ExternalExecutor(executor, work, failed) as workers:
        assert workers.has_capacity()
        workers.submit(("a", 1))
        workers.submit(("a", 2))
        assert not workers.has_capacity()
        workers.next_answer()
        assert workers.has_capacity()


@pytest.mark.parametrize("how", ["broken", "cancelled"])
def test_an_executor_that_loses_everything(how):
    class Executor(ThreadPoolExecutor):
        def submit(self, *arguments):
            future = Future()
            future.cancel() if how == "cancelled" else future.set_exception(BrokenExecutor("it broke"))
            future.set_running_or_notify_cancel() if how == "cancelled" else None
            return future

    with Executor(1) as executor, ExternalExecutor(executor, work, failed) as workers:
        workers.submit(("a", 1))
        with pytest.raises(BrokenExecutor, match=r"it broke|cancelled its tasks"):
            workers.next_answer()


def test_tasks_that_wait_are_cancelled_at_the_end():
    release, futures = threading.Event(), []

    class Executor(ThreadPoolExecutor):
        def submit(self, *arguments):
            futures.append(super().submit(*arguments))
            return futures[-1]

    with Executor(1) as executor:
        with ExternalExecutor(executor, work, failed) as workers:
            executor.submit(release.wait)
            workers.submit(("a", 1))
        release.set()
    assert futures[-1].cancelled()


def test_no_cluster_and_one_that_is_not_installed(monkeypatch):
    with cluster(None) as executor:
        assert executor is None
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with (
        pytest.raises(
            ImportError,
            match=r"Dask clusters need the package 'distributed'\. Install it with: pip install 'audiostyle-fx\[dask",
        ),
        cluster("local"),
    ):
        pass
