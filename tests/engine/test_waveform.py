"""The losses of a waveform at its MDCT coordinates."""

import math

import numpy as np
import pytest
from support.twins import assert_same

from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._engine.objectives.waveform import WaveformObjective
from audiostyle_fx._engine.spectra.level_following import LevelFollower
from audiostyle_fx._engine.spectra.stft import STFT

TERMS = [Term(2, 1.5, 0.5, 0.3), Term(5, 0.8, 0.4, 0.1)]
SHAPES = pytest.mark.parametrize(
    ("n_fft", "hop_length", "n_samples", "channels"), [(16, 4, 128, 1), (16, 5, 133, 2), (32, 8, 250, 2)]
)


def noise(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


def objective_at(y, stft, mask, *, batch=1, n_filters=None, dtype="float64"):
    """A waveform's objective with content and style of noise, where ``y`` is the start."""
    channels, n_samples = y.shape[1:]
    content, style = (
        stft.log_magnitude(stft.forward(level * noise(seed, (batch, channels, length)))).astype(dtype)
        for seed, level, length in ((100, 0.5, n_samples), (101, 2.0, n_samples + 3 * stft.n_fft))
    )
    if n_filters is None:
        inner = InfiniteWidth.of_styles(content, style, TERMS)
    else:
        inner = RandomConv.of_styles(content, style, TERMS, n_filters=n_filters, seed=0)
    return WaveformObjective(inner, stft, y, mask)


def partial_mask(shape):
    """A mask that is zero at first and then rises to one; one value is two, because any factor is allowed."""
    mask = np.clip(np.arange(shape[-1]) / 20 - 0.5, 0, 1) * np.ones(shape)
    mask[..., 40] = 2
    return mask


@SHAPES
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n_filters", [None, 400])
def test_gradient_is_the_derivative(n_fft, hop_length, n_samples, channels, masked, n_filters):
    stft, y = STFT(n_fft, hop_length), noise(0, (2, channels, n_samples))
    mask = partial_mask(y.shape) if masked else np.ones_like(y)
    objective = objective_at(y * mask, stft, mask, batch=2, n_filters=n_filters)
    u = objective.coordinates(y) + 0.05 * noise(1, objective.coordinates(y).shape)
    _, grad = objective.value_and_grad(u)
    assert grad.shape == u.shape
    for seed in range(3):
        direction, step = noise(2 + seed, u.shape), 1e-9  # so small for the kinks of the ReLU
        ahead, behind = (objective.value_and_grad(u + sign * step * direction)[0].sum(axis=0) for sign in (1, -1))
        expected = np.einsum("bctk,bctk->b", grad, direction)
        np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


@SHAPES
def test_losses_are_those_of_the_samples_spectrogram(n_fft, hop_length, n_samples, channels):
    stft, y = STFT(n_fft, hop_length), noise(5, (2, channels, n_samples))
    objective = objective_at(y, stft, np.ones_like(y), batch=2)
    losses, _ = objective.value_and_grad(objective.coordinates(y))
    expected, _ = objective.objective.value_and_grad(stft.log_magnitude(stft.forward(y)))
    assert losses.shape == (2, 2) and losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected, rtol=1e-9)


@SHAPES
def test_samples_at_coordinates_are_the_samples(n_fft, hop_length, n_samples, channels):
    stft, y = STFT(n_fft, hop_length), noise(6, (2, channels, n_samples))
    other = noise(7, y.shape) * 10
    objective = objective_at(y, stft, np.ones_like(y))
    for samples in (y, other):
        np.testing.assert_allclose(objective.samples(objective.coordinates(samples)), samples, atol=1e-12)
    mask = partial_mask(y.shape)
    masked = objective_at(y, stft, mask)
    np.testing.assert_allclose(masked.samples(masked.coordinates(other)), other * mask, atol=1e-12)


def objective_at_several(y, stfts, mask):
    """A waveform's objective at several resolutions; the first gives the metric."""
    first, *rest = (objective_at(y, stft, mask, batch=len(y)) for stft in stfts)
    others = [(other.objective, other.stft) for other in rest]
    return WaveformObjective(first.objective, first.stft, y, mask, others=others, total_weight=len(stfts))


@pytest.mark.parametrize("channels", [1, 2])
def test_gradient_of_several_resolutions_is_the_derivative(channels):
    stfts, y = [STFT(32, 8), STFT(16, 4), STFT(64, 20)], noise(0, (2, channels, 300))
    objective = objective_at_several(y, stfts, partial_mask(y.shape))
    u = objective.coordinates(y) + 0.05 * noise(1, objective.coordinates(y).shape)
    _, grad = objective.value_and_grad(u)
    for seed in range(3):
        direction, step = noise(2 + seed, u.shape), 1e-7
        ahead, behind = (objective.value_and_grad(u + sign * step * direction)[0].sum(axis=0) for sign in (1, -1))
        expected = np.einsum("bctk,bctk->b", grad, direction)
        np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


def test_losses_of_several_resolutions_are_their_mean():
    stfts, y = [STFT(32, 8), STFT(16, 4)], noise(5, (2, 1, 300))
    mask = np.ones_like(y)
    both = objective_at_several(y, stfts, mask)
    u = both.coordinates(y)
    losses, grad = both.value_and_grad(u)
    found = []
    for stft in stfts:
        alone = objective_at(y, stft, mask, batch=2)
        alone.mdct, alone.metric = both.mdct, both.metric  # one set of coordinates
        found.append(alone.value_and_grad(u))
    np.testing.assert_allclose(losses, np.mean([losses for losses, _ in found], axis=0), rtol=1e-12)
    np.testing.assert_allclose(grad, np.mean([grad for _, grad in found], axis=0), atol=1e-12 * abs(grad).max())


def test_where_the_mask_is_zero_nothing_sounds():
    stft, y = STFT(16, 4), noise(8, (1, 2, 128))
    mask = np.ones_like(y)
    mask[:, 0, 50:80], mask[:, 1] = 0, 0
    objective = objective_at(y * mask, stft, mask)
    u = noise(9, objective.coordinates(y).shape)
    assert not objective.samples(u)[mask == 0].any()
    _, grad = objective.value_and_grad(u)
    assert not grad[:, 1].any() and grad[:, 0].any()
    hop = objective.mdct.hop_length  # frame t reaches from (t - 1) to (t + 1) times the hop
    inside = [t for t in range(u.shape[2]) if (t - 1) * hop >= 50 and (t + 1) * hop <= 80]
    assert inside and not grad[:, 0, inside].any()


def test_metric_grows_with_the_level_of_each_note():
    stft, n_samples = STFT(64, 16), 1280
    time = np.arange(n_samples)
    y = np.where(time < 640, np.sin(2 * np.pi * 12 / 64 * time), 0)[None, None]
    metric = objective_at(y, stft, np.ones_like(y)).metric
    assert metric.shape == (1, 1, 41, 32)
    assert np.all(metric >= 1)
    np.testing.assert_array_equal(metric[0, 0, 23:], 1)  # silence: samples as they are
    peak = 512.0  # of a sine at the reference scale; its neighbours have half of it
    expected = (1 + peak * math.sqrt((1 + 0.5**2) / 2)) ** 0.7
    np.testing.assert_allclose(metric[0, 0, 4:16, 11:13], expected, rtol=0.01)
    assert metric[0, 0, 4:16, 25:].max() < 0.1 * expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("silent", ["everything", "a channel", "the end"])
def test_in_digital_silence_the_gradient_is_zero(dtype, silent):
    stft, y = STFT(16, 4), noise(10, (1, 2, 160)).astype(dtype)
    where = {"everything": np.s_[:], "a channel": np.s_[:, 1], "the end": np.s_[:, :, 80:]}[silent]
    y[where] = 0
    objective = objective_at(y, stft, np.ones_like(y), dtype=dtype)
    u = objective.coordinates(y)
    quiet = {"everything": np.s_[:], "a channel": np.s_[:, 1], "the end": np.s_[:, :, 14:]}[silent]
    # Descent reaches into a silence in time, but not into a silent channel.
    for _ in range(1 if silent == "the end" else 3):
        losses, grad = objective.value_and_grad(u)
        assert u.dtype == grad.dtype == dtype
        assert np.isfinite(losses).all() and np.isfinite(grad).all()
        assert not grad[quiet].any()
        assert grad.any() == (silent != "everything")
        u = u - np.dtype(dtype).type(1e-6) * grad


def test_nothing_is_changed():
    stft, y = STFT(16, 4), noise(11, (1, 2, 128))
    mask = partial_mask(y.shape)
    u = noise(12, (1, 2, 17, 8))
    copies = [a.copy() for a in (y, mask, u)]
    objective = objective_at(y, stft, mask)
    first = [a.copy() for a in (objective.coordinates(y), objective.samples(u), *objective.value_and_grad(u))]
    for array, copy in zip((y, mask, u), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    again = [objective.coordinates(y), objective.samples(u), *objective.value_and_grad(u)]
    for array, copy in zip(again, first, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_items_of_a_batch_are_independent():
    stft, y = STFT(16, 4), noise(13, (3, 2, 128))
    mask = np.ones_like(y)
    objective = objective_at(y, stft, mask, batch=1)
    contents = stft.log_magnitude(stft.forward(noise(14, y.shape)))
    style = stft.log_magnitude(stft.forward(noise(15, (1, 2, 200))))
    objective.objective = InfiniteWidth.of_styles(contents, style, TERMS)
    u = objective.coordinates(y)
    losses, grad = objective.value_and_grad(u)
    for item in range(3):
        rows = slice(item, item + 1)
        alone = WaveformObjective(InfiniteWidth.of_styles(contents[rows], style, TERMS), stft, y[rows], mask[rows])
        own_losses, own_grad = alone.value_and_grad(alone.coordinates(y[rows]))
        np.testing.assert_allclose(own_losses[:, 0], losses[:, item], rtol=1e-10)
        np.testing.assert_allclose(own_grad[0], grad[item], rtol=1e-8, atol=1e-11 * abs(grad).max())


def test_renewed_coordinates_are_those_of_the_same_samples_at_their_levels():
    stft, start, found = STFT(16, 4), noise(8, (2, 2, 128)), 20 * noise(9, (2, 2, 128))
    mask = partial_mask(start.shape)
    objective = objective_at(start, stft, mask, batch=2)
    objective.fixed = 1 - np.clip(mask, 0, 1)
    u = objective.coordinates(found)
    samples, (losses, _), before = objective.samples(u), objective.value_and_grad(u), objective.metric
    renewed = objective.renew(u)
    np.testing.assert_allclose(objective.samples(renewed), samples, atol=1e-12)
    np.testing.assert_allclose(objective.value_and_grad(renewed)[0], losses, rtol=1e-9)
    np.testing.assert_array_equal(objective.metric, objective_at(samples, stft, mask).metric)
    assert objective.metric.max() > 2 * before.max()


# ---------------------------------------------------------------- windows of content alone
def content_alone(y, stft):
    content = stft.log_magnitude(stft.forward(0.5 * noise(16, y.shape)))
    return InfiniteWidth(content, None, TERMS), stft


def test_windows_of_content_alone_add_no_style_loss():
    stft, y, mask = STFT(32, 8), noise(17, (2, 1, 300)), np.ones((1, 1, 1))
    first, others = (
        objective_at(y, stft, mask, batch=2),
        [content_alone(y, STFT(16, 4)), content_alone(y, STFT(64, 16))],
    )
    both = WaveformObjective(first.objective, stft, y, mask, others=others)
    u = both.coordinates(y) + 0.05 * noise(18, both.coordinates(y).shape)
    losses, grad = both.value_and_grad(u)
    alone, _ = first.value_and_grad(u)
    np.testing.assert_allclose(losses[0], alone[0], rtol=1e-12)
    samples = both.samples(u)
    added = sum(inner.value_and_grad(at.log_magnitude(at.forward(samples)))[0][1] for inner, at in others)
    np.testing.assert_allclose(losses[1], alone[1] + added, rtol=1e-12)
    check_derivative(both, u, grad)


def check_derivative(objective, u, grad):
    for seed in range(3):
        step = 1e-7 * noise(20 + seed, u.shape)
        ahead, behind = (objective.value_and_grad(u + sign * step)[0].sum(axis=0) for sign in (1, -1))
        expected = np.einsum("bctk,bctk->b", grad, step)
        np.testing.assert_allclose((ahead - behind) / 2, expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("total_weight", [0.5, 3.0])
def test_losses_and_gradient_are_divided_by_the_total_weight(total_weight):
    stft, y, mask = STFT(32, 8), noise(19, (2, 1, 300)), np.ones((1, 1, 1))
    first, others = objective_at(y, stft, mask, batch=2), [content_alone(y, STFT(16, 4))]
    plain, divided = (
        WaveformObjective(first.objective, stft, y, mask, others=others, total_weight=w) for w in (1.0, total_weight)
    )
    u = plain.coordinates(y)
    for found, expected in zip(divided.value_and_grad(u), plain.value_and_grad(u), strict=True):
        np.testing.assert_allclose(found * total_weight, expected, rtol=1e-12)


# ---------------------------------------------------------------- following a level
RATE = 400


class Frozen:
    """A follower with a constant gain."""

    def __init__(self, gain):
        self._gain = gain

    def gain(self, y):
        return self._gain


def following(y, follower, *, fixed=None, dtype="float64"):
    stft = STFT(32, 8)
    mask = np.ones_like(y) if fixed is None else (fixed == 0).astype(dtype)
    inner = objective_at(y, stft, mask, batch=len(y), dtype=dtype).objective
    return WaveformObjective(inner, stft, y, mask, fixed, [content_alone(y, STFT(16, 4))], 1.5, follower)


def test_samples_follow_the_level():
    level = 10 ** (np.sin(np.arange(1600) / 250) / 2)
    other, y = level * noise(30, (2, 2, 1600)), noise(31, (2, 2, 1600))
    objective = following(y, LevelFollower.of(other, RATE))
    samples = objective.samples(objective.coordinates(y) * 3)

    def levels(a):
        return 10 * np.log10(np.square(a).sum(axis=1).reshape(2, -1, 200).mean(axis=2))

    assert abs(levels(y) - levels(other)).max() > 8
    assert abs(levels(samples) - levels(other)).max() < 1
    np.testing.assert_allclose(samples[:, 1] * y[:, 0], samples[:, 0] * y[:, 1], atol=1e-9)


@pytest.mark.parametrize("finished", [False, True])
def test_gradient_is_that_at_a_constant_gain(finished):
    other, y = 3 * noise(32, (2, 2, 500)), noise(33, (2, 2, 500))
    fixed = np.zeros_like(y)
    fixed[..., :100] = noise(34, fixed[..., :100].shape)
    y = np.where(fixed != 0, fixed, y)
    objective = following(y, LevelFollower.of(other, RATE), fixed=fixed if finished else None)
    u = objective.coordinates(y) + 0.05 * noise(35, objective.coordinates(y).shape)
    samples, (losses, grad) = objective.samples(u), objective.value_and_grad(u)
    if finished:
        np.testing.assert_array_equal(samples[..., :100], fixed[..., :100])
    unfollowed = objective.mdct.inverse(u * objective.metric, 500) * objective.mask
    gain = objective.follower.gain(unfollowed + fixed if finished else unfollowed)
    assert np.ptp(gain) > 0.1
    objective.follower = Frozen(gain)
    same_losses, same_grad = objective.value_and_grad(u)
    np.testing.assert_array_equal(losses, same_losses)
    np.testing.assert_array_equal(grad, same_grad)
    check_derivative(objective, u, grad)


@pytest.mark.parametrize("silent", ["y", "other", "both"])
def test_a_silent_level_is_finite(silent):
    y, other = (noise(i, (1, 2, 500)).astype("float32") for i in (36, 37))
    if silent != "other":
        y[:] = 0
    if silent != "y":
        other[:] = 0
    objective = following(y, LevelFollower.of(other, RATE), dtype="float32")
    u = objective.coordinates(y)
    losses, grad = objective.value_and_grad(u)
    assert np.isfinite(losses).all() and np.isfinite(grad).all() and np.isfinite(objective.samples(u)).all()
    assert u.dtype == grad.dtype == objective.samples(u).dtype == np.float32


def test_on_a_gpu_it_follows_as_well(cupy):
    def run(y, other, content, style, also, mask, fixed):
        stft = STFT(32, 8)
        others = [(InfiniteWidth(also, None, TERMS), STFT(16, 4))]
        inner, follower = InfiniteWidth.of_styles(content, style, TERMS), LevelFollower.of(other, RATE)
        objective = WaveformObjective(inner, stft, y, mask, fixed, others, 1.5, follower)
        u = objective.coordinates(y)
        return (objective.samples(u), *objective.value_and_grad(u))

    y, other, content, style = (noise(40 + i, (2, 2, 500)).astype("float32") for i in range(4))
    fixed = np.where(np.arange(500) < 100, y, 0).astype("float32")
    mask = (fixed == 0).astype("float32")
    large, small = STFT(32, 8), STFT(16, 4)
    spectra = [large.log_magnitude(large.forward(a)) for a in (content, style[:1])]
    spectra.append(small.log_magnitude(small.forward(content)))
    assert_same(cupy, run, y, other, *spectra, mask, fixed, rtol=1e-3, atol=1e-5)
