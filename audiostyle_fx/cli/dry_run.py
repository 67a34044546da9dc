"""The output of ``--dry-run``: the work that the command would do, and the estimated time."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from tqdm import tqdm

from .._effects_chain.checks import check_files
from .._effects_chain.run import Job, run
from .._effects_chain.step import Step
from .._recordings.writing import check_place, subtype_written
from ..folders.dry_run import EXCERPT_SECONDS, Action, DryRun, PlannedFile, dry_run_folder, estimated, planned_file
from ..folders.executors.task_executors import SerialExecutor
from ..folders.find import passed_over_text, printable
from ..folders.headers import read_header
from ..folders.records.manifest_json import Record
from .json_lines import print_record
from .pipes import PipeCopies, is_output_pipe
from .process import selection_of, workers_of
from .request import Request
from .wording import Wording


def print_dry_run(requests: Sequence[Request], copies: PipeCopies, wording: Wording) -> int:
    """Print the planned work; return 1 if a file can't be read or written as the command asks, otherwise 0."""
    options = requests[0].options
    plan = _of_folder(requests[0], copies) if requests[0].of_folder else _of_files(requests, copies)
    plan = replace(plan, files=[replace(file, error=wording.of(file.error)) for file in plan.files])
    if options.json:
        for file in plan.files:
            print_record({"kind": "planned", **file.as_dict()})
        print_record({"kind": "plan", **plan.as_dict()})
    else:
        for file in plan.files:
            print(_line(file, asks=not (options.overwrite or requests[0].of_folder)))
        print("\n".join(_totals(plan, wording)), flush=True)
    return 1 if plan.count("fail") else 0


def _of_folder(request: Request, copies: PipeCopies) -> DryRun:
    options, chain = request.options, copies.of_chain(request.chain)
    with workers_of(options) as workers:
        return dry_run_folder(
            str(request.source),
            request.target,
            chain,
            selection_of(options),
            workers,
            settings=request.settings,
            force=options.force,
            overwrite=options.overwrite,
        )


def _of_files(requests: Sequence[Request], copies: PipeCopies) -> DryRun:
    """Return the plan of one or several recordings, which one process works through."""
    files = [_planned(request, copies) for request in requests]
    with tempfile.TemporaryDirectory() as folder, SerialExecutor(_perform) as executor:
        excerpts = (
            (_excerpt(request, copies, f"{folder}/{number}.wav"), file.excerpt_work)
            for number, (request, file) in enumerate(zip(requests, files, strict=True))
            if file.action == "process"
        )
        plan = estimated(files, excerpts, executor)
    if plan.seconds is None and len(files) == 1 and files[0].duration <= EXCERPT_SECONDS:  # the whole file was tried
        return replace(plan, files=[replace(files[0], action="fail", error=plan.unmeasured, duration=0.0)])
    return plan


def _planned(request: Request, copies: PipeCopies) -> PlannedFile:
    """Return the plan for a recording or a texture."""
    options, target = request.options, request.target
    replaces = os.path.isfile(target)
    try:
        chain = copies.of_chain(request.chain)
        header = read_header(copies.of_input(request.source) if request.source else chain[0].files[0])
        if not is_output_pipe(target):
            if request.new_folder is None:
                check_place(target)
            rate = options.rate or header.sample_rate
            subtype_written(target, rate, header.channels, 0, header.subtype, options.bits, options.quality)
        if request.source is None:
            duration = chain[0].values["duration"]
            return PlannedFile(name=target, action="process", duration=duration, work=duration, replaces=replaces)
        check_files(chain, header.sample_rate)
        return planned_file(target, header, options.start, options.duration, replaces=replaces)
    except (ValueError, OSError) as error:
        return PlannedFile(name=target, action="fail", replaces=replaces, error=str(error))


def _excerpt(request: Request, copies: PipeCopies, path: str) -> tuple[Job, list[Step]]:
    """Return the job that processes an excerpt into the file at ``path``, and its effects."""
    chain = copies.of_chain(request.chain)
    if request.source is None:
        first, *others = chain
        duration = min(first.values["duration"], EXCERPT_SECONDS)
        return Job(None, path, subtype="FLOAT"), [Step(first.effect, {**first.values, "duration": duration}), *others]
    options, source = request.options, copies.of_input(request.source)
    return Job(source, path, options.start, min(options.duration, EXCERPT_SECONDS), "FLOAT"), chain


def _perform(task: tuple[Job, list[Step]]) -> Record:
    """Process an excerpt; return its status, and the error if it failed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody hears the excerpt
        try:
            run(*task)
        except (TypeError, ValueError, OSError, RuntimeError, MemoryError) as error:
            return {"status": "failed", "error": str(error) or type(error).__name__}
    return {"status": "done"}


def _line(file: PlannedFile, *, asks: bool) -> str:
    """Return a line about a file; ``asks`` is whether the command asks before it replaces a file."""
    words = {
        "process": f"{file.duration:.1f} s" + (f" by {file.header.decoder}" if file.header else ""),
        "finish": "already processed; only its final level has to be set",
        "skip": "already finished",
        "fail": file.error,
    }[file.action]
    notes = list(file.header.notes) if file.header else []
    if file.replaces and file.action == "process":
        notes.append("exists: needs --overwrite" if asks else "replaces a file")
    return "; ".join([f"{file.action} {printable(file.name)}: {words}", *notes])


def _totals(plan: DryRun, wording: Wording) -> Iterator[str]:
    """Yield the lines with the totals."""
    if plan.passed_over:
        yield passed_over_text(plan.passed_over)
    yield f"files: {', '.join(f'{n} to {action}' for action in get_args(Action) if (n := plan.count(action)))}"
    if not plan.duration:
        return
    if plan.seconds is None:
        yield f"the time could not be measured: {wording.of(plan.unmeasured)}"
    else:
        yield f"{plan.duration:.1f} s of sound, in about {_time(plan.seconds)}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else tqdm.format_interval(seconds)
