"""Results of a folder's run that would replace files which no run has made."""

import shutil
from pathlib import Path

import pytest
from support.commands import finished, records, run_on_folder
from support.processes import contents

from audiostyle_fx.folders.records.manifest import HIDDEN, NAME

pytestmark = pytest.mark.usefixtures("stems")

GAIN = ["-q", "gain", "-6"]


def test_files_of_others_are_refused_before_any_work(capsys, no_work):
    for name in ("a/loud.wav", "a/bass.wav", "solo.wav", "other.wav"):
        Path("out", name).parent.mkdir(parents=True, exist_ok=True)
        Path("out", name).write_bytes(b"precious")
    before = contents()
    assert run_on_folder(*GAIN) == 2
    assert contents() == before and not Path("out/b").exists() and not Path("out", HIDDEN).exists()
    line = capsys.readouterr().err
    assert line.startswith("audiostyle: OUT 'out' holds 3 files that would be replaced and that no earlier run made")
    assert "as 'a/bass.wav'; --overwrite replaces them" in line


def test_files_of_others_are_replaced_with_overwrite():
    Path("out").mkdir()
    Path("out/solo.wav").write_bytes(b"old")
    assert run_on_folder(*GAIN, "--overwrite") == 0
    assert Path("out/solo.wav").read_bytes().startswith(b"RIFF") and len(finished("out")) == 6


def test_files_of_others_next_to_results_of_an_earlier_run(capsys):
    assert run_on_folder(*GAIN, "--include", "a/*") == 0
    Path("out/solo.wav").write_bytes(b"precious")
    manifest = Path("out", NAME).read_bytes()
    assert run_on_folder(*GAIN) == 2
    assert "holds a file that would be replaced" in capsys.readouterr().err
    assert Path("out/solo.wav").read_bytes() == b"precious" and Path("out", NAME).read_bytes() == manifest
    assert run_on_folder(*GAIN, "--exclude", "solo.wav") == 0 and len(records()) == 5


@pytest.mark.parametrize("words", [GAIN, [*GAIN, "--force"], ["-q", "invert"]])
def test_results_of_an_earlier_run_are_its_own(words):
    assert run_on_folder(*GAIN) == 0
    assert run_on_folder(*words) == 0
    shutil.rmtree(Path("out", HIDDEN))
    assert run_on_folder(*words, "--force") == 0


def test_results_stay_a_run_s_own_when_it_is_interrupted(monkeypatch):
    """A run with another chain drops the records of the old results, but they still count as this package's."""

    def interrupt(job, chain, progress):
        raise KeyboardInterrupt

    assert run_on_folder(*GAIN) == 0
    with monkeypatch.context() as patch:
        patch.setattr("audiostyle_fx.folders.one_file.run", interrupt)
        for _ in range(2):
            assert run_on_folder("-q", "invert") == 130
            assert records() == {}
    assert run_on_folder("-q", "invert") == 0 and len(records()) == 6
