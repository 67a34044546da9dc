"""Files: their formats, and those that cannot be read or written."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands import QUICK, fails, names, read, run

from audiostyle_fx._recordings.levels import true_peak

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("source", "subtype", "target", "kept"),
    [
        ("song.wav", "PCM_24", "out.wav", "PCM_24"),
        ("song.wav", "PCM_16", "out.aiff", "PCM_16"),
        ("song.flac", "PCM_24", "out.flac", "PCM_24"),
        ("song.flac", "PCM_24", "out.wav", "PCM_24"),
        ("song.wav", "FLOAT", "out.flac", "PCM_16"),
        ("song.ogg", "VORBIS", "out.wav", "PCM_16"),
        ("song.mp3", "MPEG_LAYER_III", "out.wav", "PCM_16"),
        ("song.mp3", "MPEG_LAYER_III", "out.mp3", "MPEG_LAYER_III"),
        ("song.wav", "PCM_32", "out.wav", "PCM_32"),
        ("song.aiff", "PCM_24", "out.aiff", "PCM_24"),
        ("song.aiff", "FLOAT", "out.wav", "FLOAT"),
        ("song.ogg", "VORBIS", "out.ogg", "VORBIS"),
    ],
)
def test_sample_format_is_kept_where_it_fits(stereo, source, subtype, target, kept):
    soundfile.write(source, stereo.T, 8000, subtype=subtype)
    assert run("-q", source, target, "style", "style.wav", *QUICK) == 0
    info = soundfile.info(target)
    assert (info.subtype, info.samplerate, info.channels) == (kept, 8000, 2)


def test_tags_are_carried_over(stereo):
    with soundfile.SoundFile("song.flac", "w", 8000, 2) as file:
        file.title, file.artist, file.comment = "a title", "somebody", "so good"
        file.write(stereo.T)
    assert run("-q", "song.flac", "out.wav", "style", "style.wav", *QUICK) == 0
    with soundfile.SoundFile("out.wav") as file:
        assert file.copy_metadata().items() >= {"title": "a title", "artist": "somebody", "comment": "so good"}.items()


def test_float_may_exceed_full_scale(stereo):
    soundfile.write("song.wav", 40 * stereo.T, 8000, subtype="FLOAT")
    assert run("-q", "song.wav", "out.wav", "style", "style.wav", *QUICK) == 0
    assert np.abs(read("out.wav")).max() > 2


def test_silence_and_an_empty_file(folder):
    for length in (0, 2, 4000):
        soundfile.write("quiet.wav", np.zeros((length, 2)), 8000, subtype="FLOAT")
        assert run("-q", "--overwrite", "quiet.wav", "out.wav", "style", "style.wav", *QUICK) == 0
        assert read("out.wav").shape == (2, length) and not read("out.wav").any()


@pytest.mark.parametrize("chain", [["style", "style.wav", *QUICK], ["style", "style.wav", *QUICK, "gain", "-1"]])
def test_a_loud_song_is_limited_and_said(stereo, capsys, chain):
    soundfile.write("song.wav", stereo.T / np.abs(stereo).max(), 8000)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run("--json", "song.wav", "out.wav", *chain) == 0
    shown, errors = capsys.readouterr()
    record = json.loads(shown.splitlines()[-1])
    assert record["limited_db"] > 0 and record["gain_db"] == 0
    assert f"peaks limited by up to {record['limited_db']:.1f} dB, because PCM_16 clips" in errors


def test_effects_without_a_transfer_are_turned_down_as_a_whole(stereo, capsys):
    soundfile.write("song.wav", stereo.T / np.abs(stereo).max(), 8000)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run("-q", "song.wav", "out.wav", "gain", "6") == 0
    assert "turned down by 7.0 dB" in capsys.readouterr().err
    written = read("out.wav")
    assert true_peak([written]) == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    np.testing.assert_allclose(written / np.abs(written).max(), stereo / np.abs(stereo).max(), atol=2**-13)


def test_what_is_too_loud_for_the_format_is_turned_down_and_said(stereo, capsys):
    soundfile.write("song.wav", 40 * stereo.T, 8000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run("-q", "song.wav", "out.flac", "style", "style.wav", *QUICK) == 0
    assert "turned down by" in capsys.readouterr().err
    assert true_peak([read("out.flac")]) == pytest.approx(10 ** (-1 / 20), abs=1e-3)


@pytest.mark.parametrize(
    ("source", "target", "given", "why"),
    [
        ("nowhere.wav", "out.wav", "style.wav", "IN 'nowhere.wav': there is no such file"),
        ("text.wav", "out.wav", "style.wav", "IN 'text.wav' can't be read"),
        ("song.wav", "out.xyz", "style.wav", "out.xyz"),
        ("song.wav", "out", "style.wav", ".flac"),
        ("song.wav", "nowhere/out.wav", "style.wav", "folder"),
        ("many.wav", "out.mp3", "style.wav", "3 channels"),
        ("fast.wav", "out.mp3", "style.wav", "96000 Hz"),
        ("song.wav", "out.wav", "nowhere.wav", "style='nowhere.wav'"),
        ("song.wav", "out.wav", "text.wav", "style='text.wav'"),
        ("song.wav", "out.wav", "silent.wav", "silent"),
        ("song.wav", "out.wav", "short.wav", "needs at least 0.448"),
        ("nan.wav", "out.wav", "style.wav", "NaN"),
    ],
)
def test_files_that_can_not_be_used_are_found_before_any_work(source, target, given, why, capsys, no_work):
    Path("text.wav").write_text("a text")
    Path("sub").mkdir()
    soundfile.write("fast.wav", 0.1 * np.ones((100, 2)), 96_000)
    soundfile.write("many.wav", 0.1 * np.ones((100, 3)), 8000)
    soundfile.write("silent.wav", np.zeros(8000), 8000)
    soundfile.write("short.wav", 0.1 * np.ones(300), 8000)
    soundfile.write("nan.wav", np.full(8000, np.nan), 8000, subtype="FLOAT")
    assert why in fails(capsys, 1, "-q", source, target, "style", given)
    assert names("sub") == []


@pytest.mark.parametrize(
    ("failure", "code"), [(RuntimeError("it broke"), 1), (OSError("it broke"), 1), (KeyboardInterrupt(), 130)]
)
@pytest.mark.parametrize("where", ["transfer", "encoder"])
def test_an_old_result_stays_until_the_new_one_is_finished(failure, code, where, capsys, monkeypatch):
    Path("out.wav").write_bytes(b"an old result")

    def fail(*args, **kwargs):
        if where == "encoder":
            assert [path for path in Path.cwd().glob(".*.wav") if path.stat().st_size], "half a file is there"
        raise failure

    if where == "transfer":
        monkeypatch.setattr("audiostyle_fx._transfer.whole_recordings.prepared_sections.three_stages", fail)
    else:
        monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    line = fails(capsys, code, "-q", "--overwrite", "song.wav", "out.wav", "style", "style.wav", *QUICK)
    assert ("interrupted" if code == 130 else "it broke") in line
