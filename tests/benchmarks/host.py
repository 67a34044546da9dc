"""The host's share of a batch on a GPU, as Markdown: python tests/benchmarks/host.py [--quick].

64 recordings of ten seconds, mono at 22,050 Hz, cut from the shipped song at different speeds, are styled as one batch,
or as one batch for each key. The three stages, which a GPU would compute, give back the content at once. What is left
is all work before and after them. Times are the least of several calls.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from benchmark import CONTENT, MONO, RATE, STYLE, machine, recording

from audiostyle_fx import stylize_batch
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._transfer.results import Stage
from audiostyle_fx._transfer.stages.section_batch import SectionBatch, StyledBatch
from audiostyle_fx._transfer.whole_recordings import recording_transfer

CLIPS, SECONDS = 64, 10
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="eight recordings, once")
    quick = parser.parse_args().quick
    contents, style = clips(8 if quick else CLIPS), recording(STYLE, MONO)[0]
    recording_transfer.three_stages = no_stages  # type: ignore[assignment]
    recording_transfer.in_batches = lambda items, device, item_bytes: [items]  # type: ignore[assignment]
    print(f"Measured on {machine()}.\n")
    print(f"| {len(contents)} recordings of {SECONDS} s | ms | ms of CPU time |")
    print("|---|---:|---:|")
    for name, parameters in PARAMETERS.items():
        times = []
        for _ in range(1 if quick else 5):
            start, cpu = time.perf_counter(), time.process_time()
            stylize_batch(contents, style, RATE, device="cpu", **parameters)
            times.append((time.perf_counter() - start, time.process_time() - cpu))
        wall, cpu = (1000 * min(column) for column in zip(*times, strict=True))
        print(f"| {name} | {wall:.0f} | {cpu:.0f} |", flush=True)


if __name__ == "__main__":
    main()
