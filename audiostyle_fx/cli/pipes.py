"""Files for recordings that come and go through pipes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def files_for_pipes(source: str | None, target: str) -> Iterator[tuple[str | None, str]]:
    """Give the paths to read and to write: for ``-`` temporary files, since nobody can seek in a pipe.

    Standard input is copied before, and standard output is written after, the block within.
    """
    if "-" not in (source, target):
        yield source, target
        return
    with tempfile.TemporaryDirectory(prefix="audiostyle-") as folder:
        copy_in, copy_out = Path(folder, "stdin"), Path(folder, "stdout.wav")
        if source == "-":
            with copy_in.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(copy_in) if source == "-" else source, str(copy_out) if target == "-" else target
        if target == "-":
            with copy_out.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
