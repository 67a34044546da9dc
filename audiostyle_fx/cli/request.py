"""The requests of a command line, checked as far as possible without opening a file."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._effects_chain.catalog import effects
from .._effects_chain.checks import check_chain
from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style
from ..folders.settings import FileSettings, checked_settings
from .grammar import parse_chain
from .options import FILE_OPTIONS, FOLDER_OPTIONS
from .pipes import STANDARD_OUTPUT, check_pipes, is_input_pipe, is_output_pipe
from .places import Places, check_has_effect, find_places, is_folder
from .result_paths import result_paths
from .set_option import parse_settings


@dataclass(frozen=True)
class Request:
    """Recordings to process.

    Attributes
    ----------
    source : str or None
        A file, a folder, or a pipe, such as ``-`` for standard input; None for a texture, which has no input.
    target : str
        A file, a folder, or a pipe, such as ``-`` for standard output. If OUT is a folder and the source is a file,
        the target is a file in OUT.
    chain : list of Step
    settings : dict
        Parameters of ``style`` by glob, for the matching files of a folder; for several inputs the chain has them.
    options : argparse.Namespace
    words : tuple of str
        The effects, as they were typed.
    new_folder : str or None
        The folder of the result if it has to be made.
    """

    source: str | None
    target: str
    chain: list[Step]
    settings: dict[str, dict[str, Any]]
    options: argparse.Namespace
    words: tuple[str, ...]
    new_folder: str | None = None

    @property
    def of_folder(self) -> bool:
        """Whether the source is a folder."""
        return self.source is not None and Path(self.source).is_dir()


def parse_requests(options: argparse.Namespace) -> list[Request]:
    """Return the requests of options and words: one, or one for each of several inputs.

    Raises
    ------
    TypeError, ValueError
        If an option or word is not allowed; the message names it in the words of the command line.
    """
    settings = parse_settings(options.set, effects())
    places = find_places(options.words, effects(), no_input=options.no_input)
    target, chain = places.target, parse_chain(places.chain, effects())
    sources: list[str | None] = [*places.sources] or [None]
    for source in sources:
        check_pipes(source, target, chain)
    if options.json and target in STANDARD_OUTPUT:
        raise ValueError(f"--json and OUT {target} would both write to standard output")
    _check_part(options, chain)
    check_has_effect(places)
    _check_folder_options(options, places)
    check_chain(chain, without_input=options.no_input)
    settings = checked_settings(settings, chain)
    results = result_paths(sources, target, options.format)
    chains = {target: chain} if _of_folder(places) else _own_chains(results, chain, settings)
    new_folder = target if target not in results and not os.path.isdir(target) else None
    words = tuple(places.chain)
    requests = [
        Request(source, path, chains[path], settings, options, words, new_folder) for path, source in results.items()
    ]
    for request in requests:
        _check_report(request)
    return requests


def _own_chains(
    results: Mapping[str, str | None], chain: list[Step], settings: dict[str, dict[str, Any]]
) -> dict[str, list[Step]]:
    """Return the effects of each file, with its settings, by the path of its result."""
    of_files = FileSettings(chain, settings)
    names = {os.path.basename(path): source or "" for path, source in results.items()}
    if settings:
        of_files.check(names, map(os.path.basename, names.values()))
    return {path: [*of_files.chain_of(os.path.basename(path), source or "")] for path, source in results.items()}


def _of_folder(places: Places) -> bool:
    return any(map(os.path.isdir, places.sources))


def _check_part(options: argparse.Namespace, chain: Sequence[Step]) -> None:
    """Check the part of the input to process, or the length of a texture."""
    if options.no_input and not (chain and is_style(chain[0])):
        raise ValueError("-n means that there is no IN: the first effect must be style, which makes a texture")
    if options.no_input and (options.start or options.duration < math.inf):
        name = "--start" if options.start else "--duration"
        raise ValueError(f"{name} does not apply with -n; `style RECORDING duration=SECONDS` sets the length")
    if options.duration == 0:
        raise ValueError("--duration 0 must be above 0 s")
    for step in chain[1:] if options.no_input else chain:
        if is_style(step) and "duration" in step.values:
            raise ValueError(
                f"duration={step.values['duration']:g} only applies with -n, as the length of a texture; --duration "
                "selects a part of IN"
            )


def _check_folder_options(options: argparse.Namespace, places: Places) -> None:
    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs} must be at least 1")
    if options.jobs is not None and options.dask not in (None, "local"):
        raise ValueError(f"--jobs does not apply with --dask {options.dask}, which has its own number of workers")
    if options.time_limit == 0:
        raise ValueError("--time-limit 0 must be above 0 s")
    if options.time_limit is not None and options.dask is not None:
        raise ValueError("--time-limit does not apply with --dask, whose workers can't be killed")
    if options.stems and options.independent:
        raise ValueError("--stems does not apply with --independent, which sets the level of each file separately")
    if _of_folder(places):
        return
    into_folder = bool(places.sources) and is_folder(places.target)
    for name in FOLDER_OPTIONS:
        if getattr(options, name) and not (into_folder and name in FILE_OPTIONS):
            places_meant = "IN or OUT" if name in FILE_OPTIONS else "IN"
            raise ValueError(f"--{name.replace('_', '-')} only applies when {places_meant} is a folder")


def _check_report(request: Request) -> None:
    page = request.options.report
    if not page:
        return
    inputs = [request.source, *(path for step in request.chain for path in step.files)]
    pipes = [path for path in inputs if is_input_pipe(path)] + [request.target] * is_output_pipe(request.target)
    if pipes:
        raise ValueError(f"--report needs files to play, so IN, OUT and styles can't be pipes: {pipes[0]!r} is one")
    if Path(page).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--report {page!r} must end in .html")
