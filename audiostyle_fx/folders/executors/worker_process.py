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

from threadpoolctl import threadpool_limits

from ..._engine.cuda.gpu_server import serve, use_server
from .task_types import AnswerT, TaskT

MAX_STARTS = 3
"""The most attempts to start a process that ends before it is ready."""


class WorkerProcess:
    """A process that is started for its first task, and started again after it has ended.

    Parameters
    ----------
    parent_ends : Connection
        Closed when the parent ends.
    threads : int
        Number of cores that the process may use.
    gpus : list of str
        GPUs that this process uses for the other one.

    Attributes
    ----------
    ready : Future of int
        Number of the process, available when it is ready for tasks.
    ready_time : float
        Time at which the process became ready; infinity before.
    """

    ready: Future[int]
    ready_time: float

    def __init__(self, parent_ends: connection.Connection, threads: int, gpus: list[str]) -> None:
        self._parent_ends, self._threads, self._gpus = parent_ends, threads, gpus
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
        to_gpus = None
        if self._gpus:
            own_end, to_gpus = context.Pipe()
            threading.Thread(target=serve, args=(own_end,), daemon=True).start()
        arguments = (self._parent_ends, self._threads, to_gpus, self._gpus)
        self._pool = ProcessPoolExecutor(1, context, _initialize, arguments)
        self.ready_time = math.inf
        self.ready = self._pool.submit(os.getpid)
        self.ready.add_done_callback(self._set_ready_time)
        if to_gpus is not None:  # the process has its own copy: the pipe breaks when it ends
            self.ready.add_done_callback(lambda _: to_gpus.close())
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


def _initialize(
    parent_ends: connection.Connection, threads: int, to_gpus: connection.Connection | None, gpus: list[str]
) -> None:
    """Set the cores and the GPUs of a process, and end it when its parent ends or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threadpool_limits(threads)
    if to_gpus is not None:
        use_server(to_gpus, gpus)

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        connection.wait([parent_ends, *([parent.sentinel] if parent else [])])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
