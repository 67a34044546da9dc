"""The paths of results: in a folder, each result has its input's name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..folders.find import Selection, ending
from .pipes import is_input_pipe, is_output_pipe
from .places import is_folder


def result_paths(sources: Sequence[str | None], target: str, format: str | None) -> dict[str, str | None]:
    """Return the inputs by the paths of their results.

    Parameters
    ----------
    sources : sequence of str or None
        More than one for a folder; None for a texture.
    target : str
        OUT.
    format : str, optional
        Ending of results in a folder; by default the inputs'.

    Raises
    ------
    ValueError
        If an input has no name for a result, or two results would have the same name.
    """
    if len(sources) == 1 and (is_output_pipe(target) or not is_folder(target) or os.path.isdir(sources[0] or "")):
        return {target: sources[0]}
    if os.path.exists(os.path.normpath(target)) and not os.path.isdir(target):
        raise ValueError(f"OUT {target!r} must be a folder, but is a file")
    Selection(format=format)  # raises if there is no such format
    results: dict[str, str | None] = {}
    for source in sources:
        if source is None or is_input_pipe(source):
            raise ValueError(
                f"OUT {target!r} must be a file, because IN has no name that a result in a folder could have"
            )
        if os.path.isdir(source):
            raise ValueError(f"IN {source!r} is a folder; several inputs must be files. Give a folder alone")
        path = os.path.join(target, os.path.basename(source))
        if format:
            path = os.path.splitext(path)[0] + ending(format)
        if path in results:
            raise ValueError(f"IN {results[path]!r} and {source!r} would both become {path!r}")
        results[path] = source
    return results
