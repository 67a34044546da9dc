"""Folders of stems, as Markdown: python tests/benchmarks/folders.py [--quick | --records N].

24 stems of ten seconds, mono at 22,050 Hz, cut from the shipped song at different speeds, are styled as the shipped
anthem with the defaults on the CPU: by `stylize` one after the other, reading and writing included, and by
`style_folder` with one and with two jobs. Each way runs twice, in turn, and the faster run counts. What a way adds to
the transfers shows in the time outside of them, as runs of equal work differ by more than that.

With ``--records N``, the table is that of a folder of N recordings whose transfers take no time: the first run plans
and records them, the second finds all of them finished.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from benchmark import AUDIO, CONTENT, MONO, RATE, STYLE, machine, recording

from audiostyle_fx import style_folder, stylize
from audiostyle_fx._recordings.files import read_audio
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._recordings.writing import write_audio
from audiostyle_fx._transfer.whole_recordings import prepared_sections

STEMS, SECONDS = 24, 10


def write_stems(folder: Path, count: int) -> None:
    """Stems that differ, in 16 bits and with room below full scale."""
    song = recording(CONTENT, MONO)[0]
    for number in range(count):
        stem = resample(song, RATE, RATE * (1 + number / 50))
        soundfile.write(folder / f"stem {number + 1:02}.wav", 0.5 * np.tile(stem, 2)[0, : SECONDS * RATE], RATE)


def by_functions(source: Path, target: Path) -> None:
    """What a user's own loop would do."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        audio, rate = read_audio(path, "stem")
        write_audio(target / path.name, stylize(audio, AUDIO / STYLE, rate, device="cpu").audio, rate, "PCM_16")


def by_folder(jobs: int) -> Callable[[Path, Path], None]:
    """The folder's machinery."""

    def run(source: Path, target: Path) -> None:
        result = style_folder(source, target, AUDIO / STYLE, jobs=jobs, device="cpu")
        if result.failed:
            raise RuntimeError(result.failed)

    return run


class Transfers:
    """Takes the time of transfers in this process."""

    def __init__(self) -> None:
        self.seconds, self._transfer = 0.0, prepared_sections.three_stages
        prepared_sections.three_stages = self  # type: ignore[assignment]

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Run one."""
        start = time.perf_counter()
        result = self._transfer(*arguments, **keywords)
        self.seconds += time.perf_counter() - start
        return result


class NoWork(Executor):
    """Answers each task at once with a record of the usual size."""

    def submit(self, function: Any, task: Any) -> Any:  # type: ignore[override]
        """Answer a task."""
        losses = [round(1.2345 * n, 6) for n in range(32)]
        stage = {"seconds": 1.0, "iterations": list(range(32)), "style_loss": losses, "content_loss": losses}
        stages = dict.fromkeys(("spectrogram", "phase", "waveform"), stage)
        audio = {"subtype": "PCM_16", "level": 1.0, "full_scale": 1.0, "duration": 10.0, "seconds": 3.0}
        Path(task.finished).touch()
        future: Future[Any] = Future()
        future.set_result({"status": "done", **audio, "transfers": [{"parameters": {}, "stages": stages}]})
        return future


def records_table(count: int) -> None:
    """Print the seconds of a first and a second run over many recordings, and the memory."""
    print(f"Measured on {machine()}.\n")
    print(f"| {count} recordings | seconds until the first is processed | seconds in all | memory, MB |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder, "in", f"{number // 1000:03}", f"{number:06}.wav")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name in ("first run", "second run"):
            start, planned = time.perf_counter(), []

            def progress(event: Any, start: float = start, planned: list[float] = planned) -> None:
                if event.kind == "start":
                    planned.append(time.perf_counter() - start)

            options: dict[str, Any] = {"independent": True, "executor": NoWork(), "progress": progress}
            style_folder(Path(folder, "in"), Path(folder, "out"), AUDIO / STYLE, **options)
            seconds, memory = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            print(f"| {name} | {planned[0]:.1f} | {seconds:.1f} | {memory:.0f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four stems, once")
    parser.add_argument("--records", type=int, metavar="N", help="N recordings whose transfers take no time")
    options = parser.parse_args()
    if options.records:
        records_table(options.records)
        return
    count, rounds = (4, 1) if options.quick else (STEMS, 2)
    ways = {
        "`stylize`, one after the other": by_functions,
        "`style_folder`, `jobs=1`": by_folder(1),
        "`style_folder`, `jobs=2`": by_folder(2),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    outside: dict[str, list[float]] = {way: [] for way in ways}
    transfers = Transfers()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "stems")
        source.mkdir()
        write_stems(source, count)
        stylize(read_audio(source / "stem 01.wav", "stem")[0][:, :RATE], AUDIO / STYLE, RATE, device="cpu")  # warm up
        for turn in range(rounds):
            for number, (way, run) in enumerate(ways.items()):
                start, before = time.perf_counter(), transfers.seconds
                run(source, Path(folder, f"out {turn} {number}"))
                seconds[way].append(time.perf_counter() - start)
                outside[way].append(1 - (transfers.seconds - before) / seconds[way][-1])
    print(f"Measured on {machine()}.\n")
    print(f"| {count} stems of {SECONDS} s | seconds | files a minute | outside of transfers |")
    print("|---|---:|---:|---:|")
    for way, times in seconds.items():
        share = f"{min(outside[way]):.1%}" if min(outside[way]) < 1 else ""  # in other processes
        print(f"| {way} | {min(times):.1f} | {60 * count / min(times):.1f} | {share} |")


if __name__ == "__main__":
    main()
