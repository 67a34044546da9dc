"""Every example script runs, on half a second of the shipped recordings."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    """A function: what an example prints."""

    def run_script(script: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        return capsys.readouterr().out

    return run_script


def check_audio(path: Path, seconds: float) -> None:
    audio, rate = soundfile.read(path)
    assert audio.shape == (seconds * rate, 2)
    assert np.isfinite(audio).all()
    assert audio.std() > 0.01


@pytest.mark.parametrize(
    "script", ["one_file.py", *(pytest.param(s, marks=pytest.mark.slow) for s in ("board.py", "texture.py"))]
)
def test_scripts_that_write_audio(run, script, tmp_path):
    assert str(tmp_path / "out.wav") in run(script, tmp_path / "out.wav", "0.5")
    check_audio(tmp_path / "out.wav", 0.5)


@pytest.mark.slow
def test_figure(run, tmp_path):
    pytest.importorskip("matplotlib")
    run("figure.py", tmp_path / "out.png", "0.5")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out.png").stat().st_size > 20_000


def test_own_effect(run):
    assert run("own_effect.py").strip()


def test_every_script_is_short_and_tested():
    tested = Path(__file__).read_text()
    for script in EXAMPLES.glob("*.py"):
        assert len(script.read_text().splitlines()) < 40, script
        assert script.name in tested, script


@pytest.mark.parametrize("name", ["anthem.ogg", "mountain_king.ogg"])
def test_recordings_are_fit_to_ship(name):
    path = EXAMPLES / "audio" / name
    audio, rate = soundfile.read(path)
    assert path.stat().st_size < 400_000
    assert audio.shape == (10 * rate, 2)
    assert rate == 44100
    assert 0.5 < np.abs(audio).max() <= 1
    assert name in (EXAMPLES / "audio" / "README.md").read_text()
