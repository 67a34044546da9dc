"""Arguments and results of `render`: copies, shapes, types, finite numbers."""

import numpy as np
import pytest
from pedalboard import Pedalboard, Reverb
from support.hosting_effects import RATE, STEREO, Calling, Reverse

from audiostyle_fx.hosting import OfflineEffect


def test_nothing_to_render():
    effect = Reverse()
    for shape in ((0,), (2, 0), (0, 2)):
        assert Pedalboard([effect, Reverb()])(np.zeros(shape), RATE).shape == shape
    assert effect.calls == []


def test_input_is_never_changed_and_output_never_shared():
    kept = []

    def overwrite_and_keep(audio):
        audio *= 2
        kept.append(audio)
        return audio

    before = STEREO.copy()
    for source in (STEREO, STEREO.T, STEREO[0], np.asfortranarray(STEREO), STEREO.astype(np.float64)):
        for plugin in (Calling(overwrite_and_keep), Pedalboard([Calling(overwrite_and_keep)])):
            output = plugin(source, RATE)
            np.testing.assert_array_equal(output, source.astype(np.float32) * 2)
            assert not np.shares_memory(output, source)
            assert not np.shares_memory(output, kept[-1]) and not np.shares_memory(kept[-1], source)
    np.testing.assert_array_equal(STEREO, before)


@pytest.mark.parametrize(
    "bad",
    [
        lambda audio: audio[:, :-1],
        lambda audio: audio[:1],
        lambda audio: audio[0],
        lambda audio: audio.T,
        lambda audio: None,
        lambda audio: audio.tolist(),
        lambda audio: np.ones(audio.shape, np.int16),
        lambda audio: audio * 1j,
        lambda audio: np.full(audio.shape, np.nan),
        lambda audio: np.where(audio == audio.max(), np.inf, audio),
        lambda audio: np.full(audio.shape, 1e300),
    ],
)
def test_what_render_returns_is_checked(bad):
    for plugin in (Calling(bad), Pedalboard([Calling(bad), Reverb()])):
        with pytest.raises(RuntimeError, match=r"Calling\.render"):
            plugin(STEREO, RATE)


def test_render_may_return_another_precision():
    output = Calling(lambda audio: np.asfortranarray(audio.astype(np.float64) / 3))(STEREO, RATE)
    assert output.dtype == np.float32 and output.flags.c_contiguous
    np.testing.assert_array_equal(output, (STEREO.astype(np.float64) / 3).astype(np.float32))


def test_effect_without_render_says_so():
    with pytest.raises(NotImplementedError, match="OfflineEffect does not implement render"):
        Pedalboard([OfflineEffect()])(STEREO, RATE)
