"""`StyleTransfer`: the transfer as an effect, alone and in pedalboard's own containers."""

import contextlib
import copy
import gc
import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from pedalboard import Chain, Gain, LowpassFilter, Mix, Pedalboard, Reverb

import audiostyle_fx
from audiostyle_fx import StyleTransfer, Window, stylize
from audiostyle_fx._recordings.levels import rms
from audiostyle_fx._transfer.parameters.parameter_list import Parameters

OTHER = {  # a value other than the default for each parameter, of strength and alpha that which is given
    "alpha": 0.5,
    "n_filters": 64,
    "kernel_width": (3, 5),
    "windows": (Window(n_fft=512, hop_length=100),),
    "strength": None,
    "equalize": False,
    "content_share": 0.2,
    "dynamics": False,
    "effort": "best",
    "optimizer": "lbfgs",
    "spectrogram_iters": 2,
    "phase_iters": 2,
    "waveform_iters": 2,
    "init": "noise",
    "phase_init": "random",
    "normalize": False,
    "match_level": False,
    "key": 3.0,
    "mix": 0.5,
    "section_seconds": 5.0,
    "style_seconds": 30.0,
    "preset": "original",
    "seed": 9,
    "device": "cpu",
    "precision": "tf32",
}


@pytest.fixture
def effect(style, quick):
    return StyleTransfer(style, **quick)


@pytest.fixture
def audio(stereo):
    """Half a second that may be written to, as native code requires."""
    return stereo[:, :4000].copy()


@pytest.fixture
def file(tmp_path, style):
    path = tmp_path / "style.wav"
    soundfile.write(path, style, 8000, subtype="FLOAT")
    return path


def rewrite(path, samples, rate=8000, later=1):
    """Replace a recording by one with a later time, however coarse the clock of the file system."""
    soundfile.write(path, samples, rate, subtype="FLOAT")
    now = path.stat().st_mtime_ns + later * 10**9
    os.utime(path, ns=(now, now))


# ---------------------------------------------------------------- in a board
@pytest.mark.parametrize("collect", [False, True])
def test_in_a_stock_board_among_natives(effect, style, audio, rate, quick, collect):
    board = Pedalboard([Gain(gain_db=3), effect, Reverb(), LowpassFilter(1000)])
    alone = Pedalboard([StyleTransfer(style, **quick)])
    if collect:
        del effect
        gc.collect()
    assert type(board) is Pedalboard and type(alone[0]) is StyleTransfer
    wet = stylize(Gain(gain_db=3)(audio, rate), style, rate, **quick).audio
    want = Pedalboard([Reverb(), LowpassFilter(1000)])(wet, rate)
    np.testing.assert_array_equal(board(audio, rate), want)
    np.testing.assert_array_equal(alone(audio, rate), stylize(audio, style, rate, **quick).audio)


def test_board_never_passes_dry_audio(effect, audio, rate):
    for board in (Pedalboard([effect]), Pedalboard([Chain([effect])]), Chain([effect]), Mix([effect])):
        assert np.abs(board(audio, rate) - audio).max() > 1e-3


def test_in_chain_and_mix(effect, style, audio, rate, quick):
    wet = stylize(audio, style, rate, **quick).audio
    board = Pedalboard([Mix([Gain(gain_db=0), Chain([effect, Gain(gain_db=-6)])])])
    np.testing.assert_array_equal(board(audio, rate), audio + Gain(gain_db=-6)(wet, rate))


def test_two_effects_in_a_row(effect, style, other_style, audio, rate, quick):
    second = StyleTransfer(other_style, **quick)
    want = stylize(stylize(audio, style, rate, **quick).audio, other_style, rate, **quick).audio
    np.testing.assert_array_equal(Pedalboard([effect, second])(audio, rate), want)


# ---------------------------------------------------------------- layouts and types
def test_every_layout_and_precision(effect, style, audio, rate, quick):
    want = stylize(audio, style, rate, **quick).audio
    mono = stylize(audio[0], style, rate, **quick).audio
    for process in (effect, effect.process, Pedalboard([effect])):
        for dtype in (np.float32, np.float64):
            out = process(audio.astype(dtype), rate)
            assert out.dtype == np.float32
            np.testing.assert_array_equal(out, want)
        np.testing.assert_array_equal(process(audio[0].copy(), rate), mono)
        np.testing.assert_array_equal(process(audio[:1].copy(), rate), mono[None])
    flipped = StyleTransfer(style, **quick)
    np.testing.assert_array_equal(flipped(np.ascontiguousarray(audio.T), rate), want.T)
    np.testing.assert_array_equal(Pedalboard([flipped])(audio.T, rate), want.T)


@pytest.mark.parametrize("shape", [(1,), (1, 2), (2, 1), (1, 1), (3, 2), (0,), (2, 0), (0, 2)])
def test_accepts_the_tiny_shapes_that_a_gain_does(effect, rate, shape):
    audio = np.linspace(0.1, 0.2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    out = effect(audio, rate)
    assert out.shape == Gain()(audio, rate).shape == shape
    assert np.isfinite(out).all()


@pytest.mark.parametrize("audio", [np.zeros((2, 8000), np.int16), np.zeros((1, 2, 300), np.float32), [0.1, 0.2], None])
def test_refuses_what_a_gain_does_in_the_same_way(effect, rate, audio):
    with pytest.raises(Exception) as native:  # noqa: PT011
        Gain()(audio, rate)
    with pytest.raises(native.type):
        effect(audio, rate)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_raise(effect, audio, rate, value):
    audio[1, 2500] = value
    for process in (effect, Pedalboard([effect])):
        with pytest.raises(ValueError, match="NaN or infinite"):
            process(audio, rate)


def test_silence_and_nothing(effect, rate):
    assert not effect(np.zeros((2, 4000), np.float32), rate).any()
    assert effect(np.zeros((2, 0), np.float32), rate).shape == (2, 0)


def test_wrong_rate_raises(effect, audio):
    for rate in (44.1, 0, -8000, float("nan")):
        with pytest.raises(ValueError, match="sample_rate="):
            effect(audio, rate)


def test_chunks_are_refused(effect, audio, rate):
    with pytest.raises(RuntimeError, match="whole recording"):
        effect(audio, rate, reset=False)


# ---------------------------------------------------------------- parameters
def test_table_of_other_values_covers_every_parameter(style):
    assert set(OTHER) == {description.name for description in Parameters.described()}
    defaults = StyleTransfer(style)
    assert all(getattr(defaults, name) != value for name, value in OTHER.items())


@pytest.mark.parametrize("name", OTHER)
def test_parameter_is_read_and_set_as_an_attribute(style, name):
    given = {"alpha": 0.1} if OTHER[name] in (None, "lbfgs") else {}
    effect = StyleTransfer(style, **({} if name == "strength" else given))
    made = StyleTransfer(style, **{**given, name: OTHER[name]})
    assert getattr(effect, name) != OTHER[name]
    if name == "strength":
        effect.alpha = 0.1
    setattr(effect, name, OTHER[name])
    assert getattr(effect, name) == getattr(made, name) == OTHER[name]
    assert {k: v for k, v in effect.parameters.items() if k != "style"} == {
        k: v for k, v in made.parameters.items() if k != "style"
    }


def test_every_parameter_reaches_the_transfer(style, audio, rate):
    effect = StyleTransfer(style, **OTHER)
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, style, rate, **OTHER).audio)


def test_parameters_changed_between_calls_take_effect(effect, style, other_style, audio, rate, quick):
    board = Pedalboard([effect])
    first = board(audio, rate)
    effect.alpha, effect.seed, effect.n_filters = 3.0, 4, 64
    want = stylize(audio, style, rate, **{**quick, "alpha": 3.0, "seed": 4, "n_filters": 64}).audio
    np.testing.assert_array_equal(board(audio, rate), want)
    effect.alpha, effect.seed, effect.n_filters = 0.01, 0, np.inf
    np.testing.assert_array_equal(board(audio, rate), first)
    effect.style = other_style
    np.testing.assert_array_equal(board(audio, rate), stylize(audio, other_style, rate, **quick).audio)


def test_mix(effect, audio, rate):
    wet = effect(audio, rate)
    effect.mix = 0.25
    want = 0.75 * audio.astype(np.float64) + 0.25 * wet
    np.testing.assert_allclose(effect(audio, rate), rms(audio) / rms(want) * want, atol=1e-7)
    effect.mix = 0
    np.testing.assert_array_equal(effect(audio, rate), audio)


def test_misspelt_parameter_is_refused(style):
    with pytest.raises(TypeError, match="kernel_widht"):
        StyleTransfer(style, kernel_widht=3)


def test_misspelt_attribute_is_refused_but_not_on_a_subclass(effect, style):
    with pytest.raises(AttributeError, match="alhpa"):
        effect.alhpa = 5

    class Own(StyleTransfer):
        pass

    Own(style).boost = 2


def test_progress_is_checked_when_it_is_set(effect):
    with pytest.raises(TypeError, match="progress='loud'"):
        effect.progress = "loud"
    assert effect.progress is None


def test_class_shows_its_parameters():
    assert all(hasattr(StyleTransfer, name) for name in OTHER)


def test_progress_is_told(style, audio, rate, quick):
    told = []
    effect = StyleTransfer(style, progress=told.append, **quick)
    Pedalboard([effect])(audio, rate)
    assert told[0].stage == "spectrogram" and told[-1].stage == "waveform"
    del told[:]
    effect.progress = None
    effect(audio, rate)
    assert not told


def test_interrupt_leaves_the_effect_usable(effect, audio, rate):
    want = effect(audio, rate)

    def interrupt(*event):
        raise KeyboardInterrupt

    effect.progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        Pedalboard([effect])(audio, rate)
    effect.progress = None
    np.testing.assert_array_equal(effect(audio, rate), want)


# ---------------------------------------------------------------- the style
def test_array_is_copied(style, audio, rate, quick):
    mine = style.copy()
    effect = StyleTransfer(mine, **quick)
    want = effect(audio, rate)
    mine[:] = 0
    np.testing.assert_array_equal(effect(audio, rate), want)
    np.testing.assert_array_equal(effect.style, style)


def test_held_array_can_not_be_changed_behind_the_effects_back(style, audio, rate, quick):
    effect = StyleTransfer(style, **quick)
    want = effect(audio, rate)
    with contextlib.suppress(ValueError):  # it may be read-only
        effect.style[:] = 0
    np.testing.assert_array_equal(effect(audio, rate), want)
    np.testing.assert_array_equal(copy.copy(effect)(audio, rate), want)


def test_style_of_another_rate(style, other_style, audio, rate, quick):
    effect = StyleTransfer(style, style_sample_rate=16000, **quick)
    want = stylize(audio, style, rate, style_sample_rate=16000, **quick).audio
    np.testing.assert_array_equal(effect(audio, rate), want)
    effect.style_sample_rate = None
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, style, rate, **quick).audio)
    effect.style_sample_rate = 11025
    want = stylize(audio, style, rate, style_sample_rate=11025, **quick).audio
    np.testing.assert_array_equal(effect(audio, rate), want)
    effect.style = [other_style]  # in the place of an array at 11,025 Hz
    assert effect.style_sample_rate == 11025


def test_rate_is_given_up_for_a_file(style, file, audio, rate, quick):
    effect = StyleTransfer(style, style_sample_rate=16000, **quick)
    effect.style = file
    assert effect.style_sample_rate is None and os.fspath(effect.style) == str(file)
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, file, rate, **quick).audio)
    with pytest.raises(ValueError, match="style_sample_rate=16000"):
        effect.style_sample_rate = 16000
    assert effect.style_sample_rate is None


def test_style_weights(style, audio, rate, quick):
    effect = StyleTransfer([style], style_weights=(2,), **quick)
    assert list(effect.style_weights) == [2]
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, style, rate, **quick).audio)
    with pytest.raises(ValueError, match="style_weights"):
        effect.style_weights = [1, 2]
    assert list(effect.style_weights) == [2]


def test_several_styles(file, style, other_style, audio, rate, quick):
    effect = StyleTransfer([file, other_style], style_weights=[1, 0.5], style_sample_rate=[None, 11025], **quick)
    want = stylize(
        audio, [style, other_style], rate, style_weights=[1, 0.5], style_sample_rate=[None, 11025], **quick
    ).audio
    np.testing.assert_array_equal(Pedalboard([effect])(audio, rate), want)
    assert effect.style[0] == str(file) and effect.style_weights == (1, 0.5)
    np.testing.assert_array_equal(effect.style[1], other_style[None])
    effect.style_weights, effect.style_sample_rate = None, 8000
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, [style, other_style], rate, **quick).audio)
    rewrite(file, other_style[::-1])
    want = stylize(audio, [other_style[::-1], other_style], rate, **quick).audio
    np.testing.assert_array_equal(effect(audio, rate), want)
    with pytest.raises(ValueError, match=r"style_weights=.*2 in all"):
        effect.style_weights = [1]
    np.testing.assert_array_equal(effect(audio, rate), want)


def test_rates_and_weights_stay_with_as_many_styles_of_their_kind(file, style, other_style, quick):
    effect = StyleTransfer([style, other_style], style_weights=[2, 1], style_sample_rate=[16000, 8000], **quick)
    effect.style = [other_style, style]
    assert effect.style_weights == (2, 1) and effect.style_sample_rate == (16000, 8000)
    effect.style = [other_style, file]
    assert effect.style_weights == (2, 1) and effect.style_sample_rate is None
    effect.style = [file, file, file]
    assert effect.style_weights is None


def through_json(effect, **how):
    return StyleTransfer(**json.loads(json.dumps(effect.parameters, **how)))


@pytest.mark.parametrize("parameters", [{}, OTHER])
@pytest.mark.parametrize("several", [False, True])
def test_json_holds_the_parameters(file, tmp_path, other_style, audio, rate, quick, parameters, several):
    soundfile.write(tmp_path / "other.wav", other_style, 8000)
    styles = [file, tmp_path / "other.wav"] if several else file
    weights = [np.float32(0.5), np.int64(2)] if several else np.array([2.0])
    effect = StyleTransfer(styles, style_weights=weights, **{**quick, **parameters, "seed": np.int64(3)})
    twin = through_json(effect)
    assert type(effect.parameters) is dict and twin.parameters == effect.parameters
    np.testing.assert_array_equal(twin(audio, rate), effect(audio, rate))


@pytest.mark.parametrize("several", [False, True])
def test_json_holds_an_array_as_numbers_if_it_is_told_to(style, other_style, stereo, audio, rate, quick, several):
    styles = [style, other_style, stereo] if several else stereo
    effect = StyleTransfer(styles, style_sample_rate=np.float32(11025), **quick)
    with pytest.raises(TypeError, match="ndarray is not JSON serializable"):
        through_json(effect)
    twin = through_json(effect, default=np.ndarray.tolist)
    np.testing.assert_equal(twin.parameters, effect.parameters)
    np.testing.assert_array_equal(twin(audio, rate), effect(audio, rate))


@pytest.mark.parametrize("kind", [str, lambda path: path, lambda path: [path]])
def test_file_is_read_and_used_at_its_own_rate(style, tmp_path, audio, rate, quick, kind):
    path = tmp_path / "style.flac"
    soundfile.write(path, style, 16000, subtype="PCM_24")
    want = stylize(audio, path, rate, **quick).audio
    np.testing.assert_array_equal(StyleTransfer(kind(path), **quick)(audio, rate), want)


def test_file_is_read_when_set_and_again_when_changed(file, other_style, audio, rate, quick, monkeypatch):
    reads, read = [], audiostyle_fx._recordings.files.read_audio
    monkeypatch.setattr(
        "audiostyle_fx._transfer.styles.style_inputs.read_audio",
        lambda path, name: reads.append(path) or read(path, name),
    )
    effect = StyleTransfer(file, **quick)
    assert len(reads) == 1
    first = effect(audio, rate)
    np.testing.assert_array_equal(effect(audio, rate), first)
    effect.alpha = 0.01
    assert len(reads) == 1
    rewrite(file, other_style)
    np.testing.assert_array_equal(effect(audio, rate), stylize(audio, other_style, rate, **quick).audio)
    assert len(reads) == 2
    rewrite(file, other_style, 16000, later=2)  # the same samples at another rate
    want = stylize(audio, other_style, rate, style_sample_rate=16000, **quick).audio
    np.testing.assert_array_equal(effect(audio, rate), want)


def test_file_that_goes_bad_raises_and_recovers(file, style, audio, rate, quick):
    effect = StyleTransfer(file, **quick)
    want = effect(audio, rate)
    rewrite(file, 0 * style, later=2)
    with pytest.raises(ValueError, match=r"style.*silent"):
        Pedalboard([effect])(audio, rate)
    file.write_text("no recording")
    with pytest.raises(ValueError, match=r"style=.*read"):
        effect(audio, rate)
    rewrite(file, style, later=4)
    np.testing.assert_array_equal(effect(audio, rate), want)


def test_an_effect_goes_on_when_its_file_is_gone(file, style, audio, rate, quick):
    effect = StyleTransfer(file, **quick)
    want = effect(audio, rate)
    pickled = pickle.dumps(effect)
    file.rename(file.with_name("moved.wav"))
    for same in (
        effect,
        copy.copy(effect),
        copy.deepcopy(effect),
        pickle.loads(pickled),
        pickle.loads(pickle.dumps(effect)),
    ):
        np.testing.assert_array_equal(same(audio, rate), want)
        assert same.style == str(file)
        at_another_rate = same(audio, 2 * rate)
        assert at_another_rate.shape == audio.shape and at_another_rate.any()
        same.style_weights = [2.0]
        np.testing.assert_array_equal(same(audio, rate), want)
    with pytest.raises(FileNotFoundError, match=r"style=.*style\.wav"):
        StyleTransfer(file, **quick)


def test_copies_of_a_subclass_are_made_by_its_own_constructor(file, audio, rate, quick):
    class Named(StyleTransfer):
        def __init__(self, style, **parameters):
            self.label = os.path.basename(style)
            super().__init__(style, **parameters)

    class Fixed(StyleTransfer):
        def __init__(self, amount):
            super().__init__(file, **{**quick, "alpha": amount})
            self._amount = amount

        @property
        def parameters(self):
            return {"amount": self._amount}

    named, fixed = Named(str(file), **quick), Fixed(0.5)
    want = named(audio, rate), fixed(audio, rate)
    assert copy.copy(named).label == "style.wav"
    file.unlink()
    for effect, expected in zip((named, fixed), want, strict=True):
        np.testing.assert_array_equal(copy.deepcopy(effect)(audio, rate), expected)
    with pytest.raises(FileNotFoundError):
        Fixed(0.5)


def test_a_copy_notices_a_changed_file(file, other_style, audio, rate, quick):
    effect = StyleTransfer(file, **quick)
    copies = [copy.deepcopy(effect), pickle.loads(pickle.dumps(effect))]
    rewrite(file, other_style)
    want = stylize(audio, other_style, rate, **quick).audio
    for same in (effect, *copies):
        np.testing.assert_array_equal(same(audio, rate), want)


def test_bad_style_is_refused_when_set_and_the_old_one_kept(effect, style, tmp_path, audio, rate):
    want = effect(audio, rate)
    silent, text = tmp_path / "silent.wav", tmp_path / "text.wav"
    soundfile.write(silent, 0 * style, 8000)
    text.write_text("no recording")
    for bad, kind in [
        (tmp_path / "nowhere.wav", FileNotFoundError),
        (silent, ValueError),
        (text, ValueError),
        (tmp_path, ValueError),
        (np.zeros(8000, np.float32), ValueError),
        (np.zeros(0, np.float32), ValueError),
        (np.ones(8000, np.int16), TypeError),
        (None, TypeError),
        ([style, None], TypeError),
        ([style, 0 * style], ValueError),
        ([], ValueError),
    ]:
        with pytest.raises(kind, match="style"):
            effect.style = bad
        with pytest.raises(kind, match="style"):
            StyleTransfer(bad)
    np.testing.assert_array_equal(effect.style, style)
    np.testing.assert_array_equal(effect(audio, rate), want)


def test_relative_path_stays_the_same_file_in_another_folder(file, audio, rate, quick, tmp_path, monkeypatch):
    want = StyleTransfer(file, **quick)(audio, rate)
    monkeypatch.chdir(tmp_path)
    effect = StyleTransfer("style.wav", **quick)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.testing.assert_array_equal(effect(audio, rate), want)
    effect.alpha = 0.01
    np.testing.assert_array_equal(effect(audio, rate), want)
    np.testing.assert_array_equal(copy.deepcopy(effect)(audio, rate), want)


# ---------------------------------------------------------------- repr, copies
def test_repr_shows_every_parameter(style, file):
    effect = StyleTransfer(file, **OTHER)
    text = repr(effect)
    assert text.startswith("<audiostyle_fx.StyleTransfer ") and text.endswith(f" at 0x{id(effect):x}>")
    for name, value in effect.parameters.items():
        assert f" {name}={value!r}" in text
    assert " style=" in text and str(file) in text
    assert " style=<array (8000,) float32> " in repr(StyleTransfer(style))
    assert " style=(<array (1, 8000) float32>, <array (1, 8000) float32>) " in repr(StyleTransfer([style, style]))
    assert repr(effect) in repr(Pedalboard([effect]))


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda effect: pickle.loads(pickle.dumps(effect)),
    "parameters": lambda effect: StyleTransfer(**effect.parameters),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", ["several", *(pytest.param(k, marks=pytest.mark.slow) for k in ("array", "file"))])
def test_copies_are_the_same_effect_and_independent(style, file, audio, rate, way, kind):
    styles = {"array": [style], "file": [file], "several": [style, file]}[kind]
    given = {} if kind == "file" else {"style_sample_rate": 16000}
    effect = StyleTransfer(styles, **given, style_weights=[2, 1][: len(styles)], **OTHER)
    twin = COPIES[way](effect)
    assert type(twin) is StyleTransfer and twin is not effect
    np.testing.assert_equal(twin.parameters, effect.parameters)
    want = effect(audio, rate)
    np.testing.assert_array_equal(Pedalboard([twin])(audio, rate), want)
    twin.alpha, twin.style = 7, style[::-1]
    assert effect.alpha == OTHER["alpha"]
    np.testing.assert_array_equal(effect(audio, rate), want)


def test_parameters_are_a_copy(effect):
    effect.parameters["alpha"] = 99
    assert effect.alpha == 0.01


def test_package_offers_what_it_says():
    assert set(audiostyle_fx.__all__) >= {"StyleTransfer", "stylize", "texture", "Result"}
    assert all(hasattr(audiostyle_fx, name) for name in audiostyle_fx.__all__)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_interrupt_stops_a_transfer_and_leaves_board_and_effect_usable(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        """
import signal
import numpy as np
from pedalboard import Gain, Pedalboard
from audiostyle_fx import StyleTransfer, Window

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
noise = 0.1 * np.random.default_rng(0).standard_normal((2, 16000)).astype(np.float32)
tell = lambda event: print("working", flush=True)
effect = StyleTransfer(noise[0], windows=Window(n_fft=256), spectrogram_iters=10**9, progress=tell)
board = Pedalboard([effect, Gain(0)])
try:
    board(noise, 8000)
except KeyboardInterrupt:
    effect.progress, effect.spectrogram_iters, effect.phase_iters, effect.waveform_iters = None, 2, 2, 2
    print("interrupted", np.isfinite(board(noise, 8000)).all(), board[0] is effect, flush=True)
"""
    )
    with subprocess.Popen([sys.executable, "-W", "error", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().splitlines()[-1] == "interrupted True True"
        assert process.wait() == 0
