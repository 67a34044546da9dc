"""The records of a folder's files, in a database where each record survives a crash."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from ...errors import FolderError
from .file_state import FileState
from .lock import folder_lock
from .manifest_json import FORMAT, Record, check_manifest, read_manifest, write_manifest

NAME = "audiostyle.json"

HIDDEN = ".audiostyle"
"""The hidden folder next to the manifest, with the database, the lock, and unfinished files."""

DATABASE, LOCK = "records.sqlite", "lock"

OWN_FILES = frozenset({DATABASE, f"{DATABASE}-journal", LOCK})
"""Names in the hidden folder that belong to the manifest."""

_TABLE = """
CREATE TABLE IF NOT EXISTS files (
    name BLOB PRIMARY KEY,  -- bytes of the file system, which may not be valid text
    status TEXT NOT NULL,
    key TEXT,
    identity TEXT,
    level REAL,
    full_scale REAL,
    own_level INTEGER,
    source BLOB,
    record TEXT NOT NULL,
    song TEXT NOT NULL DEFAULT ''
)
"""

_NO_SONGS = "ALTER TABLE files ADD COLUMN song TEXT NOT NULL DEFAULT ''"
"""Completes the table of a database from releases in which all files of a folder shared a level."""

_OWN_TABLE = "CREATE TABLE IF NOT EXISTS own_results (name BLOB PRIMARY KEY)"


class Manifest:
    """The records of the files in a folder, by relative name; a context manager for one process at a time.

    Records are in an SQLite database in the hidden folder, which is kept; each is on the disk when `add` returns.
    When the context ends, except by a `FolderError`, ``audiostyle.json`` is written from the database for people and
    programs. This class reads that file only if the database is missing or damaged, for example in a copy of the folder
    without hidden files. SQLite's own locks are off, because the lock of the folder replaces them and some file systems
    have no locks.

    Parameters
    ----------
    folder : path
        The folder, which must exist.
    header : mapping
        Entries of ``audiostyle.json`` that apply to all files.

    Attributes
    ----------
    path : Path
        Path of ``audiostyle.json``.
    hidden : Path
        Folder on the same disk for unfinished files.

    Raises
    ------
    ValueError
        If a file with the manifest's name is not a manifest.
    RuntimeError
        If another process is working in the folder; see `folder_lock`.
    OSError
        If the disk is full, or can't be read or written.
    """

    def __init__(self, folder: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path, self.hidden = Path(folder, NAME), Path(folder, HIDDEN)
        self._header = dict(header)

    def __enter__(self) -> Manifest:
        with ExitStack() as stack:
            self.hidden.mkdir(exist_ok=True)
            stack.enter_context(folder_lock(self.path.parent, self.hidden / LOCK))
            with _disk_errors(self._database):
                self._connection = self._open()
                stack.callback(self._connection.close)
                self._connection.execute(_OWN_TABLE)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        if kind is not None and issubclass(kind, FolderError):  # the run was refused before it began
            self.close()
            return
        with self._stack, _disk_errors(self._database):
            write_manifest(self.path, self._header, self._texts(), self.hidden / "manifest.partial")

    def close(self) -> None:
        """Release the folder without writing ``audiostyle.json``, as if the process had been killed."""
        self._stack.close()

    def states(self) -> Iterator[tuple[str, FileState]]:
        """Yield the name and state of every file."""
        columns = "name, status, key, identity, level, full_scale, own_level, source, song"
        for name, *values, source, song in self._connection.execute(f"SELECT {columns} FROM files ORDER BY name"):
            yield os.fsdecode(name), FileState._make([*values, os.fsdecode(source), song])

    def keep(self, holds: Callable[[str, FileState], bool]) -> None:
        """Keep the records for which ``holds(name, state)`` is true; delete the others."""
        with _disk_errors(self._database), self._connection:
            names = [(os.fsencode(name),) for name, state in self.states() if not holds(name, state)]
            self._connection.executemany("DELETE FROM files WHERE name = ?", names)

    def foreign(self, names: Iterable[str]) -> list[str]:
        """Return the names that have no record and are not results of an earlier run, finished or not."""
        own = {name for name, _ in self.states()}
        with _disk_errors(self._database):
            own |= {os.fsdecode(name) for (name,) in self._connection.execute("SELECT name FROM own_results")}
        return [name for name in names if name not in own]

    def add_own(self, names: Iterable[str]) -> None:
        """Note on the disk that this package makes results of these names, independent of their records."""
        rows = [(os.fsencode(name),) for name in names]
        with _disk_errors(self._database), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO own_results VALUES (?)", rows)

    def add(self, name: str, record: Record) -> None:
        """Write the record of a file to the disk."""
        with _disk_errors(self._database), self._connection:
            self._connection.execute(_INSERT, _row(name, record))

    def record(self, name: str) -> Record:
        """Return the record of a file."""
        return _read_record(self._connection, name)

    def records(self, names: Iterable[str]) -> Records:
        """Return the records of some files, which can be read from the database even after the context has ended."""
        return Records(self._database, names)

    @property
    def _database(self) -> Path:
        return self.hidden / DATABASE

    def _open(self) -> sqlite3.Connection:
        """Open the database; create it if it is missing, damaged or of another format."""
        if self._database.exists():
            if self.path.exists():
                check_manifest(self.path)
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(closing(_connect(self._database)))
                    if connection.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
                        if "song" not in {row[1] for row in connection.execute("PRAGMA table_info(files)")}:
                            connection.execute(_NO_SONGS)
                        stack.pop_all()
                        return connection
                except sqlite3.OperationalError:  # the disk failed, the database may be intact
                    raise
                except sqlite3.DatabaseError:
                    pass
        return self._create()

    def _create(self) -> sqlite3.Connection:
        """Create the database from ``audiostyle.json``; its format number is written last and marks it as complete."""
        for path in self.hidden.glob(DATABASE + "*"):
            path.unlink()
        with ExitStack() as stack:
            stack.callback(self._database.unlink, missing_ok=True)
            connection = stack.enter_context(closing(_connect(self._database)))
            connection.execute(_TABLE)
            records = read_manifest(self.path) if self.path.exists() else ()
            connection.executemany(_INSERT, (_row(name, record) for name, record in records))
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.commit()
            stack.pop_all()
        return connection

    def _texts(self) -> Iterator[tuple[str, str]]:
        for name, text in self._connection.execute("SELECT name, record FROM files ORDER BY name"):
            yield os.fsdecode(name), text


class Records(Mapping[str, Record]):
    """Records by name; each is read from the database on access, because all together may fill the memory.

    Parameters
    ----------
    database : Path
    names : iterable of str
        Names of files whose records are in the database.
    """

    def __init__(self, database: Path, names: Iterable[str]) -> None:
        self._database, self._names = database, dict.fromkeys(names)

    def __getitem__(self, name: str) -> Record:
        if name not in self._names:
            raise KeyError(name)
        if not self._database.exists():
            raise FileNotFoundError(f"{str(self._database)!r} has been moved or deleted")
        with _disk_errors(self._database), closing(_connect(self._database)) as connection:
            return _read_record(connection, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def has_records(folder: str | os.PathLike[str]) -> bool:
    """Return whether a run has written records into a folder."""
    return Path(folder, NAME).exists() or Path(folder, HIDDEN, DATABASE).exists()


_INSERT = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _row(name: str, record: Record) -> tuple[Any, ...]:
    state = FileState.of(record)
    return (os.fsencode(name), *state[:-2], os.fsencode(state.source), json.dumps(record), state.song)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a database in which every transaction is on the disk when it ends.

    The rollback journal is kept and only its header is cleared, which takes fewer writes than deleting the file:
    measured, 1.1 ms per record instead of 1.4 ms.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?nolock=1", uri=True)
    try:
        connection.execute("PRAGMA journal_mode = PERSIST")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _read_record(connection: sqlite3.Connection, name: str) -> Record:
    row = connection.execute("SELECT record FROM files WHERE name = ?", (os.fsencode(name),)).fetchone()
    if row is None:
        raise KeyError(name)
    record: Record = json.loads(row[0])
    return record


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Raise OSError with the database's path if SQLite can't read or write."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"{str(path)!r}: {error}") from error
