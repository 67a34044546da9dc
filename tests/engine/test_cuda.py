"""Computing on a card: the kernels against their NumPy twins, and whole transfers against the CPU's.

Everything runs on what stands in for CuPy, with the kernels built for the host, and where there is a card, by
``pytest -m gpu``, on that.
"""

import ctypes
import math
import os
import sys
import warnings

import numpy as np
import pytest
from pedalboard import Gain, Pedalboard
from support import cupy_stand_in

from audiostyle_fx import StyleTransfer, Window, stylize, stylize_batch, texture
from audiostyle_fx._engine.arrays import array_module, matmul
from audiostyle_fx._engine.cuda import batching, devices, graphs, streams
from audiostyle_fx._engine.kernels import adam, arc_cosine, patches, spectra
from audiostyle_fx._engine.objectives import infinite_width
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._engine.optimizers.adam import Adam
from audiostyle_fx._engine.optimizers.minimize import minimize
from audiostyle_fx._engine.spectra.stft import STFT
from audiostyle_fx._transfer import costs, stages
from audiostyle_fx._transfer.parameters import DEFAULTS, Parameters

RATE = 8000
CAPTURE = graphs._cuda_graph
TERMS = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2)]


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


def array(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def same(cupy, function, *arrays, rtol=2e-6, atol=2e-6, **parameters):
    """Run a function on both array modules, and compare what it returns and what it has changed."""
    mine = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
    theirs = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in arrays]
    want, got = function(*mine, **parameters), function(*theirs, **parameters)
    for expected, found in zip(_listed(want), _listed(got), strict=True):
        if expected is None:
            assert found is None
            continue
        assert isinstance(found, cupy.ndarray) and found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_allclose(found.get(), expected, rtol=rtol, atol=atol * max(1, np.abs(expected).max()))
    return mine, [a.get() if isinstance(a, cupy.ndarray) else a for a in theirs]


def _listed(result):
    return result if isinstance(result, tuple) else (result,)


# ---------------------------------------------------------------- kernels
@pytest.mark.parametrize("size", [1, 257, 5000])
@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("step", [0, 17])
def test_adam_step(cupy_of_threads, size, nonnegative, step):
    cupy = cupy_of_threads
    x, grad, mean, square = (array(seed, size) for seed in range(4))
    count = np.array([step], np.int32)
    parameters = {"learning_rate": 0.25, "n_iter": 20, "beta1": 0.75, "beta2": 0.9, "epsilon": 1e-8}

    def run(*arrays):
        adam.adam_step(*arrays, **parameters, nonnegative=nonnegative)
        return arrays[0], arrays[2], arrays[3], arrays[4]

    same(cupy, run, x, grad, mean, np.square(square), count)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 7, 2, 129)])
def test_log_magnitude_and_its_adjoint(cupy_of_threads, shape):
    cupy = cupy_of_threads
    spectrum = array(0, *shape) + 1j * array(1, *shape)
    spectrum.flat[:1] = 0
    same(cupy, spectra.log_magnitude, spectrum, 0.5)
    same(cupy, spectra.log_magnitude_vjp, spectrum, array(2, *shape), 0.5)


@pytest.mark.parametrize(("n_samples", "n_fft", "hop_length"), [(700, 256, 64), (701, 64, 32), (300, 256, 100)])
@pytest.mark.parametrize("reflected", [True, False])
def test_windowed_frames_and_overlap_add(cupy_of_threads, n_samples, n_fft, hop_length, reflected):
    cupy = cupy_of_threads
    n_frames = 1 + math.ceil(n_samples / hop_length)
    samples, window = array(0, 2, 3, n_samples), array(1, n_fft)
    same(cupy, spectra.windowed_frames, samples, window, hop_length, slice(0, n_frames), reflected)
    same(cupy, spectra.overlap_add, array(2, 2, n_frames, 3, n_fft), window, hop_length)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 1000), (3, 4, 33)])
def test_row_dots(cupy_of_threads, shape):
    cupy = cupy_of_threads
    same(cupy, patches.row_dots, array(0, *shape), array(1, *shape))
    same(cupy, patches.sum_of_products, array(0, *shape), array(1, *shape))


@pytest.mark.parametrize("width", [1, 4, 9])
def test_unfold_fold_and_sums_over_patches(cupy_of_threads, width):
    cupy = cupy_of_threads
    same(cupy, patches.unfold, array(0, 2, 9, 13), width)
    same(cupy, patches.fold, array(1, 2, 10 - width, width * 13), width)
    same(cupy, patches.patch_sums, array(2, 2, 9), width)
    same(cupy, patches.patch_sums_vjp, array(3, 2, 10 - width), width)


def some_patches(seed, batch, frames, bins, width):
    """Frames, with a silent stretch, and the squared norms of their patches."""
    x = array(seed, batch, frames, bins)
    x[:, 3:6] = 0
    return x, patches.patch_sums(patches.row_dots(x, x), width)


@pytest.mark.parametrize("width", [1, 3, 11])
def test_content_distance(cupy_of_threads, width):
    cupy = cupy_of_threads
    x, norms = some_patches(0, 2, 40, 9, width)
    y, targets = some_patches(1, 2, 40, 9, width)
    same(cupy, arc_cosine.content_distance, patches.row_dots(x, y), norms, targets, width, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [1, 3, 11])
def test_content_is_at_no_distance_from_itself(cupy_of_threads, width):
    cupy = cupy_of_threads
    x = cupy.asarray(some_patches(0, 2, 40, 9, width)[0])
    products = patches.row_dots(x, x)
    norms = patches.patch_sums(products, width)
    assert not arc_cosine.content_distance(products, norms, norms.copy(), width)[0].get().any()


@pytest.mark.parametrize(("n", "m"), [(40, 40), (33, 90), (100, 12)])
@pytest.mark.parametrize("width", [1, 3, 11])
@pytest.mark.parametrize("shared", [True, False])
def test_gram_tile(cupy_of_threads, n, m, width, shared):
    cupy = cupy_of_threads
    (x, norms_u), (y, norms_v) = some_patches(0, 2, n, 9, width), some_patches(1, 1 if shared else 2, m, 9, width)
    products = x @ y.swapaxes(1, 2)
    for rows, columns in ((None, None), (-3, -2)):  # tiles have fewer patches than their frames would allow
        u, v = norms_u[:, :rows], norms_v[:, :columns]
        if u.shape[1] and v.shape[1]:
            same(cupy, arc_cosine.gram_tile, products, u, v, width, 0.3, rtol=1e-5, atol=2e-5)
            if not shared:
                same(cupy, arc_cosine.gram_tile, products, u, v, width, 0.3, columns=True, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("width", [1, 11])
def test_gram_tile_on_the_diagonal(cupy_of_threads, width):
    cupy = cupy_of_threads
    x, norms = some_patches(0, 2, 70, 9, width)
    same(
        cupy, arc_cosine.gram_tile, x @ x.swapaxes(1, 2), norms, norms, width, 0.3, diagonal=True, rtol=1e-5, atol=2e-5
    )


def test_a_very_wide_kernel_is_refused_on_a_card(cupy_of_threads):
    cupy = cupy_of_threads
    x = cupy.asarray(array(0, 1, 800, 2))
    norms = patches.patch_sums(patches.row_dots(x, x), 400)
    with pytest.raises(ValueError, match="kernel_width=400 must be at most"):
        arc_cosine.gram_tile(cupy_of_threads.asarray(array(1, 1, 800, 800)), norms, norms, 400, 1.0)


def test_kernels_refuse_other_precisions(cupy_of_threads):
    cupy = cupy_of_threads
    with pytest.raises(TypeError, match="float32"):
        patches.row_dots(cupy_of_threads.asarray(np.ones((1, 2, 3))), cupy.asarray(np.ones((1, 2, 3))))


# ---------------------------------------------------------------- products
@pytest.mark.parametrize("batches", [(2, 2), (1, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 1)])
@pytest.mark.parametrize("mirrored", [(False, False), (True, False), (False, True), (True, True)])
def test_products_are_asked_for_as_cublas_wants_them(monkeypatch, batches, sizes, mirrored):
    """With a cuBLAS that does in NumPy, on the addresses it is given, what NVIDIA's documentation says."""

    class Columns:
        def gemm(self, a, b, c, sizes, dtype, beta, tf32):
            m, n, k, batch = sizes
            left, right = (self.matrices(x, *shape, batch) for x, shape in ((a, (m, k)), (b, (k, n))))
            out = self.matrices(c, m, n, batch)
            out[...] = left @ right + (beta * out if beta else 0)

        def matrices(self, x, rows, columns, batch):
            if x.transposed:
                return self.matrices(x._replace(transposed=False), columns, rows, batch).swapaxes(1, 2)
            assert x.leading >= rows and (x.stride >= x.leading * columns or batch == 1 or x.stride == 0)
            size = x.stride * (batch - 1) + x.leading * (columns - 1) + rows
            memory = np.ctypeslib.as_array((ctypes.c_float * size).from_address(x.pointer))
            return np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), (4 * x.stride, 4, 4 * x.leading))

    cupy_stand_in.install(monkeypatch)
    monkeypatch.setattr(matmul, "cublas", Columns)
    xp, (m, k, n) = cupy_stand_in.cupy, sizes
    a, b = array(0, batches[0], m, k), array(1, batches[1], k, n)
    a, b = (x.swapaxes(1, 2).copy().swapaxes(1, 2) if turn else x for x, turn in zip((a, b), mirrored, strict=True))
    left, right = (
        xp.asarray(x.swapaxes(1, 2)).swapaxes(1, 2) if turn else xp.asarray(x)
        for x, turn in zip((a, b), mirrored, strict=True)
    )
    np.testing.assert_allclose(matmul.matmul(left, right).get(), a @ b, rtol=1e-5, atol=1e-6)
    out = array(2, max(batches), m + 2, n)
    there = xp.asarray(out)
    matmul.matmul(left, right, add_to=there[:, 1:-1])
    out[:, 1:-1] += a @ b
    np.testing.assert_allclose(there.get(), out, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- objectives and stages
def spectrograms():
    """Content, style and a point between."""
    return [np.abs(array(i, *shape)) for i, shape in enumerate([(2, 30, 9), (1, 21, 9), (2, 30, 9)])]


@pytest.mark.parametrize("tile", [512, 8])
def test_closed_form(cupy, monkeypatch, tile):
    monkeypatch.setattr(infinite_width, "TILE", tile)

    def run(content, style, x):
        return InfiniteWidth.of_styles(content, style, TERMS).value_and_grad(x)

    same(cupy, run, *spectrograms(), rtol=1e-4)


@pytest.mark.parametrize("n_filters", [16, 200])
def test_random_filters(cupy, n_filters):
    def run(content, style, x):
        return RandomConv.of_styles(content, style, TERMS, n_filters=n_filters, seed=3).value_and_grad(x)

    same(cupy, run, *spectrograms(), rtol=1e-4)


def test_stft_and_its_adjoints(cupy):
    stft, y = STFT(256, 64), array(0, 2, 3, 1000)
    spectrum = stft.forward(y)
    same(cupy, stft.forward, y)
    same(cupy, stft.forward_vjp, spectrum, 1000)
    same(cupy, stft.inverse, spectrum, 1000)
    same(cupy, stft.inverse_vjp, y, spectrum.shape[1])


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
def test_a_transfer_on_a_card_is_the_cpus(cupy, stereo, style, rate, quick, variant):
    parameters = {**quick, **VARIANTS[variant]}
    want = stylize(stereo, style, rate, **parameters, device="cpu")
    got = stylize(stereo, style, rate, **parameters, device="cuda")
    assert isinstance(got.audio, np.ndarray) and got.audio.dtype == np.float32
    np.testing.assert_allclose(got.audio, want.audio, rtol=0, atol=1e-3 * np.abs(want.audio).max())
    assert got.stages.keys() == want.stages.keys()
    for name, stage in want.stages.items():
        for part in ("style", "content", "inconsistency"):
            expected, found = getattr(stage, part), getattr(got.stages[name], part)
            assert (expected is None) == (found is None)
            if expected is not None:
                assert isinstance(found, np.ndarray)
                np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * stage.style.max())


@pytest.mark.parametrize("variant", ["defaults", "few filters", "many filters", "from noise"])
def test_several_styles_on_a_card(cupy, stereo, style, other_style, rate, quick, variant):
    parameters = {**quick, **VARIANTS[variant], "style_weights": [1, 0.5]}
    want, got = (stylize(stereo, [style, other_style], rate, **parameters, device=d).audio for d in ("cpu", "cuda"))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-3 * np.abs(want).max())


def test_twenty_iterations_have_the_cpus_losses(cupy, content, style, rate):
    parameters = {"windows": Window(n_fft=256), "spectrogram_iters": 20, "phase_iters": 5, "waveform_iters": 20}
    want, got = (stylize(content, style, rate, **parameters, device=device) for device in ("cpu", "cuda"))
    for name in ("spectrogram", "waveform"):
        total, expected = (s.stages[name].style_loss + s.stages[name].content_loss for s in (got, want))
        np.testing.assert_allclose(total, expected, rtol=1e-3)


def test_texture_on_a_card(cupy, style, rate, quick):
    want, got = (texture(style, rate, 0.7, **quick, device=device).audio for device in ("cpu", "cuda"))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-3 * np.abs(want).max())


def test_equal_seed_gives_equal_output_on_a_card(cupy, content, style, rate, quick):
    first, second = (stylize(content, style, rate, **quick, device="cuda").audio for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_an_effect_on_a_card_in_a_board(cupy, content, style, rate, quick):
    board = Pedalboard([Gain(-3), StyleTransfer(style, **quick, device="cuda"), Gain(3)])
    want = Pedalboard([Gain(-3), StyleTransfer(style, **quick, device="cpu"), Gain(3)])(content, rate)
    np.testing.assert_allclose(board(content, rate), want, rtol=0, atol=1e-3 * np.abs(want).max())


# ---------------------------------------------------------------- nothing waits
def one_card(**memory):
    """Start anew with a single card that nobody has used."""
    cupy_stand_in.configure(devices=1, **memory)
    array_module.here.__dict__.clear()
    devices._cards.cache_clear()


def test_the_host_waits_only_at_the_ends_of_stages(monkeypatch, request, cupy, content, style, rate):
    if request.node.callspec.params["cupy"] == "card":
        pytest.skip("a card does not count")
    waits = {}
    for n_iter in (5, 45):
        one_card()
        stylize(
            content,
            style,
            rate,
            windows=Window(n_fft=256),
            spectrogram_iters=n_iter,
            phase_iters=n_iter,
            waveform_iters=n_iter,
        )
        counters = cupy_stand_in.counters
        waits[n_iter] = counters.host_copies + counters.synchronizations
    assert waits[5] < 40 and waits[45] - waits[5] == 3 * 4  # a look every ten iterations of each stage


def test_iterations_are_one_launch_and_one_copy(monkeypatch, request, cupy):
    if request.node.callspec.params["cupy"] == "card":
        pytest.skip("a card does not count")
    content, style, x = (cupy.asarray(np.abs(array(i, 1, 30, 9))) for i in range(3))
    launches = {}
    with streams.computing_on("cuda:0"):
        objective = InfiniteWidth.of_styles(content, style, TERMS)
        for n_iter in (5, 45):
            cupy_stand_in.counters.launches = 0
            adam = Adam(0.1, n_iter, beta1=0.9, beta2=0.9)
            minimize(objective.value_and_grad, x, adam, n_iter, lambda iteration, losses: None)
            launches[n_iter] = cupy_stand_in.counters.launches
    assert launches[45] - launches[5] == 40 * 2


def test_progress_looks_at_the_losses_now_and_then(cupy, content, style, rate, quick):
    told = []
    parameters = {**quick, "spectrogram_iters": 25}
    result = stylize(content, style, rate, **parameters, device="cuda", progress=lambda *event: told.append(event))
    assert [i for stage, i, *_ in told if stage == "spectrogram"] == [0, 10, 20, 25]
    assert told[0][3]["style"] == pytest.approx(result.stages["spectrogram"].style_loss[0])
    assert told[-1][:3] == ("waveform", 3, 3)


def test_what_can_not_be_captured_goes_on_with_a_warning(monkeypatch, cupy, content, style, rate, quick):
    want = stylize(content, style, rate, **quick, device="cuda").audio

    def refuse(function):
        raise NotImplementedError("not while capturing")

    monkeypatch.setattr(graphs, "_cuda_graph", refuse)
    with pytest.warns(RuntimeWarning, match="not while capturing"):
        got = stylize(content, style, rate, **quick, device="cuda").audio
    np.testing.assert_array_equal(got, want)


def test_an_interrupt_while_capturing_is_not_lost(monkeypatch, cupy, content, style, rate, quick):
    ends = []

    def interrupted(function):
        class Stream:
            def begin_capture(self):
                ends.append("begun")

            def end_capture(self):
                ends.append("ended")
                raise RuntimeError("the capture is not valid")

        def function():
            raise KeyboardInterrupt

        monkeypatch.setattr(cupy.cuda, "get_current_stream", Stream)
        try:
            return capture(function)
        finally:
            monkeypatch.setattr(cupy.cuda, "get_current_stream", current)

    current, capture = cupy.cuda.get_current_stream, CAPTURE
    monkeypatch.setattr(graphs, "_cuda_graph", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stylize(content, style, rate, **quick, device="cuda:0")
    assert ends == ["begun", "ended"]


def test_memory_does_not_grow_from_transfer_to_transfer(request, cupy, content, style, rate, quick):
    if request.node.callspec.params["cupy"] == "card":
        pytest.skip("a card has other users")
    free = []
    for _ in range(5):
        stylize(content, style, rate, **quick, device="cuda:0")
        free.append(cupy.cuda.Device(0).mem_info[0])
    assert free[1:] == free[1:2] * 4


# ---------------------------------------------------------------- batches
@pytest.fixture
def recordings(content, style, other_style):
    return np.stack([content, other_style, 0.01 * content[::-1], np.zeros_like(content), style])


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


def test_several_cards_share_a_batch(monkeypatch, cupy, recordings, style, rate, quick):
    seen, original = [], stages.computing_on

    def computing_on(place, precision):
        seen.append(place)
        return original(place, precision)

    monkeypatch.setattr(stages, "computing_on", computing_on)
    n_cards = len(devices.places("cuda"))
    results = stylize_batch(recordings[[0, 1, 2, 4]], style, rate, **quick, device="cuda")
    assert len(seen) == n_cards
    one = stylize_batch(recordings[[0, 1, 2, 4]], style, rate, **quick, device="cuda:0")
    for result, alone in zip(results, one, strict=True):
        np.testing.assert_allclose(result.audio, alone.audio, rtol=0, atol=1e-3 * np.abs(alone.audio).max())


def test_an_error_on_one_card_stops_the_others(monkeypatch, cupy):
    done = []

    def run(items, place):
        if items == [0]:
            raise ArithmeticError("the first")
        done.append(items)

    monkeypatch.setattr(batching, "places", lambda device: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(batching, "_room", lambda place, item_bytes: 1)
    with pytest.raises(ArithmeticError, match="the first"):
        batching.in_batches(run, list(range(100)), "cuda", 1)
    for executor in (batching._thread_of(os.getpid(), place) for place in ("cuda:0", "cuda:1")):
        executor.submit(int).result()  # what was under way has ended
    assert len(done) <= 50 and not any(items[0] % 2 == 0 for items in done)


@pytest.mark.parametrize("error", [MemoryError(), type("CuFFTError", (RuntimeError,), {})("CUFFT_ALLOC_FAILED")])
def test_every_librarys_shortage_halves_a_batch(monkeypatch, cupy, error):
    done = []

    def run(items, place):
        if len(items) > 1:
            raise error
        done.append(items)

    monkeypatch.setattr(batching, "_room", lambda place, item_bytes: 4)
    with pytest.warns(RuntimeWarning, match="ran out of memory") as warned:
        batching.in_batches(run, [0, 1, 2], "cuda:0", 1)
    assert done == [[0], [1], [2]] and len(warned) == 2


# ---------------------------------------------------------------- memory
def needed(recordings, style, rate, quick, **parameters):
    """Bytes that a batch took at the most, and what it was expected to take."""
    one_card()
    parameters = {**quick, **parameters}
    stylize_batch(recordings, style, rate, **parameters, device="cuda")
    checked = Parameters(**parameters)
    sizes = (checked, checked.stft(rate), 1, recordings.shape[-1], len(style))
    return cupy_stand_in.peak_bytes(), len(recordings) * costs.item_bytes(*sizes)


@pytest.mark.parametrize(
    "variant",
    [
        "defaults",
        "L-BFGS",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("several widths", "several windows", "many filters", "from noise")
        ),
    ],
)
def test_a_batch_needs_the_memory_that_is_counted_on(request, cupy, recordings, style, rate, quick, variant):
    if request.node.callspec.params["cupy"] == "card":
        pytest.skip("a card's pool is shared")
    peak, expected = needed(recordings[[0, 1, 2, 4]], style, rate, quick, **VARIANTS[variant])
    assert 0.4 * expected < peak < 1.3 * expected


def test_out_of_memory_goes_on_with_half(request, monkeypatch, cupy, recordings, style, rate, quick):
    if request.node.callspec.params["cupy"] == "card":
        pytest.skip("a card has too much memory")
    batch = recordings[[0, 1, 2, 4]]
    want = [stylize(recording, style, rate, **quick).audio for recording in batch]
    peak, _ = needed(batch, style, rate, quick)
    one_card(memory=int(0.8 * peak))
    monkeypatch.setattr("audiostyle_fx._transfer.recording_transfer.item_bytes", lambda *arguments: 1)
    with pytest.warns(RuntimeWarning, match="cuda:0 ran out of memory with 4 recordings at once: goes on with 2"):
        results = stylize_batch(batch, style, rate, **quick)
    for result, expected in zip(results, want, strict=True):
        np.testing.assert_allclose(result.audio, expected, rtol=0, atol=1e-3 * np.abs(expected).max())
    one_card(memory=peak // 20)
    with pytest.raises(MemoryError):
        stylize(batch[0], style, rate, **quick)


# ---------------------------------------------------------------- devices
@pytest.fixture
def no_cards_known():
    devices._cards.cache_clear()
    yield
    devices._cards.cache_clear()


def test_auto_takes_a_card_where_there_is_one(monkeypatch, cupy, content, style, rate, quick):
    assert devices.places("auto") == devices.places("cuda")
    assert DEFAULTS.device == "auto"
    auto, card = (stylize(content, style, rate, **quick, device=device).audio for device in ("auto", "cuda:0"))
    np.testing.assert_array_equal(auto, card)


def test_a_card_that_is_not_there(cupy, content, style, rate, no_work):
    with pytest.raises(ValueError, match=r"device='cuda:77' must be one of cuda:0"):
        stylize(content, style, rate, device="cuda:77")


def test_without_cupy(monkeypatch, no_cards_known, content, style, rate, no_work):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match=r"CuPy is not installed \(pip install 'audiostyle-fx\[cuda13\]'"):
        stylize(content, style, rate, device="cuda")
    with pytest.raises(RuntimeError, match="cuda:0"):
        StyleTransfer(style, device="cuda:0")


def test_without_a_card(monkeypatch, no_cards_known, style):
    cupy_stand_in.install(monkeypatch, devices=0)
    assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="driver"):
        StyleTransfer(style, device="cuda")


def test_a_library_that_is_missing_is_told_of(monkeypatch, no_cards_known, style):
    cupy_stand_in.install(monkeypatch)
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs.cublas", None)
    with pytest.warns(RuntimeWarning, match=r"lacks a library of CUDA.*`ctk`.*is the CPU"):
        assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="lacks a library"):
        StyleTransfer(style, device="cuda")


def test_an_old_card_is_left_alone(monkeypatch, no_cards_known, style):
    cupy_stand_in.install(monkeypatch)
    monkeypatch.setattr(cupy_stand_in.Device, "compute_capability", "61")
    assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match=r"7\.5 or newer"):
        StyleTransfer(style, device="cuda")


def test_a_forked_process_leaves_cards_alone_once_they_were_used(monkeypatch, no_cards_known):
    monkeypatch.setattr(devices, "_forked", False)
    cupy_stand_in.install(monkeypatch)
    devices._after_fork()
    assert devices.places("auto") == ["cuda:0"], "nobody had used them"
    devices._after_fork()
    assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match=r"forked.*spawn"):
        devices.check_device("cuda")


def test_a_broken_cupy_is_told_of(monkeypatch, no_cards_known, style):
    def broken(name):
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(devices.importlib, "import_module", broken)
    with pytest.warns(RuntimeWarning, match=r"libcublas.*is the CPU"):
        assert devices.places("auto") == ["cpu"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        assert devices.places("auto") == ["cpu"]
    with pytest.raises(RuntimeError, match="libcublas"):
        StyleTransfer(style, device="cuda")
