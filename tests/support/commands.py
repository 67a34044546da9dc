"""The command as tests run it, in this process or in its own."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import soundfile
from support.processes import contents

import audiostyle_fx
from audiostyle_fx.cli import main
from audiostyle_fx.folders.records.manifest import HIDDEN, NAME

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(audiostyle_fx.__file__).parents[1])}
PROGRAM = [sys.executable, "-m", "audiostyle_fx"]

STAGES = ["windows=256smp", "kernel_width=3", "spectrogram_iters=4", "phase_iters=3", "waveform_iters=3"]
"""The fixture `quick_stages`, as words."""

QUICK = ["preset=plain", *STAGES]
"""The fixture `quick`, as words: the quickest transfer."""

STYLED = ["song.wav", "out.wav", "style", "style.wav"]

TEXTURE = ["-n", "out.wav", "style", "style.wav", "duration=0.5", "waveform_iters=3", "kernel_width=2,6"]


def run(*arguments):
    """Return the exit code of the command in this process."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


def run_program(*arguments, data=b""):
    """Run the command in a process of its own, with pipes for its input and output."""
    program = [sys.executable, "-W", "error", "-m", "audiostyle_fx", *arguments]
    return subprocess.run(program, input=data, capture_output=True, timeout=60, env=ENVIRONMENT)


def read(path):
    """Return the samples of a file, (channels, samples)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def names(folder):
    return sorted(os.listdir(folder))


def fails(capsys, code, *arguments):
    """Check the exit code, that one line says why and that no file has come or gone; return that line."""
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert run(*arguments) == code
    shown = capsys.readouterr()
    assert shown.out == "" and "Traceback" not in shown.err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
    line = shown.err.strip().splitlines()[-1]
    assert line.startswith("audiostyle: ")
    return line


def run_on_folder(*words):
    """Return the exit code of the command from the folder ``in`` to ``out``, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return main(["in", "out", *words])


def finished(folder):
    """Return the finished files of a folder, with their bytes."""
    return {name: data for name, data in contents(folder).items() if HIDDEN not in name}


def records(folder="out"):
    """Return the manifest's records of a folder's files."""
    return json.loads(Path(folder, NAME).read_text())["files"]
