"""The fused evaluation of the closed form against the same in NumPy, and the launches that it takes."""

import itertools

import numpy as np
import pytest
from support.twins import normal

from audiostyle_fx._engine.cuda import streams
from audiostyle_fx._engine.objectives.balance import Balance
from audiostyle_fx._engine.objectives.fused_closed_form import FusedClosedForm
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import Term
from audiostyle_fx._engine.objectives.strided import joined_frames, strided
from audiostyle_fx._engine.spectra.stft import STFT

ONE = [Term(6, 1.5, 0.5, 0.1, last=0.5)]
EVEN = [Term(6, 1.5, 0.5, 0.1)]
SEVERAL = [Term(1, 0.8, 0.4, 0.3), Term(3, 1.5, 0.5, 0.1), Term(7, 2.5, 1.1, 0.2, last=0.4)]


def spectrogram(seed, *shape):
    return np.abs(normal(seed, *shape))


def arrays(batch=2, frames=41, bins=10, styles=((1, 27), (1, 33))):
    content, x, song = (spectrogram(seed, batch, frames, bins) for seed in range(3))
    return content, x, song, [spectrogram(10 + i, items, n, bins) for i, (items, n) in enumerate(styles)]


def balance(xp, batch, content_share, target):
    alphas = np.linspace(0.05, 0.3, batch).astype(np.float32)
    return Balance(xp.asarray(alphas), content_share, None if target is None else xp.full(batch, target))


def objectives(xp, content, song, styles, terms, stride, balances, with_song, shares):
    """The plain objective, for NumPy arrays, or the fused one."""
    content = xp.asarray(content)
    statistics = None
    if styles:
        joined = [joined_frames(xp.asarray(style), stride) for style in styles]
        statistics = InfiniteWidth.style_statistics(joined, terms, shares)
    song = xp.asarray(song) if with_song else None
    if xp is np:
        song = None if song is None else joined_frames(song, stride)
        return strided(InfiniteWidth(joined_frames(content, stride), statistics, terms, balances, song), stride)
    assert FusedClosedForm.serves(content, statistics, terms, stride)
    return FusedClosedForm(content, statistics, terms, balances, song, stride)


CASES = {
    "plain": {},
    "several widths": {"terms": SEVERAL},
    "pairs of frames": {"stride": 2, "terms": [Term(3, 1.5, 0.5, 0.1, last=0.5)]},
    "two styles": {"shares": (0.3, 0.7)},
    "content alone": {"shares": ()},
    "a style for each item": {"styles": ((2, 27),)},
    "own share": {"content_share": 0.4},
    "own share of two styles": {"content_share": 0.4, "shares": (0.3, 0.7), "terms": SEVERAL},
    "steered": {
        "content_share": 0.4,
        "target": 60.0,
        "with_song": True,
        "stride": 2,
        "terms": [Term(6, 1.5, 0.5, 0.1)],
    },
    "steered content alone": {"shares": (), "target": 60.0, "with_song": True},
    "short": {"frames": 8, "terms": [Term(7, 2.5, 1.1, 0.2, last=0.4)]},
    "a long style": {"styles": ((1, 150),)},
    "long styles, own share": {
        "styles": ((1, 150), (1, 33)),
        "shares": (0.6, 0.4),
        "content_share": 0.4,
        "terms": SEVERAL,
    },
    "long": {"frames": 200, "styles": ((1, 150),)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_losses_gradients_and_balance_are_those_of_numpy(cupy_of_threads, case):
    case = {"terms": ONE, "stride": 1, "shares": (1.0,), "content_share": None, "target": None, **case}
    sizes = {name: case[name] for name in ("frames", "styles") if name in case}
    content, x, song, styles = arrays(**sizes)
    found = {}
    for xp in (np, cupy_of_threads):
        own = None
        if case["content_share"] is not None or case["target"] is not None:
            own = balance(xp, 2, case["content_share"] or 0.0, case["target"])
        objective = objectives(
            xp,
            *(content, song, styles[: len(case["shares"])], case["terms"], case["stride"], own),
            *(case.get("with_song", False), case["shares"]),
        )
        found[xp] = []
        for factor in (1.0, 0.8, 1.1):  # alpha answers to the loss, and to how it changes
            losses, grad = objective.value_and_grad(xp.asarray(factor * x).astype(np.float32))
            found[xp] += [losses, grad]
        found[xp] += [own.alpha] if own else []
    for got, want in zip(found[cupy_of_threads], found[np], strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got.get(), want, rtol=2e-4, atol=2e-4 * np.abs(want).max())


@pytest.mark.parametrize(
    "frames",
    [((27, 33), (31, 40)), ((27, 150), (31, 120))],
    ids=["short styles", "long styles"],
)
@pytest.mark.parametrize("content_share", [0.0, 0.4])
def test_each_item_may_have_styles_of_its_own(cupy, frames, content_share):
    content, x, _, _ = arrays()
    shares = ((0.3, 0.7), (0.6, 0.4))
    seeds = itertools.count(20)
    styles = [[spectrogram(next(seeds), 1, n, 10) for n in of_item] for of_item in frames]
    pairs = zip(styles, shares, strict=True)
    statistics = [InfiniteWidth.style_statistics([*map(cupy.asarray, own)], SEVERAL, share) for own, share in pairs]
    balances = balance(cupy, 2, content_share, None)
    both = FusedClosedForm(cupy.asarray(content), statistics, SEVERAL, balances)
    losses, grad = (found.get() for found in both.value_and_grad(cupy.asarray(x)))
    for item, (own, share) in enumerate(zip(styles, shares, strict=True)):
        alpha = Balance(balances.alpha.get()[item : item + 1], content_share)
        alone = InfiniteWidth.of_styles(content[item : item + 1], own, SEVERAL, share, alpha)
        want_losses, want = alone.value_and_grad(x[item : item + 1])
        np.testing.assert_allclose(losses[:, item], want_losses[:, 0], rtol=2e-4)
        np.testing.assert_allclose(grad[item], want[0], rtol=2e-4, atol=2e-4 * np.abs(want).max())


def test_equal_patches_have_no_distance(cupy):
    content, _, _, styles = arrays(styles=((1, 27),))
    fused = objectives(cupy, content, None, styles, ONE, 1, None, False, (1.0,))
    losses, _ = fused.value_and_grad(cupy.asarray(content))
    assert not losses.get()[1].any()


def test_the_gradient_at_a_spectrum_is_what_the_inverse_fft_wants(cupy):
    stft, y = STFT(16, 4), normal(5, 2, 2, 200)
    spectrum = stft.forward(y)
    content, _, _, styles = arrays(frames=spectrum.shape[1], bins=18, styles=((1, 27),))
    plain = objectives(np, content, None, styles, ONE, 1, None, False, (1.0,))
    losses, grad = plain.value_and_grad(stft.log_magnitude(spectrum))
    want = stft.log_magnitude_vjp(spectrum, grad)
    want[..., 1:-1] /= 2
    fused = objectives(cupy, content, None, styles, ONE, 1, None, False, (1.0,))
    total = cupy.ones((3, 2))
    got = fused.at_spectrum(cupy.asarray(spectrum), stft.magnitude_scale, total, weight=0.5, add=True)
    np.testing.assert_allclose(got.get(), want / 2, rtol=1e-4, atol=1e-4 * np.abs(want).max())
    np.testing.assert_allclose(total.get()[:2], 1 + losses / 2, rtol=1e-4)
    assert (total.get()[2] == 1).all()


@pytest.mark.parametrize(("widths", "launches"), [(ONE, 5), (SEVERAL, 7)])
@pytest.mark.parametrize("with_song", [False, True])
def test_few_launches_make_an_evaluation(stand_in, cupy, widths, launches, with_song):
    content, x, song, styles = arrays()
    with streams.computing_on("cuda:0"):
        own = balance(cupy, 2, 0.3, 60.0) if with_song else None
        fused = objectives(cupy, content, song, styles, widths, 1, own, with_song, (0.5, 0.5))
        x = cupy.asarray(x)
        before = vars(stand_in.counters).copy()
        fused.value_and_grad(x)
        after = vars(stand_in.counters).copy()
    assert {name: after[name] - before[name] for name in after} == {
        "launches": launches,
        "host_copies": 0,
        "synchronizations": 0,
    }


def test_what_does_not_fit_is_not_fused(cupy):
    content = cupy.asarray(spectrogram(0, 1, 300, 3))
    statistics = InfiniteWidth.style_statistics(content, ONE)
    assert FusedClosedForm.serves(content, statistics, ONE, 1)
    assert not FusedClosedForm.serves(content, statistics, [Term(2000, 1.0, 1.0, 1.0)], 1)
    assert not FusedClosedForm.serves(cupy.broadcast_to(content[:, :1], (1, 6000, 3)), statistics, ONE, 1)
    assert not FusedClosedForm.serves(content.get(), statistics, ONE, 1)
    assert FusedClosedForm.serves(cupy.broadcast_to(content[:, :1], (1, 6000, 3)), None, ONE, 1)  # needs no products
