"""The host's share of the work on a GPU, as Markdown: python tests/benchmarks/host.py [--quick].

64 recordings of ten seconds, mono at 22,050 Hz, cut from the shipped song at different speeds, are styled as one batch.
One recording is styled alone, several times.
64 stereo stems of ten seconds at 44,100 Hz are styled as a folder: one by one, and as on a GPU, in threads and in
processes. The three stages, which a GPU would compute, give back the content at once. What is left is all work before
and after them. Times are the least of several calls.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from benchmark import AUDIO, CONTENT, MONO, RATE, STEREO, STYLE, machine, recording

from audiostyle_fx import style_folder, stylize, stylize_batch
from audiostyle_fx._engine.cuda import batching, device_threads
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._transfer.results import Stage
from audiostyle_fx._transfer.stages import section_batch
from audiostyle_fx._transfer.stages.section_batch import SectionBatch, StyledBatch
from audiostyle_fx._transfer.whole_recordings import prepared_sections, recording_transfer
from audiostyle_fx.folders import workers

CLIPS, STEMS, SECONDS = 64, 64, 10
PARAMETERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    '`key="style"`': {"key": "style"},
    '`preset="plain"`': {"preset": "plain"},
}


def clips(count: int) -> list[np.ndarray]:
    """Recordings that differ, (samples,)."""
    song = recording(CONTENT, MONO)[0]
    speeds = [resample(song, RATE, RATE * (1 + number / (2 * count))) for number in range(count)]
    return [0.5 * np.tile(speed, 2)[0, : SECONDS * RATE] for speed in speeds]


def no_stages(batch: SectionBatch, *arguments: Any) -> StyledBatch:
    """Give back the contents."""
    stage = Stage(0.0, np.arange(2), np.zeros(2), np.zeros(2))
    stages = dict.fromkeys(("spectrogram", "phase", "waveform"), stage)
    return StyledBatch(batch.contents.astype(np.float32, copy=False), [dict(stages) for _ in batch.contents])


def pretend_a_gpu() -> None:
    """Let a folder be processed as on a GPU."""
    one_gpu: Callable[[str], list[str]] = lambda device: ["cuda:0"]  # noqa: E731
    memory: Callable[..., np.ndarray] = lambda shape, device: np.empty(shape, np.float32)  # noqa: E731
    for module in (batching, workers):
        module.device_names = one_gpu  # type: ignore[attr-defined]
    for owner in (recording_transfer, section_batch):
        owner.host_array = memory  # type: ignore[attr-defined]
    device_threads.items_that_fit = lambda device, item_bytes: CLIPS  # type: ignore[assignment]


def cpu_seconds() -> float:
    """CPU time of this process and of those that it has started and that have ended."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def measured(call: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Milliseconds of a call, and of CPU time, the least of each."""
    times = []
    for _ in range(rounds):
        start, cpu = time.perf_counter(), cpu_seconds()
        call()
        times.append((time.perf_counter() - start, cpu_seconds() - cpu))
    wall, cpu = (1000 * min(column) for column in zip(*times, strict=True))
    return wall, cpu


def batch_table(count: int, rounds: int) -> None:
    """Print the table of a batch."""
    contents, style, in_batches = clips(count), recording(STYLE, MONO)[0], recording_transfer.in_batches
    recording_transfer.in_batches = lambda items, device, item_bytes: [items]  # type: ignore[assignment]
    print(f"| {len(contents)} recordings of {SECONDS} s | ms | ms of CPU time |")
    print("|---|---:|---:|")
    for name, parameters in PARAMETERS.items():

        def call(parameters: dict[str, Any] = parameters) -> None:
            stylize_batch(contents, style, RATE, device="cpu", **parameters)

        wall, cpu = measured(call, rounds)
        print(f"| {name} | {wall:.0f} | {cpu:.0f} |", flush=True)
    recording_transfer.in_batches = in_batches  # type: ignore[assignment]


def one_table(rounds: int) -> None:
    """Print the table of a recording that is not the first with its style."""
    print("\n| one recording, defaults | ms | ms of CPU time |")
    print("|---|---:|---:|")
    for size in (MONO, STEREO):
        (content, rate), style = recording(CONTENT, size), recording(STYLE, size)[0]
        content = content[:, : round(SECONDS * rate)]
        wall, cpu = measured(partial(stylize, content, style, rate, device="cpu"), 1 + rounds)
        print(f"| {size} | {wall:.0f} | {cpu:.0f} |", flush=True)


def folder_table(count: int, rounds: int) -> None:
    """Print the table of a folder."""
    (content, rate), n_samples = recording(CONTENT, STEREO), round(SECONDS * recording(CONTENT, STEREO)[1])
    print(f"\n| {count} stereo stems of {SECONDS} s | ms for each file | ms of CPU time |")
    print("|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "stems")
        source.mkdir()
        for stem in range(count):
            audio = np.roll(content, stem * n_samples // count, axis=1)[:, :n_samples]
            soundfile.write(source / f"{stem:03}.wav", audio.T, int(rate), subtype="FLOAT")

        def call(jobs: int) -> None:
            result = style_folder(source, Path(name, "out"), AUDIO / STYLE, device="auto", force=True, jobs=jobs)
            if result.failed:
                raise RuntimeError(result.failed)

        for way, jobs in (("one by one", 1), ("in threads", 1), ("in two processes", 2)):
            wall, cpu = measured(partial(call, jobs), rounds)
            print(f"| {way} | {wall / count:.0f} | {cpu / count:.0f} |", flush=True)
            pretend_a_gpu()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="eight recordings, once")
    quick = parser.parse_args().quick
    prepared_sections.three_stages = no_stages  # type: ignore[assignment]
    print(f"Measured on {machine()}.\n")
    batch_table(8 if quick else CLIPS, 1 if quick else 5)
    one_table(2 if quick else 10)
    folder_table(8 if quick else STEMS, 1 if quick else 5)


if __name__ == "__main__":
    main()
