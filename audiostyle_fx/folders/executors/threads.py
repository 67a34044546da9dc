"""Threads of this process that do tasks, so that a GPU gets the work of many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic

if TYPE_CHECKING:
    from typing_extensions import Self
from ..._engine.arrays.cpu_count import cores
from ..._engine.cuda.device_threads import combining_batches
from ..task_warnings import separated_by_thread
from .task_types import AnswerT, TaskT

LEAST_THREADS, MOST_THREADS = 8, 64

MORE_THAN_CORES = 1
"""Threads at work besides one for each core, as they also wait for each other. Measured on two cores, with stereo
recordings of ten seconds: three threads at work take 86 ms for each file, two 90 ms, and eight 119 ms."""


class GpuThreads(Generic[TaskT, AnswerT]):
    """Does tasks in threads of this process, whose batches the GPUs compute together.

    While some wait for a GPU, others read, prepare and write: one more than there are cores.

    Parameters
    ----------
    work : callable
        Returns the answer to a task; its errors end the run. It also gets an event, which is set when the run stops
        early, and should then end soon.
    """

    def __init__(self, work: Callable[[threading.Event, TaskT], AnswerT]) -> None:
        self._work, self._stopped = work, threading.Event()
        self._n_threads = min(max(LEAST_THREADS, 2 * cores()), MOST_THREADS)
        self._turns = threading.Semaphore(cores() + MORE_THAN_CORES)
        self._pool = ThreadPoolExecutor(self._n_threads, "audiostyle_fx file")
        self._futures: dict[Future[AnswerT], TaskT] = {}
        self._context = ExitStack()

    def has_capacity(self) -> bool:
        return len(self._futures) < self._n_threads

    def submit(self, task: TaskT) -> None:
        self._futures[self._pool.submit(self._combined, task)] = task

    def has_tasks(self) -> bool:
        return bool(self._futures)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        done, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        future = next(iter(done))
        return self._futures.pop(future), future.result()

    def _combined(self, task: TaskT) -> AnswerT:
        with combining_batches(self._turns):
            if self._stopped.is_set():
                raise CancelledError
            return self._work(self._stopped, task)

    def __enter__(self) -> Self:
        self._context.enter_context(separated_by_thread())
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        try:
            self._pool.shutdown(cancel_futures=True)
        finally:  # also after a second interrupt
            self._context.close()
