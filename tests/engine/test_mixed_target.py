"""Both objectives with a balance: a share of the content in the target, an alpha per item, and the song's loss."""

import numpy as np
import pytest
from support.spectrograms import check_gradient, losses_of_several, spectrogram
from support.twins import assert_same, normal

from audiostyle_fx._engine.objectives import infinite_width
from audiostyle_fx._engine.objectives.balance import Balance
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv, draw_filters

NARROW = [Term(3, 1.5, 0.7, 0.3)]
SEVERAL = [Term(1, 0.8, 0.4, 0.3), Term(2, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2, last=0.5)]
WIDTHS = pytest.mark.parametrize("terms", [NARROW, SEVERAL], ids=["one width", "several widths"])
FILTERS = pytest.mark.parametrize("n_filters", [None, 6, 300], ids=["closed form", "by filters", "by patches"])
SHARES = (0.6, 0.4)
ALPHAS = [0.002, 0.05]


def arrays(dtype="float64", bins=5, style_batch=1):
    """A point, the content, and two styles."""
    shapes = [(2, 20, bins), (2, 20, bins), (style_batch, 14, bins), (style_batch, 23, bins)]
    x, content, *styles = (spectrogram(200 + i, shape, dtype) for i, shape in enumerate(shapes))
    return x, content, styles


def objective_of(content, styles, terms, n_filters, balance=None, song=None, shares=SHARES):
    """An objective of either kind; without styles one of the content alone."""
    if n_filters is None:
        statistics = None if styles is None else InfiniteWidth.style_statistics(styles, terms, shares)
        return InfiniteWidth(content, statistics, terms, balance, song)
    filters = draw_filters(terms, content.shape[2], n_filters, 7, like=content)
    statistics = [None] * len(terms)
    if styles is not None:
        statistics = RandomConv.style_statistics(styles, terms, shares, filters)
    return RandomConv(content, statistics, terms, filters, balance, song)


def balance_of(alphas=ALPHAS, content_share=0.4, dtype=np.float64, **settings):
    return Balance(np.array(alphas, dtype), content_share, **settings)


def check_derivative(objective, x, seed):
    """The gradient along some directions; steps so small that the kinks of the ReLU do not matter."""
    if isinstance(objective, InfiniteWidth):
        check_gradient(objective, x, seed)
        return
    _, grad = objective.value_and_grad(x)
    for i in range(3):
        step = 1e-7 * np.random.default_rng(seed + i).standard_normal(x.shape)
        ahead, behind = (objective.value_and_grad(x + sign * step)[0].sum(axis=0) for sign in (1, -1))
        expected = np.einsum("btk,btk->b", grad, step)
        np.testing.assert_allclose((ahead - behind) / 2, expected, rtol=1e-5, atol=1e-6 * abs(expected).max())


# ---------------------------------------------------------------- values
@WIDTHS
@pytest.mark.parametrize("style_batch", [1, 2])
@pytest.mark.parametrize("tile", [8, 512])
def test_closed_form_is_that_of_the_mixed_gram(monkeypatch, terms, style_batch, tile):
    monkeypatch.setattr(infinite_width, "TILE", tile)
    x, content, styles = arrays(style_batch=style_batch)
    balance = balance_of()
    losses, _ = objective_of(content, styles, terms, None, balance).value_and_grad(x)
    for item, share in enumerate(balance.share):
        of_item = [*(style[item % style_batch] for style in styles), content[item]]
        shares = [*((1 - share) * s for s in SHARES), share]
        expected = losses_of_several(x[item], content[item], of_item, shares, terms) * [1, ALPHAS[item]]
        np.testing.assert_allclose(losses[:, item], expected, rtol=1e-7)


@WIDTHS
@pytest.mark.parametrize("n_filters", [6, 300])
@pytest.mark.parametrize("style_batch", [1, 2])
def test_random_filters_are_those_of_the_mixed_gram(terms, n_filters, style_batch):
    x, content, styles = arrays(style_batch=style_batch)
    balance = balance_of()
    objective = objective_of(content, styles, terms, n_filters, balance)
    losses, _ = objective.value_and_grad(x)
    expected = np.zeros((2, 2))
    for layer in objective.layers:
        features = [layer.features(a) for a in (x, content, *styles)]
        of_x, of_content, *of_styles = (np.einsum("bpn,bpm->bnm", f, f) / f.shape[1] for f in features)
        share = balance.share[:, None, None]
        target = (1 - share) * sum(s * g for s, g in zip(SHARES, of_styles, strict=True)) + share * of_content
        expected[0] += layer.term.style_weight * np.square(of_x - target).sum(axis=(1, 2))
        distance = np.square(features[0] - features[1]).sum(axis=(1, 2))
        expected[1] += layer.term.content_weight * distance * ALPHAS
    np.testing.assert_allclose(losses, expected, rtol=1e-8)


def test_many_filters_come_to_the_closed_form():
    x, content, styles = arrays()
    balance = balance_of(alphas=[0.02, 1.0], content_share=0.7)
    results = [objective_of(content, styles, NARROW, n, balance).value_and_grad(x) for n in (None, 60_000)]
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=0.03)
    difference = results[1][1] - results[0][1]
    assert np.linalg.norm(difference) < 0.03 * np.linalg.norm(results[0][1])


# ---------------------------------------------------------------- gradients
@WIDTHS
@FILTERS
def test_gradient_is_the_derivative(terms, n_filters):
    x, content, styles = arrays()
    check_derivative(objective_of(content, styles, terms, n_filters, balance_of()), x, seed=210)


def test_gradient_of_tiles_is_that_of_one_matrix(monkeypatch):
    x, content, styles = arrays()
    losses, grad = objective_of(content, styles, SEVERAL, None, balance_of()).value_and_grad(x)
    monkeypatch.setattr(infinite_width, "TILE", 8)
    tiled = objective_of(content, styles, SEVERAL, None, balance_of()).value_and_grad(x)
    np.testing.assert_allclose(tiled[0], losses, rtol=1e-10)
    np.testing.assert_allclose(tiled[1], grad, rtol=1e-8, atol=1e-11 * abs(grad).max())


@FILTERS
def test_an_alpha_of_one_without_a_share_is_no_balance(n_filters):
    x, content, styles = arrays("float32")
    want = objective_of(content, styles, SEVERAL, n_filters).value_and_grad(x)
    found = objective_of(content, styles, SEVERAL, n_filters, balance_of([1, 1], 0.0, np.float32)).value_and_grad(x)
    for array, expected in zip(found, want, strict=True):
        np.testing.assert_array_equal(array, expected)


@FILTERS
def test_without_a_content_to_hold_none_is_left(n_filters):
    x, content, styles = arrays()
    plain = [term._replace(content_weight=0.0) for term in SEVERAL]
    want = objective_of(content, styles, plain, n_filters).value_and_grad(x)
    found = objective_of(content, styles, SEVERAL, n_filters, balance_of([0, 0])).value_and_grad(x)
    np.testing.assert_allclose(found[0], want[0], rtol=1e-9)
    np.testing.assert_allclose(found[1], want[1], rtol=1e-8, atol=1e-11 * abs(want[1]).max())


@FILTERS
def test_all_of_the_content_makes_the_content_the_optimum(n_filters):
    _, content, styles = arrays()
    objective = objective_of(content, styles, SEVERAL, n_filters, balance_of([1e12, 1e12], 1.0))
    losses, grad = objective.value_and_grad(content.copy())
    elsewhere, _ = objective.value_and_grad(spectrogram(230, content.shape))
    assert np.all(np.abs(losses[0]) < 1e-9 * elsewhere[0]) and not losses[1].any()
    assert abs(grad).max() < 1e-6


@FILTERS
def test_items_with_an_alpha_of_their_own_are_single_runs(n_filters):
    x, content, styles = arrays()
    song = spectrogram(231, content.shape)
    losses, grad = objective_of(content, styles, SEVERAL, n_filters, balance_of(), song).value_and_grad(x)
    for item in range(2):
        rows, balance = slice(item, item + 1), balance_of(ALPHAS[item : item + 1])
        alone = objective_of(content[rows], styles, SEVERAL, n_filters, balance, song[rows]).value_and_grad(x[rows])
        np.testing.assert_allclose(alone[0][:, 0], losses[:, item], rtol=1e-9)
        np.testing.assert_allclose(alone[1][0], grad[item], rtol=1e-8, atol=1e-11 * abs(grad).max())


# ---------------------------------------------------------------- content alone
@WIDTHS
@FILTERS
@pytest.mark.parametrize("balanced", [False, True])
def test_content_alone_has_no_style_loss(terms, n_filters, balanced):
    x, content, styles = arrays()
    balance = balance_of() if balanced else None
    objective = objective_of(content, None, terms, n_filters, balance)
    losses, _ = objective.value_and_grad(x)
    assert not losses[0].any()
    np.testing.assert_array_equal(
        losses[1], objective_of(content, styles, terms, n_filters, balance).value_and_grad(x)[0][1]
    )
    check_derivative(objective, x, seed=240)


# ---------------------------------------------------------------- the song
@FILTERS
@pytest.mark.parametrize("styled", [False, True])
def test_the_loss_is_the_songs_and_the_gradient_the_contents(n_filters, styled):
    x, content, styles = arrays()
    styles, song = styles if styled else None, spectrogram(250, content.shape)
    held = objective_of(content, styles, SEVERAL, n_filters, balance_of()).value_and_grad(x)
    losses, grad = objective_of(content, styles, SEVERAL, n_filters, balance_of(), song).value_and_grad(x)
    np.testing.assert_array_equal(grad, held[1])
    np.testing.assert_array_equal(losses[0], held[0][0])
    np.testing.assert_allclose(losses[1], objective_of(song, None, SEVERAL, n_filters).value_and_grad(x)[0][1])


@FILTERS
def test_alpha_is_steered_after_the_evaluation(n_filters):
    x, content, styles = arrays()
    fixed, steered = balance_of(), balance_of(target=np.array([1e-3, 1e9]))
    want = objective_of(content, styles, SEVERAL, n_filters, fixed, content).value_and_grad(x)
    objective = objective_of(content, styles, SEVERAL, n_filters, steered, content)
    for array, expected in zip(objective.value_and_grad(x), want, strict=True):
        np.testing.assert_array_equal(array, expected)
    assert fixed.alpha.tolist() == ALPHAS
    assert steered.alpha[0] > ALPHAS[0] and steered.alpha[1] < ALPHAS[1]


@FILTERS
def test_precision_stays_and_silence_is_finite(n_filters):
    x, content, styles = arrays("float32")
    for silent in (x, content, styles[0]):
        silent[:] = 0
        objective = objective_of(content, styles, SEVERAL, n_filters, balance_of(dtype=np.float32), content)
        losses, grad = objective.value_and_grad(x)
        assert losses.dtype == np.float64 and grad.dtype == np.float32
        assert np.isfinite(losses).all() and np.isfinite(grad).all()


# ---------------------------------------------------------------- GPU
@pytest.mark.parametrize("styled", [False, True])
@FILTERS
def test_on_a_gpu(cupy, n_filters, styled):
    def run(content, song, x, alpha, target, *styles):
        balance = Balance(alpha, 0.4, target)
        styles = list(styles) if styled else None
        objective = objective_of(content, styles, SEVERAL, n_filters, balance, song)
        first = objective.value_and_grad(x)
        second = objective.value_and_grad(x)
        assert balance.alpha is alpha, "a recorded iteration goes on reading this memory"
        return (*first, *second, alpha)

    content, song, x, *styles = (
        abs(normal(260 + i, 2 if i < 3 else 1, t, 9)) for i, t in enumerate([30] * 3 + [14, 23])
    )
    alpha, target = np.array(ALPHAS, np.float32), np.array([1e-3, 1e3])
    assert_same(cupy, run, content, song, x, alpha, target, *styles, rtol=1e-4, atol=1e-5)
