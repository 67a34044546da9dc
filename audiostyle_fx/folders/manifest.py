"""What has been made in a folder, kept so that nothing which ends the process loses more than the file in work."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeAlias

with contextlib.suppress(ImportError):  # not on Windows
    import fcntl
from .._recordings.writing import sync

Record: TypeAlias = dict[str, Any]
"""What is known of one file; plain values, as JSON holds them."""


NAME = "audiostyle.json"


HIDDEN = ".audiostyle"
"""The folder beside the manifest where the journal is, and what is not finished."""


BEFORE_FILES, BEHIND_FILES = ' "files": {\n', " }\n"
"""The lines of the manifest between which each file has its own."""


LAST = "transfers"
"""What takes up most of a record, and stands last in its text."""


_decode = json.JSONDecoder().raw_decode


class Records(Mapping[str, Record]):
    """Records by name, each a line of text until it is asked for, as its hundreds of numbers would fill the memory.

    Parameters
    ----------
    texts : mapping of str to str
        The records in JSON.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, name: str) -> Record:
        record: Record = json.loads(self._texts[name])
        return record

    def head(self, name: str) -> Record:
        """A record without its transfers, hundreds of numbers that take long to read."""
        return _head(self._texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def among(self, names: Iterable[str]) -> Records:
        """Those of some files."""
        return Records({name: self._texts[name] for name in names})


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
    records : Records
    path : Path
        Of the manifest.
    hidden : Path
        A folder on the same disk for what is not finished. It goes with the context, unless there is something in it.

    Raises
    ------
    ValueError
        If there is a file of the manifest's name that is none.
    RuntimeError
        If another process is at work in the folder. Not where its file system has no locks.
    """

    def __init__(self, folder: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path, self.hidden = Path(folder, NAME), Path(folder, HIDDEN)
        self._header, self._journal = dict(header), self.hidden / "journal.jsonl"
        self._texts: dict[str, str] = {}
        self.records = Records(self._texts)

    def __enter__(self) -> Manifest:
        self._file = self._lock()
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._write()
            if set(os.listdir(self.hidden)) <= {self._journal.name}:
                shutil.rmtree(self.hidden, ignore_errors=True)  # while nobody else can have begun
        finally:
            self._file.close()

    def begin(self, holds: Callable[[str, Record], bool]) -> None:
        """Forget all records but those that hold, as told by their heads, before others are made anew."""
        for name in [name for name in self.records if not holds(name, self.records.head(name))]:
            del self._texts[name]
        self._write()
        self._file.truncate(0)

    def add(self, name: str, record: Record) -> None:
        """Keep what is known of a file."""
        record = dict(sorted(record.items(), key=lambda item: item[0] == LAST))
        text = self._texts[name] = json.dumps(record)
        self._file.write(f"[{json.dumps(name)}, {text}]\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lock(self) -> TextIO:
        """The journal, while it is no other process's."""
        while True:
            self.hidden.mkdir(exist_ok=True)
            with contextlib.ExitStack() as unless_locked:
                try:  # what a loss of power leaves may be no text at all
                    file = unless_locked.enter_context(self._journal.open("a+", encoding="ascii", errors="replace"))
                except FileNotFoundError:  # another process has just ended, and taken the folder along
                    continue
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise RuntimeError(f"another process is at work in {str(self.path.parent)!r}") from None
                except (NameError, OSError):  # there are no locks here
                    pass
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(self._journal)):
                        unless_locked.pop_all()
                        return file

    def _read(self) -> None:
        """Take up what the manifest says, and behind it the journal."""
        if self.path.exists():
            try:
                with self.path.open(encoding="ascii") as file:
                    while (line := file.readline()) != BEFORE_FILES:
                        if not line:
                            raise ValueError(f"it has no line {BEFORE_FILES.strip()}")
                    for line in file:
                        if line == BEHIND_FILES:
                            break
                        self._take(line.strip().rstrip(","), ":")
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{str(self.path)!r} is not a manifest ({error}); move it away") from error
        self._file.seek(0)
        for line in self._file:
            with contextlib.suppress(ValueError, TypeError, KeyError):  # the last line may have been cut off
                if not line.endswith("]\n"):
                    raise ValueError(line)
                self._take(line[1:-2], ",")

    def _take(self, line: str, between: str) -> None:
        """Take up the record in a line, of its name and its text."""
        name, end = _decode(line)
        text = line[end:].removeprefix(between).strip()
        if not text.endswith("}"):
            raise ValueError(f"{text[:32]} has no end")
        _head(text)["status"]  # KeyError
        self._texts[name] = text

    def _write(self) -> None:
        """A line for each file; in place of the old manifest only when it is finished."""
        partial = self.hidden / "manifest.partial"
        try:
            with partial.open("w", encoding="ascii") as file:
                file.write(json.dumps(self._header, indent=1)[:-2] + ",\n" + BEFORE_FILES)
                for number, name in enumerate(sorted(self._texts)):
                    file.write(",\n" * (number > 0) + f"  {json.dumps(name)}: {self._texts[name]}")
                file.write("\n" * bool(self._texts) + BEHIND_FILES + "}\n")
            sync(partial)
            os.replace(partial, self.path)
            sync_folder(self.path.parent)
        finally:
            partial.unlink(missing_ok=True)


def _head(text: str) -> Record:
    # Within strings quotes are escaped, so that this is a name; all before it are of plain values.
    head, last, _ = text.partition(f', "{LAST}": ')
    record: Record = json.loads(head + "}" * bool(last))
    return record


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Bring the names in a folder to the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
