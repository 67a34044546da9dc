"""Digital silence stays silent."""

import numpy as np
import pytest
from support.parameter_sets import EVERY_STAGE

from audiostyle_fx import stylize
from audiostyle_fx._recordings.levels import rms


@pytest.mark.parametrize("parameters", EVERY_STAGE)
def test_digital_silence_stays_exactly_zero(styled, stereo, parameters):
    holed = stereo.copy()
    holed[:, :900] = holed[0, 3000:5000] = holed[1, 7000:] = 0
    out = styled(holed, **parameters)
    assert np.isfinite(out).all()
    assert not out[:, :900].any() and not out[0, 3000:5000].any() and not out[1, 7000:].any()
    assert rms(out[1, 3000:5000]) > 1e-3 and rms(out[0, 7000:]) > 1e-3


def test_a_single_zero_is_no_silence(styled, content):
    holed = content.copy()
    holed[1000::1000] = 0
    assert styled(holed)[1000::1000].all()


@pytest.mark.parametrize("shape", [(8000,), (2, 8000), (1, 3)])
@pytest.mark.parametrize("parameters", [{}, {"init": "noise", "phase_init": "random"}, {"normalize": False}])
def test_silence_comes_back_silent(styled, shape, parameters, no_work):
    out = styled(np.zeros(shape, np.float32), **parameters)
    assert out.shape == shape and not out.any()


@pytest.mark.parametrize("shape", [(0,), (1, 0), (2, 0)])
def test_zero_samples_come_back_empty(style, rate, shape, no_work):
    result = stylize(np.zeros(shape, np.float32), style, rate)
    assert result.audio.shape == shape and result.audio.dtype == np.float32 and result.stages == {}


@pytest.mark.parametrize("silent", [0, 1])
def test_a_silent_channel_stays_silent_and_leaves_the_other_as_if_alone(styled, content, silent):
    out = styled(np.stack([0 * content, content] if silent == 0 else [content, 0 * content]))
    assert not out[silent].any()
    np.testing.assert_array_equal(out[1 - silent], styled(content))
