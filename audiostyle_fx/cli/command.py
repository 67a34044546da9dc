"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from tqdm import tqdm

from ..errors import FolderError
from .information import information
from .json_lines import print_record
from .options import parse_options
from .output import check_output
from .process import process_file, process_folder
from .report_option import check_replaced_page, check_report, write_page
from .request import Request, parse_request
from .standard_streams import open_closed_streams, silence_broken_streams
from .wording import Wording

BROKEN_PIPE = 141
"""What shells report of programs that end since nobody reads what they write: 128 and the number of SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 when all is done, 1 when it or some files of a folder failed, 2 when the arguments are not understood or would
        replace a file, 130 when it was interrupted, 141 when nobody reads its output any more.
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
            request = parse_request(options)
            check_output(request)
            check_replaced_page(request)
        except (TypeError, ValueError) as error:
            return _fail(wording.of(error), 2)
        except RuntimeError as error:  # a device that is not available
            return _fail(wording.of(error), 1)
        except KeyboardInterrupt:
            return _fail("interrupted; nothing was written", 130)
        return _process_request(request, wording)


def _process_request(request: Request, wording: Wording) -> int:
    """Do what was asked for; return the exit code."""
    options = request.options
    try:
        check_report(request)
        process = process_folder if request.of_folder else process_file
        code, files = process(request, wording)
    except FolderError as error:
        return _fail(wording.of(error), 2)
    except BrokenPipeError:
        raise
    except (TypeError, ValueError, OSError, RuntimeError, MemoryError, ImportError) as error:
        reason = wording.of(error)
        if options.json and not request.of_folder:
            print_record({"kind": "file", "file": request.target, "status": "failed", "error": reason})
        return _fail(reason, 1)
    except KeyboardInterrupt:
        if not request.of_folder:
            return _fail("interrupted; nothing was written", 130)
        again = "the same command without --force" if options.force else "the same command"
        return _fail(f"interrupted; {again} continues with the remaining files", 130)
    try:
        write_page(request, files)
    except (ValueError, OSError, RuntimeError) as error:
        return _fail(f"--report {options.report}: {wording.of(error)}", 1)
    except KeyboardInterrupt:
        return _fail("interrupted; all recordings are finished, but the page is not written", 130)
    return code


def _fail(error: str, code: int) -> int:
    """Print an error; return the exit code."""
    _print(error)
    return code


def _print(message: str) -> None:
    """Print a line on standard error, above a bar where there is one."""
    tqdm.write(f"audiostyle: {message}", file=sys.stderr)
