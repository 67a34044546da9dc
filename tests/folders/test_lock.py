"""One process at a time works in a folder."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from support.processes import wait_for

from audiostyle_fx.folders.records.lock import folder_lock

HOLD = """
import sys, time
from pathlib import Path
from audiostyle_fx.folders.records.lock import folder_lock
with folder_lock(".", Path("lock")):
    Path("held").touch()
    time.sleep(60)
"""


def locked(path):
    """Whether the lock is not available."""
    try:
        with folder_lock("out", path):
            return False
    except RuntimeError:
        return True


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path):
    with folder_lock("out", tmp_path / "lock"):
        assert locked(tmp_path / "lock") and not locked(tmp_path / "other")
        with pytest.raises(RuntimeError, match="another process is working in 'out'; wait"):
            folder_lock("out", tmp_path / "lock").__enter__()
    assert not locked(tmp_path / "lock") and not locked(tmp_path / "lock")


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path, env={**os.environ})
    wait_for((tmp_path / "held").exists, 30)
    assert locked(tmp_path / "lock")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not locked(tmp_path / "lock")


@pytest.mark.filterwarnings("ignore:flock not supported")  # by filelock, which then has a lock of its own
@pytest.mark.parametrize("error", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_file_systems_without_locks(error, tmp_path, monkeypatch):
    def flock(*args):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("fcntl.flock", flock)
    with folder_lock("out", tmp_path / "lock"):
        pass
    assert not locked(tmp_path / "lock")


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_other_errors_are_raised(error, tmp_path, monkeypatch):
    def flock(*args):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(OSError, match=os.strerror(error)), folder_lock("out", tmp_path / "lock"):
        pass
