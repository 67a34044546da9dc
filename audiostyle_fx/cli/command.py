"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from tqdm import tqdm

from ..errors import FolderError
from ..folders.records.manifest_json import Record
from .dry_run import print_dry_run
from .information import information
from .json_lines import print_record
from .options import parse_options
from .output import check_outputs, new_folder
from .pipes import PipeCopies
from .process import ProcessedFile, check_styles, process_file, process_folder
from .report_option import check_replaced_page, check_report, write_page
from .request import Request, parse_requests
from .standard_streams import open_closed_streams, silence_broken_streams
from .wording import Wording

BROKEN_PIPE = 141
"""What shells report of programs that end since nobody reads what they write: 128 and the number of SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 when all is done; 1 when it, or some of several files, failed; 2 when the arguments are not understood or are
        refused, as when a file would be replaced; 130 when it was interrupted; 141 when nobody reads its output any
        more. ``audiostyle --help`` lists them.
    """
    open_closed_streams()
    try:
        return _run(arguments)
    except BrokenPipeError:
        silence_broken_streams()
        return BROKEN_PIPE


def _run(arguments: Sequence[str] | None) -> int:
    """Print what was asked for, or process recordings; return the exit code."""
    wording = Wording()
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _print(wording.of(message))
        try:
            options = parse_options(arguments)
            text = information(options)
            if text is not None:
                print(text.rstrip(), flush=True)
                return 0
            requests = check_outputs(parse_requests(options))
            check_replaced_page(requests[0])
        except (TypeError, ValueError) as error:
            return _fail(wording.of(error), 2)
        except RuntimeError as error:  # a device that is not available
            return _fail(wording.of(error), 1)
        except KeyboardInterrupt:
            return _fail("interrupted; nothing was written", 130)
        return _process_requests(requests, wording)


def _process_requests(requests: Sequence[Request], wording: Wording) -> int:
    """Do what was asked for; return the exit code."""
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
    except FolderError as error:  # of a dry run
        return _fail(wording.of(error), 2)
    except (TypeError, ValueError, OSError, RuntimeError) as error:  # before any work
        for request in requests:
            _record_failure(request, wording.of(error))
        return _fail(wording.of(error), 1)
    except KeyboardInterrupt:
        n_done = sum(file.record["status"] == "done" for file in files)
        return _fail(f"interrupted; {_after_interrupt(requests, n_done)}", 130)
    if not files:
        return code
    try:
        write_page(requests[0], files)
    except (ValueError, OSError, RuntimeError) as error:
        return _fail(f"--report {options.report}: {wording.of(error)}", 1)
    except KeyboardInterrupt:
        return _fail("interrupted; all recordings are finished, but the page is not written", 130)
    return code


def _process_request(
    request: Request, copies: PipeCopies, wording: Wording, *, several: bool
) -> tuple[int, list[ProcessedFile]]:
    """Process a recording or a folder; return the exit code and what to show on a page."""
    try:
        if request.of_folder:
            return process_folder(request, copies, wording)
        return process_file(request, copies)
    except FolderError as error:
        return _fail(wording.of(error), 2), []
    except BrokenPipeError:
        raise
    except (TypeError, ValueError, OSError, RuntimeError, MemoryError, ImportError) as error:
        reason = wording.of(error)
        record = _record_failure(request, reason)
        if not several:
            return _fail(reason, 1), []
        code = _fail(f"{request.source}: {reason}", 1)
        return code, [ProcessedFile(request.target, request.source, request.target, record)]


def _record_failure(request: Request, reason: str) -> Record:
    """Return the record of a file that failed, and print it with ``--json``."""
    record: Record = {"status": "failed", "error": reason}
    if request.options.json and not request.of_folder:
        print_record({"kind": "file", "file": request.target, **record})
    return record


def _after_interrupt(requests: Sequence[Request], n_done: int) -> str:
    """Return what is finished after an interrupt, and what to do about the rest."""
    if requests[0].of_folder:
        again = "the same command without --force" if requests[0].options.force else "the same command"
        return f"{again} continues with the remaining files"
    return f"{n_done} of {len(requests)} files are done" if n_done else "nothing was written"


def _fail(error: str, code: int) -> int:
    """Print an error; return the exit code."""
    _print(error)
    return code


def _print(message: str) -> None:
    """Print a line on standard error, above a bar where there is one."""
    tqdm.write(f"audiostyle: {message}", file=sys.stderr)
