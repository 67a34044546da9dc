"""Products in a subspace: exact for frames that differ only within it, its adjoint, and the energy in it."""

import numpy as np
import pytest
from support.spectrograms import check_gradient, spectrogram

from audiostyle_fx._engine.objectives import infinite_width
from audiostyle_fx._engine.objectives.balance import Balance
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.reduced import Reduced
from audiostyle_fx._engine.objectives.strided import joined_frames, strided
from audiostyle_fx._engine.objectives.subspace import Subspace

TERMS = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.7, 0.2)]
BINS, RANK = 24, 7
BALANCES = pytest.mark.parametrize("with_balance", [False, True], ids=["plain", "balanced"])
STRIDES = pytest.mark.parametrize("stride", [1, 2])


def low_rank(seed, shape, rank):
    """Frames in a few directions, the same for every seed, and some noise."""
    rng, directions = np.random.default_rng(seed), np.random.default_rng(99).standard_normal((rank, shape[2]))
    return rng.standard_normal((*shape[:2], rank)) @ directions + 0.01 * rng.standard_normal(shape)


class Case:
    """An objective with a subspace and the same without one, of frames or of joined frames."""

    def __init__(self, stride=1, with_balance=False, shares=(0.6, 0.4), with_song=True):
        self.content, song = (spectrogram(300 + i, (2, 21, BINS), "float64") for i in range(2))
        styles = [spectrogram(310, (1, 15, BINS), "float64"), spectrogram(311, (1, 24, BINS), "float64")]
        self.subspace = Subspace.of([self.content, *styles], RANK, 0.0)
        content, song, *styles = (joined_frames(frames, stride) for frames in (self.content, song, *styles))
        statistics = InfiniteWidth.style_statistics(styles, TERMS, shares)

        def objective(subspace):
            balance = Balance(np.array([0.02, 0.5]), 0.7) if with_balance else None
            inner = InfiniteWidth(
                content, statistics, TERMS, balance, song if with_balance and with_song else None, subspace
            )
            return strided(inner, stride)

        self.plain, self.reduced = objective(None), objective(self.subspace)

    def near(self, origin, seed=3):
        """Frames that differ from others only within the subspace."""
        step = np.random.default_rng(seed).standard_normal(self.subspace.project(origin).shape)
        return origin + self.subspace.lift(0.3 * step)


# ---------------------------------------------------------------- the basis
def test_the_basis_is_orthonormal_and_lifting_is_the_adjoint_of_projecting():
    rng = np.random.default_rng(0)
    subspace = Subspace.of([spectrogram(1, (2, 30, BINS), "float64")], RANK, 0.0)
    assert subspace.basis.shape == (2, RANK, BINS)
    identity = np.broadcast_to(np.eye(RANK), (2, RANK, RANK))
    np.testing.assert_allclose(subspace.basis @ subspace.basis.swapaxes(1, 2), identity, atol=1e-12)
    frames, coordinates = rng.standard_normal((2, 5, 3 * BINS)), rng.standard_normal((2, 5, 3 * RANK))
    ahead, back = np.sum(subspace.project(frames) * coordinates), np.sum(frames * subspace.lift(coordinates))
    assert ahead == pytest.approx(back, rel=1e-12)


@pytest.mark.parametrize("rank", [3, 12])
def test_as_many_directions_as_the_energy_needs(rank):
    frames = [low_rank(4, (2, 40, 60), rank), low_rank(5, (1, 30, 60), rank)]
    subspace = Subspace.of(frames, 20, 1e-3)
    assert subspace.basis.shape[1] == rank
    for part in frames:
        rest = part - subspace.lift(subspace.project(part))
        assert np.sum(rest**2) < 1e-3 * np.sum(part**2) * len(rest) / len(part)


def test_the_directions_are_those_of_most_energy():
    frames = spectrogram(6, (1, 200, 40), "float64")
    best = np.linalg.svd(frames[0], compute_uv=False)
    subspace = Subspace.of([frames], 10, 0.0)
    held = np.sum(subspace.project(frames) ** 2)
    assert held <= np.sum(best[:10] ** 2) * (1 + 1e-12) and held > 0.99 * np.sum(best[:10] ** 2)


def test_frames_in_fewer_directions_than_wanted():
    frames = np.zeros((1, 4, BINS))
    frames[0, 0, 3] = 1
    subspace = Subspace.of([frames], 12, 0.0)
    np.testing.assert_allclose(subspace.lift(subspace.project(frames)), frames, atol=1e-12)


# ---------------------------------------------------------------- objectives
@BALANCES
@STRIDES
def test_frames_that_differ_from_the_content_in_the_subspace_have_the_same_losses(stride, with_balance):
    case = Case(stride, with_balance)
    x = case.near(case.content)
    (want, want_grad), (got, grad) = case.plain.value_and_grad(x), case.reduced.value_and_grad(x)
    np.testing.assert_allclose(got, want, rtol=1e-10)
    project = case.subspace.project
    np.testing.assert_allclose(project(grad), project(want_grad), rtol=1e-9, atol=1e-9 * np.abs(want_grad).max())


@BALANCES
@STRIDES
def test_the_gradient_of_coordinates(stride, with_balance):
    case = Case(stride, with_balance, with_song=False)  # which measures another loss than the one that is minimised
    origin = spectrogram(320, case.content.shape, "float64")
    within, start = case.reduced.within_subspace(origin), case.subspace.project(origin)
    check_gradient(within, start + 0.2 * np.random.default_rng(8).standard_normal(start.shape), seed=9)


@BALANCES
@STRIDES
def test_coordinates_have_the_losses_and_the_gradient_of_their_frames(stride, with_balance):
    case = Case(stride, with_balance)
    reduced = Reduced.of(case.reduced, spectrogram(321, case.content.shape, "float64"))
    z = reduced.start + 0.2 * np.random.default_rng(10).standard_normal(reduced.start.shape)
    want, want_grad = case.plain.value_and_grad(reduced.frames(z))
    got, grad = reduced.value_and_grad(z)
    np.testing.assert_allclose(got, want, rtol=1e-10)
    np.testing.assert_allclose(grad, case.subspace.project(want_grad), rtol=1e-9, atol=1e-9 * np.abs(want_grad).max())


def test_frames_are_seen_in_the_subspace_alone():
    case = Case()
    origin = spectrogram(322, case.content.shape, "float64")
    reduced, elsewhere = Reduced.of(case.reduced, origin), np.random.default_rng(11).standard_normal(origin.shape)
    x = origin + elsewhere
    losses, grad = reduced.of_frames.value_and_grad(x)
    np.testing.assert_allclose(losses, case.plain.value_and_grad(reduced.projected(x))[0], rtol=1e-10)
    np.testing.assert_allclose(case.subspace.lift(case.subspace.project(grad)), grad, atol=1e-12 * np.abs(grad).max())
    np.testing.assert_allclose(reduced.projected(origin), origin, atol=1e-12)


def test_an_objective_without_a_subspace_stays_as_it_is():
    case = Case()
    x = spectrogram(323, case.content.shape, "float64")
    reduced = Reduced.of(case.plain, x)
    assert reduced.of_frames is case.plain and reduced.frames(x) is x and reduced.projected(x) is x
    np.testing.assert_array_equal(reduced.start, x)


@BALANCES
def test_tiles_give_the_whole(monkeypatch, with_balance):
    case = Case(with_balance=with_balance)
    x = case.near(case.content)
    z = case.subspace.project(x)
    whole = [case.reduced.value_and_grad(x), case.reduced.within_subspace(x).value_and_grad(z)]
    monkeypatch.setattr(infinite_width, "TILE", 6)
    case = Case(with_balance=with_balance)
    for want, got in zip(
        whole, [case.reduced.value_and_grad(x), case.reduced.within_subspace(x).value_and_grad(z)], strict=True
    ):
        for expected, found in zip(want, got, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_items_do_not_depend_on_each_other():
    content, style, x = (spectrogram(330 + i, (n, 20, BINS), "float32") for i, n in enumerate((2, 1, 2)))

    def results(rows):
        subspace = Subspace.of([content[rows], style], RANK, 0.0)
        statistics = InfiniteWidth.style_statistics(style, TERMS)
        return InfiniteWidth(content[rows], statistics, TERMS, subspace=subspace).value_and_grad(x[rows])

    together = results(slice(0, 2))
    for k in range(2):
        losses, grad = results(slice(k, k + 1))
        np.testing.assert_allclose(together[0][:, k], losses[:, 0], rtol=1e-4)
        np.testing.assert_allclose(together[1][k], grad[0], rtol=1e-3, atol=1e-3 * np.abs(grad).max())


# ---------------------------------------------------------------- strides
def test_joined_frames_are_every_second_patch():
    x, content, style = (spectrogram(340 + i, (1, n, 6), "float64") for i, n in enumerate((20, 20, 16)))
    losses, grad = strided(
        InfiniteWidth.of_styles(joined_frames(content, 2), joined_frames(style, 2), TERMS), 2
    ).value_and_grad(x)
    patches = [
        np.stack(
            [
                frames[0, t : t + 2 * term.kernel_width].ravel()
                for t in range(0, frames.shape[1] - 2 * term.kernel_width + 1, 2)
            ]
        )
        for frames in (x, style)
        for term in TERMS
    ]

    def kernel(u, v):
        sizes = np.linalg.norm(u, axis=1)[:, None] * np.linalg.norm(v, axis=1)
        angle = np.arccos(np.clip(u @ v.T / sizes, -1, 1))
        return sizes * (np.sin(angle) + (np.pi - angle) * np.cos(angle))

    want = 0.0
    for k, term in enumerate(TERMS):
        u, v = patches[k], patches[len(TERMS) + k]
        means = [np.mean(kernel(a, b) ** 2) for a, b in ((u, u), (u, v), (v, v))]
        want += term.style_weight * (term.gain / (2 * np.pi)) ** 2 * (means[0] - 2 * means[1] + means[2])
    assert losses[0, 0] == pytest.approx(want, rel=1e-9)
    assert grad.shape == x.shape


@pytest.mark.parametrize("n_frames", [20, 21])
def test_the_gradient_of_joined_frames(n_frames):
    content, style, x = (spectrogram(350 + i, (2, n, 5), "float64") for i, n in enumerate((n_frames, 17, n_frames)))
    inner = InfiniteWidth.of_styles(joined_frames(content, 2), joined_frames(style[:1], 2), TERMS)
    check_gradient(strided(inner, 2), x, seed=12)
    assert not strided(inner, 2).value_and_grad(x)[1][:, 20:].any()
