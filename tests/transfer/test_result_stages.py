"""The stages and parameters in a result."""

import json
import math

import numpy as np
import pytest
from support.distances import distance

from audiostyle_fx import Result, stylize
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._transfer.parameters.parameter_list import Parameters


@pytest.mark.parametrize("parameters", [{}, {"optimizer": "lbfgs"}, {"n_filters": 64}])
def test_result_records_every_stage(content, style, rate, quick, parameters):
    result = stylize(content, style, rate, **{**quick, "phase_iters": 8, **parameters})
    assert isinstance(result, Result)
    assert list(result.stages) == ["spectrogram", "phase", "waveform"]
    for name, n_iter in (("spectrogram", 4), ("waveform", 3)):
        stage = result.stages[name]
        assert stage.iterations.tolist() == list(range(n_iter + 1))
        assert stage.style_loss.shape == stage.content_loss.shape == (n_iter + 1,)
        assert stage.inconsistency is None
        assert stage.style_loss[-1] + stage.content_loss[-1] < stage.style_loss[0] + stage.content_loss[0]
    phase = result.stages["phase"]
    assert phase.iterations.tolist() == [8] and phase.style_loss.shape == phase.content_loss.shape == (1,)
    assert phase.inconsistency.shape == (8,) and phase.inconsistency[-1] < phase.inconsistency[0]
    for stage in result.stages.values():
        assert stage.style_loss.dtype == np.float64 and np.isfinite([*stage.style_loss, *stage.content_loss]).all()
        assert stage.seconds > 0
    assert sum(stage.seconds for stage in result.stages.values()) <= result.seconds < 60


@pytest.mark.parametrize(
    ("left_out", "names"),
    [
        (["spectrogram_iters"], ["phase", "waveform"]),
        (["phase_iters"], ["spectrogram", "waveform"]),
        (["waveform_iters"], ["spectrogram", "phase"]),
        (["spectrogram_iters", "phase_iters"], ["waveform"]),
        (["phase_iters", "waveform_iters"], ["spectrogram"]),
    ],
)
def test_a_stage_without_iterations_is_left_out(content, style, rate, quick, left_out, names):
    result = stylize(content, style, rate, **{**quick, **dict.fromkeys(left_out, 0)})
    assert list(result.stages) == names
    assert distance(result.audio, content) > 1e-2
    assert rms(result.audio) == pytest.approx(rms(content), rel=1e-5)


def test_history_ends_with_the_loss_of_the_audio(content, style, rate, quick):
    parameters = {**quick, "match_level": False, "normalize": False, "alpha": 0}
    result = stylize(10 * content, 10 * style, rate, **parameters)
    again = stylize(result.audio, 10 * style, rate, **{**parameters, "spectrogram_iters": 1})
    assert again.stages["spectrogram"].style_loss[0] == pytest.approx(
        result.stages["waveform"].style_loss[-1], rel=1e-3
    )


def test_parameters_of_a_result_say_all_and_make_it_again(content, style, rate):
    given = {"spectrogram_iters": 2, "phase_iters": 2, "waveform_iters": 2, "kernel_width": [3, np.int64(5)]}
    result = stylize(content, style, rate, alpha=np.float32(0.5), seed=np.int64(3), **given)
    assert set(result.parameters) == {description.name for description in Parameters.described()}
    assert result.parameters["windows"] == [{"n_fft": 1024, "hop_length": 256}]
    assert result.parameters["n_filters"] == math.inf
    finite = {name: value for name, value in result.parameters.items() if name != "n_filters"}
    loaded = json.loads(json.dumps(finite, allow_nan=False))
    assert loaded.pop("kernel_width") == [3, 5]
    assert all(loaded[name] == finite[name] for name in loaded)
    np.testing.assert_array_equal(stylize(content, style, rate, **result.parameters).audio, result.audio)
