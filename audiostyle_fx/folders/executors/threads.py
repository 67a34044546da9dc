"""Threads of this process that do tasks, so that a GPU gets the work of many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self
from ..._engine.arrays.cpu_count import cores
from ..._engine.cuda.device_threads import combining_batches
from ..task_warnings import separated_by_thread
from .task_types import AnswerT, TaskT

EventT = TypeVar("EventT")

LEAST_THREADS, MOST_THREADS = 8, 64

MORE_THAN_CORES = 1
"""Threads at work besides one for each core, as they also wait for each other. Measured on two cores, with stereo
recordings of ten seconds: three threads at work take 86 ms for each file, two 90 ms, and eight 119 ms."""


class GpuThreads(Generic[TaskT, AnswerT, EventT]):
    """Does tasks in threads of this process, whose batches the GPUs compute together.

    While some wait for a GPU, others read, prepare and write: one more than there are cores.

    Parameters
    ----------
    work : callable
        Returns the answer to a task. It also gets a function that takes events.
    report : callable
        Gets tasks with their events, on the thread that waits for answers. Its errors end the run.
    """

    def __init__(
        self,
        work: Callable[[TaskT, Callable[[EventT], None]], AnswerT],
        report: Callable[[TaskT, EventT], None],
    ) -> None:
        self._work, self._report, self._stopped = work, report, threading.Event()
        self._n_threads = min(max(LEAST_THREADS, 2 * cores()), MOST_THREADS)
        self._turns = threading.Semaphore(cores() + MORE_THAN_CORES)
        self._pool = ThreadPoolExecutor(self._n_threads, "audiostyle_fx file")
        self._futures: dict[Future[AnswerT], TaskT] = {}
        self._news: SimpleQueue[Future[AnswerT] | tuple[TaskT, EventT]] = SimpleQueue()
        self._context = ExitStack()

    def has_capacity(self) -> bool:
        return len(self._futures) < self._n_threads

    def submit(self, task: TaskT) -> None:
        future = self._pool.submit(self._combined, task)
        self._futures[future] = task
        future.add_done_callback(self._news.put)

    def has_tasks(self) -> bool:
        return bool(self._futures)

    def next_answer(self) -> tuple[TaskT, AnswerT]:
        while True:
            news = self._news.get()
            if isinstance(news, Future):
                return self._futures.pop(news), news.result()
            self._report(*news)

    def _combined(self, task: TaskT) -> AnswerT:
        with combining_batches(self._turns, self._stopped):
            if self._stopped.is_set():
                raise CancelledError
            return self._work(task, lambda event: self._news.put((task, event)))

    def __enter__(self) -> Self:
        self._context.enter_context(separated_by_thread())
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        try:
            self._pool.shutdown(cancel_futures=True)
        finally:  # also after a second interrupt
            self._context.close()
