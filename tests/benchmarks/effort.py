"""What more or fewer iterations do: python tests/benchmarks/effort.py [--quick] [--plot OUT.png].

The shipped song is styled as the shipped anthem, mono at 22,050 Hz, on the CPU: by the losses alone and by the
defaults, at each `effort`, and at multiples of the standard iterations between them. Each transfer runs three times in
a warm process, and the fastest counts. The audio loss of the first is taken by fresh filters, as `benchmark.py` takes
it; the defaults, which it says little of, are judged by their own style loss, at the content loss that the strength
asks for. Both are relative to those at the standard effort.
Prints Markdown, and draws with matplotlib.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

from benchmark import AUDIO, CONTENT, MONO, RATE, STYLE, audio_loss, machine, recording
from matplotlib.figure import Figure

from audiostyle_fx import PRESETS, Result, stylize
from audiostyle_fx._transfer.parameters.parameter_list import EFFORTS

PLOT = AUDIO.parent / "effort.png"
MULTIPLES = 0.25, 0.5, 2.0, 4.0
PRESET_NAMES = "plain", "default"


class Row(NamedTuple):
    """What is measured of a transfer; the loss is relative once it stands in the table."""

    preset: str
    name: str
    iterations: tuple[int, ...]
    seconds: float
    loss: float


def measured(preset: str, name: str, parameters: dict[str, Any], runs: int) -> Row:
    """The fastest of some runs."""
    song, anthem = recording(CONTENT, MONO)[0], recording(STYLE, MONO)[0]
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        result = stylize(song, anthem, RATE, preset=preset, device="cpu", **parameters)
        best = min(best, time.perf_counter() - start)
    iterations = tuple(int(stage.iterations[-1]) for stage in result.stages.values())
    return Row(preset, name, iterations, best, loss(preset, result))


def loss(preset: str, result: Result) -> float:
    """What the preset is judged by."""
    return audio_loss(result.audio, RATE)["total"] if preset == "plain" else result.style_loss


def rows_of(preset: str, quick: bool) -> list[Row]:
    """The efforts, and multiples of the standard iterations, fewest first."""
    runs, standard = 1 if quick else 3, PRESETS[preset].parameters.iterations
    stylize(*(recording(name, MONO)[0] for name in (CONTENT, STYLE)), RATE, preset=preset, device="cpu", effort="draft")
    rows = [measured(preset, f"`effort={name!r}`", {"effort": name}, runs) for name in EFFORTS]
    for multiple in () if quick else MULTIPLES:
        iterations = {f"{stage}_iters": round(multiple * n) for stage, n in standard.items()}
        rows.append(measured(preset, f"{multiple:g} x", iterations, runs))
    reference = rows[list(EFFORTS).index("standard")].loss
    return sorted((row._replace(loss=row.loss / reference) for row in rows), key=lambda row: row.seconds)


def draw(rows: dict[str, list[Row]], path: str) -> None:
    """Loss against time for each preset; the efforts are marked by their names."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    judged = {"plain": "audio loss", "default": "style loss at the same content loss"}
    for axis, (preset, own) in zip(figure.subplots(1, len(rows)), rows.items(), strict=True):
        axis.plot([row.seconds for row in own], [row.loss for row in own], "-", color="silver")
        for row in own:
            is_effort = row.name.startswith("`")
            axis.plot(row.seconds, row.loss, "o" if is_effort else ".", color="tab:blue" if is_effort else "gray")
            label = row.name.strip("`").removeprefix("effort=").strip("'")
            place = (6, 6) if is_effort else (-6, -14)  # above and below the line
            axis.annotate(label, (row.seconds, row.loss), xytext=place, textcoords="offset points")
        axis.set(title=f"preset={preset!r}", xlabel="s for 10 s of audio", ylabel=f"{judged[preset]}, relative")
        axis.set(xscale="log", ylim=(0.85, min(1.6, 1.05 * max(row.loss for row in own))))
        axis.set_xticks([0.25, 0.5, 1, 2, 4], labels=["0.25", "0.5", "1", "2", "4"])
        axis.minorticks_off()
        axis.set_xlim(0.2, 5)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Print the table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the efforts alone, each once")
    parser.add_argument("--plot", default=PLOT, help="the picture, examples/effort.png by default")
    options = parser.parse_args()
    print(f"Measured on {machine()}.\n")
    print("| preset | effort | iterations of the stages | seconds | loss, relative |\n|---|---|---|---:|---:|")
    rows = {}
    for preset in PRESET_NAMES:
        rows[preset] = rows_of(preset, options.quick)
        for row in rows[preset]:
            iterations = ", ".join(map(str, row.iterations))
            print(f"| {preset} | {row.name} | {iterations} | {row.seconds:.2f} | {row.loss:.2f} |", flush=True)
    draw(rows, options.plot)


if __name__ == "__main__":
    main()
