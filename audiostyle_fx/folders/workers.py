"""The workers that do a folder's tasks: this process, several processes, or an executor from the caller."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from .._engine.cuda.devices import device_names
from .._transfer.parameters.parameter_list import DEFAULTS
from .._validation import integer, number
from ..progress import ProgressEvent
from .executors.processes import LocalProcesses
from .executors.task_executors import ExternalExecutor, SerialExecutor, TaskExecutor
from .executors.threads import GpuThreads
from .one_file import Task, failure, open_recording, perform
from .records.manifest_json import Record


@dataclass(frozen=True)
class Workers:
    """The workers that do the tasks of a run; see `style_folder`."""

    jobs: int = 1
    given: Executor | None = None
    time_limit: float = math.inf

    def __post_init__(self) -> None:
        integer(1)("jobs", self.jobs)
        if self.given is not None and not isinstance(self.given, Executor):
            raise TypeError(f"executor={self.given!r} must be a concurrent.futures.Executor, or None")
        if self.given is not None and self.jobs > 1:
            raise ValueError(
                f"jobs={self.jobs} must be 1 when executor is given: the executor sets its own number of workers"
            )
        if self.time_limit == math.inf:
            return
        if number(0)("time_limit", self.time_limit) == 0:
            raise ValueError(f"time_limit={self.time_limit!r} must be above 0")
        if self.given is not None:
            raise ValueError(
                f"time_limit={self.time_limit!r} does not apply with executor, whose processes can't be killed"
            )

    def executor(self, chain: Sequence[Step], report: Callable[[ProgressEvent], None]) -> TaskExecutor[Task, Record]:
        """Return the executor of the tasks, which reports the stages of tasks that run in this process."""
        if self.given is not None:
            return ExternalExecutor(self.given, perform, failure)
        devices = [step.values.get("device", DEFAULTS.device) for step in chain if is_style(step)]
        gpus = [*dict.fromkeys(name for device in devices for name in device_names(device) if name != "cpu")]
        if self.jobs > 1 or self.time_limit < math.inf:
            return LocalProcesses(self.jobs, perform, failure, gpus, prepare=open_recording, time_limit=self.time_limit)
        if gpus:
            return GpuThreads(perform, lambda task, event: report(replace(event, file=task.name)))
        return SerialExecutor(partial(_perform_here, report))


def _perform_here(report: Callable[[ProgressEvent], None], task: Task) -> Record:
    """Do a task in this process and report its stages."""
    raised: list[BaseException] = []

    def forward(event: ProgressEvent) -> None:
        try:
            report(replace(event, file=task.name))
        except BaseException as error:
            raised.append(error)
            raise

    record = perform(task, forward)
    if raised:  # the caller's progress function failed, not the recording
        raise raised[0]
    return record
