"""One recording of a folder, made in any process: in floating point, where it may wait, then at its level."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._effects_chain.catalog import effects
from .._effects_chain.run import Job, JobResult, run
from .._effects_chain.step import Step
from .._recordings.disk_samples import SampleFile
from .._recordings.files import SoundFileReader, read_format
from .._recordings.formats import clips, format_written
from .._recordings.levels import format_db
from .._recordings.writing import peak, write_audio
from .._transfer.results import Stage
from ..progress import Progress
from .manifest import Record, plain

MOST_POINTS = 32
"""Of a curve of losses that are kept."""


@dataclass(frozen=True)
class Task:
    """What there is to do for a file, in plain values, which any process can be told.

    Attributes
    ----------
    name : str
        Of what is made, relative.
    source, target : str
        Paths: the recording, and what is made of it.
    staged, finished : str
        Where that waits, in floating point until its level is known, and in its format until it takes its place: only
        the process that owns the manifest puts it there, so that none which it has lost can.
    links : tuple of (str, dict)
        The effects by name, with their values.
    start, duration : float
        The part of the recording, in seconds.
    shared : bool
        Whether the level is known only when all in the same folder have been made.
    full_scale : float, optional
        In a second task of such a file, the level that they are all brought down by.
    anew : bool
        Whether it had been finished before, at another level.
    """

    name: str
    source: str
    target: str
    staged: str
    finished: str
    links: tuple[tuple[str, dict[str, Any]], ...]
    start: float
    duration: float
    shared: bool
    full_scale: float | None = None
    anew: bool = False


def perform(task: Task, progress: Progress = None) -> Record:
    """Do a task; its record, also where it failed."""
    with _told() as messages:
        try:
            record = _make(task, progress) if task.full_scale is None else {}
            full_scale = task.full_scale
            if full_scale is None and not task.shared:
                full_scale = record["level"]
                if full_scale > 1:
                    messages.append(f"turned down by {format_db(full_scale)}, as it would clip at full scale")
            if full_scale is not None:
                record.update(_finish(task, full_scale))
        except Exception as error:
            record = failure(task, str(error) or type(error).__name__)
    if messages:
        record["warnings"] = list(dict.fromkeys(messages))
    return record


@contextlib.contextmanager
def _told() -> Iterator[list[str]]:
    """What there is to say of a task: the warnings within, but in other threads than the main one.

    What is done with warnings is the same for all threads, so that none of several can change it for itself alone.
    """
    messages: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield messages
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages.extend(str(warning.message) for warning in caught)


def failure(task: Task, error: str) -> Record:
    """The record of a task that failed."""
    return {"status": "failed", "error": error}


def _make(task: Task, progress: Progress) -> Record:
    """Put what is made of a recording where it waits, in floating point."""
    with SoundFileReader(task.source, "input") as source:
        channels = source.channels
        if os.path.isdir(task.target):
            raise ValueError(f"output {task.target!r} must be a file, not a folder")
        written = (source.sample_rate, channels, 0, source.subtype)
        _, subtype = format_written(Path(task.target), *written)
    chain = [Step(effects()[name], values) for name, values in task.links]
    made = run(Job(task.source, task.staged, task.start, task.duration, "FLOAT"), chain, progress)
    with SoundFileReader(task.staged, "result") as source:
        loudest = max((peak(block) for block in source.blocks()), default=0.0)
    return {
        "status": "staged",
        "channels": channels,
        "subtype": subtype,
        "peak": loudest,
        "level": max(1.0, loudest) if clips(subtype) else 1.0,
        **record_of(made),
    }


def _finish(task: Task, full_scale: float) -> Record:
    """Bring what waits to its level and its format."""
    subtype, tags = read_format(task.source)
    with (
        SoundFileReader(task.staged, "result") as source,
        SampleFile(os.path.dirname(task.finished), source.channels) as samples,
    ):
        for block in source.blocks():
            samples.append(block)
        write_audio(task.finished, samples, source.sample_rate, subtype, tags, full_scale)
    return {"status": "done", "full_scale": full_scale}


def record_of(made: JobResult) -> Record:
    """What there is to say of a recording that was made, as plain values."""
    return {
        "sample_rate": made.sample_rate,
        "duration": made.duration,
        "seconds": round(made.seconds, 3),
        "transfers": [
            {
                "parameters": plain(outcome.parameters),
                "stages": {name: _stage(one) for name, one in outcome.stages.items()},
            }
            for outcome in made.transfers
        ],
    }


def _stage(stage: Stage) -> Record:
    """How a stage went, at no more iterations than a curve needs."""

    def some(values: np.ndarray, figures: int = 6) -> list[float]:
        at = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).round().astype(int))
        return [float(f"{value:.{figures}g}") for value in values[at]]

    record = {"seconds": round(stage.seconds, 3), "iterations": [int(i) for i in some(stage.iterations)]}
    record |= {"style_loss": some(stage.style_loss), "content_loss": some(stage.content_loss)}
    return record if stage.inconsistency is None else {**record, "inconsistency": some(stage.inconsistency)}
