"""GPUs that compute for other processes of this machine: a server's side and a client's.

A client has no use of CUDA. It sends its batches through a pipe, and the server combines them with those of other
clients and of its own threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from .device_threads import PreparedBatch, compute_elsewhere, least_busy
from .devices import use_only
from .memory import is_out_of_memory


def serve(connection: Connection, devices: Sequence[str]) -> None:
    """Answer the requests of a client until it ends.

    Parameters
    ----------
    connection : Connection
        This process's end of a pipe; it is closed at the end.
    devices : sequence of str
        Names of GPUs, from `device_names`.
    """
    with connection:
        while True:
            try:
                request, argument = connection.recv()
                connection.send(_answer(request, argument, devices))
            except (EOFError, OSError):  # the client has ended, also in the middle of a message
                return


def _answer(request: str, argument: Any, devices: Sequence[str]) -> tuple[bool, Any]:
    """Return whether a request succeeds, and its result or error."""
    try:
        queue = least_busy(devices)
        return True, queue.items_that_fit(argument) if request == "fit" else queue.submit(argument)()
    except Exception as error:
        if is_out_of_memory(error):
            return False, MemoryError(str(error))
        own = type(error).__module__.partition(".")[0] in ("builtins", __name__.partition(".")[0])
        return False, error if own else RuntimeError(f"{type(error).__name__}: {error}")


def use_server(connection: Connection, devices: Sequence[str]) -> None:
    """Let a server compute all that this process would compute on GPUs.

    Parameters
    ----------
    connection : Connection
        This process's end of a pipe.
    devices : sequence of str
        The server's GPUs, which count as those of this process.
    """
    use_only(devices)
    compute_elsewhere(ServerQueue(connection, devices[0]))


class ServerQueue:
    """The queue of a server, see `Queue`.

    Parameters
    ----------
    connection : Connection
    device : str
        Name of a GPU for messages.
    """

    def __init__(self, connection: Connection, device: str) -> None:
        self.device, self.copies_to = device, "cpu"
        self._connection, self._lock = connection, threading.Lock()

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the GPU's memory, at least one."""
        return int(self._ask("fit", item_bytes))

    def submit(self, prepared: PreparedBatch) -> Callable[[], Any]:
        """Return a function that lets a batch wait for the GPU, and returns its result; errors are the server's."""
        return partial(self._ask, "compute", prepared)

    def _ask(self, request: str, argument: Any) -> Any:
        with self._lock:
            self._connection.send((request, argument))
            succeeded, answer = self._connection.recv()
        if not succeeded:
            raise answer
        return answer
