"""What a command line asks for, checked as far as possible without opening a file."""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._effects_chain.catalog import effects
from .._effects_chain.checks import check_chain
from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from ..folders.settings import checked_settings
from .grammar import parse_chain
from .missing_effect import check_has_effect, check_third_word
from .options import FOLDER_OPTIONS, USAGE
from .set_option import parse_settings


@dataclass(frozen=True)
class Request:
    """Recordings to process.

    Attributes
    ----------
    source : str or None
        A file, a folder, or ``-`` for standard input; None for a texture, which has no input.
    target : str
        A file, a folder, or ``-`` for standard output. The file in a folder where OUT is one and the source is not.
    chain : list of Step
    settings : dict
        Parameters of ``style`` by glob, for the files of a folder that match.
    options : argparse.Namespace
    """

    source: str | None
    target: str
    chain: list[Step]
    settings: dict[str, dict[str, Any]]
    options: argparse.Namespace

    @property
    def of_folder(self) -> bool:
        """Whether the source is a folder."""
        return self.source is not None and Path(self.source).is_dir()


def parse_request(options: argparse.Namespace) -> Request:
    """Return what options and words ask for.

    Raises
    ------
    TypeError, ValueError
        Naming the option or word that is not allowed, in the words of the command line.
    """
    settings = parse_settings(options.set, effects())
    words = [None, *options.words] if options.no_input else options.words
    if len(words) < 2:
        missing = "OUT" if words else "IN"
        raise ValueError(f"{missing} is missing: {USAGE}; see audiostyle --help")
    source, target, *others = words
    check_third_word(source, target, others, effects())
    request = Request(source, _result_path(source, target), parse_chain(others, effects()), settings, options)
    _check_pipes(request)
    _check_part(request)
    check_has_effect(source, target, others)
    _check_folder_options(request)
    _check_report(request)
    check_chain(request.chain, without_input=options.no_input)
    checked_settings(request.settings, request.chain)
    return request


def _result_path(source: str | None, target: str) -> str:
    """Return the path of the result: in a folder that exists, a recording keeps the input's name."""
    if target == "-" or not Path(target).is_dir() or (source not in (None, "-") and Path(str(source)).is_dir()):
        return target
    if source is None or source == "-":
        raise ValueError(f"OUT {target!r} must be a file, since IN has no name that the result could have in a folder")
    return os.path.join(target, os.path.basename(source))


def _check_pipes(request: Request) -> None:
    if request.source == "-" and sys.stdin is None:
        raise ValueError("IN is -, but standard input is closed")
    if request.target == "-" and sys.stdout is None:
        raise ValueError("OUT is -, but standard output is closed")
    if request.source == "-" and sys.stdin.isatty():
        raise ValueError("IN is -, but standard input is a terminal")
    if request.target == "-" and sys.stdout.isatty():
        raise ValueError("OUT is -, but standard output is a terminal")
    if request.options.json and request.target == "-":
        raise ValueError("--json and OUT - would both write to standard output")


def _check_part(request: Request) -> None:
    """Check the part of the input to process, or the length of a texture."""
    options, chain = request.options, request.chain
    if options.no_input and not (chain and is_style(chain[0])):
        raise ValueError("-n stands for no input: the first effect must be style, which makes a texture")
    if options.no_input and (options.start or options.duration < math.inf):
        name = "--start" if options.start else "--duration"
        raise ValueError(f"{name} does not apply with -n; `style RECORDING duration=SECONDS` sets the length")
    if options.duration == 0:
        raise ValueError("--duration must be above 0")
    for step in chain[1:] if options.no_input else chain:
        if is_style(step) and "duration" in step.values:
            raise ValueError("duration= only applies with -n (texture length). To process part of IN, use --duration.")


def _check_folder_options(request: Request) -> None:
    options = request.options
    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs} must be at least 1")
    if options.jobs is not None and options.dask not in (None, "local"):
        raise ValueError(f"--jobs does not apply with --dask {options.dask}, which has its own number of workers")
    if options.time_limit == 0:
        raise ValueError("--time-limit must be above 0")
    if options.time_limit is not None and options.dask is not None:
        raise ValueError("--time-limit does not apply with --dask, whose workers can't be killed")
    if options.stems and options.independent:
        raise ValueError("--stems does not apply with --independent, which gives each file a level of its own")
    names = [name for name in FOLDER_OPTIONS if getattr(options, name)]
    if names and not request.of_folder:
        raise ValueError(f"--{names[0].replace('_', '-')} only applies when IN is a folder")


def _check_report(request: Request) -> None:
    page = request.options.report
    if page and "-" in (request.source, request.target):
        raise ValueError("--report needs files to play: neither IN nor OUT can be -")
    if page and Path(page).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--report {page!r} must end in .html")
