"""Processing of one recording in any process: first in floating point, then at its level in its format."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._effects_chain.catalog import effects
from .._effects_chain.run import Job, JobResult, run
from .._effects_chain.step import Step
from .._recordings.disk_samples import SampleFile
from .._recordings.files import SoundFileReader, read_format
from .._recordings.formats import clips
from .._recordings.levels import fitting_scale, peak
from .._recordings.writing import subtype_written, write_audio
from .._transfer.results import Stage
from ..progress import Progress
from .records.manifest_json import Record, plain
from .task_warnings import recorded_warnings

MAX_POINTS = 32
"""The most points of a loss curve that a record keeps."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The work on a file, in plain values that can be sent to any process.

    A file that shares its level with others needs two tasks: the first stages it, and the second, with ``full_scale``,
    finishes it.

    Attributes
    ----------
    name : str
        Name of the result, relative to the output folder.
    source, target : str
        Paths of the recording and of the result.
    staged : str
        Path of the processed recording in floating point, which exists until its level is known.
    finished : str
        Path of the result in its format. Only the process with the manifest moves it to ``target``, so a process that
        counts as lost can't overwrite the result.
    effects : tuple of (str, dict)
        Names of the effects and their values.
    start, duration : float
        The part of the recording, in seconds.
    subtype, rate, quality
        Format of the result, see `Job`.
    shares_level : bool
        Whether the level is only known after other files have been processed.
    full_scale : float or None
        In a second task, the level that becomes full scale.
    limits_peaks : bool or None
        In a second task of a file that is alone after all, and gets its own level, whether its peaks are limited.
    again : bool
        Whether the file was finished before, at another level.
    """

    name: str
    source: str
    target: str
    staged: str
    finished: str
    effects: tuple[tuple[str, dict[str, Any]], ...]
    start: float
    duration: float
    shares_level: bool
    subtype: str | None = None
    rate: float | None = None
    quality: float | None = None
    full_scale: float | None = None
    limits_peaks: bool | None = None
    again: bool = False


def perform(task: Task, progress: Progress = False) -> Record:
    """Do a task and return the file's record, with the error if it failed."""
    with recorded_warnings() as messages:
        try:
            if task.full_scale is None:
                record = _stage_recording(task, progress)
                if not task.shares_level:
                    record.update(_finish(task, None, messages, limit=record["limits_peaks"]))
            elif task.limits_peaks is None:
                record = _finish(task, task.full_scale, messages)
            else:
                record = _finish(task, None, messages, limit=task.limits_peaks)
        except Exception as error:
            record = failure(task, str(error) or type(error).__name__)
    if messages:
        record["warnings"] = list(dict.fromkeys(messages))
    return record


def open_recording(task: Task) -> None:
    """Open and close the recording of a task before the work, because a damaged file may hang its decoder."""
    with SoundFileReader(task.source, "input"):
        pass


def check_result(task: Task, sample_rate: float, channels: int, subtype: str | None) -> str:
    """Return the sample format of a task's result, for the rate, channels and sample format of its recording.

    Raises
    ------
    ValueError
        If the result can't be written as the user asks.
    """
    if os.path.isdir(task.target):
        raise ValueError(f"output {task.target!r} must be a file, not a folder")
    rate = task.rate or sample_rate
    return subtype_written(task.target, rate, channels, 0, subtype, task.subtype, task.quality)


def failure(task: Task, error: str) -> Record:
    """Return the record of a task that failed."""
    return {"status": "failed", "error": error}


def _stage_recording(task: Task, progress: Progress) -> Record:
    """Process a recording and write it in floating point to the task's ``staged`` path."""
    with SoundFileReader(task.source, "input") as source:
        channels = source.channels
        subtype = check_result(task, source.sample_rate, channels, source.subtype)
    chain = [Step(effects()[name], values) for name, values in task.effects]
    result = run(Job(task.source, task.staged, task.start, task.duration, "FLOAT"), chain, progress)
    with SoundFileReader(task.staged, "result") as source:
        loudest = max((peak(block) for block in source.blocks()), default=0.0)
    with SoundFileReader(task.staged, "result") as source:
        level = fitting_scale(loudest, source.blocks()) if clips(subtype) else 1.0
    return {
        "status": "staged",
        "channels": channels,
        "subtype": subtype,
        "peak": loudest,
        "level": level,
        "limits_peaks": result.limits_peaks,
        **record_of(result),
    }


def _finish(task: Task, full_scale: float | None, messages: list[str], *, limit: bool = False) -> Record:
    """Write a staged recording in its format: at ``full_scale``, the level of its group, or None for its own level."""
    with (
        SoundFileReader(task.staged, "result") as source,
        SampleFile(os.path.dirname(task.finished), source.channels) as samples,
    ):
        for block in source.blocks():
            samples.append(block)
        subtype, kept = read_format(task.source, task.start, samples.shape[1], task.rate)
        level = write_audio(
            task.finished,
            samples,
            source.sample_rate,
            task.subtype or subtype,
            kept.at(task.quality),
            full_scale,
            limit=limit,
            warn=False,
            rate=task.rate,
        )
    if full_scale is None and level.changes:  # `Stems` warns of a common level
        messages.append(f"{level.changes}, because it would clip at full scale")
    return {
        "status": "done",
        "full_scale": 10 ** (-level.gain_db / 20) if full_scale is None else full_scale,
        "own_level": full_scale is None,
        "gain_db": round(level.gain_db, 3),
        "limited_db": round(level.limited_db, 3),
    }


def record_of(result: JobResult) -> Record:
    """Return the record of a processed recording, as JSON values."""
    return {
        "sample_rate": result.sample_rate,
        "duration": result.duration,
        "seconds": round(result.seconds, 3),
        "transfers": [
            {
                "parameters": plain(transfer.parameters),
                "key": list(transfer.key),
                "sections": transfer.sections,
                "stages": {name: _stage_record(stage) for name, stage in transfer.stages.items()},
            }
            for transfer in result.transfers
        ],
    }


def _stage_record(stage: Stage) -> Record:
    """Return the record of a stage, with as many points of its curves as a plot needs."""
    record = {"seconds": round(stage.seconds, 3), "iterations": [int(i) for i in _thinned(stage.iterations)]}
    record |= {"style_loss": _thinned(stage.style_loss), "content_loss": _thinned(stage.content_loss)}
    return record if stage.inconsistency is None else {**record, "inconsistency": _thinned(stage.inconsistency)}


def _thinned(values: np.ndarray) -> list[float]:
    """Return at most `MAX_POINTS` values, evenly spaced, with six significant digits."""
    indices = np.unique(np.linspace(0, len(values) - 1, MAX_POINTS).round().astype(int))
    return [float(f"{value:.6g}") for value in values[indices]]
