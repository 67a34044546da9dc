"""Long recordings: sections that cover them, inaudible joins, and work in proportion to the length."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.seams import MEAN_DB, inaudible, seams

from audiostyle_fx import Window, stylize, stylize_batch, texture
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx._transfer.setup import sections
from audiostyle_fx._transfer.setup.sections import CONTEXTS, LONGEST, overlap, plan
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup
from audiostyle_fx._transfer.stages.section_batch import SectionBatch, three_stages
from audiostyle_fx._transfer.styles.matched_styles import StyleTarget

SMALL = {"windows": Window(n_fft=256), "kernel_width": 3}  # a patch of 48 ms: sections of 1 s are long


@pytest.fixture(scope="session")
def musical(rate):
    """Some twelve seconds of notes, each of its own pitch and level."""
    rng, seconds = np.random.default_rng(11), np.arange(round(0.27 * rate))[:, None] / rate
    notes = [
        10 ** rng.uniform(-0.3, 0) * np.exp(-2 * seconds) * np.sin(2 * np.pi * pitch * seconds * [1, 2, 3])
        for pitch in rng.choice([165.0, 220.0, 247.0, 294.0, 330.0, 440.0], 45)
    ]
    audio = np.concatenate(notes) @ [1, 0.5, 0.3]
    return (0.1 * audio + 0.005 * rng.standard_normal(len(audio))).astype(np.float32)[: 12 * rate]


def chord(rate, seconds, pitches, seed):
    """Steady partials of several pitches, with some noise."""
    rng, times = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    partials = [(pitch * k, k) for pitch in pitches for k in range(1, 8)]
    audio = sum(np.sin(2 * np.pi * (pitch * times + rng.random())) / k for pitch, k in partials)
    return (0.03 * audio + 0.01 * rng.standard_normal(len(times))).astype(np.float32)


PITCHES = [110.0, 138.6, 164.8]


@pytest.fixture(scope="session")
def steady(rate):
    return chord(rate, 6, PITCHES, 12)


@pytest.fixture(scope="session")
def steady_style(rate):
    return chord(rate, 1, [300.0, 450.0], 13)


@given(st.integers(1, 100_000), st.integers(100, 5_000), st.integers(1, 300), st.integers(0, 100))
def test_sections_are_equal_and_cover_everything_once(n_samples, section, context, fade):
    fade = min(fade, context // 2)
    sections = plan(n_samples, section, context, fade)
    assert [s.start for s in sections] == [0, *(s.stop for s in sections[:-1])] and sections[-1].stop == n_samples
    assert np.ptp([s.stop - s.start for s in sections]) <= 1
    assert len({s.window.stop - s.window.start for s in sections}) == 1, "equal lengths make a batch"
    assert [s.second for s in sections] == [bool(i % 2) for i in range(len(sections))]
    if n_samples <= LONGEST * max(section, CONTEXTS * context):
        assert [s.window for s in sections] == [slice(0, n_samples)] and sections[0].free().all()
    for a, b in itertools.pairwise(sections):
        assert a.result.stop - b.result.start == fade // 2 * 2, "they overlap in the fade alone"
    for s in sections:
        assert 0 <= s.window.start <= s.result.start < s.result.stop <= s.window.stop <= n_samples
        assert s.start == 0 or s.window.start == 0 or s.window.start <= s.start - context


@given(st.integers(2, 9), st.integers(0, 50))
def test_pinned_samples_are_finished(count, fade):
    sections = plan(1000 * count, 1000, 200, fade)
    finished = np.zeros(1000 * count, bool)
    for s in sections[::2]:
        finished[s.result] = True
    for s in sections[1::2]:
        pinned = s.free() < 1
        assert finished[s.window][pinned].all()
        np.testing.assert_array_equal(
            s.free() == 0,
            np.pad(
                np.zeros(s.result.stop - s.result.start, bool),
                (s.result.start - s.window.start, s.window.stop - s.result.stop),
                constant_values=True,
            ),
        )


def test_overlaps_last_some_time_and_grow_with_windows_and_patches():
    assert overlap(patch=384, window=256, sample_rate=8000) == (1600, 1600)
    assert overlap(patch=14336, window=4096, sample_rate=8000) == (28672, 4096)


def test_neighbours_shares_add_up_to_one():
    first, second = plan(2000, 1000, 200, 50)
    total = np.zeros(2000)
    for s in (first, second):
        total[s.window] += s.free()
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_pinned_samples_come_out_as_they_are(content, style, rate, quick, optimizer):
    free = np.zeros((1, 1, len(content)))
    free[..., 2000:6000] = 1
    fixed = 0.1 * np.random.default_rng(0).standard_normal(free.shape).astype(np.float32) * (1 - free)
    batch = SectionBatch(content[None, None], free, fixed, (0,))
    setup = TransferSetup.of(choose({**quick, "optimizer": optimizer}), rate)
    y = three_stages(batch, [StyleTarget([style[None]], [1.0])], setup).samples
    pinned = free == 0
    np.testing.assert_array_equal(y[pinned], fixed[pinned])
    assert y[~pinned].any()


HEARD = {**SMALL, "spectrogram_iters": 40, "phase_iters": 10, "waveform_iters": 30}
PLAIN = {"preset": "plain", **HEARD}  # which leaves the song further behind, and has louder seams where it has any
SECTION = 0.8


def joins(content, rate, seconds=SECTION):
    context = overlap(patch=384, window=256, sample_rate=rate)
    return [section.start for section in plan(len(content), seconds * rate, *context)[1:]]


def test_quiet_sections_stay_quiet(content, style, rate, quick):
    levels = np.repeat([1.0, 0.25, 0.03], 16000)
    audio = (np.tile(content, 6) * levels).astype(np.float32)
    out = stylize(audio, style, rate, **quick, section_seconds=1).audio
    for start in (0, 16000, 32000):
        middle = slice(start + 4000, start + 12000)  # a section's length away from the steps
        assert abs(20 * np.log10(out[middle].std() / audio[middle].std())) < 6


def test_bar_and_seconds_count_styled_sections(content, style, rate, quick, capsys):
    audio = np.concatenate([content, content, np.zeros(16000, np.float32), content])
    result = stylize(audio, style, rate, **quick, section_seconds=1, progress=True)
    shown = capsys.readouterr().err.split("\r")[-1]
    assert re.search(r"(\d+)/\1 waveform: 100%.*<00:00", shown)
    assert sum(stage.seconds for stage in result.stages.values()) <= result.seconds


@pytest.mark.parametrize("heard", [PLAIN, pytest.param(HEARD, marks=pytest.mark.slow)], ids=["plain", "default"])
def test_no_seams(steady, steady_style, rate, heard):
    result = stylize(steady, steady_style, rate, **heard, section_seconds=SECTION).audio
    report = seams(result, steady, joins(steady, rate), rate)
    assert inaudible(report), report


@pytest.fixture(scope="session")
def by_chance(musical, style, rate):
    """The measures at the joins' positions without sections, because notes begin and end there too."""
    return seams(stylize(musical, style, rate, **PLAIN).audio, musical, joins(musical, rate), rate)


def relative_to(report, chance):
    return {name: (mean - chance[name][0], percentiles) for name, (mean, percentiles) in report.items()}


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "auto"])
def test_no_seams_in_music(musical, style, rate, stage_inputs, optimizer):
    """The mean over the few joins of one length is off by one to three dB as chance has it, so several are taken."""
    whole = stylize(musical, style, rate, **PLAIN, optimizer=optimizer).audio
    means, places_of_all = {"level": [], "flux": []}, []
    for seconds in (0.8, 0.9, 1.0, 1.1, 1.2):
        stage_inputs.clear()
        result = stylize(musical, style, rate, **PLAIN, optimizer=optimizer, section_seconds=seconds).audio
        places = joins(musical, rate, seconds)
        assert sum(len(contents) for contents, _ in stage_inputs) == 1 + len(places)
        report = relative_to(seams(result, musical, places, rate), seams(whole, musical, places, rate))
        for name, (mean, percentiles) in report.items():
            means[name] += [mean] * len(places)
            places_of_all += percentiles.tolist()
    outside = np.mean((np.array(places_of_all) < 1) | (np.array(places_of_all) > 99))
    assert outside < 0.05, "two of a hundred are there by chance"
    assert all(abs(np.mean(values)) <= MEAN_DB for values in means.values()), {
        name: np.mean(values) for name, values in means.items()
    }


@pytest.mark.slow
def test_seams_of_short_contexts_and_fades_are_found(musical, style, rate, by_chance, monkeypatch):
    monkeypatch.setattr(sections, "CONTEXT_SECONDS", 0)
    monkeypatch.setattr(sections, "FADE_SECONDS", 0)
    result = stylize(musical, style, rate, **PLAIN, section_seconds=SECTION).audio
    assert relative_to(seams(result, musical, joins(musical, rate), rate), by_chance)["flux"][0] > 2


@pytest.mark.slow
def test_seams_of_independent_sections_are_found(steady_style, rate):
    steady = chord(rate, 12, PITCHES, 12)
    borders, half = [0, *joins(steady, rate), len(steady)], rate // 20
    butted, faded, ramp = np.zeros_like(steady), np.zeros_like(steady), np.arange(2 * half) / (2 * half)
    for i, (start, stop) in enumerate(itertools.pairwise(borders)):
        first = max(0, start - half)
        part = stylize(steady[first : stop + half], steady_style, rate, **PLAIN, phase_init="random", seed=i).audio
        butted[start:stop] = part[start - first :][: stop - start]
        part[: 2 * half] *= ramp if start else 1
        part[-2 * half :] *= 1 - ramp if stop < len(steady) else 1
        faded[first : first + len(part)] += part
    assert seams(butted, steady, borders[1:-1], rate)["flux"][0] > 1
    assert seams(faded, steady, borders[1:-1], rate)["level"][0] < -1


def test_work_is_in_proportion_to_the_length(musical, style, rate, quick, stage_inputs):
    samples = []
    for seconds in (2, 4, 8):
        stage_inputs.clear()
        stylize(musical[: seconds * rate], style, rate, **quick, section_seconds=1.0)
        assert len({contents.shape for contents, _ in stage_inputs}) == 1
        samples.append(sum(contents.size for contents, _ in stage_inputs))
    np.testing.assert_array_equal(samples, samples[0] * np.array([1, 2, 4]))


@pytest.mark.parametrize("seconds", [1.0, 0.7])
def test_short_recordings_are_one_section(content, style, rate, quick, seconds):
    want = stylize(content, style, rate, **quick, section_seconds=1000.0)
    got = stylize(content, style, rate, **quick, section_seconds=seconds)
    np.testing.assert_array_equal(got.audio, want.audio)
    np.testing.assert_array_equal(got.stages["waveform"].style_loss, want.stages["waveform"].style_loss)


def test_sections_need_a_few_patches(content, style, rate, quick, stage_inputs):
    stylize(np.tile(content, 2), style, rate, **quick, section_seconds=0.1)
    assert len(stage_inputs) < 2 / 0.3


def test_silent_stretches_stay_silent(musical, style, rate, quick, stage_inputs):
    content = musical[: 8 * rate].copy()
    content[2 * rate : 6 * rate] = 0
    result = stylize(content, style, rate, **quick, section_seconds=1.0)
    assert len(stage_inputs) == 6, "sections with silence all around cost nothing"
    assert not result.audio[2 * rate : 6 * rate].any()
    assert result.audio[: 2 * rate].any() and result.audio[6 * rate :].any()


def test_a_channel_may_be_silent_for_a_while(musical, style, rate, quick):
    content = np.stack([musical, 0.5 * musical[::-1]])[:, : 6 * rate]
    content[1, : 3 * rate] = 0
    result = stylize(content, style, rate, **quick, section_seconds=1.0).audio
    assert not result[1, : 3 * rate].any()
    assert result[1, 3 * rate :].any() and result[0].reshape(6, -1).any(axis=1).all()


def test_one_level_for_the_whole_recording(musical, style, rate, quick):
    content = musical[: 5 * rate]
    result = stylize(content, style, rate, **quick, section_seconds=1.0)
    rms = [np.sqrt(np.mean(np.square(a, dtype=np.float64))) for a in (content, result.audio)]
    assert rms[1] == pytest.approx(rms[0], rel=1e-5)
    assert np.isfinite(result.stages["waveform"].style_loss).all() and result.seconds > 0


def test_batches_of_long_recordings(musical, style, rate, quick):
    contents = [musical[: 3 * rate], musical[3 * rate : 6 * rate]]
    results = stylize_batch(contents, style, rate, **quick, section_seconds=1.0)
    for content, result in zip(contents, results, strict=True):
        np.testing.assert_array_equal(result.audio, stylize(content, style, rate, **quick, section_seconds=1.0).audio)


def test_progress_counts_every_section(musical, style, rate, quick):
    events = []
    content = musical[: 5 * rate]
    stylize(content, style, rate, **quick, section_seconds=1.0, progress=events.append)
    last = [event for event in events if event.stage == "waveform" and event.iteration == event.iterations]
    assert [(event.section, event.sections) for event in last] == [(k, 5) for k in range(5)]


def test_long_textures_do_not_repeat(style, rate, quick_stages):
    result = texture(style, rate, 4.0, **quick_stages, section_seconds=1.0).audio.reshape(4, -1)
    assert np.abs(np.corrcoef(result) - np.eye(4)).max() < 0.5
