"""The lines that ``--verbose`` prints: inputs, work, results, and the time of each part."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from .._effects_chain.catalog import effects
from .._effects_chain.step import Step
from .._engine.arrays.threads import cores
from .._engine.cuda.devices import device_names
from .._transfer.parameters.windows import Window
from ..folders.headers import read_header
from ..folders.records.manifest_json import Record
from ..progress import ProgressEvent
from .request import Request


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on standard error, above the progress bar if there is one."""
    for line in lines:
        tqdm.write(line, file=sys.stderr)


def verbose_progress(progress: Callable[[ProgressEvent], None], request: Request) -> Callable[[ProgressEvent], None]:
    """Return a folder's progress that calls ``progress``, and then prints the lines of each finished file."""
    options = request.options
    threads = None if options.jobs or options.dask else cores()  # other processes have their own number

    def report(event: ProgressEvent) -> None:
        progress(event)
        if event.kind == "file" and event.record and event.record["status"] == "done":
            name, source = str(event.file), str(event.record["source"])
            if os.path.isfile(source):
                shown = os.path.relpath(source, os.path.realpath(str(request.source)))
                print_lines([line_of_input("IN", os.path.join(str(request.source), shown), source)])
            print_lines(lines_of_record(event.record, request.chain, threads))
            print_lines(lines_of_output(os.path.join(request.target, name), event.record))

    return report


def line_of_input(place: str, name: str, path: str | None = None) -> str:
    """Return a line about an input; ``path`` is the file to read if the name is that of a pipe."""
    return f"{place} {name}: {_recording(path or name, 'input' if place == 'IN' else place)}"


def lines_of_record(record: Mapping[str, Any], chain: Sequence[Step], threads: int | None) -> Iterator[str]:
    """Yield lines about the effects, the parameters they used, and each stage of transfers.

    ``threads`` is the number of threads of a transfer on the CPU; None if it is not known.
    """
    transfers = iter(record["transfers"])
    for step in chain:
        transfer = next(transfers, None) if step.effect.name == "style" else None
        if transfer is None:
            yield " ".join([step.effect.name, *_words(step.effect.name, step.values)])
        else:
            yield from _lines_of_transfer(transfer, threads)
    stage_seconds = sum(stage["seconds"] for transfer in record["transfers"] for stage in transfer["stages"].values())
    rest = max(0.0, record["seconds"] - stage_seconds)
    yield f"time: {record['seconds']:.2f} s, of which {stage_seconds:.2f} s in stages and {rest:.2f} s in the rest"


def lines_of_output(target: str, record: Mapping[str, Any], path: str | None = None) -> Iterator[str]:
    """Yield a line about the result, which may be at another path, and one about its gain and limited peaks."""
    yield f"OUT {target}: {_recording(path or target, 'output')}"
    yield f"OUT {target}: gain {record['gain_db']:.1f} dB, peaks limited by up to {record['limited_db']:.1f} dB"


def _lines_of_transfer(transfer: Record, threads: int | None) -> Iterator[str]:
    parameters = transfer["parameters"]
    yield " ".join(["style", *_words("style", parameters)])
    device = ", ".join(device_names(parameters["device"]))
    yield f"device: {device}" + f", {threads} threads" * (device == "cpu" and threads is not None)
    yield f"sections: {transfer.get('sections', 1)}"
    if any(transfer["key"]):
        yield f"style moved by {', '.join(f'{move:+.4g}' for move in transfer['key'])} semitones"
    for name, stage in transfer["stages"].items():
        facts = [f"{stage['iterations'][-1] if stage['iterations'] else 0} iterations"]
        for loss in ("style", "content"):
            if curve := stage[f"{loss}_loss"]:
                facts.append(f"{loss} loss {curve[0]:.4g} to {curve[-1]:.4g}")
        facts.append(f"{stage['seconds']:.2f} s")
        yield f"{name}: {', '.join(facts)}"


def _words(effect: str, values: Mapping[str, Any]) -> list[str]:
    """Return the values of an effect as words of the command line, without recordings, which have their own lines."""
    known = effects()[effect].parameters
    return [
        f"{name}={known[name].show(_of_json(name, value))}" for name, value in values.items() if not known[name].is_file
    ]


def _of_json(name: str, value: Any) -> Any:
    """Return a value of a record as the type of the effect's parameter."""
    is_windows = name == "windows" and isinstance(value, list)
    return [Window(**window) if isinstance(window, dict) else window for window in value] if is_windows else value


def _recording(path: str, argument: str) -> str:
    """Return the decoder, rate, channels and length of a recording; errors name the argument."""
    header = read_header(path, argument)
    channels = {1: "mono", 2: "stereo"}.get(header.channels, f"{header.channels} channels")
    return f"{header.decoder}, {header.sample_rate} Hz, {channels}, {header.duration:.3f} s"
