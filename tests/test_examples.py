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
    """A function that returns the output of an example."""

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


SOUNDS = ["song", "anthem", "song_strength_0.2", "song_strength_0.33", "song_strength_0.8"]
SOUNDS += ["drums", "drums_styled", "voice", "voice_styled"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*(limited|turned down):UserWarning")
def test_sounds_are_made(run, tmp_path):
    run("sounds/make_sounds.py", "--out", tmp_path, "--seconds", "0.5")
    assert {path.stem for path in tmp_path.iterdir()} == {*SOUNDS}
    for path in tmp_path.iterdir():
        audio, rate = soundfile.read(path)
        assert len(audio) == rate // 2 and audio.std() > 0.01, path


def test_sounds_are_shipped_and_small():
    files = {path.stem: path for path in (EXAMPLES / "sounds").glob("*.mp3")}
    assert files.keys() == {*SOUNDS}
    shipped = [*files.values(), *(EXAMPLES / "audio").glob("*.ogg")]
    assert sum(path.stat().st_size for path in shipped) < 2_000_000
    assert (EXAMPLES / "tour.ipynb").stat().st_size < 1_000_000
    for name in ("drums", "voice"):
        assert len(soundfile.read(files[name])[0]) == len(soundfile.read(files[f"{name}_styled"])[0]), name


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `notebook`")
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `notebook`")
    pytest.importorskip("ipykernel", reason="needs the extra `notebook`")
    monkeypatch.chdir(EXAMPLES)
    notebook = nbformat.read("tour.ipynb", as_version=4)
    shown = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert shown.count("<audio") >= 3 and "data:image/png" in shown, "it is shipped with players and figures"
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    again = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert again.count("<audio") == shown.count("<audio")


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
