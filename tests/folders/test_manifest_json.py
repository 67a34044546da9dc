"""The file audiostyle.json: strict JSON, read and written a record at a time."""

import json
import math
import os

import numpy as np
import pytest

from audiostyle_fx import Window
from audiostyle_fx.folders.records.manifest_json import FORMAT, check_manifest, plain, read_manifest, write_manifest

HEADER = {"last_run": {"versions": {"numpy": "2"}}}
RECORDS = {"a.wav": {"status": "done", "level": 0.1}, "é\n\udcff.flac": {"status": "failed", "error": '",\n }'}}


def write(path, records, header=HEADER):
    texts = ((name, json.dumps(record)) for name, record in records.items())
    write_manifest(path, header, texts, path.with_name("partial"))


@pytest.mark.parametrize("records", [RECORDS, {}])
def test_records_come_back(records, tmp_path):
    path = tmp_path / "audiostyle.json"
    write(path, records)
    assert json.loads(path.read_text(encoding="ascii")) == {"format": FORMAT, **HEADER, "files": records}
    check_manifest(path)
    assert dict(read_manifest(path)) == records
    assert os.listdir(tmp_path) == [path.name]


def test_records_of_another_format_do_not_count(tmp_path):
    path = tmp_path / "audiostyle.json"
    write(path, RECORDS, {"format": FORMAT + 1})
    assert dict(read_manifest(path)) == {}


@pytest.mark.parametrize("cut", [1, 3, 6, 40])
def test_a_file_that_is_cut_off_is_no_manifest(cut, tmp_path):
    path = tmp_path / "audiostyle.json"
    write(path, RECORDS)
    path.write_bytes(path.read_bytes()[: -cut - 3])
    with pytest.raises(ValueError, match="is not a manifest of this package"):
        list(read_manifest(path))


@pytest.mark.parametrize("text", ["", "a text", "{}", "é", '{"files": 3}', '[\n "files": {\n }\n}\n'])
def test_other_files_are_no_manifests(text, tmp_path):
    path = tmp_path / "audiostyle.json"
    path.write_text(text, encoding="utf-8")
    for read in (check_manifest, lambda path: list(read_manifest(path))):
        with pytest.raises(ValueError, match=r"is not a manifest of this package .*; move it away"):
            read(path)


def test_plain_values():
    values = {"a": (1, math.inf), "b": {"c": None}, 3: os.curdir, "d": -math.inf, "e": 0.5, "f": [Window(93)]}
    want = {"a": [1, "inf"], "b": {"c": None}, "3": ".", "d": "-inf", "e": 0.5, "f": [{"ms": 93.0}]}
    assert plain(values) == want
    assert plain(np.float64(math.nan)) == "nan"
