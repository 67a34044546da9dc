"""The file audiostyle.json, which is written from the records of a folder and read if the database is missing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from ..._recordings.writing import sync
from ..._transfer.parameters.windows import Window
from .paths import sync_folder

Record: TypeAlias = dict[str, Any]
"""Record of one file, as JSON values."""

FORMAT = 3
"""Number of the records' format. It changes with the names or meanings of their entries.

Records of another format are ignored: their files are processed again. Format 1, without a number in its file, called
the losses of a stage "style" and "content"; format 2 did not contain which files were finished at their own level.
"""

_FILES_LINE, _END_LINE = ' "files": {\n', " }\n"
"""The lines before and after the lines of the files."""


def write_manifest(path: Path, header: Mapping[str, Any], texts: Iterable[tuple[str, str]], partial: Path) -> None:
    """Write the manifest, one line per file, and replace the old one only when the new one is on the disk.

    Parameters
    ----------
    path : Path
    header : mapping
        Entries that apply to all files.
    texts : iterable of (str, str)
        Names and records as JSON; only one record at a time is in memory.
    partial : Path
        Path to which the file is written first, on the same disk.
    """
    try:
        with partial.open("w", encoding="ascii") as file:
            file.write(json.dumps({"format": FORMAT, **header}, indent=1)[:-2] + ",\n" + _FILES_LINE)
            separator = ""
            for name, text in texts:
                file.write(f"{separator}  {json.dumps(name)}: {text}")
                separator = ",\n"
            file.write("\n" * bool(separator) + _END_LINE + "}\n")
        sync(partial)
        os.replace(partial, path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def read_manifest(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield the records of a manifest by name, one at a time; records of another format are checked but left out.

    Raises
    ------
    ValueError
        If the file is not a manifest.
    """
    with path.open(encoding="ascii") as file:
        try:
            own_format = _header(file).get("format") == FORMAT
            for line in file:
                if line == _END_LINE:
                    return
                ((name, record),) = json.loads("{" + line.strip().rstrip(",") + "}").items()
                record["status"]  # TypeError or KeyError if this is not a record
                if own_format:
                    yield name, record
            raise ValueError("the file is truncated")
        except (ValueError, TypeError, KeyError) as error:
            raise _not_a_manifest(path, error) from error


def check_manifest(path: Path) -> None:
    """Raise ValueError unless a file begins as a manifest does."""
    with path.open(encoding="ascii") as file:
        try:
            _header(file)
        except ValueError as error:
            raise _not_a_manifest(path, error) from error


def plain(value: Any) -> Any:
    """Return a value in the types of strict JSON: enums as their names, infinity as text, windows as dicts."""
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Window):
        return value.as_dict()
    return getattr(value, "name", value)  # pedalboard's enums have no common class


def _header(file: TextIO) -> dict[str, Any]:
    """Read the entries before the files, and leave the file at the line of the first file."""
    lines: list[str] = []
    for line in file:
        if line == _FILES_LINE:
            header: dict[str, Any] = json.loads("".join(lines).rstrip().rstrip(",") + "}")
            return header
        lines.append(line)
    raise ValueError(f"the line {_FILES_LINE.strip()} is missing")


def _not_a_manifest(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{str(path)!r} is not a manifest of this package ({error}); move it away")
