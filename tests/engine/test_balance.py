"""The balance of style and content: the content's share in the target, and how alpha is steered."""

import numpy as np
import pytest
from support.twins import assert_same

from audiostyle_fx._engine.objectives.balance import HALF_SHARE_ALPHA, LEAST_ALPHA, MOST_ALPHA, Balance


def balance_of(*alphas, target=None, content_share=0.5, dtype=np.float64):
    return Balance(np.array(alphas, dtype), content_share, None if target is None else np.array(target, float))


def test_the_share_falls_with_alpha_to_its_half_and_to_nothing():
    share = balance_of(1e6, HALF_SHARE_ALPHA, 0.0, content_share=0.3).share
    np.testing.assert_allclose(share, [0.3, 0.15, 0], rtol=1e-6)
    assert balance_of(0.1, dtype=np.float32).share.dtype == np.float32


def test_without_a_target_nothing_is_steered():
    balance = balance_of(0.0, 0.1, 1e9)
    balance.steer(np.array([1.0, 2.0, 3.0]))
    assert balance.alpha.tolist() == [0.0, 0.1, 1e9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_alpha_rises_above_the_target_and_falls_below_it(dtype):
    balance = balance_of(0.1, 0.1, 0.1, target=[1, 1, 1], dtype=dtype)
    alpha, before = balance.alpha, balance.alpha.copy()
    balance.steer(np.array([1.5, 1.0, 0.7]))
    assert balance.alpha is alpha and alpha.dtype == dtype, "a recorded iteration goes on reading this memory"
    assert alpha[0] > before[0] and alpha[1] == before[1] and alpha[2] < before[2]


def test_a_loss_on_its_way_to_the_target_is_left_some_time():
    """The loss is still above the target, but falls so fast that it will pass the target."""
    balance = balance_of(0.1, 0.1, target=[1, 1])
    balance.steer(np.array([1.1, 1.4]))
    before = balance.alpha.copy()
    balance.steer(np.array([1.1, 1.1]))
    assert balance.alpha[0] > before[0] and balance.alpha[1] < before[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_alpha_stays_within_its_bounds(dtype):
    balance = balance_of(0.1, 0.1, 0.1, 0.1, target=[1, 1, 0, np.inf], dtype=dtype)
    for _ in range(40):
        previous = balance.alpha.copy()
        balance.steer(np.array([1e9, 0.0, 1.0, 1.0]))
        ratio = balance.alpha / previous
        assert np.all(ratio < 3.001) and np.all(ratio > 0.299), "one step is limited"
    np.testing.assert_allclose(balance.alpha, [MOST_ALPHA, LEAST_ALPHA, MOST_ALPHA, LEAST_ALPHA], rtol=1e-6)


@pytest.mark.parametrize("lag", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("exponent", [0.2, 0.5])
def test_the_loss_comes_to_its_target(lag, exponent):
    """A loss that falls with a power of alpha and reacts with a delay, like the losses of transfers."""
    targets = np.array([0.5, 1.0, 3.0])
    balance, loss = balance_of(0.1, 0.1, 0.1, target=targets), np.full(3, 2.0)
    for _ in range(60):
        loss = lag * loss + (1 - lag) * balance.alpha**-exponent
        balance.steer(loss)
    np.testing.assert_allclose(loss, targets, rtol=0.02)


def test_items_are_steered_on_their_own():
    losses = np.random.default_rng(0).uniform(0.5, 2, (10, 3))
    together = balance_of(0.1, 0.2, 0.3, target=[1, 2, 0.5])
    alone = [balance_of(alpha, target=[t]) for alpha, t in ((0.1, 1), (0.2, 2), (0.3, 0.5))]
    for row in losses:
        together.steer(row)
        for item, balance in enumerate(alone):
            balance.steer(row[item : item + 1])
    np.testing.assert_array_equal(together.alpha, np.concatenate([balance.alpha for balance in alone]))


def test_what_was_given_is_not_changed():
    losses = np.array([1.5, 0.7])
    balance = balance_of(0.1, 0.1, target=[1, 1])
    balance.steer(losses)
    losses[:] = 100.0  # the memory of a recorded iteration, which it fills again
    other = balance_of(0.1, 0.1, target=[1, 1])
    other.steer(np.array([1.5, 0.7]))
    for each in (balance, other):
        each.steer(np.array([1.2, 0.9]))
    np.testing.assert_array_equal(balance.alpha, other.alpha)


def test_on_a_gpu(cupy):
    def steered(alpha, target, losses):
        balance = Balance(alpha, 0.4, target)
        for row in losses:
            balance.steer(row)
        assert balance.alpha is alpha
        return balance.alpha, balance.share

    losses = np.random.default_rng(1).uniform(0.5, 2, (6, 3))
    assert_same(cupy, steered, np.full(3, 0.1, np.float32), np.array([1.0, 0.0, np.inf]), losses, rtol=1e-5)
