"""What is known of the files in a folder outlives whatever ends the process."""

import errno
import fcntl
import json
import math
import os
import shutil
import sys

import pytest

from audiostyle_fx.folders import manifest
from audiostyle_fx.folders.manifest import HIDDEN, NAME, Manifest, plain

HEADER = {"versions": {"numpy": "2"}, "files of": None}
NAMES = ["a.wav", "b c/d.wav", 'q", "transfers": [1].wav', "é\n\udcff.flac"]


def record(number=0, **values):
    return {
        "status": "done",
        "key": str(number),
        "error": ', "transfers": ',
        "transfers": [{"loss": [0.5, 1e-9]}],
        **values,
    }


def records(folder):
    with Manifest(folder, HEADER) as opened:
        return dict(opened.records)


def killed(folder, names):
    """Leave a folder as a process that is killed does."""
    opened = Manifest(folder, HEADER).__enter__()
    for number, name in enumerate(names):
        opened.add(name, record(number))
    opened._file.close()


def test_records_come_back_and_are_strict_json(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        for number, name in enumerate(NAMES):
            opened.add(name, record(number))
    want = {name: record(number) for number, name in enumerate(NAMES)}
    assert os.listdir(tmp_path) == [NAME]
    assert records(tmp_path) == want
    assert json.loads((tmp_path / NAME).read_text(encoding="ascii")) == {**HEADER, "files": want}


def test_nothing_is_a_manifest_too(tmp_path):
    assert records(tmp_path) == records(tmp_path) == {}
    assert json.loads((tmp_path / NAME).read_text())["files"] == {}


def test_heads_are_records_without_transfers_wherever_they_stand(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        for name in NAMES:
            opened.add(name, {"transfers": [1], **record(7)})
            assert opened.records.head(name) == {"status": "done", "key": "7", "error": ', "transfers": '}
            assert opened.records[name] == record(7)
        opened.add("x", {"status": "failed"})
        assert opened.records.head("x") == {"status": "failed"}


def test_records_are_held_as_text(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        opened.add("a.wav", record(transfers=[float(i) for i in range(1000)]))
        held = opened._texts["a.wav"]
        assert opened.records["a.wav"] is not opened.records["a.wav"]
    assert sys.getsizeof(held) < 9 * 1000


def test_some_of_the_records(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        for number, name in enumerate(NAMES):
            opened.add(name, record(number))
        some = opened.records.among(NAMES[1:3])
    assert dict(some) == {NAMES[1]: record(1), NAMES[2]: record(2)} and len(some) == 2
    assert NAMES[0] not in some and NAMES[1] in some


def test_begin_forgets_what_does_not_hold_for_good(tmp_path):
    killed(tmp_path, NAMES)
    opened = Manifest(tmp_path, HEADER).__enter__()
    opened.begin(lambda name, head: head["key"] == "1" and "transfers" not in head)
    opened._file.close()
    assert records(tmp_path) == {NAMES[1]: record(1)}


def test_a_journal_cut_off_anywhere_keeps_the_lines_before(tmp_path):
    killed(tmp_path, NAMES[:2])
    data = (tmp_path / HIDDEN / "journal.jsonl").read_bytes()
    first = data.index(b"\n") + 1
    for length in [0, 1, 9, first - 1, first, first + 9, *range(len(data) - 60, len(data) + 1)]:
        folder = tmp_path / str(length)
        (folder / HIDDEN).mkdir(parents=True)
        (folder / HIDDEN / "journal.jsonl").write_bytes(data[:length])
        assert list(records(folder)) == NAMES[: (length >= first) + (length == len(data))]


@pytest.mark.parametrize("rubbish", [b"\0" * 99, b"\xff\xfe\n", b"[]\n", b'["a.wav", 3]\n', b'["a.wav", {"key": 1}]\n'])
def test_rubbish_in_a_journal_is_left_out(rubbish, tmp_path):
    killed(tmp_path, ["a.wav"])
    with (tmp_path / HIDDEN / "journal.jsonl").open("ab") as file:
        file.write(rubbish)
    assert records(tmp_path) == {"a.wav": record(0)}


def test_the_journal_counts_more_than_the_manifest(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        opened.add("a.wav", record(1))
    killed(tmp_path, ["b.wav", "a.wav"])
    killed(tmp_path, ["c.wav"])
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(0), "c.wav": record(0)}


@pytest.mark.parametrize("where", ["sync", "os.replace"])
def test_a_manifest_that_can_not_be_written_leaves_the_old_one_and_the_journal(where, tmp_path, monkeypatch):
    with Manifest(tmp_path, HEADER) as opened:
        opened.add("a.wav", record(1))
    before = (tmp_path / NAME).read_bytes()

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    opened = Manifest(tmp_path, HEADER).__enter__()
    opened.add("b.wav", record(2))
    with monkeypatch.context() as patch:
        patch.setattr(f"audiostyle_fx.folders.manifest.{where}", fail)
        with pytest.raises(OSError, match="No space"):
            opened.__exit__()
    assert (tmp_path / NAME).read_bytes() == before
    assert os.listdir(tmp_path / HIDDEN) == ["journal.jsonl"]
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(2)}


@pytest.mark.parametrize(
    "text",
    ["", "a text", "{}", '{"files": 3}', '{\n "files": {\n  3\n }\n}\n', '{\n "files": {\n  "a": {"b": 1}\n }\n}\n'],
)
def test_what_is_no_manifest_is_not_replaced(text, tmp_path):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ValueError, match=r"is not a manifest .*; move it away"), Manifest(tmp_path, HEADER):
        pass
    assert (tmp_path / NAME).read_text() == text
    (tmp_path / NAME).unlink()
    assert records(tmp_path) == {}, "and the lock is free again"


def test_one_process_at_a_time(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        opened.add("a.wav", record(1))
        with pytest.raises(RuntimeError, match="another process is at work in"), Manifest(tmp_path, HEADER):
            pass
        opened.add("b.wav", record(2))
    assert records(tmp_path) == {"a.wav": record(1), "b.wav": record(2)}


def test_a_process_that_ends_while_another_begins(tmp_path, monkeypatch):
    """The folder with the journal vanishes after it has been opened, and before it is locked."""
    flock, calls = fcntl.flock, []

    def late(*args):
        calls.append(args)
        if len(calls) == 1:
            shutil.rmtree(tmp_path / HIDDEN)
        flock(*args)

    monkeypatch.setattr(fcntl, "flock", late)
    opened = Manifest(tmp_path, HEADER).__enter__()
    opened.add("a.wav", record(1))
    opened._file.close()
    assert len(calls) == 2
    assert records(tmp_path) == {"a.wav": record(1)}


def test_where_there_are_no_locks(tmp_path, monkeypatch):
    def flock(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with Manifest(tmp_path, HEADER) as opened:
        opened.add("a.wav", record(1))
    assert records(tmp_path) == {"a.wav": record(1)}


def test_what_waits_is_kept_and_the_hidden_folder_with_it(tmp_path):
    with Manifest(tmp_path, HEADER) as opened:
        (opened.hidden / "staged.wav").write_bytes(b"half")
    assert sorted(os.listdir(tmp_path / HIDDEN)) == ["journal.jsonl", "staged.wav"]


def test_folders_that_can_not_be_synced_are_left(tmp_path):
    manifest.sync_folder(tmp_path)
    manifest.sync_folder(tmp_path / "nowhere")


def test_plain_values():
    values = {"a": (1, math.inf), "b": {"c": None}, 3: os.curdir, "d": -math.inf, "e": 0.5}
    assert plain(values) == {"a": [1, "inf"], "b": {"c": None}, "3": ".", "d": "-inf", "e": 0.5}
