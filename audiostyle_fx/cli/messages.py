"""Error messages on standard error."""

from __future__ import annotations

import sys


def fail(error: str, code: int) -> int:
    """Print an error; return the exit code."""
    print_message(error)
    return code


def print_message(message: str) -> None:
    """Print a line on standard error, above the progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(f"audiostyle: {message}", file=sys.stderr)
