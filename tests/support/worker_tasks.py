"""Tasks for processes that tests start, in a separate module that is imported quickly."""

import os
import signal
import time
from pathlib import Path


def work(task):
    """Do a task: a pair of an action and its value."""
    action, value = task
    if action == "environment":
        time.sleep(0.3)  # so that the next task starts another process
        return os.environ.get(value), os.getpid()
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "kill once" and not Path(value).exists():
        Path(value).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise RuntimeError(value)
    if action == "sleep":
        Path(f"{value} {os.getpid()}").touch()
        time.sleep(60)
    if action == "count":  # the times that the task is begun
        with Path(value).open("a") as file:
            file.write("x")
        time.sleep(1)
    return value


def prepare(task):
    """Prepare a task, like the opening of a file that may fail or hang."""
    action, value = task
    if action == "hang":
        time.sleep(60)
    if action == "raise":
        raise OSError(value)


def failed(task, error):
    return "failed", task[1], error
