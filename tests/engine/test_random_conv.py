"""The losses of N random filters, and how they become the closed form as N grows."""

import math

import numpy as np
import pytest
from support.spectrograms import spectrogram

from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv, StyleFeatures, draw_filters

NARROW = [Term(3, 1.5, 0.7, 0.3)]
SEVERAL = [Term(1, 0.8, 0.4, 0.3), Term(2, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2)]
WIDTHS = pytest.mark.parametrize("terms", [NARROW, SEVERAL], ids=["one width", "several widths"])
FEW_AND_MANY = pytest.mark.parametrize("n_filters", [6, 200])  # Grams of filters, and of patches


def definition(x, content, style, term, filters):
    """Losses of one item and the gradient of their sum, frame by frame, filter by filter and with Grams of filters."""
    width, bins = term.kernel_width, x.shape[1]
    taps = filters.reshape(width, bins, -1)

    def features(a):
        convolved = sum(a[k : len(a) - width + 1 + k] @ taps[k] for k in range(width))
        return np.maximum(convolved, 0)

    f, fc, fs = features(x), features(content), features(style)
    difference = f.T @ f / len(f) - fs.T @ fs / len(fs)
    losses = term.style_weight * (difference**2).sum(), term.content_weight * ((f - fc) ** 2).sum()
    at_features = term.style_weight * 4 / len(f) * f @ difference + 2 * term.content_weight * (f - fc)
    at_features[f == 0] = 0
    grad = np.zeros_like(x)
    for k in range(width):
        grad[k : k + len(f)] += at_features @ taps[k].T
    return np.array(losses), grad


# ---------------------------------------------------------------- filters
@pytest.mark.parametrize("width", [1, 3, 8])
def test_features_are_a_convolution_and_a_relu(width):
    x = np.random.default_rng(3).standard_normal((2, 15, 4))
    layer = RandomConv.of_styles(x, x, [Term(width, 2.0, 1.0, 1.0)], n_filters=5, seed=4).layers[0]
    found, taps = layer.features(x), layer.filters.reshape(width, 4, 5)
    assert found.shape == (2, 16 - width, 5)
    for item in range(2):
        for n in range(5):
            direct = sum(np.correlate(x[item, :, b], taps[:, b, n], mode="valid") for b in range(4))
            np.testing.assert_allclose(found[item, :, n], np.maximum(direct, 0), atol=1e-12)
    assert (found == 0).any() and (found > 0).any()


def test_filters_have_the_variance_of_the_term():
    x = spectrogram(5, (1, 12, 40))
    filters = RandomConv.of_styles(x, x, [Term(11, 3.0, 1.0, 1.0)], n_filters=100, seed=6).layers[0].filters
    assert filters.shape == (440, 100)
    variance = 3.0 / 100
    assert abs(filters.mean()) < 4 * math.sqrt(variance / filters.size)
    assert abs((filters**2).mean() / variance - 1) < 4 * math.sqrt(2 / filters.size)
    assert abs(np.corrcoef(filters[:, 0], filters[:, 1])[0, 1]) < 4 / math.sqrt(440)


def test_equal_seeds_draw_equal_filters():
    x, content, style = (spectrogram(7 + i, (1, 15, 4)) for i in range(3))
    results = [
        RandomConv.of_styles(content, style, SEVERAL, n_filters=30, seed=seed).value_and_grad(x) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert np.all(np.abs(results[2][0] / results[0][0] - 1) > 1e-3)


def test_filters_are_the_same_in_either_precision():
    x = spectrogram(10, (1, 15, 4))
    single, double = (
        RandomConv.of_styles(x.astype(dtype), x.astype(dtype), NARROW, n_filters=7, seed=3).layers[0].filters
        for dtype in ("float32", "float64")
    )
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(single, double)


# ---------------------------------------------------------------- losses
@WIDTHS
@FEW_AND_MANY
@pytest.mark.parametrize("style_batch", [1, 2])
def test_losses_and_gradient_are_those_of_the_definition(terms, n_filters, style_batch):
    x, content = spectrogram(11, (2, 20, 5)), spectrogram(12, (2, 20, 5))
    style = spectrogram(13, (style_batch, 14, 5))
    objective = RandomConv.of_styles(content, style, terms, n_filters=n_filters, seed=14)
    losses, grad = objective.value_and_grad(x)
    assert losses.shape == (2, 2) and losses.dtype == np.float64
    for item in range(2):
        parts = [
            definition(x[item], content[item], style[item % style_batch], term, layer.filters)
            for term, layer in zip(terms, objective.layers, strict=True)
        ]
        np.testing.assert_allclose(losses[:, item], sum(p[0] for p in parts), rtol=1e-9)
        expected = sum(p[1] for p in parts)
        np.testing.assert_allclose(grad[item], expected, rtol=1e-8, atol=1e-11 * abs(expected).max())


def test_grams_of_patches_give_what_grams_of_filters_give():
    x, content, style = (spectrogram(15 + i, (2, t, 5)) for i, t in enumerate((20, 20, 27)))
    layer = RandomConv.of_styles(content, style, NARROW, n_filters=80, seed=18).layers[0]
    assert layer.by_patches
    features = layer.features(x)
    targets = [(layer.style, None)]
    small = layer.loss_by_patches(features, targets)
    large = layer.loss_by_filters(features, targets)
    np.testing.assert_allclose(small[0], large[0], rtol=1e-10)
    np.testing.assert_allclose(small[1], large[1], rtol=1e-8, atol=1e-11 * abs(large[1]).max())


def test_the_cheaper_gram_is_taken():
    x, style = spectrogram(19, (1, 20, 3)), spectrogram(20, (1, 30, 3))
    patches = 18 + 28
    assert not RandomConv.of_styles(x, style, NARROW, n_filters=patches, seed=0).layers[0].by_patches
    assert RandomConv.of_styles(x, style, NARROW, n_filters=patches + 1, seed=0).layers[0].by_patches


@WIDTHS
@FEW_AND_MANY
def test_gradient_is_the_derivative_away_from_the_kinks(terms, n_filters):
    x, content, style = (spectrogram(21 + i, (2, t, 6)) for i, t in enumerate((20, 20, 26)))
    objective = RandomConv.of_styles(content, style, terms, n_filters=n_filters, seed=24)
    _, grad = objective.value_and_grad(x)
    rng = np.random.default_rng(25)
    for _ in range(3):
        direction, step = rng.standard_normal(x.shape), 1e-7
        points = [x + sign * step * direction for sign in (1, -1)]
        for layer in objective.layers:  # no feature switches on or off on the way
            ahead, behind = (layer.features(point) > 0 for point in points)
            np.testing.assert_array_equal(ahead, behind)
        ahead, behind = (objective.value_and_grad(point)[0].sum(axis=0) for point in points)
        expected = np.einsum("btk,btk->b", grad, direction)
        np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=1e-6)


@FEW_AND_MANY
def test_items_of_a_batch_are_independent(n_filters):
    x, content, style = (spectrogram(26 + i, (3, t, 7)) for i, t in enumerate((21, 21, 17)))
    losses, grad = RandomConv.of_styles(content, style, SEVERAL, n_filters=n_filters, seed=0).value_and_grad(x)
    for item in range(3):
        rows = slice(item, item + 1)
        alone = RandomConv.of_styles(content[rows], style[rows], SEVERAL, n_filters=n_filters, seed=0).value_and_grad(
            x[rows]
        )
        np.testing.assert_allclose(alone[0][:, 0], losses[:, item], rtol=1e-10)
        np.testing.assert_allclose(alone[1][0], grad[item], rtol=1e-9, atol=1e-11 * abs(grad).max())


@FEW_AND_MANY
@pytest.mark.parametrize("silent", ["x", "style", "all"])
def test_silence_is_finite(n_filters, silent):
    arrays = {name: spectrogram(29 + i, (1, 20, 4)) for i, name in enumerate(("x", "content", "style"))}
    for name in arrays:
        if silent in (name, "all"):
            arrays[name][:] = 0
    objective = RandomConv.of_styles(arrays["content"], arrays["style"], SEVERAL, n_filters=n_filters, seed=1)
    losses, grad = objective.value_and_grad(arrays["x"])
    assert np.isfinite(losses).all() and np.isfinite(grad).all()
    assert losses.all() == (silent != "all")
    assert grad.any() == (silent == "style")  # in silence every feature rests on the ReLU's flat side


@FEW_AND_MANY
def test_loss_and_gradient_are_zero_where_content_and_style_are_matched(n_filters):
    x = spectrogram(32, (1, 20, 4))
    losses, grad = RandomConv.of_styles(x, x.copy(), SEVERAL, n_filters=n_filters, seed=2).value_and_grad(x.copy())
    elsewhere, steep = RandomConv.of_styles(x, x, SEVERAL, n_filters=n_filters, seed=2).value_and_grad(
        spectrogram(33, x.shape)
    )
    assert losses[1] == 0 and abs(losses[0]) < 1e-13 * elsewhere[0]
    assert abs(grad).max() < 1e-12 * abs(steep).max()


def test_nothing_is_changed():
    x, content, style = (spectrogram(34 + i, (2, 21, 7), "float32") for i in range(3))
    copies = [a.copy() for a in (x, content, style)]
    objective = RandomConv.of_styles(content, style, SEVERAL, n_filters=20, seed=0)
    losses, grad = objective.value_and_grad(x)
    assert grad.dtype == np.float32
    grad = grad.copy()
    for array, copy in zip((x, content, style), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    again = objective.value_and_grad(x)
    np.testing.assert_array_equal(again[0], losses)
    np.testing.assert_array_equal(again[1], grad)


# ---------------------------------------------------------------- infinitely many
class Ensemble:
    """One tiny problem, whose point is not trained on the filters, under many independent sets of them.

    With D the difference of both Grams, N / (N - 1) times the sum of its squares off the diagonal, where two
    independent filters meet, has the closed form for its mean at every N; the diagonal adds a bias of order 1 / N.
    """

    term = Term(2, 1.7, 1.0, 1.0)

    def __init__(self, n_filters, seeds):
        x, content, style = (spectrogram(40 + i, (1, t, 3)) for i, t in enumerate((7, 7, 9)))
        self.n_filters = n_filters
        self.closed_form = InfiniteWidth.of_styles(content, style, [self.term]).value_and_grad(x)[0][:, 0]
        losses, diagonals = [], []
        for seed in seeds:
            objective = RandomConv.of_styles(content, style, [self.term], n_filters=n_filters, seed=seed)
            losses.append(objective.value_and_grad(x)[0][:, 0])
            layer = objective.layers[0]
            of_filters = [np.square(f[0]).mean(axis=0) for f in (layer.features(x), layer.features(style))]
            diagonals.append(np.square(of_filters[0] - of_filters[1]).sum())
        self.style, self.content = np.array(losses).T
        self.diagonal = np.array(diagonals)
        self.unbiased = n_filters / (n_filters - 1) * (self.style - self.diagonal)


@pytest.fixture(scope="module")
def few():
    return Ensemble(64, range(1000))


@pytest.fixture(scope="module")
def many():
    return Ensemble(1024, range(5000, 5200))


def error_of_mean(samples):
    return samples.std(ddof=1) / math.sqrt(len(samples))


@pytest.mark.slow
def test_content_loss_is_the_closed_form_on_average(few, many):
    for ensemble in (few, many):
        deviation = ensemble.content.mean() - ensemble.closed_form[1]
        assert abs(deviation) < 4 * error_of_mean(ensemble.content)
        assert error_of_mean(ensemble.content) < 0.02 * ensemble.closed_form[1]


def test_style_loss_off_the_diagonal_is_the_closed_form_on_average(few, many):
    for ensemble in (few, many):
        deviation = ensemble.unbiased.mean() - ensemble.closed_form[0]
        assert abs(deviation) < 4 * error_of_mean(ensemble.unbiased)
        assert error_of_mean(ensemble.unbiased) < 0.05 * ensemble.closed_form[0]


def test_style_loss_has_a_bias_of_order_one_over_n(few, many):
    for ensemble in (few, many):
        expected = ensemble.diagonal.mean() - ensemble.closed_form[0] / ensemble.n_filters
        deviation = ensemble.style.mean() - ensemble.closed_form[0]
        assert abs(deviation - expected) < 4 * error_of_mean(ensemble.style)
    assert few.style.mean() - few.closed_form[0] > 4 * error_of_mean(few.style)  # 64 filters are few enough to show it
    assert few.diagonal.mean() / many.diagonal.mean() == pytest.approx(1024 / 64, rel=0.1)


def test_spread_falls_with_the_root_of_the_number_of_filters(few, many):
    """Sixteen times the filters, a quarter of the spread; 200 seeds leave a tenth of uncertainty in it."""
    for name in ("style", "content"):
        at_64, at_1024 = (getattr(ensemble, name)[:200].std(ddof=1) for ensemble in (few, many))
        assert at_64 / at_1024 == pytest.approx(4, rel=0.25)


def test_gradient_is_that_of_the_closed_form_on_average():
    """Of the content loss, which has no bias: every element, over independent filters."""
    term = Term(2, 1.7, 0.0, 1.0)
    x, content, style = (spectrogram(40 + i, (1, t, 3)) for i, t in enumerate((7, 7, 9)))
    _, expected = InfiniteWidth.of_styles(content, style, [term]).value_and_grad(x)
    grads = np.array(
        [RandomConv.of_styles(content, style, [term], n_filters=64, seed=s).value_and_grad(x)[1] for s in range(500)]
    )
    score = (grads.mean(axis=0) - expected) / (grads.std(axis=0, ddof=1) / math.sqrt(len(grads)))
    assert np.abs(score).max() < 4.5
    assert np.sqrt(np.mean(score**2)) < 2


# ---------------------------------------------------------------- several styles
@FEW_AND_MANY
@pytest.mark.parametrize("terms", [NARROW, SEVERAL], ids=["one width", "several widths"])
def test_several_styles_are_the_mean_of_their_grams(n_filters, terms):
    x, content = spectrogram(80, (2, 20, 4)), spectrogram(81, (2, 20, 4))
    styles, shares = [spectrogram(82 + i, (1, t, 4)) for i, t in enumerate((12, 20, 31))], (0.2, 0.5, 0.3)
    objective = RandomConv.of_styles(content, styles, terms, shares, n_filters=n_filters, seed=1)
    losses, grad = objective.value_and_grad(x)
    expected, step = np.zeros(2), 1e-6 * np.random.default_rng(85).standard_normal(x.shape)
    for layer in objective.layers:
        gram = [np.einsum("bpn,bpm->bnm", f, f) / f.shape[1] for f in map(layer.features, (x, *styles))]
        mean = sum(share * of_style for share, of_style in zip(shares, gram[1:], strict=True))
        expected += layer.term.style_weight * np.square(gram[0] - mean).sum(axis=(1, 2))
    np.testing.assert_allclose(losses[0], expected, rtol=1e-9)
    ahead, behind = (objective.value_and_grad(x + sign * step)[0].sum() for sign in (1, -1))
    assert (ahead - behind) / 2 == pytest.approx(np.vdot(grad, step), rel=1e-5)


@FEW_AND_MANY
def test_a_style_alone_or_in_a_list_is_the_same_bit_for_bit(n_filters):
    x, content, style = (spectrogram(86 + i, (2, t, 4), "float32") for i, t in enumerate((20, 20, 24)))
    want = RandomConv.of_styles(content, style, SEVERAL, n_filters=n_filters, seed=1).value_and_grad(x)
    found = RandomConv.of_styles(content, [style], SEVERAL, n_filters=n_filters, seed=1).value_and_grad(x)
    for array, expected in zip(found, want, strict=True):
        np.testing.assert_array_equal(array, expected)


# ---------------------------------------------------------------- statistics of styles
@FEW_AND_MANY
@pytest.mark.parametrize("shares", [(1.0,), (0.3, 0.7)])
def test_statistics_of_styles_serve_any_content(n_filters, shares):
    styles = [spectrogram(90 + i, (1, t, 4), "float32") for i, t in enumerate((24, 17)[: len(shares)])]
    filters = draw_filters(SEVERAL, 4, n_filters, 1, like=styles[0])
    statistics = RandomConv.style_statistics(styles, [term.of_style() for term in SEVERAL], shares, filters)
    for seed, n_frames in ((100, 20), (102, 400)):  # the longer content has more patches than filters
        content, x = (spectrogram(seed + i, (2, n_frames, 4), "float32") for i in range(2))
        want = RandomConv.of_styles(content, styles, SEVERAL, shares, n_filters=n_filters, seed=1).value_and_grad(x)
        found = RandomConv(content, statistics, SEVERAL, filters).value_and_grad(x)
        for expected, array in zip(want, found, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_statistics_are_computed_once():
    features = StyleFeatures(spectrogram(110, (1, 20, 6)))
    assert features.gram is features.gram and features.energy is features.energy
    np.testing.assert_allclose(features.energy, np.square(features.gram).sum(axis=(1, 2)), rtol=1e-12)
