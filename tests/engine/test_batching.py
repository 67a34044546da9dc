"""Batches on one or several GPUs."""

import os

import pytest

from audiostyle_fx._engine.cuda import batching, memory


def test_the_cpu_gets_one_item_after_the_other():
    calls = []
    batching.in_batches(lambda items, device: calls.append((items, device)), [1, 2, 3], "cpu", 1)
    assert calls == [([1], "cpu"), ([2], "cpu"), ([3], "cpu")]


def test_an_error_on_one_gpu_stops_the_others(monkeypatch, cupy):
    done = []

    def run(items, device):
        if items == [0]:
            raise ArithmeticError("the first")
        done.append(items)

    monkeypatch.setattr(batching, "device_names", lambda device: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(batching, "items_that_fit", lambda device, item_bytes: 1)
    with pytest.raises(ArithmeticError, match="the first"):
        batching.in_batches(run, list(range(100)), "cuda", 1)
    for executor in (batching.device_executor(os.getpid(), device) for device in ("cuda:0", "cuda:1")):
        executor.submit(int).result()  # the batch that was running has ended
    assert len(done) <= 50 and not any(items[0] % 2 == 0 for items in done)


@pytest.mark.parametrize("error", [MemoryError(), type("CuFFTError", (RuntimeError,), {})("CUFFT_ALLOC_FAILED")])
def test_every_librarys_shortage_halves_a_batch(monkeypatch, cupy, error):
    done = []

    def run(items, device):
        if len(items) > 1:
            raise error
        done.append(items)

    monkeypatch.setattr(batching, "items_that_fit", lambda device, item_bytes: 4)
    with pytest.warns(RuntimeWarning, match="ran out of memory") as warned:
        batching.in_batches(run, [0, 1, 2], "cuda:0", 1)
    assert done == [[0], [1], [2]] and len(warned) == 2


def test_a_shortage_with_one_item_raises(cupy):
    def run(items, device):
        raise MemoryError("the pool is full")

    with pytest.raises(MemoryError, match=r"cuda:0 has too little memory for one recording.*the pool is full"):
        batching.in_batches(run, [0], "cuda:0", 1)


def test_other_errors_of_the_libraries_are_no_shortage():
    error = type("CUDARuntimeError", (RuntimeError,), {})
    assert memory.is_out_of_memory(error("cudaErrorMemoryAllocation: out of memory"))
    assert not memory.is_out_of_memory(error("cudaErrorInvalidDevice: invalid device ordinal"))
    assert not memory.is_out_of_memory(ValueError("out of memory"))


def test_at_least_one_item_fits(stand_in, cupy):
    stand_in.configure(devices=1, memory=1000)
    assert memory.items_that_fit("cuda:0", 100) == 8
    assert memory.items_that_fit("cuda:0", 10**6) == 1
