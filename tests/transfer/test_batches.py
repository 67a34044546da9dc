"""Batches of recordings, on the CPU and on GPUs, and the GPU memory that they need."""

import numpy as np
import pytest

from audiostyle_fx import Window, stylize, stylize_batch
from audiostyle_fx._engine.cuda import devices, streams
from audiostyle_fx._engine.objectives import peaks
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx._transfer.setup import costs
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup
from audiostyle_fx._transfer.stages import section_batch
from audiostyle_fx._transfer.whole_recordings import prepared_sections, recording_transfer


@pytest.fixture(scope="session")
def content(content):
    return content[:1500]


@pytest.fixture(scope="session")
def style(style):
    return style[:1500]


@pytest.fixture(scope="session")
def other_style(other_style):
    return other_style[:1500]


@pytest.fixture(scope="session")
def stereo(content, other_style):
    return np.stack([content, 0.5 * other_style])


@pytest.fixture
def recordings(content, style, other_style):
    return np.stack([content, other_style, 0.01 * content[::-1], np.zeros_like(content), style])


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_batch_gives_what_each_gives_alone(cupy, recordings, style, rate, quick, device):
    parameters = {**quick, "init": "noise", "device": device}
    results = stylize_batch(recordings, style, rate, **parameters)
    assert len(results) == len(recordings)
    for recording, result in zip(recordings, results, strict=True):
        alone = stylize(recording, style, rate, **parameters)
        if device == "cpu":
            np.testing.assert_array_equal(result.audio, alone.audio)
        np.testing.assert_allclose(result.audio, alone.audio, rtol=0, atol=1e-3 * np.abs(alone.audio).max())
        assert result.parameters == alone.parameters and result.stages.keys() == alone.stages.keys()
        for name, stage in alone.stages.items():
            np.testing.assert_allclose(result.stages[name].style_loss, stage.style_loss, rtol=1e-3)
            assert result.stages[name].iterations.tolist() == stage.iterations.tolist()


def test_channels_that_are_silent_stay_silent_in_a_batch(cupy, stereo, style, rate, quick):
    left = stereo.copy()
    left[1] = 0
    results = stylize_batch([stereo, left, stereo[::-1]], style, rate, **quick, device="cuda")
    assert results[0].audio.any(axis=1).all() and results[2].audio.any(axis=1).all()
    assert results[1].audio[0].any() and not results[1].audio[1].any()


@pytest.mark.parametrize(
    ("draw", "parameters"),
    [
        ("another_take", {}),
        ("noise_spectrum", {"preset": "plain", "init": "noise"}),
        ("small_noise", {"preset": "original", "n_filters": 20}),
    ],
)
def test_recordings_that_start_from_equal_noise_share_it(
    cupy, monkeypatch, recordings, style, rate, quick_stages, draw, parameters
):
    original, draws = getattr(section_batch, draw), []
    monkeypatch.setattr(section_batch, draw, lambda *a: draws.append(0) or original(*a))
    stylize_batch(recordings[[0, 1, 2, 4]], style, rate, **quick_stages, **parameters, key="style", device="cuda:0")
    assert len(draws) == 1


@pytest.mark.parametrize("contents", [[], [np.zeros(100, np.float32), np.zeros(101, np.float32)]])
def test_a_batch_is_of_one_shape(contents, style, rate, no_work):
    with pytest.raises(ValueError, match="contents"):
        stylize_batch(contents, style, rate)


def test_a_batch_refuses_what_stylize_does(content, style, rate, no_work):
    with pytest.raises(ValueError, match="alpha=-1"):
        stylize_batch([content], style, rate, alpha=-1)
    with pytest.raises(TypeError, match="alhpa"):
        stylize_batch([content], style, rate, alhpa=1)
    with pytest.raises(ValueError, match="contents"):
        stylize_batch([content * np.nan], style, rate)


@pytest.mark.parametrize("progress", [True, None])
def test_progress_of_a_batch(cupy, recordings, style, rate, quick, progress, capsys):
    stylize_batch(recordings[:3], style, rate, **quick, device="cuda:0", progress=progress)
    shown = capsys.readouterr().err
    assert ("/3 waveform: 100%" in shown) == bool(progress), shown


def test_several_gpus_share_a_batch(monkeypatch, cupy, recordings, style, rate, quick):
    used, original = [], section_batch.computing_on

    def computing_on(device, precision):
        used.append(device)
        return original(device, precision)

    monkeypatch.setattr(section_batch, "computing_on", computing_on)
    sounding = recordings[[0, 1, 2, 4]]
    results = stylize_batch(sounding, style, rate, **quick, device="cuda")
    assert sorted(used) == devices.device_names("cuda")
    on_one = stylize_batch(sounding, style, rate, **quick, device="cuda:0")
    for result, expected in zip(results, on_one, strict=True):
        np.testing.assert_allclose(result.audio, expected.audio, rtol=0, atol=1e-3 * np.abs(expected.audio).max())


@pytest.mark.slow
def test_sections_on_several_gpus_are_those_of_one(cupy, recordings, style, rate, quick):
    long = np.stack([np.tile(recordings[0], 8), np.tile(recordings[1], 8)])
    parameters = {**quick, "section_seconds": 0.3}
    several, one = (stylize_batch(long, style, rate, **parameters, device=device) for device in ("cuda", "cuda:0"))
    for result, expected in zip(several, one, strict=True):
        assert result.sections == expected.sections == 2
        np.testing.assert_allclose(result.audio, expected.audio, rtol=0, atol=1e-3 * np.abs(expected.audio).max())


@pytest.fixture
def steps_taken(monkeypatch):
    """The batches of the three stages, and after each the recordings that are finished."""
    steps = []

    def noted(owner, name, note):
        original = getattr(owner, name)

        def call(first, *args):
            steps.append(note(first))
            return original(first, *args)

        monkeypatch.setattr(owner, name, call)

    noted(prepared_sections, "three_stages", lambda batch: batch)
    noted(recording_transfer, "finish_recording", lambda recording: recording.dry)
    return steps


# ---------------------------------------------------------------- keys
KEYS = {
    "defaults": ({}, 1),
    "plain": ({"preset": "plain"}, 1),
    "two styles": ({"second": True, "style_weights": (0.3, 0.7)}, 1),
    "many filters": ({"n_filters": 50}, 3),
    "several windows": ({"windows": (Window(n_fft=64), Window(n_fft=256)), "kernel_width": (3, 5)}, 3),
    "from noise": ({"preset": "plain", "init": "noise"}, 3),
}
QUICK_KEYS = {"defaults", "several windows"}


@pytest.mark.parametrize(
    ("parameters", "batches"),
    [pytest.param(*KEYS[name], id=name, marks=[pytest.mark.slow] * (name not in QUICK_KEYS)) for name in KEYS],
)
def test_recordings_in_several_keys_are_one_batch_on_a_gpu(
    cupy, monkeypatch, steps_taken, recordings, style, other_style, rate, quick, parameters, batches
):
    moves = {1.0: -2.0, 0.5: 1.5, 0.25: 0.0, 0.125: 1.5}
    gains = np.array(list(moves), np.float32)[:, None]
    contents, parameters = gains * recordings[0], {**quick, "key": "content", **parameters}
    style = [style, other_style] if parameters.pop("second", False) else style

    def semitones(styles, content, setup):
        return (moves[round(float(np.abs(content).max() / np.abs(recordings[0]).max()), 3)],) * len(styles.samples)

    monkeypatch.setattr(recording_transfer, "style_semitones", semitones)
    results = stylize_batch(contents, style, rate, **parameters, device="cuda:0")
    assert sum(isinstance(step, section_batch.SectionBatch) for step in steps_taken) == batches
    for content, result in zip(contents, results, strict=True):
        alone = stylize(content, style, rate, **parameters, device="cpu")
        assert result.key == alone.key
        np.testing.assert_allclose(result.audio, alone.audio, rtol=0, atol=1e-3 * np.abs(alone.audio).max())


def test_a_loud_recording_changes_no_other_of_its_batch(cupy, recordings, style, rate, quick):
    """Only the loud one has a cost of peaks, whose weight takes an evaluation of the whole batch."""
    quiet, loud = 0.3 * recordings[0], recordings[3] + 0.99 * recordings[1] / np.abs(recordings[1]).max()
    parameters = {**quick, "preset": "default", "key": "style", "spectrogram_iters": 3, "waveform_iters": 3}
    batch = stylize_batch([quiet, loud], style, rate, **parameters, device="cuda:0")
    for content, result in zip([quiet, loud], batch, strict=True):
        alone = stylize(content, style, rate, **parameters, device="cpu")
        np.testing.assert_allclose(result.audio, alone.audio, rtol=0, atol=1e-3 * np.abs(alone.audio).max())


def test_the_weight_of_peaks_is_found_without_a_trace(monkeypatch, recordings, style, rate, quick):
    parameters = {**quick, "preset": "default", "key": "style", "waveform_iters": 3, "device": "cpu"}
    found = {}
    monkeypatch.setattr(peaks, "WEIGHT", 0.0)
    for near in (0.0, np.inf):
        monkeypatch.setattr(peaks, "NEAR", near)
        found[near] = stylize(0.3 * recordings[0], style, rate, **parameters).audio
    np.testing.assert_allclose(found[0.0], found[np.inf], rtol=0, atol=1e-6)


# ---------------------------------------------------------------- the host's part
def test_a_recording_is_finished_before_the_next_one_begins(steps_taken, recordings, style, rate, quick):
    stylize_batch(recordings[:2], style, rate, **quick, device="cpu")
    first, second = steps_taken[1::2]
    assert [type(step).__name__ for step in steps_taken] == ["SectionBatch", "ndarray"] * 2
    np.testing.assert_array_equal([first[0], second[0]], recordings[:2])


def test_contents_and_results_cross_in_pinned_memory(stand_in, steps_taken, recordings, style, rate, quick):
    clips = recordings[:2].copy()
    stylize_batch(clips, style, rate, **quick, key="style", device="cuda:0")
    assert stand_in.pinned_copies() == 2
    clips[1, 500:700] = 0
    results = stylize_batch(clips, style, rate, **quick, key="style", device="cuda:0")
    batches = [step for step in steps_taken if isinstance(step, section_batch.SectionBatch)]
    assert [batch.contents.dtype for batch in batches] == [np.float32] * 2
    assert batches[0].masks is None, "no sample of most recordings has to be silent"
    assert (
        batches[1].masks[0].all() and not batches[1].masks[1, 0, 500:700].any() and batches[1].masks[1, 0, 800:].all()
    )
    assert results[0].audio.all() and not results[1].audio[500:700].any()


# ---------------------------------------------------------------- memory
VARIANTS = {
    "defaults": {},
    "several widths": {"kernel_width": (1, 4)},
    "several windows": {"windows": (Window(n_fft=64), Window(n_fft=256)), "kernel_width": (3, 5)},
    "a window for the content": {"windows": (Window(n_fft=256), Window(n_fft=64, style_weight=0))},
    "many filters": {"n_filters": 400},
    "from noise": {"init": "noise", "phase_init": "random"},
    "plain": {"preset": "plain"},
    "plain, many filters": {"preset": "plain", "n_filters": 400},
    "plain, L-BFGS": {"preset": "plain", "optimizer": "lbfgs"},
}
QUICK_VARIANTS = {"defaults", "plain, L-BFGS"}


def one_gpu(stand_in, **memory):
    """Start again with a single GPU that nothing has used."""
    stand_in.configure(devices=1, **memory)
    streams.forget_thread()
    devices.forget_devices()


def test_each_recording_needs_more_memory_with_styles_of_its_own(stand_in, recordings, style, rate, quick):
    moves = iter([0.0, 1.0, 2.0])
    one_gpu(stand_in)
    style, sounding = np.tile(style, 12), recordings[[0, 1, 2]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_transfer, "style_semitones", lambda *_: (next(moves),))
        stylize_batch(sounding, style, rate, **quick, device="cuda")
    setup = TransferSetup.of(choose(quick), rate)
    sizes = (setup.parameters, setup.stfts, 1, recordings.shape[-1], len(style))
    assert 0.4 < stand_in.peak_bytes() / (3 * costs.item_bytes(*sizes, own_styles=True)) < 1.3


def memory_of(stand_in, recordings, style, rate, parameters):
    """The most bytes that a batch used, and the bytes that it was expected to use."""
    one_gpu(stand_in)
    stylize_batch(recordings, style, rate, **parameters, device="cuda")
    setup = TransferSetup.of(choose(parameters), rate)
    sizes = (setup.parameters, setup.stfts, 1, recordings.shape[-1], len(style))
    return stand_in.peak_bytes(), len(recordings) * costs.item_bytes(*sizes)


@pytest.mark.parametrize(
    "variant", [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK_VARIANTS)) for name in VARIANTS]
)
def test_a_batch_needs_the_memory_that_is_expected(stand_in, recordings, style, rate, quick_stages, variant):
    parameters = {**quick_stages, **VARIANTS[variant]}
    peak, expected = memory_of(stand_in, recordings[[0, 1, 2, 4]], style, rate, parameters)
    assert 0.4 * expected < peak < 1.3 * expected


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [{}, {"windows": (Window(n_fft=256), Window(n_fft=128), Window(n_fft=64))}])
def test_one_recording_more_needs_what_is_expected_with_a_long_style(
    stand_in, recordings, style, rate, quick_stages, parameters
):
    """The style itself is in memory once, however many recordings there are."""
    parameters, style = {**quick_stages, **parameters}, np.tile(style, 12)
    few, more = (memory_of(stand_in, recordings[items], style, rate, parameters) for items in ([0, 1], [0, 1, 2, 4]))
    assert 0.4 < (more[0] - few[0]) / (more[1] - few[1]) < 1.25


@pytest.mark.slow
def test_a_batch_that_runs_out_of_memory_is_halved(stand_in, monkeypatch, recordings, style, rate, quick):
    batch = recordings[[0, 1, 2, 4]]
    want = [stylize(recording, style, rate, **quick).audio for recording in batch]
    peak, _ = memory_of(stand_in, batch, style, rate, quick)
    one_gpu(stand_in, memory=int(0.8 * peak))
    monkeypatch.setattr(recording_transfer, "item_bytes", lambda *arguments, **options: 1)
    with pytest.warns(RuntimeWarning, match="cuda:0 ran out of memory with 4 recordings at once: continuing with 2"):
        results = stylize_batch(batch, style, rate, **quick)
    for result, expected in zip(results, want, strict=True):
        np.testing.assert_allclose(result.audio, expected, rtol=0, atol=1e-3 * np.abs(expected).max())
    one_gpu(stand_in, memory=peak // 20)
    with pytest.raises(MemoryError):
        stylize(batch[0], style, rate, **quick)
