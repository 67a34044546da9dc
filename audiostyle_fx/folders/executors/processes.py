"""Processes on this machine that do tasks, each with its share of the cores or a GPU of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING, Any, Generic

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from typing_extensions import Self
from ..._engine.arrays.cpu_count import cores
from ..._engine.cuda.devices import device_names
from .task_types import AnswerT, TaskT

LOST = "the process that worked on it ended; was there too little memory?"
"""Error of a task whose process ended twice."""

MAX_STARTS = 3
"""Attempts to start a process that keeps ending before it is ready."""


class LocalProcesses(Generic[TaskT, AnswerT]):
    """Gives tasks to processes that it starts on this machine.

    A task whose process ends is retried once, alone. If the process ends again, the task fails. This saves tasks killed
    by a temporary lack of memory. The other tasks go on.

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
    device : str
        Where the tasks compute. If this means several GPUs, each process sees one of them.

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
        device: str = "auto",
    ) -> None:
        self._work, self._failed = work, failed
        gpus, threads = visible_gpus(device), cores_per_process(jobs)
        environments = ({"CUDA_VISIBLE_DEVICES": gpus[i % len(gpus)]} if gpus else {} for i in range(jobs))
        self._parent_ends, self._parent_alive = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._processes = [_Process(self._parent_ends, threads, environment) for environment in environments]
        self._idle = self._processes[::-1]
        self._running: dict[Future[AnswerT], tuple[TaskT, _Process]] = {}
        self._suspects = deque[TaskT]()
        self._suspect_runs = False

    def has_capacity(self) -> bool:
        return bool(self._idle) and not self._suspects and not self._suspect_runs

    def submit(self, task: TaskT) -> None:
        process = self._idle.pop()
        self._running[process.submit(self._work, task)] = task, process

    def has_tasks(self) -> bool:
        return bool(self._running or self._suspects)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        while True:
            if not self._running:
                self._suspect_runs = True
                self.submit(self._suspects.popleft())
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            future = next(iter(done))
            task, process = self._running.pop(future)
            self._idle.append(process)
            try:
                answer = future.result()
            except BrokenProcessPool:
                if not process.close_ended():
                    self.submit(task)  # it has not begun
                    continue
                if not self._suspect_runs:
                    self._suspects.append(task)
                    continue
                answer = self._failed(task, LOST)
            except Exception as error:
                answer = self._failed(task, str(error) or type(error).__name__)
            self._suspect_runs = False
            return task, answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._running:  # the run was stopped: nothing waits for their answers
            self._parent_alive.close()
        for process in self._processes:
            process.close()
        self._parent_alive.close()
        self._parent_ends.close()


class _Process:
    """A process that is started for its first task, and again when it has ended."""

    def __init__(self, *initial_arguments: Any) -> None:
        self._initial_arguments = initial_arguments
        self._pool: ProcessPoolExecutor | None = None
        self._starts = 0

    def submit(self, work: Callable[[TaskT], AnswerT], task: TaskT) -> Future[AnswerT]:
        with _interrupts_blocked():
            try:
                return (self._pool or self._start()).submit(work, task)
            except BrokenProcessPool:  # it has ended between two tasks
                self.close_ended()
                return self._start().submit(work, task)

    def close_ended(self) -> bool:
        """Close the pool of a process that has ended, and return whether it had been ready for tasks.

        Raises
        ------
        RuntimeError
            If it was the last of `MAX_STARTS` processes that were not ready.
        """
        was_ready = self._ready.exception() is None
        self._starts = 0 if was_ready else self._starts
        self.close()
        if self._starts >= MAX_STARTS:
            raise RuntimeError(
                f"{MAX_STARTS} processes ended while they started; does the program do its work inside of "
                "`if __name__ == '__main__':`, and is there enough memory?"
            )
        return was_ready

    def close(self) -> None:
        """End the process when it has no task, and wait for its end."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would share the state of threads and CUDA
        self._pool = ProcessPoolExecutor(1, context, _initialize, self._initial_arguments)
        self._ready = self._pool.submit(os.getpid)
        self._starts += 1
        return self._pool


def cores_per_process(jobs: int) -> int:
    """Return the number of cores that each process may use, so that all together use no more than there are."""
    return max(1, cores() // jobs)


def visible_gpus(device: str) -> tuple[str, ...]:
    """Return a value of ``CUDA_VISIBLE_DEVICES`` for each GPU that a device means, or nothing where it need not change.

    The number in ``cuda:1`` counts among the visible GPUs, so that these must stay the same.
    """
    gpus = [int(name.partition(":")[2]) for name in device_names(device) if name != "cpu"]
    if device.startswith("cuda:") or not gpus:
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else []
    return tuple(names[gpu].strip() if gpu < len(names) else str(gpu) for gpu in gpus)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Make processes that start inside ignore Ctrl-C: it stops the parent, which then stops them."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # the standard library starts it with the first process, and unblocks interrupts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _initialize(parent_ends: Any, threads: int, environment: dict[str, str]) -> None:
    """Give a process its cores and its GPU, and end it when its parent ends or closes its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment, OMP_NUM_THREADS=str(threads))
    threadpool_limits(threads)

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        connection.wait([parent_ends, *([parent.sentinel] if parent else [])])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
