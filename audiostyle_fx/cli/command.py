"""The entry point of the command ``audiostyle``: from arguments to an exit code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from .information import information
from .messages import fail, print_message
from .options import parse_options
from .standard_streams import open_closed_streams, silence_broken_streams
from .wording import Wording

BROKEN_PIPE = 141
"""The exit code that shells report for a program whose output is no longer read: 128 plus the number of SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 if all files are done; 1 if a file or the run failed; 2 if the arguments are not understood or are refused,
        for example because a file would be replaced; 130 after an interrupt; 141 if the output is no longer read.
        ``audiostyle --help`` lists them.
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
        warnings.showwarning = lambda message, *_, **__: print_message(wording.of(message))
        try:
            options = parse_options(arguments)
            text = information(options)
            if text is not None:
                print(text.rstrip(), flush=True)
                return 0
            # Imported here, because SciPy and the file formats take a second to load.
            from .work import process_requests, requests_of

            requests = requests_of(options)
        except (TypeError, ValueError) as error:
            return fail(wording.of(error), 2)
        except RuntimeError as error:  # a device that is not available
            return fail(wording.of(error), 1)
        except KeyboardInterrupt:
            return fail("interrupted; nothing was written", 130)
        return process_requests(requests, wording)
