"""The closed form of infinitely many filters: its losses, gradients and tiles."""

import numpy as np
import pytest
from support.spectrograms import check_gradient, kappa, losses_of_several, patches_of, spectrogram

from audiostyle_fx._engine.objectives import infinite_width
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.optimizers.lbfgs import LBFGS
from audiostyle_fx._engine.optimizers.minimize import minimize

NARROW = [Term(3, 1.5, 0.7, 0.3)]
SEVERAL = [Term(1, 0.8, 0.4, 0.3), Term(2, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2, last=0.4)]
WIDTHS = pytest.mark.parametrize("terms", [NARROW, SEVERAL], ids=["one width", "several widths"])


def losses_by_definition(x, content, style, terms):
    """Style and content loss of one item from explicit patches and whole kernel matrices."""
    total = np.zeros(2)
    for term in terms:
        p, c, s = (patches_of(a, term) for a in (x, content, style))
        own, cross, target = (term.gain * kappa(a, b) for a, b in ((p, p), (p, s), (s, s)))
        gram = (own**2).sum() / len(p) ** 2 - 2 * (cross**2).sum() / (len(p) * len(s)) + (target**2).sum() / len(s) ** 2
        features = np.trace(own) - 2 * term.gain * np.trace(kappa(p, c)) + term.gain * np.trace(kappa(c, c))
        total += term.style_weight * gram, term.content_weight * features
    return total


@WIDTHS
@pytest.mark.parametrize("style_frames", [9, 20, 33])
def test_losses_are_those_of_explicit_patches(terms, style_frames):
    x, content, style = (spectrogram(10 + i, (2, t, 5)) for i, t in enumerate((20, 20, style_frames)))
    losses, _ = InfiniteWidth.of_styles(content, style, terms).value_and_grad(x)
    assert losses.shape == (2, 2) and losses.dtype == np.float64
    for item in range(2):
        expected = losses_by_definition(x[item], content[item], style[item], terms)
        np.testing.assert_allclose(losses[:, item], expected, rtol=1e-7)


@WIDTHS
def test_one_style_serves_the_whole_batch(terms):
    x, content, style = spectrogram(13, (3, 18, 5)), spectrogram(14, (3, 18, 5)), spectrogram(15, (1, 25, 5))
    losses, _ = InfiniteWidth.of_styles(content, style, terms).value_and_grad(x)
    for item in range(3):
        expected = losses_by_definition(x[item], content[item], style[0], terms)
        np.testing.assert_allclose(losses[:, item], expected, rtol=1e-7)


SHARES = [(1.0,), (0.5, 0.5), (0.7, 0.1, 0.2)]


@WIDTHS
@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("style_batch", [1, 2])
@pytest.mark.parametrize("tile", [8, 512])
def test_several_styles_are_the_mean_of_their_grams(monkeypatch, terms, shares, style_batch, tile):
    monkeypatch.setattr(infinite_width, "TILE", tile)
    x, content = spectrogram(60, (2, 20, 5)), spectrogram(61, (2, 20, 5))
    styles = [spectrogram(62 + i, (style_batch, t, 5)) for i, t in enumerate((9, 20, 33)[: len(shares)])]
    objective = InfiniteWidth.of_styles(content, styles, terms, shares)
    losses, _ = objective.value_and_grad(x)
    for item in range(2):
        own = [style[item % style_batch] for style in styles]
        np.testing.assert_allclose(
            losses[:, item], losses_of_several(x[item], content[item], own, shares, terms), rtol=1e-7
        )
    check_gradient(objective, x, seed=65)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_style_alone_or_in_a_list_is_the_same_bit_for_bit(dtype):
    x, content, style = (spectrogram(66 + i, (2, t, 6), dtype) for i, t in enumerate((20, 20, 24)))
    want = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    for found, expected in zip(InfiniteWidth.of_styles(content, [style], SEVERAL).value_and_grad(x), want, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_equal_styles_are_one():
    x, content, style = (spectrogram(69 + i, (1, t, 6)) for i, t in enumerate((20, 20, 24)))
    want = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    found = InfiniteWidth.of_styles(content, [style, style], SEVERAL, (0.3, 0.7)).value_and_grad(x)
    for array, expected in zip(found, want, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-9)


@WIDTHS
@pytest.mark.parametrize(("batch", "style_batch"), [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("style_frames", [11, 20, 30])
def test_gradient_is_the_derivative(terms, batch, style_batch, style_frames):
    x, content = spectrogram(16, (batch, 20, 6)), spectrogram(17, (batch, 20, 6))
    objective = InfiniteWidth.of_styles(content, spectrogram(18, (style_batch, style_frames, 6)), terms)
    check_gradient(objective, x, seed=19)


@pytest.mark.parametrize("part", ["style", "content"])
def test_each_part_has_its_own_gradient(part):
    terms = [Term(4, 2.0, float(part == "style"), float(part == "content"))]
    x, content, style = (spectrogram(20 + i, (1, t, 6)) for i, t in enumerate((20, 20, 24)))
    objective = InfiniteWidth.of_styles(content, style, terms)
    losses, _ = objective.value_and_grad(x)
    assert (losses[0] == 0) == (part == "content") and (losses[1] == 0) == (part == "style")
    check_gradient(objective, x, seed=23)


def test_gradient_holds_where_the_spectrogram_is_negative():
    """L-BFGS may step there: patches then point away from each other."""
    rng = np.random.default_rng(24)
    content, style = spectrogram(25, (1, 20, 3)), spectrogram(26, (1, 20, 3))
    check_gradient(InfiniteWidth.of_styles(content, style, SEVERAL), rng.standard_normal((1, 20, 3)), seed=27)


@pytest.mark.parametrize("tile", [3, 5, 8, 14, 19])
@pytest.mark.parametrize("terms", [NARROW, SEVERAL, SEVERAL[::-1]], ids=["one", "rising widths", "falling widths"])
@pytest.mark.parametrize("style_batch", [1, 2])
def test_tiles_give_what_one_matrix_gives(monkeypatch, tile, terms, style_batch):
    """With widths 1 to 7 at 20 frames and tiles of 14 or 19 the last one holds patches of the narrow widths alone."""
    x, content = spectrogram(28, (2, 20, 5)), spectrogram(29, (2, 20, 5))
    style = spectrogram(30, (style_batch, 33, 5))
    losses, grad = InfiniteWidth.of_styles(content, style, terms).value_and_grad(x)
    monkeypatch.setattr(infinite_width, "TILE", tile)
    tiled = InfiniteWidth.of_styles(content, style, terms).value_and_grad(x)
    np.testing.assert_allclose(tiled[0], losses, rtol=1e-11)
    np.testing.assert_allclose(tiled[1], grad, rtol=1e-8, atol=1e-11 * abs(grad).max())


@pytest.mark.parametrize("block", [1, 50, 700])
@pytest.mark.parametrize("style_frames", [9, 33])
def test_sharing_the_work_out_in_blocks_changes_nothing(shared_out, block, style_frames):
    x, content = spectrogram(28, (2, 20, 5)), spectrogram(29, (2, 20, 5))
    style = spectrogram(30, (1, style_frames, 5))
    losses, grad = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    shared_out(block)
    shared = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    np.testing.assert_allclose(shared[0], losses, rtol=1e-11)
    np.testing.assert_allclose(shared[1], grad, rtol=1e-8, atol=1e-11 * abs(grad).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@WIDTHS
def test_content_loss_and_gradient_are_exactly_zero_at_the_content(terms, dtype):
    content = spectrogram(31, (2, 40, 16), dtype)
    content[:, 11:20] = 0
    terms = [term._replace(style_weight=0.0) for term in terms]
    losses, grad = InfiniteWidth.of_styles(content, spectrogram(32, (1, 30, 16), dtype), terms).value_and_grad(
        content.copy()
    )
    np.testing.assert_array_equal(losses, 0)
    np.testing.assert_array_equal(grad, 0)


def test_gradient_of_one_patch_alone_in_single_precision():
    """The kernel of a patch with itself is |p|^2 / 2, and the loss against silence is the square of the kernel."""
    x, style = spectrogram(51, (30, 5, 64), "float32"), np.zeros((1, 5, 64), np.float32)
    terms = [Term(5, 1.0, 1.0, 0.0)]
    losses, grad = InfiniteWidth.of_styles(x, style, terms).value_and_grad(x)
    squared = np.square(x.astype(float)).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(losses[0], squared.ravel() ** 2 / 4, rtol=2e-6)
    np.testing.assert_allclose(grad, squared * x, rtol=2e-6)


@pytest.mark.parametrize(("dtype", "rel"), [("float32", 1e-6), ("float64", 1e-13)])
@WIDTHS
def test_style_loss_and_gradient_vanish_at_the_style(terms, dtype, rel):
    style, other = spectrogram(33, (2, 40, 16), dtype), spectrogram(34, (2, 40, 16), dtype)
    objective = InfiniteWidth.of_styles(style, style, terms)
    losses, grad = objective.value_and_grad(style.copy())
    typical, typical_grad = objective.value_and_grad(other)
    assert np.all(np.abs(losses) <= rel * typical[0])
    assert np.linalg.norm(grad) <= 20 * rel * np.linalg.norm(typical_grad)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@WIDTHS
@pytest.mark.parametrize("silent", ["x", "content", "style", "all", "parts"])
def test_silence_is_finite(terms, dtype, silent):
    arrays = {name: spectrogram(35 + i, (2, 24, 6), dtype) for i, name in enumerate(("x", "content", "style"))}
    for name, array in arrays.items():
        if silent in (name, "all"):
            array[:] = 0
        elif silent == "parts":
            array[:, 5:17] = 0
            array[1, 18] = 1e-30
    objective = InfiniteWidth.of_styles(arrays["content"], arrays["style"], terms)
    losses, grad = objective.value_and_grad(arrays["x"])
    assert np.isfinite(losses).all() and np.isfinite(grad).all()
    for item in range(2):
        expected = losses_by_definition(*(arrays[n][item].astype(float) for n in ("x", "content", "style")), terms)
        np.testing.assert_allclose(losses[:, item], expected, rtol=1e-4, atol=1e-12)
    if silent == "all":
        assert not grad.any()


def test_items_of_a_batch_are_independent():
    x, content, style = (spectrogram(40 + i, (3, t, 7)) for i, t in enumerate((21, 21, 17)))
    losses, grad = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    for item in range(3):
        rows = slice(item, item + 1)
        alone = InfiniteWidth.of_styles(content[rows], style[rows], SEVERAL).value_and_grad(x[rows])
        np.testing.assert_allclose(alone[0][:, 0], losses[:, item], rtol=1e-11)
        np.testing.assert_allclose(alone[1][0], grad[item], rtol=1e-9, atol=1e-11 * abs(grad).max())


def test_nothing_is_changed_and_nothing_is_remembered():
    x, content, style = (spectrogram(43 + i, (2, 21, 7), "float32") for i in range(3))
    copies = [a.copy() for a in (x, content, style)]
    objective = InfiniteWidth.of_styles(content, style, SEVERAL)
    losses, grad = (a.copy() for a in objective.value_and_grad(x))
    kept = objective.value_and_grad(spectrogram(46, x.shape, "float32"))[1]
    kept *= 2  # as an optimiser may
    for array, copy in zip((x, content, style), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    again = objective.value_and_grad(x)
    np.testing.assert_array_equal(again[0], losses)
    np.testing.assert_array_equal(again[1], grad)


def test_widths_add_up():
    x, content, style = (spectrogram(47 + i, (1, t, 7)) for i, t in enumerate((21, 21, 17)))
    losses, grad = InfiniteWidth.of_styles(content, style, SEVERAL).value_and_grad(x)
    alone = [InfiniteWidth.of_styles(content, style, [term]).value_and_grad(x) for term in SEVERAL]
    np.testing.assert_allclose(sum(a[0] for a in alone), losses, rtol=1e-11)
    np.testing.assert_allclose(sum(a[1] for a in alone), grad, rtol=1e-9, atol=1e-11 * abs(grad).max())


def test_single_precision_finds_the_loss_at_an_optimum():
    """At an optimum the squared norms that the style loss subtracts cancel to a small part of their size."""
    rng = np.random.default_rng(50)
    tilt = np.linspace(3, 0.1, 128)
    content, style = (
        np.log1p(level * tilt * rng.lognormal(0, 0.8, (1, 200, 128)) * (1 + np.sin(np.arange(200) / rate))[:, None])
        for level, rate in ((0.1, 3), (0.2, 7))
    )
    content, style = content.astype(np.float32), style.astype(np.float32)
    terms = [Term(11, 4 * 4096 / (5121 * 11) * 8, 1.0, 0.01)]
    single, double = (
        InfiniteWidth.of_styles(content.astype(d), style.astype(d), terms) for d in ("float32", "float64")
    )
    x, history = minimize(single.value_and_grad, content, LBFGS(), 40, lambda iteration, losses: None)
    expected, _ = double.value_and_grad(x.astype(float))
    silent, _ = double.value_and_grad(np.zeros(x.shape))
    assert x.dtype == np.float32
    assert expected.sum() < 0.1 * history[0].sum() and expected[0] < 0.003 * silent[0]
    np.testing.assert_allclose(history[-1], expected, rtol=0, atol=0.01)


# ---------------------------------------------------------------- statistics of styles
@pytest.mark.parametrize("shares", SHARES)
def test_statistics_of_styles_serve_any_content(shares):
    styles = [spectrogram(80 + i, (1, t, 5), "float32") for i, t in enumerate((9, 20, 33)[: len(shares)])]
    statistics = InfiniteWidth.style_statistics(styles, [term.of_style() for term in SEVERAL], shares)
    for seed, n_frames in ((90, 20), (92, 31)):
        content, x = (spectrogram(seed + i, (2, n_frames, 5), "float32") for i in range(2))
        want = InfiniteWidth.of_styles(content, styles, SEVERAL, shares).value_and_grad(x)
        found = InfiniteWidth(content, statistics, SEVERAL).value_and_grad(x)
        for expected, array in zip(want, found, strict=True):
            np.testing.assert_array_equal(array, expected)
