"""Time and memory against length, rate and channels: python tests/benchmarks/lengths.py [--quick] [--plot OUT.png].

The shipped song, repeated and resampled, is styled as the shipped anthem with the defaults, on the CPU: all by
`stylize`, some lengths by `style_file` too. Every measurement runs in a process of its own, which has styled a second
of noise before. From there on memory is counted, with the recording itself where it is held in memory.
Prints Markdown, and draws with matplotlib.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from benchmark import AUDIO, CONTENT, STYLE, in_process, machine, peak_megabytes
from matplotlib.figure import Figure

from audiostyle_fx import style_file, stylize
from audiostyle_fx._recordings.resampling import resample

PLOT = AUDIO.parent / "lengths.png"
FUNCTIONS = "stylize", "style_file"
FILE_SECONDS = 10, 20, 60, 180  # what `style_file` is measured at: its work is that of `stylize`, its memory is not


class Recording(NamedTuple):
    """What is styled."""

    seconds: int
    rate: int
    channels: int


class Row(NamedTuple):
    """What is measured of one function and recording."""

    function: str
    recording: Recording
    seconds: float
    megabytes: float

    @property
    def per_second(self) -> float:
        """Seconds of computing a second of audio."""
        return self.seconds / self.recording.seconds


def series(quick: bool) -> dict[str, dict[float, Recording]]:
    """The recordings along each axis of the plot, by their place on it."""
    lengths = (10, 20, 60) if quick else (10, 20, 60, 180, 600)
    rates = (8000, 22050, 44100) if quick else (8000, 22050, 44100, 96000, 192000)
    channels = (1, 2) if quick else (1, 2, 6)
    return {
        "length in s, mono at 22,050 Hz": {seconds: Recording(seconds, 22050, 1) for seconds in lengths},
        "rate in kHz, 10 s in mono": {rate / 1000: Recording(10, rate, 1) for rate in rates},
        "channels, 10 s at 44,100 Hz": {count: Recording(10, 44100, count) for count in channels},
    }


def write(recording: Recording, path: str) -> dict[str, float]:
    """Make a recording out of the song's ten seconds: no two channels are the same."""
    song, rate = soundfile.read(AUDIO / CONTENT, dtype="float32")
    audio = resample(song.T if recording.channels > 1 else song.T.mean(axis=0, keepdims=True), rate, recording.rate)
    audio = np.concatenate([np.roll(audio, k * recording.rate, axis=1) for k in range(-(-recording.channels // 2))])
    left = recording.seconds * recording.rate
    with soundfile.SoundFile(path, "w", recording.rate, recording.channels, "FLOAT") as file:
        while left > 0:
            file.write(audio[: recording.channels, :left].T)
            left -= audio.shape[1]
    return {}


def measure(function: str, path: str) -> dict[str, float]:
    """Seconds and megabytes that a transfer of the file takes in a warm process."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    stylize(noise, noise, 8000, device="cpu", spectrogram_iters=2, phase_iters=2, waveform_iters=2)
    before = peak_megabytes()
    if function == "stylize":
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        start = time.perf_counter()
        stylize(audio.T, AUDIO / STYLE, rate, device="cpu")
    else:
        start = time.perf_counter()
        style_file(path, Path(path).with_name("out.wav"), AUDIO / STYLE, device="cpu")
    return {"seconds": time.perf_counter() - start, "megabytes": peak_megabytes() - before}


def measured(function: str, recording: Recording) -> Row:
    """The same in processes of their own: a new one's peak is no less than that of the one that starts it."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "song.wav")
        in_process("--row", "write", path, *map(str, recording), script=__file__)
        return Row(function, recording, **in_process("--row", function, path, script=__file__))


def draw(rows: dict[tuple[str, Recording], Row], axes_of: dict[str, dict[float, Recording]], path: str) -> None:
    """Time above, memory below; a column for each axis."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    axes = figure.subplots(2, len(axes_of), sharex="col", sharey="row")
    for column, (name, recordings) in zip(axes.T, axes_of.items(), strict=True):
        for function in FUNCTIONS:
            own = {x: rows[function, one] for x, one in recordings.items() if (function, one) in rows}
            if len(own) > 1:
                column[0].plot(own.keys(), [row.per_second for row in own.values()], "o-", label=function)
                column[1].plot(own.keys(), [row.megabytes for row in own.values()], "o-", label=function)
        column[1].set(xlabel=name, xscale="log", xticks=[*recordings], xticklabels=[f"{x:g}" for x in recordings])
        column[1].minorticks_off()
    for axis in axes.flat:  # when everything is drawn, as they share their scales
        axis.grid(alpha=0.3)
        axis.set_ylim(bottom=0)
    axes[0, 0].set_ylabel("s of computing a second of audio")
    axes[1, 0].set_ylabel("peak MB")
    axes[0, 0].legend()
    figure.savefig(path, dpi=80)


def main() -> None:
    """Print the table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a minute at most, and fewer rates and channels")
    parser.add_argument("--plot", default=PLOT, help="the picture, examples/lengths.png by default")
    parser.add_argument("--row", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        function, path, *recording = options.row
        done = write(Recording(*map(int, recording)), path) if recording else measure(function, path)
        print(json.dumps(done))
        return

    print(f"Measured on {machine()}.\n")
    print("| recording | function | seconds a second | peak MB |\n|---|---|---:|---:|")
    axes_of, rows = series(options.quick), {}
    for function in FUNCTIONS:
        for recordings in axes_of.values():
            for recording in recordings.values():
                here = function == "stylize" or (recording.rate == 22050 and recording.seconds in FILE_SECONDS)
                if here and (function, recording) not in rows:
                    row = rows[function, recording] = measured(function, recording)
                    what = f"{recording.seconds} s, {recording.rate:,} Hz, {recording.channels} ch."
                    print(f"| {what} | `{function}` | {row.per_second:.2f} | {row.megabytes:.0f} |", flush=True)
    draw(rows, axes_of, options.plot)


if __name__ == "__main__":
    main()
