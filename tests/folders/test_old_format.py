"""Folders that version 0.1.0 has worked on, whose records have another format, are processed again, never misread."""

import json
import shutil
from pathlib import Path

import pytest
import soundfile
from support.processes import contents, hidden_files
from support.styled_folders import made_of, statuses

from audiostyle_fx.folders.keys import ResultKeys
from audiostyle_fx.folders.records.manifest import HIDDEN, NAME, OWN_FILES, Manifest
from audiostyle_fx.folders.records.manifest_json import FORMAT

pytestmark = pytest.mark.usefixtures("folder_of_recordings")

STAGE = {"seconds": 0.02, "iterations": [0, 1], "style": [2.0, 1.0], "content": [0.0, 0.5]}


def old_record(name, key, status):
    return {
        "source": str(Path("in", name).absolute()),
        "status": status,
        "channels": 1,
        "subtype": "PCM_16",
        "peak": 3.0,
        "level": 3.0,
        "sample_rate": 8000.0,
        "duration": 0.25,
        "seconds": 0.13,
        **({"full_scale": 3.0} if status == "done" else {}),
        "key": key,
        "identity": "ff5426cbf12759f4745f491b764bbad1",
        "transfers": [{"parameters": {"alpha": 0.01, "n_fft": 128}, "stages": {"waveform": STAGE}}],
    }


def write_old_manifest(records):
    """Write audiostyle.json as version 0.1.0 did, a line for each record, without the number of a format."""
    lines = [f"  {json.dumps(name)}: {json.dumps(record)}" for name, record in records.items()]
    header = json.dumps({"last_run": {"versions": {"audiostyle-fx": "0.1.0"}, "input": "/in"}}, indent=1)[:-2]
    text = header + ',\n "files": {\n' + ",\n".join(lines) + "\n" * bool(lines) + " }\n}\n"
    assert json.loads(text)["files"] == records
    Path("out", NAME).write_text(text)


@pytest.fixture
def same_keys(monkeypatch):
    """Use the keys of the old records, as if only the format had changed."""
    of = ResultKeys.of

    def same(chain, selection, recordings):
        keys = of(chain, selection, recordings)
        return ResultKeys("ff5426cbf12759f4745f491b764bbad1", {name: f"{name:0>32}" for name in keys.keys}, keys.sizes)

    monkeypatch.setattr(ResultKeys, "of", same)


@pytest.fixture
def two_stems(stem):
    stem("a.wav", 0.3)
    stem("b.wav", 0.3)
    Path("out", HIDDEN).mkdir(parents=True)


def test_a_finished_folder_is_processed_again(two_stems, same_keys, run, events):
    write_old_manifest({name: old_record(name, f"{name:0>32}", "done") for name in ("a.wav", "b.wav")})
    for name in ("a.wav", "b.wav"):
        soundfile.write(Path("out", name), [0.0] * 2000, 8000)
    result = run(progress=events.append)
    assert made_of(events) == ["a.wav", "b.wav"] and result.skipped == 0
    assert [record["full_scale"] for record in result.files.values()] == [1, 1], "the old levels do not count"
    written = json.loads(Path("out", NAME).read_text())
    assert written["format"] == FORMAT and "style_loss" in json.dumps(written["files"])
    run("fresh")
    assert contents() == contents("fresh")
    assert run().skipped == 2


def test_a_killed_run_is_processed_again_and_what_it_left_is_removed(two_stems, same_keys, run, events):
    write_old_manifest({})
    key = f"{'a.wav':0>32}"
    line = json.dumps(["a.wav", old_record("a.wav", key, "staged")])
    Path("out", HIDDEN, "journal.jsonl").write_text(f"{line}\n{line[:90]}")
    soundfile.write(Path("out", HIDDEN, f"staged-{key}.wav"), [0.0] * 2000, 8000, subtype="FLOAT")
    assert run(progress=events.append).failed == {}
    assert made_of(events) == ["a.wav", "b.wav"]
    run("fresh")
    assert contents() == contents("fresh")
    assert hidden_files() == OWN_FILES


def test_files_of_another_run_are_left_alone(two_stems, same_keys, run):
    write_old_manifest({"b.wav": old_record("b.wav", f"{'b.wav':0>32}", "done")})
    Path("out/b.wav").write_bytes(b"theirs")
    assert run(include=["a.wav"]).files["a.wav"]["full_scale"] == 1
    assert statuses() == {"a.wav": "done"} and Path("out/b.wav").read_bytes() == b"theirs"


def test_the_same_records_in_the_format_of_today_count(two_stems, same_keys, run):
    """Without the check of the format, the tests above would find these records valid."""
    with Manifest("out", {}) as manifest:
        for name in ("a.wav", "b.wav"):
            manifest.add(name, old_record(name, f"{name:0>32}", "done"))
            soundfile.write(Path("out", name), [0.0] * 2000, 8000)
    assert run().skipped == 2
    shutil.rmtree(Path("out", HIDDEN))
    assert run().skipped == 2
