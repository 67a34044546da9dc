"""Whole transfers on a GPU against the CPU's: on the stand-in for CuPy, and by ``pytest -m gpu`` on a GPU."""

import numpy as np
import pytest
from pedalboard import Gain, Pedalboard

from audiostyle_fx import StyleTransfer, Window, stylize, stylize_batch, texture
from audiostyle_fx._engine.cuda import devices, graphs, streams
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS
from audiostyle_fx._transfer.stages.strength import PROBE_ITERS


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


VARIANTS = {
    "defaults": {},
    "several widths": {"kernel_width": (1, 4)},
    "several windows": {"windows": (Window(n_fft=64), Window(n_fft=256)), "kernel_width": (3, 5)},
    "few filters": {"n_filters": 20},
    "many filters": {"n_filters": 400},
    "L-BFGS": {"optimizer": "lbfgs"},
    "from noise": {"init": "noise", "phase_init": "random"},
    "spectrogram alone": {"waveform_iters": 0, "phase_iters": 0},
    "waveform alone": {"spectrogram_iters": 0},
    "the original": {"preset": "original", "init": "noise", "phase_init": "random", "n_filters": 20},
    "one iteration": {"spectrogram_iters": 1, "waveform_iters": 1, "phase_iters": 1},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_transfer_on_a_gpu_is_the_cpus(cupy, stereo, style, rate, quick, variant):
    parameters = {**quick, **VARIANTS[variant]}
    want = stylize(stereo, style, rate, **parameters, device="cpu")
    got = stylize(stereo, style, rate, **parameters, device="cuda")
    assert isinstance(got.audio, np.ndarray) and got.audio.dtype == np.float32
    np.testing.assert_allclose(got.audio, want.audio, rtol=0, atol=1e-3 * np.abs(want.audio).max())
    assert got.stages.keys() == want.stages.keys()
    for name, stage in want.stages.items():
        for part in ("style_loss", "content_loss", "inconsistency"):
            expected, found = getattr(stage, part), getattr(got.stages[name], part)
            assert (expected is None) == (found is None)
            if expected is not None:
                assert isinstance(found, np.ndarray)
                np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * stage.style_loss.max())


@pytest.mark.parametrize("variant", ["defaults", "few filters", "many filters", "from noise"])
def test_several_styles_on_a_gpu(cupy, stereo, style, other_style, rate, quick, variant):
    parameters = {**quick, **VARIANTS[variant], "style_weights": [1, 0.5]}
    want, got = (stylize(stereo, [style, other_style], rate, **parameters, device=d).audio for d in ("cpu", "cuda"))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-3 * np.abs(want).max())


def test_twenty_iterations_have_the_cpus_losses(cupy, content, style, rate):
    parameters = {"windows": Window(n_fft=256), "spectrogram_iters": 20, "phase_iters": 5, "waveform_iters": 20}
    want, got = (stylize(content, style, rate, **parameters, device=device) for device in ("cpu", "cuda"))
    for name in ("spectrogram", "waveform"):
        total, expected = (s.stages[name].style_loss + s.stages[name].content_loss for s in (got, want))
        np.testing.assert_allclose(total, expected, rtol=1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_loud_and_soft_songs_together_on_a_gpu(cupy, content, style, rate, quick, optimizer):
    contents = [np.clip(20 * content, -0.9, 0.9), 0.1 * content]
    together = stylize_batch(contents, style, rate, **quick, optimizer=optimizer, device="cuda")
    for audio, got in zip(contents, together, strict=True):
        want = stylize(audio, style, rate, **quick, optimizer=optimizer, device="cpu").audio
        np.testing.assert_allclose(got.audio, want, rtol=0, atol=1e-3 * np.abs(want).max())


def test_texture_on_a_gpu(cupy, style, rate, quick_stages):
    want, got = (texture(style, rate, 0.7, **quick_stages, device=device).audio for device in ("cpu", "cuda"))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-3 * np.abs(want).max())


def test_equal_seed_gives_equal_output_on_a_gpu(cupy, content, style, rate, quick):
    first, second = (stylize(content, style, rate, **quick, device="cuda").audio for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_an_effect_on_a_gpu_in_a_board(cupy, content, style, rate, quick):
    board = Pedalboard([Gain(-3), StyleTransfer(style, **quick, device="cuda"), Gain(3)])
    want = Pedalboard([Gain(-3), StyleTransfer(style, **quick, device="cpu"), Gain(3)])(content, rate)
    np.testing.assert_allclose(board(content, rate), want, rtol=0, atol=1e-3 * np.abs(want).max())


# ---------------------------------------------------------------- the host and the GPU
def test_the_host_waits_only_at_the_ends_of_stages_and_for_the_probe(stand_in, content, style, rate):
    stages = ("spectrogram_iters", "phase_iters", "waveform_iters")

    def waits(n_iter, **parameters):
        stand_in.configure(devices=1)
        streams.forget_thread()
        devices.forget_devices()
        stylize(content, style, rate, windows=Window(n_fft=256), **dict.fromkeys(stages, n_iter), **parameters)
        return stand_in.counters.host_copies + stand_in.counters.synchronizations

    waits(5)  # makes the arrays of `constant`, too
    few = waits(5, strength=1)  # which needs no probe
    assert few < 40 and waits(45, strength=1) - few == 3 * 4  # every tenth iteration of each stage
    assert waits(5) - few < 30 * PROBE_ITERS  # L-BFGS decides on the host


def test_progress_is_reported_every_tenth_iteration(cupy, content, style, rate, quick):
    events, parameters = [], {**quick, "spectrogram_iters": 25}
    result = stylize(content, style, rate, **parameters, device="cuda", progress=events.append)
    assert [event.iteration for event in events if event.stage == "spectrogram"] == [0, 10, 20, 25]
    assert events[0].losses["style"] == pytest.approx(result.stages["spectrogram"].style_loss[0])
    assert (events[-1].stage, events[-1].iteration, events[-1].iterations) == ("waveform", 3, 3)


def test_a_transfer_that_can_not_be_captured_is_the_same(monkeypatch, cupy, content, style, rate, quick):
    quick = {**quick, "spectrogram_iters": 8}
    want = stylize(content, style, rate, **quick, device="cuda").audio

    def refuse(function):
        raise NotImplementedError("not while capturing")

    monkeypatch.setattr(graphs, "record_graph", refuse)
    with pytest.warns(RuntimeWarning, match="not while capturing"):
        got = stylize(content, style, rate, **quick, device="cuda").audio
    np.testing.assert_array_equal(got, want)


def test_an_interrupt_while_capturing_ends_a_transfer(monkeypatch, cupy, content, style, rate, quick):
    def interrupt(function):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(graphs, "record_graph", interrupt)
        with pytest.raises(KeyboardInterrupt):
            stylize(content, style, rate, **{**quick, "waveform_iters": 8}, device="cuda:0")
    assert stylize(content, style, rate, **quick, device="cuda:0").audio.any(), "the next one works"


@pytest.mark.slow
def test_memory_does_not_grow_from_transfer_to_transfer(stand_in, cupy, content, style, rate, quick):
    free = []
    for _ in range(5):
        stylize(content, style, rate, **quick, device="cuda:0")
        free.append(cupy.cuda.Device(0).mem_info[0])
    assert free[1:] == free[1:2] * 4


# ---------------------------------------------------------------- devices
def test_auto_takes_a_gpu_where_there_is_one(cupy, content, style, rate, quick):
    assert DEFAULTS.device == "auto"
    auto, gpu = (stylize(content, style, rate, **quick, device=device).audio for device in ("auto", "cuda:0"))
    np.testing.assert_array_equal(auto, gpu)


def test_a_gpu_that_does_not_exist_is_refused(cupy, content, style, rate, no_work):
    with pytest.raises(ValueError, match=r"device='cuda:77' must be one of cuda:0"):
        stylize(content, style, rate, device="cuda:77")


def test_a_gpu_without_cupy_is_refused(monkeypatch, content, style, rate, no_work):
    devices.forget_devices()
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="CuPy is not installed"):
        stylize(content, style, rate, device="cuda")
    with pytest.raises(RuntimeError, match="cuda:0"):
        StyleTransfer(style, device="cuda:0")
    devices.forget_devices()
