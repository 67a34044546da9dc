"""The records of a folder survive any end of the process."""

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.processes import hidden_files

import audiostyle_fx
from audiostyle_fx.errors import FolderError
from audiostyle_fx.folders.records.file_state import FileState
from audiostyle_fx.folders.records.manifest import DATABASE, HIDDEN, NAME, OWN_FILES, Manifest
from audiostyle_fx.folders.records.manifest_json import FORMAT

HEADER = {"versions": {"numpy": "2"}, "files of": None}
NAMES = ["a.wav", "b c/d.wav", 'q", "transfers": [1].wav', "é\n\udcff.flac"]


def record(number=0, **values):
    losses = [{"loss": [0.5, 1e-9]}]
    return {"status": "done", "key": str(number), "source": "/in/\udcff", "transfers": losses, **values}


def records(folder):
    with Manifest(folder, HEADER) as manifest:
        return dict(manifest.records([name for name, _ in manifest.states()]))


def killed(folder, names):
    """Leave a folder in the state after the process was killed."""
    manifest = Manifest(folder, HEADER).__enter__()
    for number, name in enumerate(names):
        manifest.add(name, record(number))
    manifest.close()


def test_records_come_back_and_are_strict_json(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        for number, name in enumerate(NAMES):
            manifest.add(name, record(number))
            assert manifest.record(name) == record(number)
    want = {name: record(number) for number, name in enumerate(NAMES)}
    assert sorted(os.listdir(tmp_path)) == [HIDDEN, NAME] and hidden_files(tmp_path) == OWN_FILES
    assert records(tmp_path) == want
    assert json.loads((tmp_path / NAME).read_text(encoding="ascii")) == {"format": FORMAT, **HEADER, "files": want}


def test_results_are_own_with_a_record_or_without(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        assert manifest.foreign(NAMES) == NAMES
        manifest.add(NAMES[0], record())
        manifest.add_own(NAMES[2:])
        manifest.add_own(NAMES[3:])
    with Manifest(tmp_path, HEADER) as manifest:
        assert manifest.foreign(NAMES) == [NAMES[1]]
        manifest.keep(lambda name, state: False)
        assert manifest.foreign(NAMES) == NAMES[:2]


def test_a_run_that_is_refused_leaves_the_json_as_it_was(tmp_path):
    with Manifest(tmp_path, HEADER):
        pass
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(FolderError), Manifest(tmp_path, {"versions": {}}):
        raise FolderError("refused")
    assert (tmp_path / NAME).read_bytes() == before
    with Manifest(tmp_path, {"versions": {}}):
        pass
    assert (tmp_path / NAME).read_bytes() != before


def test_a_folder_without_records(tmp_path):
    assert records(tmp_path) == records(tmp_path) == {}
    assert json.loads((tmp_path / NAME).read_text())["files"] == {}


def test_states_are_what_a_plan_needs_of_records(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("a.wav", record(1, identity="i", level=2.0, full_scale=3.0, own_level=True))
        manifest.add("b.wav", record(2, status="staged", level=1.5, full_scale=3.0, identity="i"))
        manifest.add("c.wav", {"status": "failed", "error": "bad"})
        assert dict(manifest.states()) == {
            "a.wav": FileState("done", "1", "i", 2.0, 3.0, True, "/in/\udcff"),
            "b.wav": FileState("staged", "2", "i", 1.5, None, False, "/in/\udcff"),
            "c.wav": FileState("failed", "", "", 1.0, None, False, ""),
        }


def test_records_of_some_files_are_read_when_they_are_asked_for(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        for number, name in enumerate(NAMES):
            manifest.add(name, record(number))
        some = manifest.records(NAMES[1:3])
    assert dict(some) == {NAMES[1]: record(1), NAMES[2]: record(2)} and len(some) == 2
    assert NAMES[0] not in some and NAMES[1] in some
    with pytest.raises(KeyError):
        some[NAMES[0]]
    shutil.rmtree(tmp_path / HIDDEN)
    with pytest.raises(FileNotFoundError, match="has been moved or deleted"):
        some[NAMES[1]]


def test_records_that_do_not_hold_are_deleted_for_good(tmp_path):
    killed(tmp_path, NAMES)
    manifest = Manifest(tmp_path, HEADER).__enter__()
    manifest.keep(lambda name, state: state.key == "1")
    manifest.close()
    assert records(tmp_path) == {NAMES[1]: record(1)}


def test_the_database_counts_more_than_the_json(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("a.wav", record(1))
    killed(tmp_path, ["b.wav", "a.wav"])
    killed(tmp_path, ["c.wav"])
    assert [*json.loads((tmp_path / NAME).read_text())["files"]] == ["a.wav"]
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(0), "c.wav": record(0)}


@pytest.mark.parametrize("damage", ["missing", "no database", "another format", "not whole"])
def test_without_its_database_a_folder_has_the_records_of_its_json(damage, tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        for number, name in enumerate(NAMES):
            manifest.add(name, record(number))
    before = records(tmp_path)
    database = tmp_path / HIDDEN / DATABASE
    if damage == "missing":
        shutil.rmtree(tmp_path / HIDDEN)
    elif damage == "no database":
        database.write_bytes(b"\0\xff" * 5000)
    elif damage == "another format":
        data = bytearray(database.read_bytes())
        data[60:64] = (FORMAT + 1).to_bytes(4, "big")  # where SQLite has a database's user_version
        database.write_bytes(data)
    else:  # power was lost while it was made
        database.write_bytes(b"")
    assert records(tmp_path) == before


@pytest.mark.parametrize("target", ["sync", "os.replace"])
def test_a_json_that_can_not_be_written_leaves_the_old_one_and_the_database(target, tmp_path, monkeypatch):
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("a.wav", record(1))
    before = (tmp_path / NAME).read_bytes()

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    manifest = Manifest(tmp_path, HEADER).__enter__()
    manifest.add("b.wav", record(2))
    with monkeypatch.context() as patch:
        patch.setattr(f"audiostyle_fx.folders.records.manifest_json.{target}", fail)
        with pytest.raises(OSError, match="No space"):
            manifest.__exit__()
    assert (tmp_path / NAME).read_bytes() == before
    assert hidden_files(tmp_path) == OWN_FILES
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(2)}


FULL = """
import resource, signal, sys
from audiostyle_fx.folders.records.manifest import Manifest
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
manifest = Manifest(".", {}).__enter__()
try:
    for number in range(1000):
        manifest.add(str(number), {"status": "done", "text": 5000 * "x"})
        print(number, flush=True)
except OSError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_is_an_error_and_keeps_the_records_before(tmp_path):
    done = python(FULL, tmp_path)
    shown, error = done.communicate(timeout=60)
    assert "records.sqlite" in error and done.returncode == 1
    assert [*records(tmp_path)] == shown.split() and len(shown.split()) > 2


FOREVER = """
from audiostyle_fx.folders.records.manifest import Manifest
manifest = Manifest(".", {}).__enter__()
number = len(list(manifest.states()))
while True:
    manifest.add(f"{number:06}", {"status": "done", "number": number, "text": (number % 7) * 3000 * "x"})
    print(number, flush=True)
    number += 1
"""


@pytest.mark.slow
def test_no_record_is_lost_when_the_process_is_killed(tmp_path):
    """The process is killed at random moments, many of them within a transaction."""
    last = -1
    for kill in range(5):
        process = python(FOREVER, tmp_path)
        shown = process.stdout.readline()
        for _ in range(5 + 11 * kill):
            shown = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        last = int((shown + rest).split()[-1])
        found = records(tmp_path)
        assert len(found) - (last + 1) in (0, 1), "the record that was written may not have been printed"
        assert all(record["number"] == int(name) for name, record in found.items())
    assert last > 100


def python(code, folder):
    roots = os.pathsep.join([str(Path(audiostyle_fx.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": roots},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "text", ["", "a text", "{}", '{\n "files": {\n  3\n }\n}\n', '{\n "files": {\n  "a": 1\n }\n}\n']
)
def test_a_file_that_is_no_manifest_is_not_replaced(text, tmp_path):
    (tmp_path / NAME).write_text(text)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"is not a manifest .*; move it away"), Manifest(tmp_path, HEADER):
            pass
    assert (tmp_path / NAME).read_text() == text
    (tmp_path / NAME).unlink()
    assert records(tmp_path) == {}, "and the lock is free again"
    (tmp_path / NAME).write_text("another")
    with pytest.raises(ValueError, match="is not a manifest"), Manifest(tmp_path, HEADER):
        pass


def test_one_process_at_a_time(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("a.wav", record(1))
        with pytest.raises(RuntimeError, match="another process is working in"), Manifest(tmp_path, HEADER):
            pass
        manifest.add("b.wav", record(2))
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(2)}


def test_folders_whose_names_are_no_urls(tmp_path):
    folder = tmp_path / os.fsdecode(b"a b?c#d%20&nolock=0\xff")
    folder.mkdir()
    killed(folder, ["a.wav"])
    assert hidden_files(folder) == OWN_FILES and os.listdir(tmp_path) == [folder.name]
    assert records(folder) == {"a.wav": record(0)}


def test_staged_files_stay(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        (manifest.hidden / "staged.wav").write_bytes(b"half")
    assert hidden_files(tmp_path) == {*OWN_FILES, "staged.wav"}


def test_a_database_from_before_songs_were_named_is_completed(tmp_path):
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("a.wav", record())
    with closing(sqlite3.connect(tmp_path / HIDDEN / DATABASE)) as connection:
        connection.execute("ALTER TABLE files DROP COLUMN song")
    with Manifest(tmp_path, HEADER) as manifest:
        manifest.add("b.wav", record(song="2000 samples"))
        states = dict(manifest.states())
    assert {name: state.song for name, state in states.items()} == {"a.wav": "", "b.wav": "2000 samples"}
