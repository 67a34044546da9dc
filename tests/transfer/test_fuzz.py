"""Any array, any parameter and any file: a finite result of the input's shape, or an error that the docs name."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import audiostyle_fx
from audiostyle_fx import StyleTransfer, Window, stylize
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._transfer.parameters.presets import choose
from audiostyle_fx.cli import command

# What fails is shown as it was found: shrinking it takes minutes.
SETTINGS = {"deadline": None, "suppress_health_check": [*HealthCheck], "phases": [Phase.explicit, Phase.generate]}

FLOATS = st.one_of(
    st.floats(-1, 1, width=32),
    st.floats(width=32),  # infinities, NaN and denormals among them
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, 1e-38, 3e38]).map(np.float32).map(float),
)
SHAPES = st.one_of(st.tuples(st.integers(0, 500)), st.tuples(st.integers(0, 4), st.integers(0, 500)))
RECORDINGS = st.one_of(
    arrays.arrays(st.sampled_from([np.float32, np.float64]), SHAPES, elements=FLOATS),
    st.builds(  # no two samples alike
        lambda seed, shape, level: np.random.default_rng(seed).uniform(-level, level, shape).astype(np.float32),
        st.integers(0, 99),
        SHAPES,
        st.sampled_from([1e-44, 1e-38, 1e-20, 1e-6, 0.1, 1, 1e6, 1e30, 1e38]),
    ),
)
PARAMETERS = st.fixed_dictionaries(
    {
        "windows": st.builds(
            lambda n_fft, hops: Window(n_fft=n_fft, hop_length=max(1, n_fft * hops // 50)),
            st.sampled_from([16, 20, 64, 100]),
            st.integers(1, 25),
        ),
        "kernel_width": st.one_of(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=2)),
        "spectrogram_iters": st.integers(0, 2),
        "phase_iters": st.integers(0, 2),
        "waveform_iters": st.integers(0, 2),
    },
    optional={
        "alpha": st.sampled_from([0, 1e-300, 1e-9, 0.01, 1.0, 1e9, 1e300]),
        "equalize": st.just(False),
        "content_share": st.floats(0, 1),
        "dynamics": st.just(False),
        "key": st.one_of(st.just("style"), st.floats(-12, 12)),
        "n_filters": st.sampled_from([1, 7, 60]),
        "optimizer": st.just("lbfgs"),
        "init": st.just("noise"),
        "phase_init": st.just("random"),
        "normalize": st.just(False),
        "match_level": st.just(False),
        "preset": st.just("original"),
        "mix": st.floats(0, 1),
        "seed": st.integers(0, 2**70),
    },
)


def any_array(data):
    content, parameters = data.draw(RECORDINGS, "content"), data.draw(PARAMETERS, "parameters")
    styles = data.draw(st.one_of(RECORDINGS, st.lists(RECORDINGS, min_size=1, max_size=3)), "style")
    rate = data.draw(st.sampled_from([8000, 11_025, 44_100.0, 192_000]), "sample_rate")
    more = {"style_sample_rate": data.draw(st.sampled_from([None, None, 8000, 48_000]), "style_sample_rate")}
    before = content.copy()
    try:
        result = stylize(content, styles, rate, **more, **parameters)
    except (ValueError, RuntimeError) as error:
        why = error
    else:
        assert result.audio.shape == content.shape and result.audio.dtype == np.float32
        assert np.isfinite(result.audio).all()
        why = None
    np.testing.assert_array_equal(content, before)
    if isinstance(why, RuntimeError):
        assert "silent or not finite" in str(why)
        extreme = np.abs(content).max() > 1e36 or not choose(parameters).normalize
        assert extreme or parameters.get("alpha", 0) > 1e6
    elif why:
        assert any(name in str(why) for name in ("content", "style", "_iters", "lbfgs"))


@settings(max_examples=60, derandomize=True, **SETTINGS)
@given(data=st.data())
def test_any_array(data):
    any_array(data)


@pytest.mark.slow
@settings(max_examples=5000, derandomize=True, **SETTINGS)
@given(data=st.data())
def test_any_array_at_length(data):
    any_array(data)


# ---------------------------------------------------------------- files
FORMATS = [
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "MS_ADPCM"),
    ("wav", "RF64", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("ogg", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_16"),
    ("caf", "CAF", "ALAC_16"),
    ("au", "AU", "PCM_16"),
    ("w64", "W64", "PCM_16"),
]


def damaged(good, rng):
    """The bytes of a file cut, overwritten in its header or anywhere, with something put in or left out."""
    data, header = bytearray(good), min(len(good), 200)
    kind = rng.integers(6)
    if kind == 0:
        return bytes(data[: rng.integers(len(data) + 1)])
    if kind == 1:
        at = rng.integers(len(data))
        data[at:at] = rng.bytes(rng.integers(1, 200))
    elif kind == 2:
        at = rng.integers(len(data))
        del data[at : at + rng.integers(1, 400)]
    elif kind == 3:
        at, size = rng.integers(header), rng.choice([2, 4, 8])
        data[at : at + size] = bytes([rng.choice([0, 127, 128, 255])]) * size
    else:
        for at in rng.integers(len(data) if kind == 4 else header, size=rng.integers(1, 20)):
            data[at] = rng.integers(256)
    return bytes(data)


def recording(file_format, subtype):
    """Bytes of a good file, half a second in stereo at 8000 Hz, with tags."""
    held, samples = io.BytesIO(), 0.1 * np.random.default_rng(0).standard_normal((4000, 2))
    with soundfile.SoundFile(held, "w", 8000, 2, subtype, format=file_format) as file:
        if file_format not in ("AU", "W64"):
            file.title = "a title"
        file.write(samples)
    return held.getvalue()


READER = """
import faulthandler, sys, warnings
import numpy as np
sys.path.insert(0, sys.argv[1])
from audiostyle_fx._recordings.arrays import check_audio
from audiostyle_fx._recordings.files import read_audio, read_format

warnings.simplefilter("error")
warnings.filterwarnings("ignore", "input=.* (ends|may hold|is damaged|has|holds)", UserWarning)
for path in sys.argv[2:]:
    faulthandler.dump_traceback_later(20, exit=True)  # a hang
    print(path, flush=True)
    try:
        samples, rate = read_audio(path, "input")
        assert samples.dtype == np.float32 and samples.ndim == 2 and 1000 <= rate <= 1_000_000
        check_audio("input", samples)
        subtype, kept = read_format(path)
        tags = kept.metadata.tags
        assert all(isinstance(text, str) for text in (subtype or "", *tags, *tags.values()))
    except ValueError as error:
        assert "input" in str(error), error
print("done")
"""


def read_damaged(folder, formats, number):
    """Read damaged files in a process of their own, which a crash of libsndfile would end; ``number`` a format."""
    paths = []
    for ending, file_format, subtype in formats:
        good, rng = recording(file_format, subtype), np.random.default_rng(1)
        bad = [b"", b"\0" * 1000, good[:1], good[:44], *(damaged(good, rng) for _ in range(number - 4))]
        for i, data in enumerate(bad):
            paths.append(folder / f"{subtype}{i}.{ending}")
            paths[-1].write_bytes(data)
    root = str(Path(audiostyle_fx.__file__).parents[1])
    command = [sys.executable, "-c", READER, root, *paths]
    done = subprocess.run(command, capture_output=True, timeout=500, check=False)
    said = done.stdout.decode().split("\n")
    assert done.returncode == 0 and said[-2] == "done", (said[-2], done.stderr.decode(errors="replace")[-2000:])


@pytest.mark.slow
def test_damaged_files(tmp_path):
    read_damaged(tmp_path, FORMATS, 20)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_damaged_files_at_length(tmp_path, file_format):
    read_damaged(tmp_path, [file_format], 2000)


@pytest.mark.filterwarnings("ignore:.*style=.* (ends|may hold|is damaged|has|holds):UserWarning")
@pytest.mark.parametrize(("ending", "file_format", "subtype"), FORMATS)
def test_damaged_styles(tmp_path, quick, content, ending, file_format, subtype):
    good, rng = recording(file_format, subtype), np.random.default_rng(2)
    path = tmp_path / f"style.{ending}"
    for data in (b"", good[: len(good) // 2], *(damaged(good, rng) for _ in range(4))):
        path.write_bytes(data)
        try:
            out = StyleTransfer(path, **quick)(content[:1000].copy(), 8000)
        except ValueError as error:
            why = str(error)
            assert "style" in why
        else:
            assert out.shape == (1000,) and np.isfinite(out).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*(turned down|peaks limited|ends|may hold|is damaged|has|holds):UserWarning")
def test_the_command_leaves_no_half_file_of_a_damaged_song(tmp_path, monkeypatch, style, capsys):
    monkeypatch.chdir(tmp_path)
    soundfile.write("style.wav", style, 8000)
    rng = np.random.default_rng(3)
    quick = ["windows=64smp", "kernel_width=2", "spectrogram_iters=1", "phase_iters=1", "waveform_iters=1"]
    for ending, file_format, subtype in FORMATS:
        good = recording(file_format, subtype)
        for data in (b"", *(damaged(good, rng) for _ in range(2))):
            Path(f"song.{ending}").write_bytes(data)
            code = command.main(["-q", f"song.{ending}", "out.wav", "style", "style.wav", *quick])
            assert code == (0 if Path("out.wav").exists() else 1), capsys.readouterr().err
            if code == 0:
                assert soundfile.info("out.wav").frames == read_audio(f"song.{ending}", "")[0].shape[1]
                Path("out.wav").unlink()
            Path(f"song.{ending}").unlink()
            assert [path.name for path in tmp_path.iterdir()] == ["style.wav"]
