"""The result of a folder's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .records.manifest_json import Record


@dataclass(frozen=True)
class FolderResult:
    """Summary of a folder's run.

    Attributes
    ----------
    manifest : Path
        Path of ``audiostyle.json``, with a record of every file: its losses, seconds, errors and warnings.
    files : mapping of str to dict
        Records of the files of this run, by name relative to the folder. Each is read from the folder's database on
        access.
    sources : mapping of str to str
        Path of the recording of each file, by the same names.
    failed : dict of str to str
        Error of each file that failed, by name.
    skipped : int
        Number of files that an earlier run had finished.
    passed_over : sequence of str
        Names of the files in the input folder that are not recordings, without hidden files and files that ``include``
        and ``exclude`` leave out.
    seconds : float
        Time of the whole run in seconds.
    """

    manifest: Path
    files: Mapping[str, Record]
    sources: Mapping[str, str]
    failed: dict[str, str]
    skipped: int
    passed_over: Sequence[str]
    seconds: float
