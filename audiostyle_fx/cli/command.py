"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import re
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
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: tqdm.write(f"audiostyle: {message}", file=sys.stderr)
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
            return _fail(error, 2)
        except RuntimeError as error:  # a device that is not available
            return _fail(error, 1)
        except KeyboardInterrupt:
            return _fail("interrupted; nothing was written", 130)
        return _process_request(request)


def _process_request(request: Request) -> int:
    """Do what was asked for; return the exit code."""
    options = request.options
    try:
        check_report(request)
        code, files = process_folder(request) if request.of_folder else process_file(request)
    except FolderError as error:
        return _fail(error, 2)
    except BrokenPipeError:
        raise
    except (TypeError, ValueError, OSError, RuntimeError, MemoryError, ImportError) as error:
        if options.json and not request.of_folder:
            print_record(
                {"kind": "file", "file": request.target, "status": "failed", "error": with_options(str(error))}
            )
        return _fail(error, 1)
    except KeyboardInterrupt:
        if not request.of_folder:
            return _fail("interrupted; nothing was written", 130)
        again = "the same command without --force" if options.force else "the same command"
        return _fail(f"interrupted; {again} continues with the remaining files", 130)
    try:
        write_page(request, files)
    except (ValueError, OSError, RuntimeError) as error:
        return _fail(f"--report {options.report}: {error}", 1)
    except KeyboardInterrupt:
        return _fail("interrupted; all recordings are finished, but the page is not written", 130)
    return code


def _fail(error: object, code: int) -> int:
    """Print an error, above a bar where there is one; return the exit code."""
    tqdm.write(f"audiostyle: {with_options(str(error))}", file=sys.stderr)
    return code


def with_options(message: str) -> str:
    """Return an error of the library with the options of the command for the library's parameters."""
    message = re.sub(r"^(start|format|include|exclude|jobs)=", r"--\1 ", message)
    message = re.sub(r"^settings\[('.*?'|\".*?\")\]", r"--set \1", message)
    message = message.replace("overwrite=True", "--overwrite")
    message = message.replace("soundfile.available_formats() lists", "`audiostyle help formats` lists")
    message = re.sub(r"\bin_path=", "IN ", re.sub(r"^page=", "--report ", message))
    return message.replace("that match include and exclude", "that match --include and --exclude")
