"""Processes on this machine that do tasks, each with its share of the cores."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

if TYPE_CHECKING:
    from typing_extensions import Self
from ..._engine.arrays.cpu_count import cores
from .task_types import AnswerT, TaskT
from .worker_process import WorkerProcess

LOST = "the process that worked on it ended; was there too little memory?"
"""Error of a task whose process ended twice."""

OPENING_SECONDS = 60.0
"""Time limit for the preparation of a task, so that a decoder that hangs costs one file and not the run."""


class LocalProcesses(Generic[TaskT, AnswerT]):
    """Starts processes on this machine and gives them tasks.

    A task whose process ends is retried once, alone. If the process ends again, the task fails. This saves tasks killed
    by a temporary lack of memory. The other tasks continue.

    Each process is a `ProcessPoolExecutor` with one worker, because such a pool cancels all of its tasks when one of
    its workers ends. (Pebble's pool spares the other tasks, but it breaks when a process without a task ends, and does
    not say which process gets which GPU.) Processes start when there is work for them.

    Parameters
    ----------
    jobs : int
        Number of processes.
    work : callable
        Returns the answer to a task; a function of a module, so that other processes can import it.
    failed : callable
        Returns the answer for a task that fails, from the task and a message.
    gpus : sequence of str
        The GPUs of the tasks, which this process uses for all of them: see `gpu_server`.
    prepare : callable, optional
        Is called with each task before ``work``, in the same process. Its errors do not count, but a process in which
        it takes longer than `OPENING_SECONDS` is killed, and the task fails.
    time_limit : float
        Seconds that a task may take. A process that takes longer is killed, and the task fails.

    Raises
    ------
    RuntimeError
        If a process ends before it is ready, several times.
    """

    def __init__(
        self,
        jobs: int,
        work: Callable[[TaskT], AnswerT],
        failed: Callable[[TaskT, str], AnswerT],
        gpus: Sequence[str] = (),
        *,
        prepare: Callable[[TaskT], object] = id,
        time_limit: float = math.inf,
    ) -> None:
        self._work, self._failed, self._prepare, self._time_limit = work, failed, prepare, time_limit
        threads = cores_per_process(jobs)
        self._parent_ends, self._parent_alive = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._processes = [WorkerProcess(self._parent_ends, threads, list(gpus)) for _ in range(jobs)]
        self._idle = self._processes[::-1]
        self._running: dict[Future[AnswerT], _Running[TaskT]] = {}
        self._suspects = deque[TaskT]()
        self._suspect_runs = False

    def has_capacity(self) -> bool:
        return bool(self._idle) and not self._suspects and not self._suspect_runs

    def submit(self, task: TaskT) -> None:
        process = self._idle.pop()
        prepared, future = process.submit(self._prepare, self._work, task)
        self._running[future] = _Running(task, process, prepared, time.monotonic())

    def has_tasks(self) -> bool:
        return bool(self._running or self._suspects)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        while True:
            if not self._running:
                self._suspect_runs = True
                self.submit(self._suspects.popleft())
            future = self._next_done()
            running = self._running.pop(future)
            task, process = running.task, running.process
            self._idle.append(process)
            try:
                answer = future.result()
            except BrokenProcessPool:
                was_ready = process.close_ended()
                if running.overdue:
                    answer = self._failed(task, running.overdue)
                elif not was_ready:
                    self.submit(task)  # the task has not begun
                    continue
                elif not self._suspect_runs:
                    self._suspects.append(task)
                    continue
                else:
                    answer = self._failed(task, LOST)
            except Exception as error:
                answer = self._failed(task, str(error) or type(error).__name__)
            self._suspect_runs = False
            return task, answer

    def _next_done(self) -> Future[AnswerT]:
        """Wait until a task is done, and kill processes that take too long."""
        while True:
            running = self._running.values()
            starting = (entry.process.ready for entry in running if not entry.process.ready.done())
            awaited: list[Future[Any]] = [*self._running, *starting]
            end = min(entry.deadline(self._time_limit)[0] for entry in running)
            seconds = None if end == math.inf else max(0.0, end - time.monotonic())
            done, _ = wait(awaited, seconds, FIRST_COMPLETED)
            for future in self._running:
                if future in done:
                    return future
            for entry in running:
                end, reason = entry.deadline(self._time_limit)
                if end <= time.monotonic():
                    entry.overdue = reason
                    entry.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._running:  # the run was stopped, so nothing waits for answers
            self._parent_alive.close()
        for process in self._processes:
            process.close()
        self._parent_alive.close()
        self._parent_ends.close()


@dataclass
class _Running(Generic[TaskT]):
    """A task that a process works on.

    Attributes
    ----------
    task : TaskT
    process : WorkerProcess
    prepared : Future
        Done when the task is prepared.
    submitted : float
        Time at which the task was given to the process, which may not be ready yet.
    overdue : str
        Reason why the process was killed; empty if it was not.
    """

    task: TaskT
    process: WorkerProcess
    prepared: Future[object]
    submitted: float
    overdue: str = ""

    def deadline(self, time_limit: float) -> tuple[float, str]:
        """Return the time at which the process has to be killed, and the error of the task in that case."""
        begun = max(self.submitted, self.process.ready_time)
        limits = [(begun + time_limit, f"it took longer than the time limit of {time_limit:g} s")]
        if not self.prepared.done():
            limits.append((begun + OPENING_SECONDS, f"it could not be opened within {OPENING_SECONDS:g} s"))
        return (math.inf, "") if self.overdue else min(limits)


def cores_per_process(jobs: int) -> int:
    """Return the number of cores that each process may use, so that all processes together fit the machine."""
    return max(1, cores() // jobs)
