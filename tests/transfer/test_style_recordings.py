"""Styles keep the samples that were read, also of missing or moved files, but not of changed files."""

import copy
import os
import pickle

import numpy as np
import pytest
import soundfile

from audiostyle_fx import StyleTransfer, stylize
from audiostyle_fx._transfer.styles import style_recordings
from audiostyle_fx._transfer.styles.style_recordings import Styles

STYLE_RATE = 11025


@pytest.fixture
def file(tmp_path, style):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, STYLE_RATE, subtype="FLOAT")
    return path


@pytest.fixture
def reads(monkeypatch):
    """The names of the styles that were read."""
    names, original = [], style_recordings.read_style

    def read_style(style, rate, name):
        names.append(name)
        return original(style, rate, name)

    monkeypatch.setattr(style_recordings, "read_style", read_style)
    return names


def replace_file(path, audio, rate):
    """Write other samples to a file, a second later."""
    soundfile.write(path, audio, rate, subtype="FLOAT")
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


def gone(path):
    path.unlink()


def moved(path):
    path.rename(path.with_name("moved.wav"))


COPIES = {
    "itself": lambda styles: styles,
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickle": lambda styles: pickle.loads(pickle.dumps(styles)),
}


# ---------------------------------------------------------------- files that are gone
@pytest.mark.parametrize("lose", [gone, moved])
@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("other_rate", [9000, STYLE_RATE])
def test_styles_outlive_their_file(file, content, style, rate, quick, lose, duplicate, other_rate):
    styles = Styles(file)
    stylize(content, styles, rate, **quick)
    lose(file)
    result = stylize(content, duplicate(styles), other_rate, **quick).audio
    expected = stylize(content, style, other_rate, style_sample_rate=STYLE_RATE, **quick).audio
    np.testing.assert_array_equal(result, expected)


def test_a_copy_of_unused_styles_outlives_their_file(file, content, style, rate, quick):
    styles = pickle.loads(pickle.dumps(Styles(file)))
    file.unlink()
    expected = stylize(content, style, rate, style_sample_rate=STYLE_RATE, **quick).audio
    np.testing.assert_array_equal(stylize(content, styles, rate, **quick).audio, expected)


def test_an_effect_outlives_its_file(file, content, rate, quick):
    effect = StyleTransfer(file, **quick)
    before = effect(content, rate)
    file.unlink()
    np.testing.assert_array_equal(effect(content, rate), before)


def test_a_function_raises_for_a_file_that_is_gone(file, content, rate, quick):
    stylize(content, file, rate, **quick)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"style=.*style\.wav"):
        stylize(content, file, rate, **quick)


def test_a_file_that_never_was_raises_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"style=.*no\.wav"):
        Styles(tmp_path / "no.wav")
    with pytest.raises(FileNotFoundError, match=r"style=.*no\.wav"):
        StyleTransfer(tmp_path / "no.wav")


# ---------------------------------------------------------------- files that have changed
@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_styles_read_a_changed_file_again(file, other_style, content, rate, quick, reads, duplicate):
    styles = duplicate(Styles(file))
    stylize(content, styles, rate, **quick)
    replace_file(file, other_style, rate)
    result = stylize(content, styles, rate, **quick).audio
    stylize(content, styles, 9000, **quick)
    assert reads == ["style", "style"]
    np.testing.assert_array_equal(result, stylize(content, other_style, rate, **quick).audio)


def test_only_the_changed_one_of_several_files_is_read_again(file, other_style, content, rate, quick, reads):
    soundfile.write(other := file.with_name("other.wav"), other_style, rate, subtype="FLOAT")
    styles = Styles([file, other])
    stylize(content, styles, rate, **quick)
    file.unlink()
    replace_file(other, other_style[::-1], rate)
    stylize(content, styles, rate, **quick)
    assert reads == ["style[0]", "style[1]", "style[1]"]


def test_a_file_that_has_come_back_unchanged_is_not_read_again(file, content, rate, quick, reads):
    styles = Styles(file)
    file.rename(away := file.with_name("away.wav"))
    stylize(content, styles, rate, **quick)
    away.rename(file)
    first = stylize(content, styles, rate, **quick).audio
    np.testing.assert_array_equal(stylize(content, file, rate, **quick).audio, first)


def test_a_function_reads_a_changed_file_again(file, other_style, content, rate, quick, reads):
    stylize(content, file, rate, **quick)
    replace_file(file, other_style, rate)
    result = stylize(content, file, rate, **quick).audio
    assert reads == ["style", "style"]
    np.testing.assert_array_equal(result, stylize(content, other_style, rate, **quick).audio)


def test_a_changed_file_that_can_not_be_used_is_refused(file, content, rate, quick):
    styles = Styles(file)
    file.write_bytes(b"no audio")
    with pytest.raises(ValueError, match=r"style=.*style\.wav.* can't be read as audio"):
        stylize(content, styles, rate, **quick)


def test_another_folder_makes_a_relative_path_another_file(file, style, other_style, content, rate, quick, monkeypatch):
    (file.parent / "b").mkdir()
    soundfile.write(file.parent / "b" / "style.wav", other_style, rate, subtype="FLOAT")
    monkeypatch.chdir(file.parent)
    stylize(content, "style.wav", rate, **quick)
    monkeypatch.chdir("b")
    result = stylize(content, "style.wav", rate, **quick).audio
    np.testing.assert_array_equal(result, stylize(content, other_style, rate, **quick).audio)


# ---------------------------------------------------------------- samples
def test_samples_are_kept_at_their_own_rate(file):
    styles = Styles(file)
    own = styles.at_rate(STYLE_RATE, STYLE_RATE).samples[0]
    resampled = styles.at_rate(8000, 8000)
    assert own.shape[1] == 8000 and resampled.samples[0].shape[1] == 5805
    for samples in (own, resampled.samples[0]):
        with pytest.raises(ValueError, match="read-only"):
            samples[:] = 0
    assert styles.at_rate(8000, 8000).samples is resampled.samples
    styles.clear_cache()
    assert styles.at_rate(STYLE_RATE, STYLE_RATE).samples[0] is own, "no second copy at the file's own rate"


def test_samples_of_a_pickle_are_read_only(file):
    styles = pickle.loads(pickle.dumps(Styles(file)))
    with pytest.raises(ValueError, match="read-only"):
        styles.at_rate(STYLE_RATE, STYLE_RATE).samples[0][:] = 0


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_share_the_samples(file, duplicate):
    styles = Styles(file)
    own, copied = (each.at_rate(STYLE_RATE, STYLE_RATE).samples[0] for each in (styles, duplicate(styles)))
    assert own is copied


def test_a_pickle_holds_no_cache(file, content, rate, quick):
    styles = Styles(file)
    size = len(pickle.dumps(styles))
    stylize(content, styles, rate, **quick)
    assert len(pickle.dumps(styles)) == size


# ---------------------------------------------------------------- other rates and weights
def test_weights_change_without_reading(file, other_style, content, rate, quick, reads):
    styles = Styles([file, other_style], [None, rate])
    file.unlink()
    changed = styles.changed([None, rate], [3, 1])
    assert styles.shares == (0.5, 0.5) and changed.shares == (0.75, 0.25)
    assert reads == ["style[0]", "style[1]"]
    expected = stylize(content, styles, rate, **quick).audio
    assert not np.array_equal(stylize(content, changed, rate, **quick).audio, expected)


def test_rates_of_arrays_change(style, content, rate, quick):
    changed = Styles(style, STYLE_RATE).changed(sample_rate=9000)
    expected = stylize(content, style, rate, style_sample_rate=9000, **quick).audio
    np.testing.assert_array_equal(stylize(content, changed, rate, **quick).audio, expected)


def test_other_rates_and_weights_are_checked(file):
    styles = Styles(file)
    with pytest.raises(ValueError, match="style_sample_rate=8000 must be None for a file"):
        styles.changed(sample_rate=8000)
    with pytest.raises(ValueError, match="style_weights"):
        styles.changed(weights=[1, 2])
