"""Stems of one song are turned down together, whichever run processes them."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.processes import contents
from support.styled_folders import made_of, read

from audiostyle_fx import style_folder, stylize
from audiostyle_fx._recordings.levels import true_peak

pytestmark = pytest.mark.usefixtures("folder_of_recordings", "high_peaks")


def test_stems_of_a_song_share_one_factor_and_others_do_not(song, style, rate, run, quick):
    with pytest.warns(
        UserWarning, match=r"song: its files turned down by (\d\.\d dB), because song/loud.wav would clip by \1$"
    ):
        outcome = style_folder("in", "out", "style.wav", **quick)
    wet = {path.name: stylize(read(path), style, rate, **quick).audio for path in Path("in/song").iterdir()}
    assert max(np.abs(one).max() for one in wet.values()) > 1.05
    factor = max(map(true_peak, ([np.atleast_2d(one)] for one in wet.values()))) * 10 ** (1 / 20)
    for name, audio in wet.items():
        assert outcome.files[f"song/{name}"]["full_scale"] == pytest.approx(factor)
        np.testing.assert_allclose(read(f"out/song/{name}"), audio / factor, atol=2**-15)
    assert outcome.files["alone.wav"]["full_scale"] == 1
    mix = sum(read(f"out/song/{name}") for name in wet)
    np.testing.assert_allclose(mix, sum(wet.values()) / factor, atol=2**-13)


def test_by_itself_only_what_clips_is_limited(song, run):
    outcome = run(independent=True)
    assert {record["full_scale"] for record in outcome.files.values()} == {1}
    limited = {name: record["limited_db"] for name, record in outcome.files.items()}
    loud = outcome.files["song/loud.wav"]
    assert limited.pop("song/loud.wav") == pytest.approx(20 * np.log10(loud["peak"]), abs=1e-3) and loud["peak"] > 1.05
    assert set(limited.values()) == {0}
    limited = f"peaks limited by up to {loud['limited_db']:.1f} dB"
    assert loud["warnings"] == [f"{limited}, because it would clip at full scale"]


def test_a_content_beyond_full_scale_is_turned_down_by_itself_too(stem, run):
    stem("loud.wav", 40, "FLOAT")
    record = run(format="flac", independent=True).files["loud.wav".replace("wav", "flac")]
    assert record["full_scale"] == pytest.approx(record["level"]) and record["limited_db"] == 0
    assert record["level"] >= record["peak"] * 10 ** (1 / 20)
    assert true_peak([np.atleast_2d(read("out/loud.flac"))]) == pytest.approx(10 ** (-1 / 20), abs=1e-3)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"include": ["bass.wav", "soft.wav"]}, {}),
        pytest.param({"include": ["soft.wav"]}, {}, marks=pytest.mark.slow),
        ({}, {"independent": True}),
        ({"independent": True}, {}),
    ],
)
def test_a_run_of_the_whole_has_a_level_of_its_own(first, then, song, run, events):
    run(**first)
    outcome = run(progress=events.append, **then)
    run("fresh", **then)
    assert contents() == contents("fresh")
    assert events[-1].done + events[-1].skipped == 4
    assert (
        outcome.skipped
        == events[-1].skipped
        == events[0].skipped - sum(event.files for event in events if event.kind == "again")
    )


@pytest.mark.parametrize("again", [["soft.wav"], ["soft.wav", "bass.wav"], ["loud.wav"]])
def test_stems_that_are_made_again_come_back_at_the_level_of_the_others(again, song, run, events):
    run()
    before = contents()
    outcome = run(include=again, force=True, progress=events.append)
    assert len(made_of(events)) == len(again) and outcome.skipped == 0
    assert contents() == before and outcome.files["song/" + again[0]]["full_scale"] > 1.05
    os.unlink("out/song/" + again[0])
    run(include=again)
    assert contents() == before


def test_stems_that_wait_count_for_the_level_of_others(interrupted, run):
    run(include=["soft.wav"])
    run("fresh")
    assert contents()["song/soft.wav"] == contents("fresh")["song/soft.wav"]


def test_stems_that_wait_get_levels_of_their_own_when_they_are_by_themselves(interrupted, run):
    run(independent=True)
    run("fresh", independent=True)
    assert contents() == contents("fresh")


def test_a_stem_too_loud_for_the_level_of_the_others_is_warned_of(song, run, quick):
    softer = {"include": ["bass.wav", "soft.wav"]}
    run(**softer)
    before = contents()
    with pytest.warns(match="song: its files turned down"), pytest.warns(match="dB louder") as caught:
        outcome = style_folder("in", "out", "style.wav", include=["loud.wav"], **quick)
    much = f"{20 * np.log10(outcome.files['song/loud.wav']['full_scale']):.1f} dB"
    text = f"song: 2 other files of this folder were finished {much} louder; run the whole folder so that its files"
    assert text + " sum to the mix" in [str(warning.message) for warning in caught]
    run("fresh")
    assert contents() == {**before, "song/loud.wav": contents("fresh")["song/loud.wav"]}
    run()
    assert contents() == contents("fresh")


def test_other_parameters_and_lost_results_do_not_count_for_the_level(song, run):
    run()
    assert run(alpha=0.25, include=["soft.wav"]).files["song/soft.wav"]["full_scale"] == 1
    factor = run().files["song/soft.wav"]["full_scale"]
    os.unlink("out/song/loud.wav")
    assert run(include=["soft.wav"], force=True).files["song/soft.wav"]["full_scale"] == factor > 1.05
    os.unlink("out/song/bass.wav")
    assert run(include=["soft.wav"], force=True).files["song/soft.wav"]["full_scale"] == 1


def test_the_same_stems_in_a_format_that_does_not_clip_are_not_others(stem, run):
    for name in ("loud.wav", "soft.wav"):
        stem(name, 4.9 if name == "loud.wav" else 0.05, "FLOAT")
    run()
    outcome = run(format="flac")  # a warning would be an error
    assert {record["full_scale"] > 1.05 for record in outcome.files.values()} == {True}


def test_a_loud_stem_that_is_repaired_turns_the_others_down(song, run, stem):
    whole = Path("in/song/loud.wav").read_bytes()
    Path("in/song/loud.wav").write_bytes(b"broken")
    outcome = run()
    assert outcome.failed.keys() == {"song/loud.wav"} and outcome.files["song/soft.wav"]["full_scale"] == 1
    Path("in/song/loud.wav").write_bytes(whole)
    outcome = run()
    run("fresh")
    assert outcome.failed == {} and contents() == contents("fresh")


# ---------------------------------------------------------------- files that are no stems of one song
@pytest.fixture
def unlike(song):
    """The song with one file that is a sample shorter, so that its files don't count as stems of one song."""
    path = Path("in/song/bass.wav")
    soundfile.write(path, read(path)[:-1], 8000)


def test_files_of_different_lengths_have_levels_of_their_own(unlike, run, events):
    outcome = run(progress=events.append)
    assert {record["full_scale"] for record in outcome.files.values()} == {1}
    assert outcome.files["song/loud.wav"]["limited_db"] > 0
    kinds = [event.kind for event in events if event.kind in ("made", "file")]
    assert kinds == ["made", "file"] * 4, "each is finished as soon as it is made"
    run("independent", independent=True)
    assert contents() == contents("independent")


def test_files_of_different_rates_have_levels_of_their_own(song, run):
    path = Path("in/song/bass.wav")
    soundfile.write(path, read(path), 11025)
    assert run().files["song/loud.wav"]["full_scale"] == 1


def test_files_of_different_lengths_share_a_level_if_the_user_says_so(unlike, run):
    files = run(levels="shared").files
    (full_scale,) = {record["full_scale"] for name, record in files.items() if name.startswith("song/")}
    assert full_scale > 1.05


def test_parts_of_one_length_are_no_stems(unlike, run):
    assert {record["full_scale"] for record in run(duration=0.2).files.values()} == {1}


def test_a_file_that_can_not_be_read_is_not_compared(song, run):
    Path("in/song/broken.wav").write_bytes(b"broken")
    outcome = run()
    assert outcome.failed.keys() == {"song/broken.wav"} and outcome.files["song/soft.wav"]["full_scale"] > 1.05


@pytest.mark.parametrize("left_over", ["song/bass.wav", "song/loud.wav", "song/soft.wav"])
@pytest.mark.parametrize("levels", ["auto", "shared"])
def test_levels_do_not_depend_on_what_is_left_over(levels, left_over, unlike, run):
    run("unbroken", levels=levels)
    run(levels=levels)
    os.unlink(f"out/{left_over}")
    assert run(levels=levels).skipped == 3
    assert contents() == contents("unbroken")


@pytest.mark.parametrize(
    ("first", "then"),
    [({}, {"levels": "shared"}), ({"levels": "shared"}, {}), ({"levels": "shared"}, {"levels": "independent"})],
)
def test_other_levels_are_those_of_a_fresh_run(first, then, unlike, run):
    run(**first)
    run(**then)
    run("fresh", **then)
    assert contents() == contents("fresh")


def test_files_with_levels_of_their_own_do_not_count_for_others(unlike, run):
    run()
    before = contents()
    assert run(include=["soft.wav"], force=True).failed == {}
    assert contents() == before


def test_stems_of_another_length_do_not_count(song, run, stem):
    """Three stems and, in the same folder, a later song."""
    run()
    for name in ("song/new 1.wav", "song/new 2.wav"):
        soundfile.write(stem(name, 0.1), read(f"in/{name}")[:-10], 8000)
    files = run(include=["new*"]).files
    assert {record["full_scale"] for record in files.values()} == {1}


def test_records_name_the_song_that_a_file_is_a_stem_of(song, run):
    files = run().files
    assert files["song/soft.wav"]["song"] == "2000 samples at 8000 Hz" and files["alone.wav"]["song"] == ""
    assert run(independent=True).files["song/loud.wav"]["song"] == ""
