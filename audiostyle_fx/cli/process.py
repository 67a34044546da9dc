"""Processing of one file, or of a folder, as the command asks for it."""

from __future__ import annotations

import math
import os
import sys
from typing import NamedTuple

from .._effects_chain.run import Job, run
from .._recordings.files import read_format
from .._recordings.formats import SAMPLE_BYTES
from ..folders.executors.task_executors import cluster
from ..folders.find import Levels, Selection
from ..folders.one_file import record_of
from ..folders.progress_display import display
from ..folders.records.manifest_json import Record
from ..folders.run import run_folder
from .json_lines import print_json, print_record
from .pipes import files_for_pipes
from .request import Request


class ProcessedFile(NamedTuple):
    """A recording that was processed, or failed: its name, the paths of input and result, and its record."""

    name: str
    source: str | None
    target: str
    record: Record


def process_file(request: Request) -> tuple[int, list[ProcessedFile]]:
    """Process one recording; return the exit code and what to show on a page."""
    options, target = request.options, request.target
    with files_for_pipes(request.source, target) as (in_path, out_path):
        subtype = None
        if target == "-" and (in_path is None or read_format(in_path)[0] not in SAMPLE_BYTES):
            subtype = "FLOAT"  # WAV may not have the input's
        job = Job(in_path, out_path, options.start, options.duration, subtype)
        result = run(job, request.chain, progress=not (options.quiet or options.json))
    level = {name: round(value, 3) for name, value in result.level._asdict().items()}
    record = {"status": "done", **level, **record_of(result)}
    if options.json:
        print_record({"kind": "file", "file": target, **record})
    elif not options.quiet:
        print(f"{target}: {result.duration:.1f} s in {result.seconds:.1f} s", file=sys.stderr)
    return 0, [ProcessedFile(target, request.source, target, record)]


def process_folder(request: Request) -> tuple[int, list[ProcessedFile]]:
    """Process a folder; return the exit code and what to show on a page."""
    options = request.options
    levels: Levels = "independent" if options.independent else "shared" if options.stems else "auto"
    selection = Selection(options.include, options.exclude, options.format, options.start, options.duration, levels)
    with cluster(options.dask, options.jobs) as executor:
        outcome = run_folder(
            str(request.source),
            request.target,
            request.chain,
            selection,
            settings=request.settings,
            force=options.force,
            overwrite=options.overwrite,
            jobs=1 if executor else options.jobs or 1,
            executor=executor,
            time_limit=math.inf if options.time_limit is None else options.time_limit,
            progress=print_json if options.json else display(quiet=options.quiet),
        )
    sources = outcome.sources if options.report else {}
    files = [
        ProcessedFile(name, path, os.path.join(request.target, name), outcome.files[name])
        for name, path in sources.items()
    ]
    return (1 if outcome.failed else 0), files
