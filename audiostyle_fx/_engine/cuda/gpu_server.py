"""GPUs that compute for other processes of this machine: a server's side and a client's.

A client has no use of CUDA. It sends its batches through a pipe, and the server combines them with those of other
clients and of its own threads. The server answers in the order of the requests, but reads all of them at once: a client
that sends its next batch never waits for an answer to be sent.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from .device_threads import PreparedBatch, Submission, compute_elsewhere, items_that_fit_all, least_busy
from .devices import use_only
from .memory import is_out_of_memory
from .warnings_of_work import kept_warnings, warn

MOST_UNANSWERED = 64
"""More requests than any client has sent before it waits for an answer: one for each GPU and one more."""


# ---------------------------------------------------------------- the server
@dataclass
class _Known:
    """An answer that is known already, as a `Submission`."""

    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    def cancel(self) -> None:
        pass


def serve(connection: Connection) -> None:
    """Answer the requests of a client until it ends.

    Parameters
    ----------
    connection : Connection
        This process's end of a pipe; it is closed at the end.
    """
    unanswered: SimpleQueue[Submission | None] = SimpleQueue()
    sender = threading.Thread(target=_send_answers, args=(connection, unanswered), daemon=True)
    sender.start()
    latest: deque[Submission] = deque(maxlen=MOST_UNANSWERED)
    try:
        while True:
            latest.append(_submitted(connection.recv_bytes()))
            unanswered.put(latest[-1])
    except (EOFError, OSError):
        pass  # the client has ended, also in the middle of a message
    finally:  # after any error: a client must not wait for an answer that never comes
        for submission in latest:
            submission.cancel()
        unanswered.put(None)
        sender.join()
        connection.close()


def _submitted(message: bytes) -> Submission:
    """Return the answer to a request, or the batch that it asks for, which waits for a GPU."""
    try:
        request, devices, argument = pickle.loads(message)
        if request == "fit":
            return _Known(items_that_fit_all(devices, argument))
        return least_busy(devices).submit(argument)
    except Exception as error:
        return _Known(error=error)


def _send_answers(connection: Connection, unanswered: SimpleQueue[Submission | None]) -> None:
    """Send the answers of submissions, in their order: whether each succeeded, its result or error, and warnings."""
    while (submission := unanswered.get()) is not None:
        answer = _answer(submission)
        try:
            message = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            message = pickle.dumps((False, RuntimeError(f"an answer can't be sent: {error}"), []))
        del answer, submission
        try:
            connection.send_bytes(message)
        except OSError:  # the client has ended
            return


def _answer(submission: Submission) -> tuple[bool, Any, list[str]]:
    with kept_warnings() as texts:
        try:
            return True, submission.result(), texts
        except Exception as error:
            if is_out_of_memory(error):
                return False, MemoryError(str(error)), texts
            known = type(error).__module__.partition(".")[0] in ("builtins", __name__.partition(".")[0])
            return False, error if known else RuntimeError(f"{type(error).__name__}: {error}"), texts


# ---------------------------------------------------------------- the client
def use_server(connection: Connection, devices: Sequence[str]) -> None:
    """Let a server compute all that this process would compute on GPUs; the process ends with the server.

    Parameters
    ----------
    connection : Connection
        This process's end of a pipe.
    devices : sequence of str
        The server's GPUs, which count as those of this process.
    """
    use_only(devices)
    compute_elsewhere(partial(ServerQueue, _Server(connection)))


class _Server:
    """A client's view of the server, whose answers come in the order of the requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.RLock()
        self._sent = self._received = 0
        self._answers: dict[int, tuple[bool, Any, list[str]]] = {}

    def ask(self, request: str, devices: Sequence[str], argument: Any) -> int:
        """Send a request, and return its number."""
        message = pickle.dumps((request, list(devices), argument), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            try:
                self._connection.send_bytes(message)
            except OSError:
                os._exit(1)  # whoever gave this process its work notices, and gives it to another one
            self._sent += 1
            return self._sent

    def answer(self, number: int) -> Any:
        """Wait for the answer to a request, once, and return it, or raise its error."""
        with self._lock:
            while self._received < number:
                try:
                    message = self._connection.recv_bytes()
                except (EOFError, OSError):
                    os._exit(1)
                self._received += 1
                self._answers[self._received] = pickle.loads(message)
            succeeded, answer, texts = self._answers.pop(number)
        for text in texts:
            warn(text, stacklevel=3)
        if not succeeded:
            raise answer
        return answer


class ServerQueue:
    """The queue of a server's GPUs, see `Queue`."""

    def __init__(self, server: _Server, devices: Sequence[str]) -> None:
        self._server, self._devices = server, devices
        self.device, self.copies_to = "/".join(devices), "cpu"

    def items_that_fit(self, item_bytes: int) -> int:
        """Return the number of items that fit into the memory of each GPU, at least one."""
        return int(self._server.answer(self._server.ask("fit", self._devices, item_bytes)))

    def submit(self, prepared: PreparedBatch) -> Submission:
        """Let a batch wait for one of the GPUs."""
        return _ServerSubmission(self._server, self._server.ask("compute", self._devices, prepared))


@dataclass
class _ServerSubmission:
    """A batch that a server computes, see `Submission`."""

    server: _Server
    number: int

    def result(self) -> Any:
        return self.server.answer(self.number)

    def cancel(self) -> None:
        """Wait for the answer, and drop it: only a client that ends gives its batches up."""
        with contextlib.suppress(Exception):
            self.server.answer(self.number)
