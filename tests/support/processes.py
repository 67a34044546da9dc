"""Processes and folders of programs that tests start."""

import os
import subprocess
import time
from pathlib import Path

from audiostyle_fx.folders.records.manifest import HIDDEN, LOCK, NAME, OWN_FILES


def children(pid):
    """Return the processes that a process has started, and theirs."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [process for child in map(int, found) for process in (child, *children(child))]


def gone(pid):
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, seconds=60):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def contents(folder="out"):
    """Return every file in a folder with its bytes, but for the manifest's own files."""
    own_files = {NAME, *(f"{HIDDEN}/{name}" for name in OWN_FILES)}
    paths = [path for path in Path(folder).rglob("*") if path.is_file() and not own_files & _last_parts(path)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _last_parts(path):
    return {path.name, f"{path.parent.name}/{path.name}"}


def hidden_files(folder="out"):
    """The names in a folder's hidden folder, and the lock's, whose file some releases of filelock remove at the end."""
    return {LOCK, *os.listdir(Path(folder, HIDDEN))}
