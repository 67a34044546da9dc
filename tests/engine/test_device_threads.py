"""The thread of each GPU, and the batches of other threads that it combines."""

import gc
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from audiostyle_fx._engine.cuda import batching, device_threads


class Steps:
    """Notes the batches that a device computes; their results are ten times their items."""

    def __init__(self, compute=lambda items, device: None):
        self.computed, self.threads, self._compute = [], set(), compute

    def batch(self, *items, **options):
        return Prepared(self, items, **options)

    def prepare(self, items, device):
        assert device == "cuda:0" or device == "cuda:1"
        return self.batch(*items, kind=items[0] % 2)

    def compute(self, items, device):
        self.threads.add(threading.current_thread())
        self.computed.append(items)
        self._compute(items, device)

    def finish(self, items, result):
        assert result.items == tuple(10 * item for item in items)


@dataclass(frozen=True)
class Prepared:
    steps: Steps
    items: tuple
    kind: object = "a kind"
    item_bytes: int = 1

    @property
    def size(self):
        return len(self.items)

    def combined(self, others, device):
        return self.steps.batch(*itertools.chain(self.items, *(other.items for other in others)))

    def compute(self, device):
        self.steps.compute(self.items, device)
        return Result(tuple(10 * item for item in self.items))


@dataclass(frozen=True)
class Result:
    items: tuple

    def split(self, sizes):
        ends = [0, *itertools.accumulate(sizes)]
        return [Result(self.items[a:b]) for a, b in itertools.pairwise(ends)]


@pytest.fixture
def queue(cupy):
    return device_threads.BatchQueue("cuda:0")


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(1e-3)


def together(queue, batches):
    """The result or error of each batch; all of them come while the GPU computes another one, one thread at a time."""
    free, turns = threading.Event(), threading.Semaphore(1)

    def compute(batch):
        with device_threads.combining_batches(turns, threading.Event()):
            return queue.submit(batch).result()

    def answer(batch):
        try:
            return list(compute(batch).items)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(batches) + 1) as pool:
        busy = pool.submit(compute, Steps(lambda *_: free.wait(60)).batch(kind="busy"))
        wait_until(lambda: len(queue) == 1)
        answers = []
        for number, batch in enumerate(batches):
            answers.append(pool.submit(answer, batch))
            wait_until(lambda number=number: len(queue) == number + 2)
        free.set()
        busy.result()
        found = [future.result() for future in answers]
    wait_until(lambda: not len(queue))
    return found


def test_batches_of_one_kind_that_wait_are_computed_together(queue):
    steps = Steps()
    batches = [steps.batch(1, 2), steps.batch(3, kind="other"), steps.batch(4), steps.batch(5)]
    assert together(queue, batches) == [[10, 20], [30], [40], [50]]
    assert steps.computed == [(1, 2, 4, 5), (3,)]
    assert len(steps.threads) == 1 and threading.current_thread() not in steps.threads


def test_no_more_are_combined_than_fit(queue, monkeypatch):
    monkeypatch.setattr(device_threads, "items_that_fit", lambda device, item_bytes: 3 * item_bytes)
    steps = Steps()
    together(queue, [steps.batch(1, 2), steps.batch(3, 4), steps.batch(5), steps.batch(6)])
    assert steps.computed == [(1, 2, 5), (3, 4, 6)]


def test_an_error_reaches_all_that_are_combined_and_no_others(queue):
    def fail_with_three(items, device):
        if 3 in items:
            raise ArithmeticError("not three")

    steps = Steps(fail_with_three)
    batches = [steps.batch(2), steps.batch(3), steps.batch(4, kind="other")]
    two, three, four = together(queue, batches)
    assert str(two) == str(three) == "not three" and four == [40]
    assert steps.computed == [(2, 3), (4,)]


def test_a_failed_batch_leaves_no_memory_in_use(stand_in, queue):
    live = []

    def use_memory(items, device):
        live.append(stand_in.live_bytes())
        arrays = [stand_in.cupy.zeros(1000, np.float32)]
        if len(items) > 1:
            raise MemoryError(f"the pool is full of {len(arrays)}")

    gc.collect()
    gc.disable()
    try:
        steps, before = Steps(use_memory), stand_in.live_bytes()
        with device_threads.combining_batches(threading.Semaphore(1), threading.Event()), pytest.warns(RuntimeWarning):
            batching.run_batches(steps, [[1, 2, 3, 4]], "cuda:0")
    finally:
        gc.enable()
    assert steps.computed[0] == (1, 2, 3, 4) and len(steps.computed) == 7 and set(live) == {before}


def test_a_shortage_of_memory_halves_what_is_combined(queue):
    def small_only(items, device):
        if len(items) > 2:
            raise MemoryError("the pool is full")

    steps = Steps(small_only)
    with pytest.warns(RuntimeWarning, match="ran out of memory with 4 recordings at once: continuing with 2"):
        assert together(queue, [steps.batch(number) for number in range(4)]) == [[0], [10], [20], [30]]
    assert steps.computed == [(0, 1, 2, 3), (0, 1), (2, 3)]


def test_an_error_before_the_work_reaches_the_thread_that_waits(queue, monkeypatch):
    def broken(device, item_bytes):
        raise ArithmeticError("no device")

    monkeypatch.setattr(device_threads, "items_that_fit", broken)
    first, second = together(queue, [Steps().batch(1), Steps().batch(2)])
    assert str(first) == "no device" and second == [20]


def test_threads_use_the_gpu_for_which_the_fewest_wait(cupy, monkeypatch):
    monkeypatch.setattr(batching, "device_names", lambda device: ["cuda:0", "cuda:1"])
    used, both, turns = [], threading.Barrier(2), threading.Semaphore(1)

    def compute(items, device):
        used.append(device)
        both.wait(60)

    steps = Steps(compute)

    def run(number):
        with device_threads.combining_batches(turns, threading.Event()):
            batching.run_batches(steps, [[number]], "cuda")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [1, 2]))
    assert sorted(used) == ["cuda:0", "cuda:1"]
    assert not device_threads.combines_batches()


def test_the_batches_of_one_thread_wait_for_all_gpus(cupy, monkeypatch):
    monkeypatch.setattr(batching, "device_names", lambda device: ["cuda:0", "cuda:1"])
    used, both = [], threading.Barrier(2)

    def compute(items, device):
        used.append(device)
        both.wait(60)

    with device_threads.combining_batches(threading.Semaphore(1), threading.Event()):
        batches = batching.in_batches([1, 2, 3, 4], "cuda", 1)
        assert batches == [[1, 2], [3, 4]]
        batching.run_batches(Steps(compute), batches, "cuda")
    assert sorted(used) == ["cuda:0", "cuda:1"]


def test_a_batch_that_is_too_large_is_halved_by_its_thread(cupy):
    def one_only(items, device):
        if len(items) > 1:
            raise MemoryError

    steps = Steps(one_only)
    turns = threading.Semaphore(1)
    with (
        device_threads.combining_batches(turns, threading.Event()),
        pytest.warns(RuntimeWarning, match="with 2 recordings at once"),
    ):
        batching.run_batches(steps, [[1, 2]], "cuda:0")
    assert steps.computed == [(1, 2), (1,), (2,)]
