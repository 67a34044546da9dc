"""Batches on one or several GPUs, and the host's work beside them."""

import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from audiostyle_fx._engine.cuda import batching, host_threads, memory


class Steps:
    """Notes each step with the items of its batch; ``compute`` may do more."""

    def __init__(self, compute=lambda items, device: None):
        self.log, self.threads, self._compute = [], {}, compute

    def note(self, step, items):
        self.log.append((step, tuple(items)))
        self.threads.setdefault(step, set()).add(threading.current_thread())

    def prepare(self, items, device):
        self.note("prepare", items)
        return Prepared(self, items, device)

    def compute(self, items, device):
        self._compute(items, device)
        self.note("compute", items)
        return [10 * item for item in items]

    def finish(self, items, result):
        assert result == [10 * item for item in items]
        self.note("finish", items)

    def of(self, step):
        return [items for name, items in self.log if name == step]


@dataclass(frozen=True)
class Prepared:
    steps: Steps
    items: list
    device: str

    def compute(self, device):
        assert device == self.device
        return self.steps.compute(self.items, device)


@pytest.fixture
def two_gpus(monkeypatch, cupy):
    monkeypatch.setattr(batching, "device_names", lambda device: ["cuda:0", "cuda:1"])


def test_the_cpu_gets_one_item_after_the_other():
    steps = Steps()
    batching.run_batches(steps, batching.in_batches([1, 2], "cpu", 1), "cpu")
    assert steps.log == [(step, (item,)) for item in (1, 2) for step in ("prepare", "compute", "finish")]
    assert set.union(*steps.threads.values()) == {threading.current_thread()}


def test_batches_fit_and_are_shared_fairly(monkeypatch, two_gpus):
    monkeypatch.setattr(batching, "items_that_fit", lambda device, item_bytes: 6)
    assert [len(batch) for batch in batching.in_batches(list(range(20)), "cuda", 1)] == [6, 6, 6, 2]
    assert [len(batch) for batch in batching.in_batches(list(range(7)), "cuda", 1)] == [4, 3]


def test_the_host_works_while_a_gpu_computes(cupy):
    """The first batch is computed until the second is prepared, and the second until the first is finished."""

    def wait_for(what):
        end = time.monotonic() + 60
        while what not in steps.log:
            assert time.monotonic() < end, f"{what} does not happen while the GPU computes"
            time.sleep(1e-3)

    def compute(items, device):
        awaited = {1: ("prepare", (2,)), 2: ("finish", (1,))}
        if items[0] in awaited:
            wait_for(awaited[items[0]])

    steps = Steps(compute)
    batching.run_batches(steps, [[1], [2], [3]], "cuda:0")
    for step in ("prepare", "compute", "finish"):
        assert steps.of(step) == [(1,), (2,), (3,)]
    assert steps.threads["compute"] == {threading.current_thread()}, "where its stream and its plans are"
    assert steps.threads["prepare"] == steps.threads["finish"] and len(steps.threads["finish"]) == 1


def test_few_batches_are_in_memory(cupy):
    """While a batch is computed, the one after the next is not prepared and the one before the last is finished."""
    computed = []

    def compute(items, device):
        (number,) = items
        time.sleep(0.01)
        assert (number + 2,) not in steps.of("prepare")
        assert all((earlier,) in steps.of("finish") for earlier in range(number - 1))
        computed.append(number)

    steps = Steps(compute)
    batching.run_batches(steps, [[number] for number in range(5)], "cuda:0")
    assert computed == list(range(5))


@pytest.mark.parametrize("step", ["prepare", "compute", "finish"])
def test_an_error_of_any_step_ends_the_work(monkeypatch, cupy, step):
    steps = Steps()
    original = getattr(steps, step)

    def fail_at_two(given, *args):
        if given == [2]:
            raise ArithmeticError("the second")
        return original(given, *args)

    setattr(steps, step, fail_at_two)
    with pytest.raises(ArithmeticError, match="the second"):
        batching.run_batches(steps, [[number] for number in range(1, 9)], "cuda:0")
    count = len(steps.log)
    assert steps.of("prepare")[-1] < (5,) and not any(t.name.startswith("audiostyle_fx host of") for t in threads())
    time.sleep(0.01)
    assert len(steps.log) == count


def threads():
    return threading.enumerate()


def test_an_interrupt_ends_the_work(cupy):
    def interrupt(items, device):
        raise KeyboardInterrupt

    steps = Steps(interrupt)
    with pytest.raises(KeyboardInterrupt):
        batching.run_batches(steps, [[1], [2], [3]], "cuda:0")
    assert (3,) not in steps.of("prepare") and not steps.of("finish")
    assert not any(thread.name.startswith("audiostyle_fx host of") for thread in threads())


def test_several_gpus_take_batches_in_turn(two_gpus):
    devices = {}
    steps = Steps(lambda items, device: devices.setdefault(device, []).extend(items))
    batching.run_batches(steps, [[number] for number in range(5)], "cuda")
    assert devices == {"cuda:0": [0, 2, 4], "cuda:1": [1, 3]}
    assert sorted(steps.of("finish")) == [(number,) for number in range(5)]


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_on_one_gpu_stops_the_others(two_gpus, failing):
    """The other GPU ends its batch, and nothing of it happens after the error is raised."""
    begun, done, failed = threading.Event(), [], threading.Event()

    def compute(items, device):
        if items == [failing]:
            begun.wait(timeout=60)
            failed.set()
            raise ArithmeticError("the first")
        begun.set()
        failed.wait(timeout=60)
        time.sleep(0.05)
        done.append(items)

    with pytest.raises(ArithmeticError, match="the first"):
        batching.run_batches(Steps(compute), [[number] for number in range(100)], "cuda")
    count = len(done)
    assert 1 <= count <= 3 and not any(items[0] % 2 == failing for items in done)
    time.sleep(0.2)
    assert len(done) == count


@pytest.mark.parametrize("error", [MemoryError(), type("CuFFTError", (RuntimeError,), {})("CUFFT_ALLOC_FAILED")])
def test_every_librarys_shortage_halves_a_batch(cupy, error):
    def compute(items, device):
        if len(items) > 1:
            raise error

    steps = Steps(compute)
    with pytest.warns(RuntimeWarning, match="ran out of memory") as warned:
        batching.run_batches(steps, [[0, 1, 2], [3]], "cuda:0")
    assert steps.of("compute") == steps.of("finish") == [(0,), (1,), (2,), (3,)] and len(warned) == 2


def test_a_shortage_with_one_item_raises(cupy):
    def compute(items, device):
        raise MemoryError("the pool is full")

    with pytest.raises(MemoryError, match=r"cuda:0 has too little memory for one recording.*the pool is full"):
        batching.run_batches(Steps(compute), [[0]], "cuda:0")


def test_other_errors_of_the_libraries_are_no_shortage():
    error = type("CUDARuntimeError", (RuntimeError,), {})
    assert memory.is_out_of_memory(error("cudaErrorMemoryAllocation: out of memory"))
    assert not memory.is_out_of_memory(error("cudaErrorInvalidDevice: invalid device ordinal"))
    assert not memory.is_out_of_memory(ValueError("out of memory"))


def test_at_least_one_item_fits(stand_in, cupy):
    stand_in.configure(devices=1, memory=1000)
    assert memory.items_that_fit("cuda:0", 100) == 8
    assert memory.items_that_fit("cuda:0", 10**6) == 1


# ---------------------------------------------------------------- the host's threads and memory
def test_two_functions_run_at_once(monkeypatch):
    monkeypatch.setattr(host_threads, "cores", lambda: 2)
    together = threading.Barrier(2)

    def where():
        together.wait(timeout=60)
        return threading.current_thread()

    here, elsewhere = host_threads.at_once(where, where)
    assert here is threading.current_thread() is not elsewhere
    monkeypatch.setattr(host_threads, "cores", lambda: 1)
    assert host_threads.at_once(threading.current_thread, threading.current_thread) == (here, here)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_of_either_function_comes_when_both_have_ended(monkeypatch, failing):
    monkeypatch.setattr(host_threads, "cores", lambda: 2)
    ended = []

    def fail():
        raise ArithmeticError("one of them")

    def end():
        time.sleep(0.02)
        ended.append(1)

    functions = [end, end]
    functions[failing] = fail
    with pytest.raises(ArithmeticError, match="one of them"):
        host_threads.at_once(*functions)
    assert ended


def test_all_cores_share_items(monkeypatch):
    monkeypatch.setattr(host_threads, "cores", lambda: 3)
    host_threads._pool.cache_clear()
    together = threading.Barrier(3)

    def tripled(item):
        together.wait(timeout=60)  # only three threads at once pass
        return 3 * item

    assert host_threads.on_all_cores(tripled, range(6)) == [0, 3, 6, 9, 12, 15]
    with pytest.raises(ZeroDivisionError, match="by zero"):
        host_threads.on_all_cores(lambda item: 1 // item, [1, 0, "which is no number"])
    host_threads._pool.cache_clear()


def test_items_that_have_begun_are_awaited_after_an_error(monkeypatch):
    monkeypatch.setattr(host_threads, "cores", lambda: 3)
    host_threads._pool.cache_clear()
    begun, ended = threading.Barrier(3), []

    def work(item):
        begun.wait(timeout=60)
        if item == 0:
            raise ArithmeticError("the first")
        time.sleep(0.05)
        ended.append(item)

    with pytest.raises(ArithmeticError, match="the first"):
        host_threads.on_all_cores(work, range(3))
    assert sorted(ended) == [1, 2]
    host_threads._pool.cache_clear()


def test_the_first_item_can_run_before_the_others(monkeypatch):
    monkeypatch.setattr(host_threads, "cores", lambda: 2)
    ended = []

    def work(item):
        time.sleep(0.02 * (item == 0))
        ended.append(item)
        return item

    assert host_threads.on_all_cores(work, range(4), first_alone=True) == [0, 1, 2, 3]
    assert ended[0] == 0


def test_one_item_stays_on_its_thread():
    assert host_threads.on_all_cores(lambda _: threading.current_thread(), [0]) == [threading.current_thread()]
    assert host_threads.on_all_cores(int, []) == []


def test_copies_to_and_from_a_gpu_use_pinned_memory(stand_in, cupy):
    host = memory.host_array((2, 3), "cuda:1")
    host[:] = [[1, 2, 3], [4, 5, 6]]
    with cupy.cuda.Device(1):
        on_gpu = memory.to_device(host, "cuda:1")
        back = memory.to_pinned_host(2 * on_gpu[:, 1:])
    assert back.tolist() == [[4, 6], [10, 12]]
    assert stand_in.pinned_copies() == stand_in.counters.host_copies == 2


def test_memory_that_can_not_be_pinned_is_ordinary(monkeypatch, cupy):
    def refuse(size):
        raise type("CUDARuntimeError", (RuntimeError,), {})("cudaErrorMemoryAllocation: out of memory")

    monkeypatch.setattr(cupy.cuda, "alloc_pinned_memory", refuse)
    host = memory.host_array((2, 3), "cuda:0")
    assert host.shape == (2, 3) and host.dtype == np.float32


def test_copies_on_the_cpu_are_none(cupy):
    host = memory.host_array((2, 3), "cpu")
    assert memory.to_device(host, "cpu") is host and memory.to_pinned_host(host) is host
