"""The work that a command line asks for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..errors import FolderError
from ..folders.records.manifest_json import Record
from .dry_run import print_dry_run
from .json_lines import print_record
from .messages import fail
from .output import check_outputs, new_folder
from .pipes import PipeCopies
from .process import ProcessedFile, check_styles, process_file, process_folder
from .report_option import check_replaced_page, check_report, write_page
from .request import Request, parse_requests
from .wording import Wording


def requests_of(options: argparse.Namespace) -> list[Request]:
    """Return the requests whose results may be written.

    Raises
    ------
    TypeError, ValueError
        If an argument is not understood or not allowed.
    RuntimeError
        If a device is not available.
    """
    requests = check_outputs(parse_requests(options))
    check_replaced_page(requests[0])
    return requests


def process_requests(requests: Sequence[Request], wording: Wording) -> int:
    """Process the requests; return the exit code."""
    options, several = requests[0].options, len(requests) > 1
    code, files = 0, list[ProcessedFile]()
    try:
        with PipeCopies(wording) as copies, new_folder(None if options.dry_run else requests[0].new_folder):
            for request in requests:
                check_report(request)
            if several or (options.dry_run and not requests[0].of_folder):
                check_styles(requests, copies)
            if options.dry_run:
                return print_dry_run(requests, copies, wording)
            for number, request in enumerate(requests, 1):
                if several and not (options.quiet or options.json):
                    print(f"{number}/{len(requests)} {request.source}", file=sys.stderr)
                own_code, own_files = _process_request(request, copies, wording, several=several)
                code, files = max(code, own_code), files + own_files
    except BrokenPipeError:
        raise
    except FolderError as error:  # raised by a dry run
        return fail(wording.of(error), 2)
    except (TypeError, ValueError, OSError, RuntimeError) as error:  # before any work
        for request in requests:
            _record_failure(request, wording.of(error))
        return fail(wording.of(error), 1)
    except KeyboardInterrupt:
        n_done = sum(file.record["status"] == "done" for file in files)
        return fail(f"interrupted; {_after_interrupt(requests, n_done)}", 130)
    if not files:
        return code
    try:
        write_page(requests[0], files)
    except (ValueError, OSError, RuntimeError) as error:
        return fail(f"--report {options.report}: {wording.of(error)}", 1)
    except KeyboardInterrupt:
        return fail("interrupted; all recordings are finished, but the page is not written", 130)
    return code


def _process_request(
    request: Request, copies: PipeCopies, wording: Wording, *, several: bool
) -> tuple[int, list[ProcessedFile]]:
    """Process a recording or a folder; return the exit code and the files to show on a page."""
    try:
        if request.of_folder:
            return process_folder(request, copies, wording)
        return process_file(request, copies)
    except FolderError as error:
        return fail(wording.of(error), 2), []
    except BrokenPipeError:
        raise
    except (TypeError, ValueError, OSError, RuntimeError, MemoryError, ImportError) as error:
        reason = wording.of(error)
        record = _record_failure(request, reason)
        if not several:
            return fail(reason, 1), []
        code = fail(f"{request.source}: {reason}", 1)
        return code, [ProcessedFile(request.target, request.source, request.target, record)]


def _record_failure(request: Request, reason: str) -> Record:
    """Return the record of a file that failed, and print it with ``--json``."""
    record: Record = {"status": "failed", "error": reason}
    if request.options.json and not request.of_folder:
        if request.options.dry_run:
            print_record({"kind": "planned", "file": request.target, "action": "fail", "error": reason})
        else:
            print_record({"kind": "file", "file": request.target, **record})
    return record


def _after_interrupt(requests: Sequence[Request], n_done: int) -> str:
    """Return a text with the number of finished files after an interrupt, or how to continue."""
    if requests[0].of_folder:
        again = "the same command without --force" if requests[0].options.force else "the same command"
        return f"{again} continues with the remaining files"
    return f"{n_done} of {len(requests)} files are done" if n_done else "nothing was written"
