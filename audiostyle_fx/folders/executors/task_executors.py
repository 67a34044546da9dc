"""Executors of a folder's tasks: this process, an executor from the caller, or a Dask cluster."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self
from ..._engine.arrays.cpu_count import cores
from .processes import cores_per_process
from .task_types import AnswerT, TaskT

AnswerT_co = TypeVar("AnswerT_co", covariant=True)

MAX_SUBMITTED = 1000
"""The most tasks that an external executor has at a time, so that memory does not grow with their number."""


class TaskExecutor(Protocol[TaskT, AnswerT_co]):
    """Does tasks; a context manager, which cancels the tasks without an answer when it ends."""

    def has_capacity(self) -> bool:
        """Whether the executor takes another task now."""

    def submit(self, task: TaskT) -> None:
        """Take a task."""

    def has_tasks(self) -> bool:
        """Whether there is an answer to wait for."""

    def next_answer(self) -> tuple[TaskT, AnswerT_co]:
        """Wait for the answer to any task, and return the task and the answer."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class SerialExecutor(Generic[TaskT, AnswerT]):
    """Does one task at a time, in this process.

    Parameters
    ----------
    work : callable
        Returns the answer to a task.
    """

    def __init__(self, work: Callable[[TaskT], AnswerT]) -> None:
        self._work, self._tasks = work, deque[TaskT]()

    def has_capacity(self) -> bool:
        return not self._tasks

    def submit(self, task: TaskT) -> None:
        self._tasks.append(task)

    def has_tasks(self) -> bool:
        return bool(self._tasks)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        task = self._tasks.popleft()
        return task, self._work(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class ExternalExecutor(Generic[TaskT, AnswerT]):
    """Gives tasks to an executor from the caller, which stays open.

    Parameters
    ----------
    executor : Executor
    work : callable
        Returns the answer to a task; a function of a module, so that other processes can import it.
    failed : callable
        Returns the answer for a task that the executor has lost, from the task and a message.
    """

    def __init__(
        self, executor: Executor, work: Callable[[TaskT], AnswerT], failed: Callable[[TaskT, str], AnswerT]
    ) -> None:
        self._executor, self._work, self._failed = executor, work, failed
        self._futures: dict[Future[AnswerT], TaskT] = {}

    def has_capacity(self) -> bool:
        return len(self._futures) < MAX_SUBMITTED

    def submit(self, task: TaskT) -> None:
        self._futures[self._executor.submit(self._work, task)] = task

    def has_tasks(self) -> bool:
        return bool(self._futures)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        done, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        future = next(iter(done))
        task = self._futures.pop(future)
        try:
            return task, future.result()
        except BrokenExecutor:
            raise
        except CancelledError as error:  # Dask cancels tasks when its scheduler ends
            raise BrokenExecutor("the executor cancelled its tasks; finished files are kept") from error
        except Exception as error:  # a cluster may raise any error for a task whose workers are lost
            return task, self._failed(task, str(error) or type(error).__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for future in self._futures:
            future.cancel()


@contextmanager
def cluster(address: str | None, jobs: int | None = None) -> Iterator[Executor | None]:
    """Connect to a Dask cluster, or start one on this machine, and give its executor; without an address, give None.

    If a worker is lost, another one repeats its task, up to the number in the cluster's ``allowed-failures``.

    Parameters
    ----------
    address : str, optional
        Address such as ``"tcp://scheduler:8786"``, or ``"local"`` for a cluster on this machine.
    jobs : int, optional
        Number of workers of a local cluster; by default one for each core.

    Raises
    ------
    ImportError
        If Dask is not installed.
    OSError
        If no scheduler answers at the address.
    """
    if address is None:
        yield None
        return
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError(
            "Dask clusters need the package 'distributed'. Install it with: pip install 'audiostyle-fx[dask]'"
        ) from error
    with contextlib.ExitStack() as stack:
        if address == "local":
            jobs = jobs or cores()
            threads = {"OMP_NUM_THREADS": str(cores_per_process(jobs))}
            # No memory limit, because equal shares would be too small for one long file among short ones.
            address = stack.enter_context(
                LocalCluster(n_workers=jobs, threads_per_worker=1, memory_limit=0, env=threads, dashboard_address=None)
            )
        client = stack.enter_context(Client(address))
        yield client.get_executor(pure=False)
