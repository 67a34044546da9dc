"""Adam, L-BFGS, and the loop that runs either."""

import math

import numpy as np
import pytest
import scipy.optimize
from support.twins import normal

from audiostyle_fx._engine.cuda import streams
from audiostyle_fx._engine.kernels import lbfgs as kernels_of_lbfgs
from audiostyle_fx._engine.optimizers.adam import Adam
from audiostyle_fx._engine.optimizers.lbfgs import LBFGS
from audiostyle_fx._engine.optimizers.minimize import minimize


def quiet(iteration, losses):
    pass


def quadratic(condition=100.0, size=20, seed=0):
    """Losses (2, batch), gradient at x (batch, size), and the minimum, of a quadratic in two parts."""
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((size, size)))
    hessian = rotation * np.geomspace(1, condition, size) @ rotation.T
    minimum = rng.standard_normal(size)

    def value_and_grad(x):
        pull = (x - minimum) @ hessian
        half = np.einsum("bn,bn->b", pull, x - minimum) / 2
        return np.stack([0.25 * half, 0.75 * half]), pull

    return value_and_grad, minimum


def rosenbrock(x):
    """In two parts: the valley, and the way along it."""
    valley, along = x[:, 1:] - x[:, :-1] ** 2, 1 - x[:, :-1]
    grad = np.zeros_like(x)
    grad[:, 1:] = 200 * valley
    grad[:, :-1] -= 400 * valley * x[:, :-1] + 2 * along
    return np.stack([100 * (valley**2).sum(axis=1), (along**2).sum(axis=1)]), grad


def textbook_adam(gradient, x, n_iter, *, rate, beta1, beta2, lowest=-math.inf, epsilon=1e-8):
    """Kingma and Ba's algorithm 1 for one number, with a cosine schedule."""
    mean = square = 0.0
    for t in range(1, n_iter + 1):
        g = gradient(x)
        mean = beta1 * mean + (1 - beta1) * g
        square = beta2 * square + (1 - beta2) * g * g
        scheduled = rate * (1 + math.cos(math.pi * (t - 1) / n_iter)) / 2
        x -= scheduled * (mean / (1 - beta1**t)) / (math.sqrt(square / (1 - beta2**t)) + epsilon)
        x = max(x, lowest)
    return x


# ---------------------------------------------------------------- Adam
@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.7, 0.6), (0.0, 0.9)])
@pytest.mark.parametrize("n_iter", [1, 2, 25])
def test_adam_is_the_textbooks(beta1, beta2, n_iter):
    starts, slopes = np.array([3.0, -2.0, 0.1, 0.0]), np.array([1.0, 20.0, 1e-3, 1.0])

    def value_and_grad(x):
        return np.stack([(slopes * x**2 / 2).sum(axis=1), np.zeros(1)]), slopes * x

    adam = Adam(0.3, n_iter, beta1=beta1, beta2=beta2)
    x, _ = minimize(value_and_grad, starts[None], adam, n_iter, quiet)
    expected = [
        textbook_adam(lambda v, k=k: k * v, start, n_iter, rate=0.3, beta1=beta1, beta2=beta2)
        for start, k in zip(starts, slopes, strict=True)
    ]
    np.testing.assert_allclose(x[0], expected, rtol=1e-12)


def test_adam_projects_after_each_step():
    target = np.array([-1.0, 0.5, 2.0])  # one of them out of reach

    def value_and_grad(x):
        assert np.all(x >= 0)
        return np.stack([((x - target) ** 2).sum(axis=1) / 2, np.zeros(1)]), x - target

    x, _ = minimize(
        value_and_grad, np.full((1, 3), 0.2), Adam(0.3, 50, beta1=0.7, beta2=0.6, nonnegative=True), 50, quiet
    )
    expected = [
        textbook_adam(lambda v, t=t: v - t, 0.2, 50, rate=0.3, beta1=0.7, beta2=0.6, lowest=0.0) for t in target
    ]
    np.testing.assert_allclose(x[0], expected, rtol=1e-9, atol=1e-12)
    assert x[0, 0] == 0


def test_adam_without_projection_may_go_below_zero():
    x, _ = minimize(lambda x: (np.zeros((2, 1)), x + 1), np.zeros((1, 3)), Adam(0.1, 3, beta1=0.9, beta2=0.9), 3, quiet)
    assert np.all(x < 0)


def test_adams_rate_follows_a_cosine_to_zero():
    """With a constant gradient, each step equals the rate."""
    adam, x = Adam(0.5, 20, beta1=0.9, beta2=0.99), np.zeros((1, 1))
    x, positions = adam.init(x), [0.0]
    for _ in range(20):
        x = adam.step(x, np.zeros((2, 1)), np.full((1, 1), 7.0))
        positions.append(x.item())
    rates = -np.diff(positions)
    np.testing.assert_allclose(rates, 0.5 * (1 + np.cos(np.pi * np.arange(20) / 20)) / 2, rtol=1e-7)
    assert rates[0] == pytest.approx(0.5) and rates[-1] < 0.01


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_treats_every_element_of_a_large_array_alike(dtype):
    """The array is larger than a core's cache; each element equals the formula applied to the whole array."""
    rng = np.random.default_rng(1)
    start, target = rng.standard_normal((2, 3, 257, 211)).astype(dtype)
    x, mean, square = start.astype(float), 0.0, 0.0
    for t in range(1, 6):
        grad = x - target
        mean, square = 0.7 * mean + 0.3 * grad, 0.6 * square + 0.4 * grad**2
        rate = 0.1 * (1 + math.cos(math.pi * (t - 1) / 5)) / 2
        x = x - rate * (mean / (1 - 0.7**t)) / (np.sqrt(square / (1 - 0.6**t)) + 1e-8)
    found, _ = minimize(lambda x: (np.zeros((2, 3)), x - target), start, Adam(0.1, 5, beta1=0.7, beta2=0.6), 5, quiet)
    assert found.dtype == dtype and found.shape == start.shape
    np.testing.assert_allclose(found, x, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("layout", ["transposed", "strided"])
def test_adam_starts_from_any_memory_layout(layout):
    plain = np.random.default_rng(2).standard_normal((1, 6, 8))
    if layout == "transposed":
        start = np.ascontiguousarray(plain.transpose(0, 2, 1)).transpose(0, 2, 1)
    else:
        start = np.repeat(plain, 2, axis=2)[:, :, ::2]

    def value_and_grad(x):
        return np.zeros((2, 1)), np.asfortranarray(3 * x)

    expected, found = (
        minimize(value_and_grad, x, Adam(0.1, 7, beta1=0.7, beta2=0.6), 7, quiet)[0] for x in (plain, start)
    )
    np.testing.assert_array_equal(found, expected)


def test_a_gradient_of_zero_moves_nothing():
    start = np.random.default_rng(3).standard_normal((2, 9))
    for optimizer in (Adam(0.1, 5, beta1=0.7, beta2=0.6), LBFGS()):
        x, _ = minimize(lambda x: (np.ones((2, 2)), np.zeros_like(x)), start, optimizer, 5, quiet)
        np.testing.assert_array_equal(x, start)


# ---------------------------------------------------------------- L-BFGS
def test_lbfgs_finds_the_minimum_of_a_quadratic_as_scipy_does():
    value_and_grad, minimum = quadratic()
    start = np.random.default_rng(4).standard_normal(20)
    x, history = minimize(value_and_grad, start[None], LBFGS(), 60, quiet)
    scipys = scipy.optimize.minimize(
        lambda v: (value_and_grad(v[None])[0].sum(), value_and_grad(v[None])[1][0]),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxcor": 10, "maxfun": 60, "ftol": 0, "gtol": 0},
    )
    np.testing.assert_allclose(x[0], minimum, atol=1e-4)
    assert history[-1].sum() < 1e-6 * history[0].sum()
    assert history[-1].sum() < 1e3 * max(scipys.fun, 1e-12)


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (3.0, -3.0), (-1.0, 2.0, 0.5, 1.5, -0.3)])
def test_lbfgs_finds_the_end_of_rosenbrocks_valley_as_scipy_does(start):
    start = np.array(start)
    np.testing.assert_allclose(rosenbrock(start[None])[0].sum(), scipy.optimize.rosen(start), rtol=1e-12)
    np.testing.assert_allclose(rosenbrock(start[None])[1][0], scipy.optimize.rosen_der(start), rtol=1e-12)
    x, history = minimize(rosenbrock, start[None], LBFGS(), 150, quiet)
    scipys = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B", options={"maxfun": 150}
    )
    np.testing.assert_allclose(x[0], scipys.x, atol=1e-3)
    assert history[-1].sum() <= scipys.fun + 1e-8  # one start leads both into the side valley of five dimensions


def test_lbfgs_needs_few_more_evaluations_than_scipy():
    start = np.array([-1.2, 1.0])
    _, history = minimize(rosenbrock, start[None], LBFGS(), 150, quiet)
    needed = np.argmax(history.sum(axis=1)[:, 0] < 1e-8)
    scipys = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-4}
    )
    assert 0 < needed < 2 * scipys.nfev


def test_lbfgs_remembers_its_memory_and_no_more():
    """On a quadratic a longer memory finds more; a memory of one still descends."""
    value_and_grad, _ = quadratic(condition=1000.0, size=40)
    start = np.random.default_rng(5).standard_normal((1, 40))
    reached = [minimize(value_and_grad, start, LBFGS(m), 40, quiet)[1][-1].sum() for m in (1, 20)]
    before = value_and_grad(start)[0].sum()
    assert reached[1] < reached[0] < 0.1 * before


def test_lbfgs_keeps_its_pairs_where_one_is_not_good():
    """If the gradient falls along a step, the step's pair is left out, and earlier pairs are kept."""
    optimizer, losses = LBFGS(memory=2), np.array([[1.0], [0.0]])
    x = optimizer.init(np.ones((1, 2)))
    x = optimizer.step(x, losses, np.array([[1.0, 0.5]]))
    x = optimizer.step(x, 0.5 * losses, np.array([[0.5, 0.3]]))  # a good pair
    kept = optimizer._curvature.copy()
    optimizer.step(x, 0.1 * losses, np.array([[4.0, 4.0]]))  # steeper against the direction: no positive curvature
    np.testing.assert_array_equal(optimizer._curvature, kept)
    assert sorted(kept[0] > 0) == [False, True]


@pytest.mark.parametrize("memory", [1, 5])
def test_lbfgs_on_a_gpu_goes_the_same_way(monkeypatch, cupy_of_threads, memory):
    """The items accept points, refuse them, find no number, and see negative curvature, at different times."""
    monkeypatch.setattr(kernels_of_lbfgs, "PARTS", 3)  # threads of the host take seconds for the barriers of more
    rng = np.random.default_rng(3)
    losses = rng.uniform(0.5, 1, (12, 3, 4)) * np.geomspace(9, 1, 12)[:, None, None]
    losses[4, 0, 1], losses[7, 2, 2] = np.nan, np.inf
    start, grads = normal(1, 4, 50, 6), normal(2, 12, 4, 50, 6)
    found = {}
    for xp in (np, cupy_of_threads):
        optimizer = LBFGS(memory)
        x = optimizer.init(xp.asarray(start))
        found[xp] = [x.copy()]
        for loss, grad in zip(losses, grads, strict=True):
            x = optimizer.step(x, xp.asarray(loss), xp.asarray(grad))
            found[xp].append(x.copy())
        found[xp] += optimizer.best(x, xp.asarray(losses[0]))
    for got, want in zip(found[cupy_of_threads], found[np], strict=True):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got.get(), want, rtol=2e-3, atol=1e-3)


def test_lbfgs_on_a_gpu_renews_and_ends_where_it_does_on_the_cpu(cupy):
    hessian, minimum = np.geomspace(1, 30, 20).astype(np.float32), normal(4, 20)

    def run(xp):
        scale = {"factor": np.float32(1)}
        weights, goal = xp.asarray(hessian), xp.asarray(minimum)

        def value_and_grad(u):
            pull = (u * scale["factor"] - goal) * weights
            losses = xp.zeros((2, len(u)))
            losses[1] = ((u * scale["factor"] - goal) * pull).sum(axis=1) / 2
            return losses, pull * scale["factor"]

        def renew(u, losses):
            scale["factor"] = np.float32(2)
            return u / 2

        optimizer = LBFGS(memory=5, renewals=[4], renew=renew)
        return minimize(value_and_grad, xp.asarray(normal(5, 3, 20)), optimizer, 14, quiet)

    with streams.computing_on("cuda:0"):
        found = [a.get() for a in run(cupy)]
    for got, want in zip(found, run(np), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-2, atol=2e-3)


def test_lbfgs_on_a_gpu_waits_for_nothing(stand_in, cupy):
    optimizer, losses, grad = LBFGS(memory=3), cupy.ones((2, 4)), cupy.asarray(normal(2, 4, 50))
    x = optimizer.step(optimizer.init(cupy.asarray(normal(1, 4, 50))), losses, grad)
    before = vars(stand_in.counters).copy()
    optimizer.step(x, losses, grad)
    after = vars(stand_in.counters).copy()
    assert {name: after[name] - before[name] for name in after} == {
        "launches": 4,
        "host_copies": 0,
        "synchronizations": 0,
    }


@pytest.mark.parametrize("n_iter", [1, 3, 10, 40])
def test_lbfgs_treats_items_of_a_batch_alone(n_iter):
    """Items with different starts accept, backtrack and remember at different times."""
    starts = np.array([[-1.2, 1.0], [3.0, -3.0], [1.0, 1.0], [0.1, 4.0], [-20.0, 30.0]])
    together, history = minimize(rosenbrock, starts, LBFGS(), n_iter, quiet)
    for item, start in enumerate(starts):
        alone, own = minimize(rosenbrock, start[None], LBFGS(), n_iter, quiet)
        np.testing.assert_allclose(together[item], alone[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(history[:, :, item], own[:, :, 0], rtol=1e-6, atol=1e-12)


def test_an_item_at_its_minimum_stays_while_others_search():
    starts = np.array([[1.0, 1.0], [-1.2, 1.0], [-20.0, 30.0]])
    x, history = minimize(rosenbrock, starts, LBFGS(), 60, quiet)
    np.testing.assert_array_equal(x[0], [1, 1])
    np.testing.assert_array_equal(history[:, :, 0], 0)
    np.testing.assert_allclose(x[1], [1, 1], atol=1e-3)


def test_lbfgs_goes_on_in_other_coordinates_from_the_accepted_point():
    """Half way, x becomes u = x / scales; the search ends at the same minimum, and no loss is ahead of its point."""
    value_and_grad, minimum = quadratic()
    scales, renewed = np.ones(20), []

    def scaled(u):
        losses, grad = value_and_grad(u * scales)
        return losses, grad * scales

    def renew(u, losses):
        np.testing.assert_array_equal(losses, scaled(u)[0])
        renewed.append(losses)
        scales[:] = np.linspace(0.5, 2, 20)
        return u / scales

    start = np.random.default_rng(4).standard_normal((2, 20))
    x, history = minimize(scaled, start, LBFGS(renewals=[20], renew=renew), 80, quiet)
    assert len(history) == 81 and len(renewed) == 1
    np.testing.assert_allclose(history[20], renewed[0], rtol=1e-9)
    np.testing.assert_array_equal(renewed[0].sum(axis=0), history[:20].sum(axis=1).min(axis=0))
    np.testing.assert_allclose(x * scales, np.stack([minimum] * 2), atol=1e-4)


@pytest.mark.parametrize("number", [0, 5])
def test_a_renewal_before_the_first_or_after_the_last_iteration_does_not_happen(number):
    reported = []
    optimizer = LBFGS(renewals=[number], renew=lambda u, losses: pytest.fail("it is not due"))
    minimize(lambda x: (np.zeros((2, 1)), x), np.ones((1, 3)), optimizer, 4, lambda i, losses: reported.append(i))
    assert reported == [0, 1, 2, 3, 4]


def test_lbfgs_never_returns_a_worse_point_than_before():
    start = np.array([[-1.2, 1.0], [3.0, -3.0], [-20.0, 30.0]])
    ends = [minimize(rosenbrock, start, LBFGS(), n, quiet)[1][-1].sum(axis=0) for n in range(50)]
    assert np.all(np.diff(ends, axis=0) <= 0)
    assert np.all(ends[-1] < 1e-2 * ends[0])


def test_the_point_returned_is_the_best_of_the_accepted():
    def wrong_gradient(x):
        losses, grad = rosenbrock(x)
        return losses, -grad  # every trial is worse

    start = np.array([[-1.2, 1.0]])
    x, history = minimize(wrong_gradient, start, LBFGS(), 12, quiet)
    assert np.all(history[1:-1].sum(axis=1) > history[0].sum(axis=0))
    np.testing.assert_array_equal(x, start)
    np.testing.assert_array_equal(history[-1], history[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("bad_gradient", [False, True])
def test_lbfgs_survives_losses_that_are_not_finite(bad, bad_gradient):
    """-log(x) + x has its minimum at one and is not defined below zero, where a step that is too long ends."""

    def value_and_grad(x):
        outside = (x <= 0.2).any(axis=1)
        safe = np.where(x > 0.2, x, 0.2)
        losses = np.stack([safe.sum(axis=1), -np.log(safe).sum(axis=1)])
        grad = 1 - 1 / safe
        losses[:, outside] = bad
        if bad_gradient:
            grad[outside] = bad
        tried.append(outside)
        return losses, grad

    tried = []
    starts = np.array([[30.0, 0.21, 2.0], [1.5, 0.7, 0.9], [0.5, 8.0, 0.25]])
    x, history = minimize(value_and_grad, starts, LBFGS(), 60, quiet)
    assert np.any(tried)  # such a point was met
    np.testing.assert_allclose(x, 1, atol=1e-3)
    np.testing.assert_allclose(history[-1].sum(axis=0), 3, atol=1e-6)


def test_lbfgs_keeps_single_precision():
    value_and_grad, minimum = quadratic()
    hessian_start = np.zeros((2, 20), np.float32)
    x, history = minimize(
        lambda x: tuple(a.astype(d) for a, d in zip(value_and_grad(x), (np.float64, np.float32), strict=True)),
        hessian_start,
        LBFGS(),
        60,
        quiet,
    )
    assert x.dtype == np.float32 and history.dtype == np.float64
    np.testing.assert_allclose(x, np.stack([minimum] * 2), atol=1e-3)


# ---------------------------------------------------------------- the loop
@pytest.fixture(params=["adam", "lbfgs"])
def optimizer(request):
    return Adam(0.05, 20, beta1=0.9, beta2=0.9) if request.param == "adam" else LBFGS()


@pytest.mark.parametrize("n_iter", [0, 1, 20])
def test_minimize_records_each_evaluation_and_the_point_returned(optimizer, n_iter):
    starts = np.array([[-1.2, 1.0], [0.5, 0.5], [-20.0, 30.0]])
    before, evaluations, reports = starts.copy(), [], []

    def value_and_grad(x):
        evaluations.append(x.copy())
        return rosenbrock(x)

    x, history = minimize(
        value_and_grad, starts, optimizer, n_iter, lambda i, losses: reports.append((i, losses.copy()))
    )
    np.testing.assert_array_equal(starts, before)
    assert not np.shares_memory(x, starts)
    assert history.shape == (n_iter + 1, 2, 3) and history.dtype == np.float64
    assert [i for i, _ in reports] == list(range(n_iter + 1))
    np.testing.assert_array_equal([losses for _, losses in reports], history)
    assert len(evaluations) == n_iter + 1
    np.testing.assert_array_equal(evaluations[0], starts)
    for point, losses in zip(evaluations[:-1], history, strict=False):
        np.testing.assert_array_equal(rosenbrock(point)[0], losses)
    np.testing.assert_allclose(rosenbrock(x)[0], history[-1], rtol=1e-12)


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2), (2, 3, 2, 1)])
def test_points_may_have_any_number_of_axes(optimizer, shape):
    starts = np.random.default_rng(6).standard_normal((2, 6))

    def value_and_grad(x):
        assert x.shape == shape
        losses, grad = rosenbrock(x.reshape(2, 6))
        return losses, grad.reshape(shape)

    x, history = minimize(value_and_grad, starts.reshape(shape), optimizer, 20, quiet)
    assert x.shape == shape
    np.testing.assert_allclose(rosenbrock(x.reshape(2, 6))[0], history[-1], rtol=1e-12)
    assert np.all(history[-1].sum(axis=0) < history[0].sum(axis=0))
