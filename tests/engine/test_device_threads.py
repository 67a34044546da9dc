"""The thread of each GPU, and the batches of other threads that it combines."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from audiostyle_fx._engine.cuda import batching, device_threads


@dataclass(frozen=True)
class Prepared:
    items: tuple
    kind: object = "a kind"
    item_bytes: int = 1

    @property
    def size(self):
        return len(self.items)


class Steps:
    """Notes the batches that a device computes; their results are ten times their items."""

    def __init__(self, compute=lambda items, device: None):
        self.computed, self.threads, self._compute = [], set(), compute

    def prepare(self, items, device):
        return Prepared(tuple(items), kind=items[0] % 2)

    def compute(self, prepared, device):
        self.threads.add(threading.current_thread())
        self.computed.append(prepared.items)
        self._compute(prepared.items, device)
        return [10 * item for item in prepared.items]

    def combine(self, prepared):
        return Prepared(sum((each.items for each in prepared), ()))

    def split(self, result, sizes):
        parts = []
        for size in sizes:
            parts.append(result[:size])
            result = result[size:]
        return parts

    def finish(self, items, result):
        assert result == [10 * item for item in items]


@pytest.fixture
def queue(cupy):
    return device_threads.BatchQueue("cuda:0")


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(1e-3)


def together(queue, steps, batches):
    """The result or error of each batch; all of them come while the GPU computes another one, one thread at a time."""
    free, turns = threading.Event(), threading.Semaphore(1)

    class Busy(Steps):
        def compute(self, prepared, device):
            free.wait(60)

    def compute(steps, batch):
        with device_threads.combining_batches(turns):
            return queue.compute(steps, batch)

    def answer(batch):
        try:
            return compute(steps, batch)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(batches) + 1) as pool:
        busy = pool.submit(compute, Busy(), Prepared((), kind="busy"))
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
    batches = [Prepared((1, 2)), Prepared((3,), kind="other"), Prepared((4,)), Prepared((5,))]
    assert together(queue, steps, batches) == [[10, 20], [30], [40], [50]]
    assert steps.computed == [(1, 2, 4, 5), (3,)]
    assert len(steps.threads) == 1 and threading.current_thread() not in steps.threads


def test_no_more_are_combined_than_fit(queue, monkeypatch):
    monkeypatch.setattr(device_threads, "items_that_fit", lambda device, item_bytes: 3 * item_bytes)
    steps = Steps()
    together(queue, steps, [Prepared((1, 2)), Prepared((3, 4)), Prepared((5,)), Prepared((6,))])
    assert steps.computed == [(1, 2, 5), (3, 4, 6)]


def test_each_fails_for_itself(queue):
    def fail_with_three(items, device):
        if 3 in items:
            raise ArithmeticError("not three")

    steps = Steps(fail_with_three)
    found = together(queue, steps, [Prepared((number,)) for number in range(5)])
    assert found[:3] + found[4:] == [[0], [10], [20], [40]] and str(found[3]) == "not three"
    assert steps.computed == [(0, 1, 2, 3, 4), (0, 1), (2, 3, 4), (2,), (3, 4), (3,), (4,)]


def test_a_shortage_of_memory_halves_what_is_combined(queue):
    def small_only(items, device):
        if len(items) > 2:
            raise MemoryError("the pool is full")

    steps = Steps(small_only)
    with pytest.warns(RuntimeWarning, match="ran out of memory with 4 recordings at once: continuing with 2"):
        assert together(queue, steps, [Prepared((number,)) for number in range(4)]) == [[0], [10], [20], [30]]
    assert steps.computed == [(0, 1, 2, 3), (0, 1), (2, 3)]


def test_an_error_before_the_work_reaches_the_thread_that_waits(queue, monkeypatch):
    def broken(device, item_bytes):
        raise ArithmeticError("no device")

    monkeypatch.setattr(device_threads, "items_that_fit", broken)
    first, second = together(queue, Steps(), [Prepared((1,)), Prepared((2,))])
    assert str(first) == "no device" and second == [20]


def test_threads_use_the_gpu_for_which_the_fewest_wait(cupy, monkeypatch):
    monkeypatch.setattr(batching, "device_names", lambda device: ["cuda:0", "cuda:1"])
    used, both, turns = [], threading.Barrier(2), threading.Semaphore(1)

    def compute(items, device):
        used.append(device)
        both.wait(60)

    steps = Steps(compute)

    def run(number):
        with device_threads.combining_batches(turns):
            assert batching.in_batches([number] * 4, "cuda", 1) == [[number] * 4], "other threads use the other GPU"
            batching.run_batches(steps, [[number]], "cuda")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [1, 2]))
    assert sorted(used) == ["cuda:0", "cuda:1"]
    assert not device_threads.combines_batches()


def test_a_batch_that_is_too_large_is_halved_by_its_thread(cupy):
    def one_only(items, device):
        if len(items) > 1:
            raise MemoryError

    steps = Steps(one_only)
    turns = threading.Semaphore(1)
    with device_threads.combining_batches(turns), pytest.warns(RuntimeWarning, match="with 2 recordings at once"):
        batching.run_batches(steps, [[1, 2], [3]], "cuda:0")
    assert steps.computed == [(1, 2), (1,), (2,), (3,)]
