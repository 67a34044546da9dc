"""What has been made in a folder, kept so that nothing which ends the process loses more than the file in work."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .audio import sync

with contextlib.suppress(ImportError):  # not on Windows
    import fcntl

Record: TypeAlias = dict[str, Any]
"""What is known of one file; plain values, as JSON holds them."""

NAME = "audiostyle.json"

HIDDEN = ".audiostyle"
"""The folder beside the manifest where the journal is, and what is not finished."""


class Manifest:
    """The records of the files in a folder, by relative name; a context manager, for one process at a time.

    Every record is at once on the disk, in a journal, a line each; the manifest itself takes them over when the context
    begins and when it ends, however it ends.

    Parameters
    ----------
    folder : path
        Must exist.
    header : mapping
        What to say of all files.

    Attributes
    ----------
    records : dict of str to Record
    hidden : Path
        A folder on the same disk for what is not finished.

    Raises
    ------
    ValueError
        If there is a file of the manifest's name that is none.
    RuntimeError
        If another process is at work in the folder.
    """

    def __init__(self, folder: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path, self.hidden = Path(folder, NAME), Path(folder, HIDDEN)
        self._header, self._journal = dict(header), self.hidden / "journal.jsonl"
        self.records: dict[str, Record] = {}

    def __enter__(self) -> Manifest:
        self.records = self._read()
        self.hidden.mkdir(exist_ok=True)
        self._file = self._journal.open("a+", encoding="ascii")
        try:
            self._lock()
            self._file.seek(0)
            for line in self._file:
                with contextlib.suppress(ValueError, TypeError):  # the last line may have been cut off
                    name, record = json.loads(line)
                    self.records[name] = record
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._write()
        finally:
            self._file.close()
        if not any(record["status"] == "staged" for record in self.records.values()):
            shutil.rmtree(self.hidden, ignore_errors=True)

    def begin(self, names: Iterable[str]) -> None:
        """Forget all records but those of some files, before others are made anew."""
        self.records = {name: self.records[name] for name in names}
        self._write()
        self._file.truncate(0)

    def add(self, name: str, record: Record) -> None:
        """Keep what is known of a file."""
        self.records[name] = record
        self._file.write(json.dumps([name, record]) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lock(self) -> None:
        with contextlib.suppress(NameError):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RuntimeError(f"another process is at work in {str(self.path.parent)!r}") from None

    def _read(self) -> dict[str, Record]:
        if not self.path.exists():
            return {}
        try:
            records = json.loads(self.path.read_text(encoding="ascii"))["files"]
            return {str(name): {**record, "status": record["status"]} for name, record in records.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{str(self.path)!r} is not a manifest ({error!r}); move it away") from error

    def _write(self) -> None:
        """A line for each file; in place of the old manifest only when it is finished."""
        header = json.dumps(self._header, indent=1)[:-2]
        files = [f"  {json.dumps(name)}: {json.dumps(self.records[name])}" for name in sorted(self.records)]
        partial = self.hidden / "manifest.partial"
        partial.write_text(f'{header},\n "files": {{\n' + ",\n".join(files) + "\n }\n}\n", encoding="ascii")
        sync(partial)
        os.replace(partial, self.path)


def plain(value: Any) -> Any:
    """A value as strict JSON holds it: enums by name, infinity as the word that stands for it."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return getattr(value, "name", value)  # native enums have no common class
