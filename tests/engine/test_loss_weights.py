"""The weights of the losses: the original's constants, and the same balance of style and content everywhere."""

import numpy as np
import pytest
import scipy.signal

from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import loss_terms
from audiostyle_fx._engine.spectra.stft import STFT, default_n_fft

RATE = 22050


def terms_at(rate, n_frames, *, widths=(11,), alpha=0.01, bins=1025, channels=1):
    return loss_terms(widths, alpha=alpha, n_frames=n_frames, bins=bins, sample_rate=rate, active_channels=channels)


# ---------------------------------------------------------------- constants
def test_terms_of_ten_seconds_of_mono_at_22050_are_the_originals():
    (term,) = terms_at(RATE, 430)
    assert term.kernel_width == 11
    assert term.gain == pytest.approx(4096 * 4 / ((1025 + 4096) * 11), rel=1e-15)
    assert term.style_weight == 1
    assert term.content_weight == pytest.approx(0.01, rel=1e-15)


@pytest.mark.parametrize("width", [1, 3, 43])
def test_gain_falls_with_the_width_of_the_kernel(width):
    (term,), (reference,) = terms_at(RATE, 430, widths=(width,)), terms_at(RATE, 430)
    assert term.gain * width == pytest.approx(reference.gain * 11, rel=1e-14)
    assert term.content_weight * (430 - width + 1) == pytest.approx(0.01 * 420, rel=1e-14)


def test_widths_share_the_weight():
    terms, alone = terms_at(RATE, 430, widths=(3, 11, 43)), [terms_at(RATE, 430, widths=(w,))[0] for w in (3, 11, 43)]
    assert [t.kernel_width for t in terms] == [3, 11, 43]
    for term, single in zip(terms, alone, strict=True):
        assert term.gain == single.gain
        assert term.style_weight == pytest.approx(1 / 3) and term.content_weight * 3 == pytest.approx(
            single.content_weight
        )


def test_alpha_weighs_the_content_alone():
    (none,), (one,), (two,) = (terms_at(RATE, 300, alpha=alpha) for alpha in (0, 1, 2))
    assert none.content_weight == 0
    assert two.content_weight == pytest.approx(2 * one.content_weight)
    assert none.style_weight == one.style_weight and none.gain == two.gain


@pytest.mark.parametrize(("rate", "bins"), [(44100, 2049), (48000, 2049), (96000, 4097), (16000, 1025), (8000, 513)])
def test_gain_is_by_the_density_of_bins(rate, bins):
    (term,), (reference,) = terms_at(rate, 430, bins=bins), terms_at(RATE, 430)
    density = (bins / (rate / 2)) / (1025 / 11025)
    assert term.gain * density == pytest.approx(reference.gain, rel=1e-12)
    (stereo,) = terms_at(rate, 430, bins=bins, channels=2)
    assert 2 * stereo.gain == pytest.approx(term.gain, rel=1e-14)


# ---------------------------------------------------------------- balance
def sound(seed, seconds, brightness):
    """Tones that come and go over noise, at 22,050 Hz, with nothing above 9 kHz."""
    rng, time = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    y = 0.03 * rng.standard_normal(time.size)
    for _ in range(12):
        onset, pitch = rng.uniform(0, seconds), 110 * 2 ** rng.uniform(0, 3)
        envelope = np.where(time > onset, np.exp(-(time - onset) * rng.uniform(0.5, 4)), 0)
        harmonics = range(1, int(9000 / pitch))
        y += 0.1 * envelope * sum(np.sin(2 * np.pi * k * pitch * time) * brightness**k for k in harmonics)
    return scipy.signal.sosfiltfilt(scipy.signal.butter(8, 9000, fs=RATE, output="sos"), y)


@pytest.fixture(scope="module")
def recordings():
    """Content and style of about four seconds."""
    return sound(0, 4, 0.7), sound(1, 4, 0.95)


def losses(content, style, rate, *, widths=(11,), channels=1):
    """Style and content loss half way between both, of recordings (channels, samples)."""
    n_fft = default_n_fft(rate)
    stft = STFT(n_fft, n_fft // 4)
    c, s = (stft.log_magnitude(stft.forward(y[None].astype(np.float32))) for y in (content, style))
    n_frames = min(c.shape[1], s.shape[1])
    terms = terms_at(rate, c.shape[1], widths=widths, bins=stft.n_bins, channels=channels)
    x = c.copy()
    x[:, :n_frames] += 0.5 * (s[:, :n_frames] - x[:, :n_frames])
    found, _ = InfiniteWidth.of_styles(c, s, terms).value_and_grad(x)
    return found[:, 0]


@pytest.fixture(scope="module")
def reference(recordings):
    style, content = losses(*(y[None] for y in recordings), RATE)
    assert style > 1 and content > 1
    return np.array([style, content])


@pytest.mark.parametrize("factor", [2, 4])
def test_losses_are_the_same_at_higher_rates(recordings, reference, factor):
    up = [scipy.signal.resample_poly(y, factor, 1)[None] for y in recordings]
    np.testing.assert_allclose(losses(*up, factor * RATE), reference, rtol=0.1)


def test_losses_are_the_same_at_48_khz(recordings, reference):
    """At this rate, the window is 85 ms long instead of 93."""
    up = [scipy.signal.resample_poly(y, 320, 147)[None] for y in recordings]
    found = losses(*up, 48000)
    assert found[0] / found[1] == pytest.approx(reference[0] / reference[1], rel=0.1)


def test_losses_are_the_same_on_two_equal_channels(recordings, reference):
    stereo = [np.stack([y, y]) for y in recordings]
    np.testing.assert_allclose(losses(*stereo, RATE, channels=2), reference, rtol=1e-3)


def test_losses_are_the_same_beside_a_silent_channel(recordings, reference):
    stereo = [np.stack([y, np.zeros_like(y)]) for y in recordings]
    np.testing.assert_allclose(losses(*stereo, RATE, channels=1), reference, rtol=1e-3)


def test_losses_are_the_same_twice_in_a_row(recordings, reference):
    twice = [np.tile(y, 2)[None] for y in recordings]
    np.testing.assert_allclose(losses(*twice, RATE), reference, rtol=0.1)


@pytest.mark.parametrize("width", [3, 43])
def test_balance_hardly_depends_on_the_width_of_the_kernel(recordings, reference, width):
    found = losses(*(y[None] for y in recordings), RATE, widths=(width,))
    assert found[0] / found[1] == pytest.approx(reference[0] / reference[1], rel=0.4)
