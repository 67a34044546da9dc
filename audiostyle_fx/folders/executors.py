"""Who does the work on many files: this process, others on this machine, or an executor that the caller has."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from typing_extensions import Self
from .._engine.arrays.threads import cores
from .._engine.cuda.devices import device_names

Task = TypeVar("Task")


Answer = TypeVar("Answer")


LOST = "the process that worked on it ended; was there too little memory?"


ATTEMPTS = 3
"""How often processes are begun that end before they have a task."""


MOST_WAITING = 1000
"""Tasks that an executor is given at a time."""


class Crew(ABC, Generic[Task, Answer]):
    """Whoever does tasks; a context manager."""

    @abstractmethod
    def room(self) -> bool:
        """Whether it takes another task now."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Take a task."""

    @abstractmethod
    def busy(self) -> bool:
        """Whether there is an answer to wait for."""

    @abstractmethod
    def next(self) -> tuple[Task, Answer]:
        """Wait for an answer, to any task."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End, without waiting for answers."""


class InTurn(Crew[Task, Answer]):
    """Does one task after the other, in this process."""

    def __init__(self, work: Callable[[Task], Answer]) -> None:
        self._work, self._tasks = work, deque[Task]()

    def room(self) -> bool:
        return not self._tasks

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def busy(self) -> bool:
        return bool(self._tasks)

    def next(self) -> tuple[Task, Answer]:
        task = self._tasks.popleft()
        return task, self._work(task)


class Through(Crew[Task, Answer]):
    """Gives tasks to an executor, which stays open.

    Parameters
    ----------
    executor : Executor
    work : callable
        Of a module, so that other processes find it; its errors are `failed`'s to turn into answers.
    failed : callable
        The answer for a task that the executor lost.
    """

    def __init__(
        self, executor: Executor, work: Callable[[Task], Answer], failed: Callable[[Task, str], Answer]
    ) -> None:
        self._executor, self._work, self._failed = executor, work, failed
        self._futures: dict[Future[Answer], Task] = {}

    def room(self) -> bool:
        return len(self._futures) < MOST_WAITING

    def submit(self, task: Task) -> None:
        self._futures[self._executor.submit(self._work, task)] = task

    def busy(self) -> bool:
        return bool(self._futures)

    def next(self) -> tuple[Task, Answer]:
        done, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        future = next(iter(done))
        task = self._futures.pop(future)
        try:
            return task, future.result()
        except BrokenExecutor:
            raise
        except CancelledError as error:  # not by us: its tasks are gone, as with a cluster's scheduler
            raise BrokenExecutor("the executor has dropped its tasks; what is finished is kept") from error
        except Exception as error:  # whatever a cluster raises for a task whose workers are lost
            return task, self._failed(task, str(error) or type(error).__name__)

    def __exit__(self, *_: object) -> None:
        for future in self._futures:
            future.cancel()


class Processes(Crew[Task, Answer]):
    """Gives tasks to processes of its own on this machine, each with its share of the cores, or a card.

    Where one ends, all are begun anew, and what was in work is done again, one task at a time: the task that ends a
    process by itself has failed, and the others are none the worse.

    Parameters
    ----------
    jobs : int
        How many.
    work, failed
        As of `Through`.
    device : str
        Where the tasks compute. Of several cards each process sees one alone.

    Raises
    ------
    RuntimeError
        If processes end as they are begun.
    """

    def __init__(
        self,
        jobs: int,
        work: Callable[[Task], Answer],
        failed: Callable[[Task, str], Answer],
        device: str = "auto",
    ) -> None:
        self._jobs, self._work, self._failed = jobs, work, failed
        self._cards = visible_cards(device)
        self._threads = share_of_cores(jobs)
        self._futures: dict[Future[Answer], Task] = {}
        self._answers, self._suspects = deque[tuple[Task, Answer]](), deque[Task]()
        self._alone = False

    def room(self) -> bool:
        return len(self._futures) < self._jobs and not self._suspects and not self._answers

    def submit(self, task: Task) -> None:
        try:
            with _interrupts_held():
                self._futures[self._pool.submit(self._work, task)] = task
        except BrokenExecutor:  # told of by no future yet
            self._suspects.append(task)

    def busy(self) -> bool:
        return bool(self._futures or self._suspects or self._answers)

    def next(self) -> tuple[Task, Answer]:
        while not self._answers:
            if not self._futures:
                self._alone = True
                self.submit(self._suspects.popleft())
                if not self._futures:
                    self._begin_anew()
                    continue
            done, _ = wait(self._futures, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenExecutor) for future in done):
                self._begin_anew()
            else:
                for future in done:
                    self._take(future, self._futures.pop(future))
            self._alone = False
        return self._answers.popleft()

    def _take(self, future: Future[Answer], task: Task) -> None:
        """Keep the answer of a process that has not ended."""
        error = future.exception()
        answer = future.result() if error is None else self._failed(task, str(error) or type(error).__name__)
        self._answers.append((task, answer))

    def _begin_anew(self) -> None:
        """Begin all processes anew, after one has ended."""
        wait(self._futures)  # all are told of it
        lost = []
        for future, task in self._futures.items():
            if isinstance(future.exception(), BrokenExecutor):
                lost.append(task)
            else:
                self._take(future, task)
        if self._alone and len(lost) == 1:
            self._answers.append((lost[0], self._failed(lost[0], LOST)))
        else:
            self._suspects.extend(lost)
        self._futures.clear()
        for _ in range(ATTEMPTS):
            self._end()
            self._begin()
            with contextlib.suppress(BrokenExecutor):
                with _interrupts_held():
                    begun = self._pool.submit(os.getpid)
                begun.result()
                return
        raise RuntimeError(
            f"{ATTEMPTS} processes ended as they were begun; does the program do its work behind "
            "`if __name__ == '__main__':`, and is there memory?"
        )

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share what threads and CUDA hold
        number = context.Value("i", 0)
        self._their_end, self._alive = context.Pipe(duplex=False)  # theirs is open until the last has been begun
        self._pool = ProcessPoolExecutor(
            self._jobs, context, _begin_worker, (self._their_end, number, self._threads, self._cards)
        )

    def _end(self) -> None:
        if self._futures:  # nobody waits for these
            self._alive.close()
        self._pool.shutdown(cancel_futures=True)
        self._alive.close()
        self._their_end.close()

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def share_of_cores(jobs: int) -> int:
    """The threads of each of so many processes: one at least, and where it can be no more in all than cores."""
    return max(1, cores() // jobs)


def visible_cards(device: str) -> tuple[str, ...]:
    """What ``CUDA_VISIBLE_DEVICES`` is to say in a process for each of a device's cards; nothing where it may stay."""
    cards = [int(place.partition(":")[2]) for place in device_names(device) if place != "cpu"]
    if device.startswith("cuda:") or not cards:  # by its number, which counts from what is visible
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else []
    return tuple(names[card].strip() if card < len(names) else str(card) for card in cards)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Have processes that begin within ignore Ctrl-C, which ends their parent and so them, from the first moment."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(alive: Any, number: Any, threads: int, cards: tuple[str, ...]) -> None:
    """Give a process its share of the cores or a card, and end it with the one that began it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with number.get_lock():
        mine, number.value = number.value, number.value + 1
    if cards:
        os.environ["CUDA_VISIBLE_DEVICES"] = cards[mine % len(cards)]
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threadpool_limits(threads)

    def watch() -> None:
        parent = multiprocessing.parent_process()
        connection.wait([alive, *([parent.sentinel] if parent else [])])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def cluster(address: str | None, jobs: int | None = None) -> Iterator[Executor | None]:
    """The executor of a Dask cluster at an address, or for "local" of one on this machine; None for None.

    A task whose worker is lost is done again by another, as often as the cluster's ``allowed-failures`` says.

    Parameters
    ----------
    address : str, optional
        Such as ``"tcp://scheduler:8786"``.
    jobs : int, optional
        Workers of a local cluster; one a core by default.

    Raises
    ------
    ImportError
        If Dask is not installed; says which extra brings it.
    OSError
        If no scheduler answers there.
    """
    if address is None:
        yield None
        return
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("--dask needs Dask: pip install 'audiostyle-fx[dask]'") from error
    with contextlib.ExitStack() as stack:
        if address == "local":
            jobs = jobs or cores()
            threads = {"OMP_NUM_THREADS": str(share_of_cores(jobs))}
            # Without limits of memory, as equal shares of it would be too small for one long file among short ones.
            address = stack.enter_context(
                LocalCluster(n_workers=jobs, threads_per_worker=1, memory_limit=0, env=threads, dashboard_address=None)
            )
        client = stack.enter_context(Client(address))
        yield client.get_executor(pure=False)
