"""The mix of dry and wet."""

import numpy as np
import pytest
from support.distances import distance

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._transfer.setup import mix_shares


def test_mix_zero_is_the_content_bit_for_bit(styled, stereo):
    np.testing.assert_array_equal(styled(stereo, mix=0), stereo)


@pytest.mark.parametrize("mix", [0.25, 0.9])
def test_mix_is_the_sum_of_dry_and_wet_at_their_level(styled, stereo, mix):
    want = (1 - mix) * stereo.astype(np.float64) + mix * styled(stereo)
    np.testing.assert_allclose(styled(stereo, mix=mix), rms(stereo) / rms(want) * want, rtol=0, atol=1e-7)


@pytest.mark.parametrize("mixes", [(0.1, 0.5), pytest.param((0.01, 0.3, 0.7, 0.95), marks=pytest.mark.slow)])
@pytest.mark.parametrize("parameters", [{}, {"match_level": False}, {"normalize": False}, {"phase_init": "random"}])
def test_level_moves_evenly_with_the_mix(styled, content, stereo, style, mixes, parameters):
    holed = stereo[:, :4000].copy()
    holed[0, 1000:3000] = 0
    for dry in (content[:4000], 1e-4 * stereo[:, :4000], holed):
        wet = styled(dry, 5 * style, **parameters)
        for mix in mixes:
            want = (1 - mix) * np.log10(rms(dry)) + mix * np.log10(rms(wet))
            out = styled(dry, 5 * style, mix=mix, **parameters)
            assert 20 * np.log10(rms(out)) == pytest.approx(20 * want, abs=0.01)


@pytest.mark.parametrize("mix", [0.1, 0.5, 0.6])
def test_a_mix_that_cancels_is_raised_no_more_than_20_db(mix):
    dry, wet = mix_shares.mix_shares(1.0, 1.0, -1.0, mix)
    assert 0 < dry <= 10 * (1 - mix) * 1.001 and 0 < wet <= 10 * mix * 1.001


def test_mix_is_aligned_to_the_sample(content, rate, quick):
    wet = stylize(content, content, rate, **{**quick, "optimizer": "lbfgs"}).audio
    assert np.argmax(np.correlate(wet, content, "full")) == len(content) - 1
    for mix in (0.3, 0.7):
        mixed = stylize(content, content, rate, mix=mix, **{**quick, "optimizer": "lbfgs"}).audio
        assert distance(mixed, content) < 0.02


def test_mix_zero_keeps_the_sign_of_zero(styled, content):
    dry = content.copy()
    dry[100] = -0.0
    assert styled(dry, mix=0).tobytes() == dry.tobytes()
