"""The cost of peaks: it is zero below the ceiling, its gradient is right, and items are independent."""

import numpy as np
import pytest

from audiostyle_fx._engine.objectives.peaks import HEADROOM, WEIGHT, PeakCost, near_ceilings

LOSSES = np.array([[3.0, 1.0], [1.0, 0.5]])


@pytest.fixture
def y():
    return np.random.default_rng(0).standard_normal((2, 2, 500))


def test_the_gradient_is_the_derivative(y):
    cost = PeakCost(y, np.array([1.0, 2.0]), LOSSES)
    direction, step = np.random.default_rng(1).standard_normal(y.shape), 1e-6
    ahead, behind = (cost.value_and_grad(y + sign * step * direction)[0] for sign in (1, -1))
    expected = (cost.value_and_grad(y)[1] * direction).sum(axis=(1, 2))
    np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=1e-6)


def test_the_cost_is_the_share_of_the_energy_beyond_the_ceiling(y):
    cost, _ = PeakCost(y, np.array([1.0, np.inf]), LOSSES).value_and_grad(y)
    over = np.maximum(np.abs(y[0]) - HEADROOM, 0)
    assert cost == pytest.approx([WEIGHT * 4.0 * (over**2).sum() / (y[0] ** 2).sum(), 0])


def test_an_item_costs_what_it_costs_alone_and_peaks_below_the_ceiling_cost_nothing(y):
    ceilings = np.array([1.0, 1.001 * np.abs(y[1]).max() / HEADROOM])
    costs, grad = PeakCost(y, ceilings, LOSSES).value_and_grad(y)
    alone, own_grad = PeakCost(y[:1], ceilings[:1], LOSSES[:, :1]).value_and_grad(y[:1])
    assert costs[0] == alone[0] > 0 and costs[1] == 0
    np.testing.assert_array_equal(grad[0], own_grad[0])
    assert not grad[1].any()


def test_ceilings_beyond_float32_are_allowed(y):
    costs, grad = PeakCost(y.astype(np.float32), np.array([1e60, np.inf]), LOSSES).value_and_grad(y.astype(np.float32))
    assert not costs.any() and not grad.any()


@pytest.mark.parametrize(
    ("ceilings", "near"),
    [([1e60, np.inf], [False, False]), ([100, 3], [False, True]), ([100, 100], [False, False])],
)
def test_only_peaks_near_the_ceiling_need_a_cost(y, ceilings, near):
    assert near_ceilings(y.astype(np.float32), np.array(ceilings)).tolist() == near
