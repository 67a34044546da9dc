"""GPUs that compute for other processes: the server's answers, here to a client on another thread."""

import multiprocessing
import threading

import numpy as np
import pytest
from support.processes import wait_for

from audiostyle_fx._engine.cuda import device_threads, devices, gpu_server


class Batch:
    """Doubles numbers; may do something else on the GPU's thread."""

    item_bytes = 1

    def __init__(self, *numbers, kind="a kind", compute=None):
        self.numbers, self.kind, self._compute = np.array(numbers, np.float32), kind, compute

    @property
    def size(self):
        return len(self.numbers)

    def combined(self, others, device):
        return Batch(*self.numbers, *(number for other in others for number in other.numbers), kind=self.kind)

    def compute(self, device):
        if self._compute is not None:
            self._compute()
        return Doubled(2 * self.numbers)


class Doubled:
    def __init__(self, numbers):
        self.numbers = numbers

    def split(self, sizes):
        return [Doubled(part) for part in np.split(self.numbers, np.cumsum(sizes)[:-1])]


def fails():
    raise ArithmeticError("not this one")


def too_large():
    raise MemoryError("the pool is full")


def warns():
    from audiostyle_fx._engine.cuda.warnings_of_work import warn

    warn("it is slow")


class CUDARuntimeError(RuntimeError):
    """Like CuPy's, which other processes can't import."""


def fails_in_cuda():
    raise CUDARuntimeError("cudaErrorLaunchFailure")


@pytest.fixture
def connection(cupy):
    """The client's end of a pipe to a server."""
    own_end, clients_end = multiprocessing.Pipe()
    server = threading.Thread(target=gpu_server.serve, args=(own_end,))
    server.start()
    yield clients_end
    clients_end.close()
    server.join(timeout=60)
    assert not server.is_alive(), "it ends with its client"


@pytest.fixture
def queue(connection):
    return gpu_server.ServerQueue(gpu_server._Server(connection), ["cuda:0", "cuda:1"])


def test_answers_come_for_each_request_in_any_order(queue):
    assert queue.items_that_fit(1 << 40) == 1 < queue.items_that_fit(1 << 10)
    first, second, third = (queue.submit(Batch(number, number + 1, kind=number)) for number in range(3))
    assert third.result().numbers.tolist() == [4, 6] and first.result().numbers.tolist() == [0, 2]
    second.cancel()
    assert queue.submit(Batch(5)).result().numbers.tolist() == [10]


@pytest.mark.parametrize(
    ("compute", "error", "text"),
    [
        (fails, ArithmeticError, "not this one"),
        (too_large, MemoryError, "the pool is full"),
        (fails_in_cuda, RuntimeError, "CUDARuntimeError: cudaErrorLaunchFailure"),
    ],
)
def test_errors_are_the_clients_and_the_server_goes_on(queue, compute, error, text):
    with pytest.raises(error, match=text) as raised:
        queue.submit(Batch(1, compute=compute)).result()
    assert type(raised.value) is error
    assert queue.submit(Batch(1)).result().numbers.tolist() == [2]


def test_warnings_are_the_clients(queue):
    with pytest.warns(RuntimeWarning, match="it is slow"):
        assert queue.submit(Batch(1, compute=warns)).result().numbers.tolist() == [2]


def test_a_request_that_can_not_be_read_is_answered(connection, queue):
    server = queue._server
    with server._lock:
        connection.send_bytes(b"no pickle")
        server._sent += 1
    with pytest.raises(RuntimeError, match="UnpicklingError"):
        server.answer(server._sent)
    assert queue.submit(Batch(1)).result().numbers.tolist() == [2]


def test_large_batches_may_be_under_way_in_both_directions(queue):
    submissions = [queue.submit(Batch(*range(200_000), kind=number)) for number in range(4)]
    assert [len(submission.result().numbers) for submission in submissions] == [200_000] * 4


def test_the_batches_of_a_client_that_ends_are_given_up(cupy):
    begun, free = threading.Event(), threading.Event()

    def block():
        begun.set()
        free.wait(60)

    busy = device_threads.device_queue("cuda:0").submit(Batch(0, kind="busy", compute=block))
    begun.wait(60)
    own_end, clients_end = multiprocessing.Pipe()
    server = threading.Thread(target=gpu_server.serve, args=(own_end,))
    server.start()
    queue = gpu_server.ServerQueue(gpu_server._Server(clients_end), ["cuda:0"])
    queue.submit(Batch(1))
    wait_for(lambda: len(device_threads.device_queue("cuda:0")) == 2)
    (_, waiting) = device_threads.device_queue("cuda:0")._waiting
    clients_end.close()
    wait_for(waiting.future.cancelled)
    free.set()
    busy.result()
    server.join(timeout=60)
    assert not server.is_alive()
    wait_for(lambda: len(device_threads.device_queue("cuda:0")) == 0)


def test_a_client_has_the_servers_devices(monkeypatch, connection):
    gpu_server.use_server(connection, ["cuda:0", "cuda:1"])
    try:
        assert devices.device_names("cuda") == devices.device_names("auto") == ["cuda:0", "cuda:1"]
        with pytest.raises(ValueError, match="'cuda:2' must be one of cuda:0, cuda:1"):
            devices.check_device("cuda:2")
        assert device_threads.combines_batches()
        queue = device_threads.least_busy(["cuda:1"])
        assert (queue.device, queue.copies_to) == ("cuda:1", "cpu")
    finally:
        devices.use_only(None)
        device_threads.compute_elsewhere(None)
