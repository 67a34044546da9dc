"""Results: losses, gain, files, and the view in a notebook."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

import audiostyle_fx
from audiostyle_fx import Result, style_file, stylize, texture
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._recordings.levels import true_peak


@pytest.fixture
def result(content, style, rate, quick):
    return stylize(content, style, rate, **quick)


def test_the_losses_are_those_at_the_end(result):
    last = result.stages["waveform"]
    assert result.style_loss == last.style_loss[-1] and result.content_loss == last.content_loss[-1]
    assert type(result.style_loss) is float


def test_silence_has_no_losses(style, rate, quick):
    result = stylize(np.zeros(8000, np.float32), style, rate, **quick)
    assert result.style_loss is None and result.content_loss is None and result.stages == {}
    assert "loss" not in repr(result)
    assert "<audio" in result._repr_html_()


def test_a_result_is_saved_by_one_call(result, tmp_path, rate):
    assert result.save(tmp_path / "out.wav", "FLOAT") == 0.0
    saved, its_rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(saved, result.audio)
    assert its_rate == rate
    with pytest.raises(ValueError, match="the format must be one of"):
        result.save(tmp_path / "out.xyz")
    with pytest.raises(ValueError, match="subtype='PCM_25' must be None or one of"):
        result.save(tmp_path / "out.wav", "PCM_25")
    with pytest.raises(ValueError, match=r"subtype='FLOAT' can't be written to .*out\.flac.*FLAC doesn't have it"):
        result.save(tmp_path / "out.flac", "FLOAT")


def test_an_empty_recording_replaces_no_file_that_can_not_hold_it(style, rate, quick, tmp_path):
    empty = stylize(np.zeros(0, np.float32), style, rate, **quick)
    (tmp_path / "kept.flac").write_bytes(b"as it was")
    with pytest.raises(ValueError, match="FLAC can't hold an empty recording"):
        empty.save(tmp_path / "kept.flac")
    assert (tmp_path / "kept.flac").read_bytes() == b"as it was" and len(list(tmp_path.iterdir())) == 1
    empty.save(tmp_path / "out.wav")
    assert "<audio" not in empty._repr_html_() and empty.plot()


def test_a_loud_result_says_by_how_much_it_was_turned_down(result, tmp_path):
    audio = 4 * result.audio / np.abs(result.audio).max()
    loud = Result(
        sample_rate=result.sample_rate, duration=result.duration, stages={}, seconds=0.0, parameters={}, audio=audio
    )
    with pytest.warns(
        UserWarning, match=r"turned down by 13\.\d dB, because PCM_16 clips at full scale; subtype='FLOAT' avoids this"
    ):
        gain = loud.save(tmp_path / "out.flac")
    assert gain == pytest.approx(-20 * np.log10(true_peak([np.atleast_2d(audio)])) - 1)
    assert true_peak([read_audio(tmp_path / "out.flac", "input")[0]]) == pytest.approx(10 ** (-1 / 20), abs=1e-3)


@pytest.mark.parametrize("gain", [4.9, 40])
def test_a_loud_result_is_limited_unless_its_content_exceeded_full_scale(content, style, rate, quick, tmp_path, gain):
    result = stylize(gain * content, style, rate, **quick)
    assert result.limits_peaks == (gain < 5) and np.abs(result.audio).max() > 1.05
    with pytest.warns(UserWarning, match="peaks limited" if gain < 5 else "turned down"):
        gain_db = result.save(tmp_path / "out.flac")
    written = soundfile.read(tmp_path / "out.flac")[0]
    loss = 10 * np.log10(np.mean(result.audio.astype(float) ** 2) / np.mean(written**2))
    assert (gain_db, loss < 1) == (0, True) if gain < 5 else loss == pytest.approx(-gain_db, abs=0.01)


def test_a_loud_texture_is_limited(style, rate, quick_stages, tmp_path):
    loud = texture(style * 4.9, rate, 0.5, **quick_stages)
    assert loud.limits_peaks and not texture(style * 40, rate, 0.5, **quick_stages).limits_peaks


def test_a_result_in_a_file_knows_its_path_and_reads_it(content, style, rate, quick, tmp_path):
    soundfile.write(tmp_path / "in.wav", content, rate, "FLOAT")
    result = style_file(tmp_path / "in.wav", tmp_path / "out.wav", style, style_sample_rate=rate, **quick)
    assert result.path == str(tmp_path / "out.wav") and result.gain_db == 0.0
    np.testing.assert_array_equal(result.audio[0], stylize(content, style, rate, **quick).audio)
    assert repr(result.path) in repr(result)
    (tmp_path / "out.wav").unlink()
    assert "<audio" not in result._repr_html_(), "a notebook shows the facts"


def test_a_style_is_not_replaced_by_the_result(content, style, rate, tmp_path, no_work):
    for name, audio in (("in.wav", content), ("style.wav", style)):
        soundfile.write(tmp_path / name, audio, rate)
    before = (tmp_path / "style.wav").read_bytes()
    with pytest.raises(ValueError, match=r"out_path=.*style\.wav' must not be one of the styles"):
        style_file(tmp_path / "in.wav", tmp_path / "style.wav", [tmp_path / "style.wav"])
    assert (tmp_path / "style.wav").read_bytes() == before


def test_repr_is_short(result):
    text = repr(result)
    assert len(text) < 200 and text.startswith("<Result: 1.00 s at 8000 Hz, mono, style loss ")


def test_a_notebook_shows_a_player(result, rate):
    page = result._repr_html_()
    data = base64.b64decode(re.search(r"data:audio/flac;base64,([^\"]+)", page)[1])
    audio, its_rate = soundfile.read(io.BytesIO(data))
    assert its_rate == rate and len(audio) == result.audio.size
    assert "style loss" in page


def test_the_package_knows_its_version():
    assert re.fullmatch(r"\d+\.\d+.*", audiostyle_fx.__version__)
    with pytest.raises(AttributeError, match="no attribute 'versoin'"):
        audiostyle_fx.versoin  # noqa: B018
