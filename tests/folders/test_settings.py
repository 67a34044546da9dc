"""Settings of a folder's files by glob."""

import json
import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from support.processes import contents
from support.styled_folders import made_of, read

from audiostyle_fx import PRESETS, style_folder, stylize
from audiostyle_fx.errors import FolderError
from audiostyle_fx.folders.settings import changed

pytestmark = pytest.mark.usefixtures("folder_of_recordings")

SETTINGS = {"*": {"alpha": 0.5}, "drums*": {"mix": 0.5}, "song/*": {"alpha": 0.25, "seed": 3}}


@pytest.fixture
def stems(stem):
    """Stems in 32-bit floats, and one file outside their folder."""
    for shift, name in enumerate(["song/drums.wav", "song/vox.wav", "drums 2.wav", "bass.wav"]):
        stem(name, subtype="FLOAT", shift=300 * shift)


def parameters(name, folder="out"):
    record = json.loads(Path(folder, "audiostyle.json").read_text())["files"][name]
    return record["transfers"][0]["parameters"]


def test_each_file_is_styled_with_its_own_parameters(stems, style, rate, run, quick):
    outcome = run(settings=SETTINGS, alpha=0.1)
    want = {
        "song/drums.wav": {"alpha": 0.25, "mix": 0.5, "seed": 3},
        "song/vox.wav": {"alpha": 0.25, "seed": 3},
        "drums 2.wav": {"alpha": 0.5, "mix": 0.5},
        "bass.wav": {"alpha": 0.5},
    }
    assert {name: record["settings"] for name, record in outcome.files.items()} == want
    for name, settings in want.items():
        result = stylize(read(Path("in", name)), style, rate, **{**quick, **settings})
        np.testing.assert_array_equal(read(Path("out", name)), result.audio)
        assert parameters(name).items() >= settings.items()
    written = json.loads(outcome.manifest.read_text())
    assert written["last_run"]["settings"] == SETTINGS and written["files"] == dict(outcome.files)


def test_files_without_settings_have_none_in_their_records(stems, run):
    files = run(settings={"vox.wav": {"alpha": 0.5}}, alpha=0.1).files
    assert [name for name, record in files.items() if "settings" in record] == ["song/vox.wav"]
    assert parameters("bass.wav")["alpha"] == 0.1 and parameters("song/vox.wav")["alpha"] == 0.5


def test_globs_are_compared_with_the_names_of_the_inputs(stems, run):
    files = run(format="flac", settings={"vox.wav": {"alpha": 0.5}}).files
    assert files["song/vox.flac"]["settings"] == {"alpha": 0.5}


def test_a_preset_of_a_glob_wins_over_what_it_changes_and_leaves_the_rest():
    [name, value], *_ = PRESETS["bold"].changes.items()
    values = {"preset": "texture", name: "of the call", "seed": 3}
    assert name == "alpha" and changed(values, {"preset": "bold"}) == {"preset": "bold", "seed": 3}
    assert changed(values, {"preset": "bold", name: value}) == {"preset": "bold", "seed": 3, name: value}
    assert changed(values, {"seed": 5}) == {**values, "seed": 5}


def test_alpha_and_strength_take_the_place_of_each_other():
    assert changed({"strength": 0.5, "seed": 3}, {"alpha": 0.1}) == {"seed": 3, "alpha": 0.1}
    assert changed({"alpha": 0.1, "seed": 3}, {"strength": 0.5}) == {"seed": 3, "strength": 0.5}
    assert changed({"strength": 0.5}, {"preset": "bold"}) == {"preset": "bold"}, "which has an alpha"


def test_settings_are_judged_together_with_those_of_the_call(stems, run):
    """L-BFGS needs alpha, which only the call gives."""
    assert run(settings={"bass*": {"optimizer": "lbfgs"}, "vox*": {"strength": 0.5}}, alpha=0.1).failed == {}
    assert parameters("song/vox.wav")["alpha"] is None and parameters("song/vox.wav")["strength"] == 0.5


def test_presets_of_globs(stems, run):
    settings = {"song/*": {"preset": "bold"}, "vox*": {"alpha": 0.5}, "bass*": {"seed": 2}}
    iterations = dict.fromkeys(["spectrogram_iters", "waveform_iters"], 1)
    run(settings={glob: {**values, **iterations} for glob, values in settings.items()}, alpha=0.1, preset="texture")
    chosen = {name: (parameters(name)["preset"], parameters(name)["alpha"]) for name in contents() if "wav" in name}
    assert chosen == {
        "song/drums.wav": ("bold", PRESETS["bold"].parameters.alpha),
        "song/vox.wav": ("bold", 0.5),
        "bass.wav": ("texture", 0.1),
        "drums 2.wav": ("texture", 0.1),
    }


def test_only_files_with_changed_settings_are_styled_again(stems, run, events):
    def again(settings, **arguments):
        events.clear()
        run(settings=settings, progress=events.append, alpha=0.1, **arguments)
        return made_of(events)

    assert len(again(None)) == 4
    assert again({"drums*": {"alpha": 0.5}}) == ["drums 2.wav", "song/drums.wav"]
    assert again({"song/drums*": {"alpha": 0.5}, "drums 2*": {"alpha": np.float64(0.5)}}) == [], "equal, other globs"
    assert again({"drums*": {"alpha": 0.5}, "vox*": {"alpha": 0.1}}) == [], "as the call has it"
    assert again({"song/*": {"alpha": 0.5}}) == ["drums 2.wav", "song/vox.wav"]
    assert again({"song/*": {"alpha": 0.5}}, include=["drums*"]) == []
    assert again(None, include=["vox*"]) == ["song/vox.wav"]
    assert again({"drums.*": {"alpha": 0.5}}) == []


def test_stems_with_settings_share_their_level(song, stem, run, events):
    stem("song/loud.wav", 40, "FLOAT")
    settings = {"loud*": {"seed": 1}, "soft*": {"alpha": 0.5}}
    files = run(settings=settings, format="flac").files
    full_scales = {name: record["full_scale"] for name, record in files.items()}
    level = full_scales.pop("song/loud.flac")
    assert level > 1.05 and full_scales == {"alone.flac": 1, "song/bass.flac": level, "song/soft.flac": level}
    changed = {**settings, "soft*": {"alpha": 0.25}}
    outcome = run(settings=changed, format="flac", include=["soft*"], progress=events.append)
    assert made_of(events) == ["song/soft.flac"]
    assert outcome.files["song/soft.flac"]["full_scale"] == level, "that of the stems beside it"


@pytest.mark.slow
def test_other_processes_get_them(stems, run):
    run(settings=SETTINGS)
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        run("executor", settings=SETTINGS, executor=executor)
    run("jobs", settings=SETTINGS, jobs=2)
    for name in ("song/vox.wav", "drums 2.wav"):
        for folder in ("executor", "jobs"):  # with other numbers of threads, and so other roundings
            np.testing.assert_allclose(read(Path(folder, name)), read(Path("out", name)), rtol=0, atol=1e-4)
    assert parameters("song/vox.wav", "executor") == parameters("song/vox.wav", "jobs") == parameters("song/vox.wav")


def test_failed_files_show_their_settings(run):
    Path("in/bad.wav").write_text("a text")
    record = run(settings={"bad*": {"alpha": 0.5}}).files["bad.wav"]
    assert record["status"] == "failed" and record["settings"] == {"alpha": 0.5}


@pytest.mark.parametrize(
    ("settings", "error", "why"),
    [
        ({"drums*": {"alpha": -1}}, ValueError, "settings['drums*']: alpha=-1 must be at least 0"),
        ({"drums*": {"alpha": "x"}}, TypeError, "settings['drums*']: alpha='x' must be a number"),
        (
            {"drums*": {"alhpa": 1}},
            TypeError,
            "settings['drums*']: there is no parameter 'alhpa'; did you mean 'alpha'?",
        ),
        ({"drums*": {"preset": "loud"}}, ValueError, "settings['drums*']: preset='loud' must be "),
        ({"drums*": {"device": "cpu"}}, ValueError, "settings['drums*']: device can't differ by file"),
        ({"drums*": {"style": "b.wav"}}, ValueError, "settings['drums*']: style can't differ by file"),
        ({"drums*": {}}, ValueError, "settings['drums*'] must hold at least one parameter"),
        ({"drums*": 0.5}, TypeError, "settings['drums*']=0.5 must be a mapping"),
        ({3: {"alpha": 1}}, TypeError, "settings[3]: the key must be a glob"),
        (["drums*"], TypeError, "settings=['drums*'] must be a mapping"),
        ({"*": {"alpha": 1}, "vocals*": {"mix": 1}}, FolderError, "settings['vocals*'] matches no recording"),
        ({"DRUMS*": {"mix": 1}}, FolderError, "settings['DRUMS*'] matches no recording of the folder"),
        (
            {"song/*": {"spectrogram_iters": 0}, "vox*": {"waveform_iters": 0}},
            ValueError,
            "settings of 'song/vox.wav': spectrogram_iters=0 and waveform_iters=0 leave nothing to do",
        ),
    ],
)
def test_what_is_not_allowed_is_said_before_any_work(settings, error, why, stems, quick):
    with warnings.catch_warnings(), pytest.raises(error, match=re.escape(why)):
        style_folder("in", "out", "style.wav", settings=settings, **quick)
    assert not Path("out").exists()


def test_a_glob_may_match_recordings_that_the_run_leaves_out(stems, run):
    assert run(settings={"drums*": {"alpha": 0.5}}, include=["bass*"]).failed == {}
