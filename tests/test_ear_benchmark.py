"""The measures of `benchmarks/ear.py` give the expected values for known recordings."""

import numpy as np
import pytest

pytest.importorskip("librosa", reason="needs the extra `ear`")
pytest.importorskip("mir_eval", reason="needs the extra `ear`")

from benchmarks import ear_material, ear_measures, ear_target

from audiostyle_fx._recordings.levels import RMS
from audiostyle_fx._recordings.similarity import Features, kept

SECONDS = 4.0
FAST = ear_material.RATE // 10


@pytest.fixture(scope="module")
def notes():
    return tuple(note for note in ear_material.played(ear_material.D_MAJOR) if note.start < SECONDS)


@pytest.fixture(scope="module")
def content(notes):
    return ear_material.performance(notes, ear_material.struck, 0, SECONDS)


@pytest.fixture(scope="module")
def style():
    notes = (note for note in ear_material.played(ear_material.A_FLAT_MAJOR, 1) if note.start < SECONDS)
    return ear_material.performance(tuple(notes), ear_material.blown, 1, SECONDS)


@pytest.fixture(scope="module")
def target(notes):
    return ear_material.performance(notes, ear_material.blown, 2, SECONDS)


@pytest.fixture(scope="module")
def drums():
    return ear_material.drums()[: int(SECONDS * ear_material.RATE)]


def measured(*recordings, **options):
    """All measures but the transcription, which needs a model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ear_measures, "transcriber", lambda: None)
        return ear_measures.measure(*recordings, **options)


def test_the_dry_content_keeps_all_and_has_no_style(content, style):
    measures = measured(content, content, style)
    ones = {name: measures[name] for name in ("chroma", "onsets", "MFCC")}
    assert ones == pytest.approx(dict.fromkeys(ones, 1), abs=1e-3)
    zeros = {name: measures[name] for name in ("attack lost, dB", "wander, dB", "start, dB", "end, dB")}
    assert zeros == pytest.approx(dict.fromkeys(zeros, 0), abs=1e-6)
    assert measures["spectrum, dB"] > 3 and measures["copy"] < 0.6
    assert np.isnan(measures["note F1"])


def test_the_style_itself_has_all_the_style_and_nothing_of_the_content(content, style):
    measures = measured(style, content, style)
    assert abs(measures["chroma"]) < 0.15
    assert measures["onsets"] < 0.6
    assert measures["MFCC"] == pytest.approx(0, abs=1e-3)
    assert measures["spectrum, dB"] == 0
    assert measures["copy"] == pytest.approx(1, abs=1e-3)


def test_a_piece_of_the_style_is_a_copy_wherever_it_lies(style):
    moved = np.roll(style, 12345)
    assert ear_measures.copy_score(moved, style) > 0.99
    noise = np.random.default_rng(0).standard_normal(len(style))
    assert ear_measures.copy_score(noise, style) < 0.2


def test_the_score_on_the_other_instrument_keeps_the_melody_and_has_the_timbre(content, style, target):
    measures = measured(target, content, style)
    assert measures["chroma"] > 0.6
    assert measures["MFCC"] < 0.4


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_listening_page_measures_nearly_the_same(content, style, share):
    result = ear_material.levelled(share * style + (1 - share) * content)
    measures = measured(result, content, style)
    features = [Features.of([audio[None]], ear_material.RATE, RMS) for audio in (content, result)]
    of_page = kept(*features)
    assert of_page.melody == pytest.approx(measures["chroma"], abs=0.05)
    assert of_page.attacks == pytest.approx(measures["onsets"], abs=0.15)


def test_smeared_attacks_and_another_course_of_level_are_found(drums):
    smeared = np.convolve(drums, np.hanning(2 * FAST) / FAST, "same") + 0.3 * np.roll(drums, -FAST // 2)
    assert ear_measures.attack_lost(ear_material.levelled(smeared), drums) > 6
    swell = np.sin(2 * np.pi * np.arange(len(drums)) / len(drums))
    assert ear_measures.wander(drums * 10 ** (6 * swell / 20), drums) == pytest.approx(6 / np.sqrt(2), abs=0.7)


def test_a_fade_that_is_missing_is_found(content):
    open_end = content.copy()
    open_end[-FAST:] += 0.1 * np.sign(content[-FAST:] + 1e-9)
    start, end = ear_measures.fade_difference(open_end, content)
    assert start == 0 and end > 6


def test_noise_is_mush_and_a_tone_is_not():
    noise = np.random.default_rng(0).standard_normal(2 * ear_material.RATE).astype(np.float32)
    tone = np.sin(2 * np.pi * 440 * np.arange(len(noise)) / ear_material.RATE).astype(np.float32)
    assert ear_measures.mush(noise) > ear_measures.mush(tone) + 10


def test_notes_count_by_pitch_and_start():
    notes = [(0.0, 0.5, 60), (0.5, 1.0, 64), (1.0, 1.5, 67), (1.5, 2.0, 72)]
    assert ear_measures.note_f1(notes, notes, 0.05) == 1
    assert ear_measures.note_f1(notes, [(start + 0.03, end, pitch) for start, end, pitch in notes], 0.05) == 1
    assert ear_measures.note_f1(notes, [*notes[:2], (1.0, 1.5, 68), (1.7, 2.0, 72)], 0.05) == 0.5
    assert ear_measures.note_f1(notes, [], 0.05) == 0


def test_distances_to_the_target(content, style, target):
    assert ear_target.log_spectral_distance(target, target) == 0
    assert ear_target.pitch_jaccard_distance(target, target) == 0
    assert ear_target.log_spectral_distance(0.5 * target, target) == pytest.approx(0, abs=0.01), "level does not count"
    assert ear_target.pitch_jaccard_distance(content, target) < 0.7 < ear_target.pitch_jaccard_distance(style, target)


@pytest.mark.parametrize("instrument", [ear_material.struck, ear_material.blown])
def test_the_pitches_of_a_chord_are_found(instrument):
    chord = {57, 62, 66}
    notes = [ear_material.Note(0.05, 1.5, pitch, 0.8) for pitch in sorted(chord)]
    sets = ear_target.pitch_sets(ear_material.performance(notes, instrument, 0, 1.6))
    inside = [pitches for pitches in sets[8:30] if pitches]
    assert len(inside) > 15
    assert np.mean([len(pitches & chord) / len(pitches | chord) for pitches in inside]) > 0.45


def test_means_are_of_those_that_have_a_measure():
    nan = float("nan")
    assert ear_measures.mean([{"a": 1.0, "b": nan}, {"a": 3.0, "b": 5.0}]) == {"a": 2.0, "b": 5.0}
    assert np.isnan(ear_measures.mean([{"a": nan}])["a"])
