"""Processing of one file or of a folder, with the options of the command."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .._effects_chain.checks import check_files
from .._effects_chain.run import Job, run
from .._effects_chain.step import Step
from .._engine.arrays.threads import cores
from .._recordings.files import read_format
from .._recordings.formats import SAMPLE_BYTES
from ..folders.checked_run import first_rate
from ..folders.executors.task_executors import cluster
from ..folders.find import Levels, Selection
from ..folders.one_file import record_of
from ..folders.progress_display import display
from ..folders.records.manifest_json import Record
from ..folders.run import run_folder
from ..folders.workers import Workers
from ..progress import ProgressEvent
from .json_lines import print_json, print_record
from .pipes import PipeCopies, is_output_pipe
from .request import Request
from .verbose import line_of_input, lines_of_output, lines_of_record, print_lines, verbose_progress
from .wording import Wording


class ProcessedFile(NamedTuple):
    """A recording that was processed, or failed: its name, the paths of input and result, and its record."""

    name: str
    source: str | None
    target: str
    record: Record


def process_file(request: Request, copies: PipeCopies) -> tuple[int, list[ProcessedFile]]:
    """Process one recording; return the exit code and the files to show on a page."""
    options, target = request.options, request.target
    source = None if request.source is None else copies.of_input(request.source)
    chain = copies.of_chain(request.chain)
    if options.verbose:
        if request.source is not None:
            print_lines([line_of_input("IN", request.source, source)])
        print_lines(_lines_of_effects(request, chain))
    with copies.of_output(target) as out_path:
        subtype = options.bits
        is_wav_pipe = is_output_pipe(target) and Path(out_path).suffix.lower() == ".wav"
        if subtype is None and is_wav_pipe and not _has_plain_samples(source):
            subtype = "FLOAT"  # WAV may not have the input's sample format
        job = Job(source, out_path, options.start, options.duration, subtype, options.rate, options.quality)
        result = run(job, chain, progress=not (options.quiet or options.json))
    level = {name: round(value, 3) for name, value in result.level._asdict().items()}
    record = {"status": "done", **level, **record_of(result)}
    if options.verbose:
        print_lines(lines_of_record(record, chain, cores()))
        print_lines(lines_of_output(target, record, out_path))
    if options.json:
        print_record({"kind": "file", "file": target, **record})
    elif not options.quiet:
        print(f"{target}: {result.duration:.1f} s of sound in {result.seconds:.1f} s", file=sys.stderr)
    return 0, [ProcessedFile(target, request.source, target, record)]


def _has_plain_samples(source: str | None) -> bool:
    """Whether a recording has a sample format that WAV has too."""
    return source is not None and read_format(source)[0] in SAMPLE_BYTES


def _lines_of_effects(request: Request, chain: Sequence[Step]) -> Iterator[str]:
    """Yield the lines of ``--verbose`` on files that effects read; ``chain`` contains the copies of pipes."""
    for step, local in zip(request.chain, chain, strict=True):
        for name, path in zip(step.files, local.files, strict=True):
            yield line_of_input(step.effect.name, name, path)


def check_styles(requests: Sequence[Request], copies: PipeCopies) -> None:
    """Raise the errors of the files that effects read, before any of several recordings is processed."""
    sources = [request.source for request in requests if request.source is not None]
    check_files(copies.of_chain(requests[0].chain), first_rate(sources), lengths=False)


def selection_of(options: argparse.Namespace) -> Selection:
    """Return the files of a folder that the options select, and how they are written."""
    levels: Levels = "independent" if options.independent else "shared" if options.stems else "auto"
    return Selection(
        options.include,
        options.exclude,
        options.format,
        options.start,
        options.duration,
        levels,
        options.bits,
        options.rate,
        options.quality,
    )


@contextmanager
def workers_of(options: argparse.Namespace) -> Iterator[Workers]:
    """Give the workers that the options ask for."""
    time_limit = math.inf if options.time_limit is None else options.time_limit
    with cluster(options.dask, options.jobs) as executor:
        yield Workers(1 if executor else options.jobs or 1, executor, time_limit)


def _in_words(report: Callable[[ProgressEvent], None], wording: Wording, event: ProgressEvent) -> None:
    """Report an event, with the error of a file in the words of the command line."""
    if event.record is not None and "error" in event.record:
        event = replace(event, record={**event.record, "error": wording.of(event.record["error"])})
    report(event)


def process_folder(request: Request, copies: PipeCopies, wording: Wording) -> tuple[int, list[ProcessedFile]]:
    """Process a folder; return the exit code and the files to show on a page."""
    options = request.options
    chain = copies.of_chain(request.chain)
    progress = print_json if options.json else display(quiet=options.quiet)
    if options.verbose:
        print_lines(_lines_of_effects(request, chain))
        progress = verbose_progress(progress, request)
    with workers_of(options) as workers:
        outcome = run_folder(
            str(request.source),
            request.target,
            chain,
            selection_of(options),
            settings=request.settings,
            force=options.force,
            overwrite=options.overwrite,
            workers=workers,
            progress=partial(_in_words, progress, wording),
        )
    sources = outcome.sources if options.report else {}
    files = [
        ProcessedFile(name, path, os.path.join(request.target, name), outcome.files[name])
        for name, path in sources.items()
    ]
    return (1 if outcome.failed else 0), files
