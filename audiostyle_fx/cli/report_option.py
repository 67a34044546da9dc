"""The page that ``--report`` asks for."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from .._effects_chain.style_effect import is_style
from .process import ProcessedFile
from .request import Request
from .set_option import NAME

# Modules of the page are imported where they are used, so that a command without a page does not wait for them.


def check_report(request: Request) -> None:
    """Raise if the page can't be written, or would replace a recording or lie among the inputs."""
    if not request.options.report:
        return
    from ..report import check_page

    name = request.options.report
    page = Path(os.path.realpath(name))
    recordings = [request.source, request.target, *(path for step in request.chain for path in step.files)]
    if str(page) in {os.path.realpath(path) for path in recordings if path is not None}:
        raise ValueError(f"--report {name!r} must not be a recording or a folder of recordings")
    if request.of_folder:
        if Path(os.path.realpath(str(request.source))) in page.parents:
            raise ValueError(f"--report {name!r} must not be inside IN")
        if Path(os.path.realpath(request.target)) in page.parents and not page.parent.exists():
            return  # the folder is made with OUT
    check_page(name)


def check_replaced_page(request: Request) -> None:
    """Raise ValueError if the page would replace a file that is not a listening page."""
    page = request.options.report
    if not page or request.options.overwrite or not os.path.isfile(page):
        return
    from ..report import is_listening_page

    if not is_listening_page(page):
        raise ValueError(f"--report {page!r} exists and is not a listening page; --overwrite replaces it")


def _chain_words(request: Request) -> list[str]:
    """Return the words of the command line that say how recordings are processed: ``--set``, and the effects."""
    options = request.options
    settings = [word for glob, parameters in options.set for word in (NAME, glob, *parameters)]
    return [*settings, *request.words]


def write_page(request: Request, files: Sequence[ProcessedFile]) -> None:
    """Write the page."""
    options = request.options
    if not options.report:
        return
    from ..report import Entry, write_report

    styles = [step.files for step in request.chain if is_style(step)]
    words = shlex.join(_chain_words(request))
    entries = [
        Entry.of_record(
            file.name,
            file.record,
            file.source,
            file.target,
            styles[-1] if styles else (),
            start=options.start,
            duration=options.duration,
            chain=words,
        )
        for file in files
    ]
    Path(options.report).parent.mkdir(parents=True, exist_ok=True)
    write_report(options.report, entries)
