"""Work for processes that tests begin: a module of its own, which they import in no time."""

import os
import signal
import time
from pathlib import Path


def work(task):
    """Do what a task, (what, value), says."""
    what, value = task
    if what == "environment":
        time.sleep(0.3)  # so that the next task begins another process
        return os.environ.get(value), os.getpid()
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "kill once" and not Path(value).exists():
        Path(value).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise RuntimeError(value)
    if what == "sleep":
        Path(f"{value} {os.getpid()}").touch()
        time.sleep(60)
    return value


def failed(task, error):
    return "failed", task[1], error
