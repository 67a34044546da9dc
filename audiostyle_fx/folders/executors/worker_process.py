"""A process that does one task at a time for `LocalProcesses` and can be killed."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from .task_types import AnswerT, TaskT

MAX_STARTS = 3
"""The most attempts to start a process that ends before it is ready."""


class WorkerProcess:
    """A process that is started for its first task, and started again after it has ended.

    Attributes
    ----------
    ready : Future of int
        Number of the process, available when it is ready for tasks.
    ready_time : float
        Time at which the process became ready; infinity before.
    """

    ready: Future[int]
    ready_time: float

    def __init__(self, *initial_arguments: Any) -> None:
        self._initial_arguments = initial_arguments
        self._pool: ProcessPoolExecutor | None = None
        self._starts = 0

    def submit(
        self, prepare: Callable[[TaskT], object], work: Callable[[TaskT], AnswerT], task: TaskT
    ) -> tuple[Future[object], Future[AnswerT]]:
        """Let the process prepare a task and then do it."""
        with _interrupts_blocked():
            try:
                pool = self._pool or self._start()
                return pool.submit(prepare, task), pool.submit(work, task)
            except BrokenProcessPool:  # the process has ended between two tasks
                self.close_ended()
                pool = self._start()
                return pool.submit(prepare, task), pool.submit(work, task)

    def kill(self) -> None:
        """Kill the process, whatever it does; it must be ready."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.ready.result(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has no SIGKILL

    def close_ended(self) -> bool:
        """Close the pool of a process that has ended, and return whether the process had been ready for tasks.

        Raises
        ------
        RuntimeError
            If `MAX_STARTS` processes have ended before they were ready.
        """
        was_ready = self.ready.exception() is None
        self._starts = 0 if was_ready else self._starts
        self.close()
        if self._starts >= MAX_STARTS:
            raise RuntimeError(
                f"{MAX_STARTS} processes ended while they started; does the program do its work inside "
                "`if __name__ == '__main__':`, and is there enough memory?"
            )
        return was_ready

    def close(self) -> None:
        """Let the process finish its task, end it, and wait for its end."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would share the state of threads and CUDA
        self._pool = ProcessPoolExecutor(1, context, _initialize, self._initial_arguments)
        self.ready_time = math.inf
        self.ready = self._pool.submit(os.getpid)
        self.ready.add_done_callback(self._set_ready_time)
        self._starts += 1
        return self._pool

    def _set_ready_time(self, ready: Future[int]) -> None:
        if ready is self.ready and not ready.cancelled() and ready.exception() is None:
            self.ready_time = time.monotonic()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Make processes that start within this context ignore Ctrl-C, which stops the parent; the parent stops them."""
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
    """Set the cores and the GPU of a process, and end it when its parent ends or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment, OMP_NUM_THREADS=str(threads))
    threadpool_limits(threads)

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        connection.wait([parent_ends, *([parent.sentinel] if parent else [])])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
