"""The benchmark's tables of a GPU: python tests/benchmarks/benchmark.py --device cuda [--quick].

Times are by the host's clock, from a call until all of its work has ended, warm, the median of several. This package
and the original in PyTorch run on the same GPU, in separate processes, at equal precision. Each row also gives the
lower bounds that the GPU sets: the time of the row's matrix products, and the time of its memory traffic, at the rates
of a large product and of a large copy in the same run.
"""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from benchmark import (
    AUDIO,
    CONTENT,
    MONO,
    ORIGINAL,
    RATE,
    ROWS,
    STEREO,
    STYLE,
    audio_loss,
    in_process,
    machine,
    problems,
    recording,
)

from audiostyle_fx import style_folder, stylize, stylize_batch
from audiostyle_fx._engine.arrays.matmul import matmul
from audiostyle_fx._engine.cuda.devices import device_index, device_names
from audiostyle_fx._engine.cuda.graphs import captured
from audiostyle_fx._engine.cuda.streams import computing_on
from audiostyle_fx._engine.optimizers.adam import Adam
from audiostyle_fx._engine.optimizers.minimize import minimize
from audiostyle_fx._transfer.parameters.parameter_list import DEFAULTS, STRIDE
from audiostyle_fx._transfer.setup.transfer_setup import TransferSetup
from audiostyle_fx._transfer.stages.stages import SPECTROGRAM_ADAM, WAVEFORM_ADAM, adam_beta

PRECISIONS = ("float32", "tf32")
GEMM_SIZE, COPY_FLOATS = 8192, 1 << 28
CLIPS, STEMS, STEPS = 64, 256, 200
JOBS = (1, 8)
"""Processes of a folder."""
TRANSFERS = [name for name in ROWS if "lbfgs" not in name and "emulated" not in name]


# ---------------------------------------------------------------- the work of the GPU
@dataclass(frozen=True)
class Work:
    """Operations of matrix products, and bytes between the GPU and its memory.

    A product with a result of r elements takes 2 r operations for each element of depth, reads its factors once and
    writes its result once. Between products, each pass that needs the whole of an array reads or writes it once; passes
    over the same arrays, one after the other, count as one. Left out are the operations of FFTs and of element-wise
    passes, sums by rows, and what is done once a transfer.
    """

    flops: float
    bytes: float

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.bytes + other.bytes)

    def __rmul__(self, times: int) -> Work:
        return Work(times * self.flops, times * self.bytes)


def product(factors: int, result: int, depth: int) -> Work:
    """A matrix product, by the elements of its factors and of its result."""
    return Work(2 * result * depth, 4 * (factors + result))


def passes(elements: int) -> Work:
    """Reading and writing so many float32 elements in all."""
    return Work(0, 4 * elements)


@dataclass(frozen=True)
class Size:
    """A batch of recordings and one style, with all the work on them; bins are those of one channel."""

    batch: int
    channels: int
    samples: int
    frames: int
    style_frames: int
    n_fft: int

    @classmethod
    def of(cls, content: np.ndarray, style: np.ndarray, rate: float, batch: int = 1) -> Size:
        """That of (channels, samples) at a rate."""
        stft = TransferSetup.of(DEFAULTS, rate).stft
        frames = [stft.n_frames(audio.shape[-1]) for audio in (content, style)]
        return cls(batch, *content.shape, *frames, stft.n_fft)

    @property
    def bins(self) -> int:
        """Elements of a frame of the spectrogram."""
        return self.channels * (self.n_fft // 2 + 1)

    @property
    def x(self) -> int:
        """Elements of the spectrogram."""
        return self.batch * self.frames * self.bins

    @property
    def y(self) -> int:
        """Samples."""
        return self.batch * self.channels * self.samples

    @property
    def windowed(self) -> int:
        """Samples of all frames."""
        return self.batch * self.channels * self.frames * self.n_fft

    def closed_form(self) -> Work:
        """Products of joined frames with their own and with the style's, and the products back; the content."""
        x, style, bins = self.x, self.style_frames * self.bins, STRIDE * self.bins
        frames, style_frames = self.frames // STRIDE, self.style_frames // STRIDE
        own, cross = self.batch * frames**2, self.batch * frames * style_frames
        forth = product(x, own, bins) + product(x + style, cross, bins)
        back = product(own + x, x, frames) + product(cross + style + x, x, style_frames)
        # Kernels in place of the inner products; x and the content; both of them and the gradient, before and after.
        return forth + back + passes(2 * own + 2 * cross + 2 * x + 4 * x)

    def random_filters(self, n: int) -> Work:
        """Patches by filters, Gram matrices of patches (of filters where that is smaller), and the products back."""
        width = DEFAULTS.kernel_widths[0]
        patches, style_patches = self.frames - width + 1, self.style_frames - width + 1
        unfolded, filters = self.batch * patches * width * self.bins, width * self.bins * n
        features, style = self.batch * patches * n, style_patches * n
        forth, back = product(unfolded + filters, features, width * self.bins), product(features + filters, unfolded, n)
        if patches + style_patches < n:
            own, cross = self.batch * patches**2, self.batch * patches * style_patches
            gram = product(features, own, n) + product(features + style, cross, n)
            gram += product(own + features, features, patches) + product(cross + style + features, features, patches)
        else:
            gram = product(features, self.batch * n**2, patches) + product(features + n**2, features, n)
        # Patches made and added up again; features, the content's and the gradient, before and after.
        return forth + gram + back + passes(2 * (self.x + unfolded) + 4 * features)

    def spectrogram(self, n_filters: float) -> Work:
        """One evaluation at the spectrogram."""
        return self.closed_form() if math.isinf(n_filters) else self.random_filters(int(n_filters))

    def waveform(self, n_filters: float) -> Work:
        """One evaluation at the coordinates of the waveform: to samples, frames, spectrum, and all the way back."""
        return self.spectrogram(n_filters) + passes(16 * self.y + 4 * self.windowed + 12 * self.x)

    def griffin_lim(self) -> Work:
        """One iteration: a spectrum with other magnitudes, samples, frames, spectrum, momentum."""
        return passes(15 * self.x + 4 * self.windowed + 2 * self.y)

    def transfer(self, n_filters: float = math.inf) -> Work:
        """All three stages."""
        spectrogram = DEFAULTS.spectrogram_iters * (self.spectrogram(n_filters) + adam(self.x))
        waveform = DEFAULTS.waveform_iters * (self.waveform(n_filters) + adam(self.y))
        return spectrogram + DEFAULTS.phase_iters * self.griffin_lim() + waveform


def adam(size: int) -> Work:
    """A step: point, gradient and both means read, all but the gradient written."""
    return passes(7 * size)


# ---------------------------------------------------------------- clocks
def median(call: Callable[[], Any], repeats: int) -> float:
    """Seconds of a call that ends with its work done."""
    times = []
    for _ in range(1 + repeats):  # the first is to warm up
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def mean(call: Callable[[], Any], times: int, xp: Any) -> float:
    """Seconds of one of many calls that only launch their work, one after the other; the median of three means."""

    def together() -> None:
        for _ in range(times):
            call()
        xp.cuda.get_current_stream().synchronize()

    return median(together, 3) / times


def step(objective: Any, x: Any, xp: Any, adam: dict[str, Any], times: int) -> float:
    """Seconds of an evaluation and a step, in the middle of `minimize`."""
    first, last, clock = 5, 5 + times, {}

    def report(iteration: int, losses: Any) -> None:
        if iteration in (first, last):
            xp.cuda.get_current_stream().synchronize()
            clock[iteration] = time.perf_counter()

    beta = adam_beta(last + 1)
    minimize(objective.value_and_grad, x, Adam(n_iter=last + 1, beta1=beta, beta2=beta, **adam), last + 1, report)
    return (clock[last] - clock[first]) / times


# ---------------------------------------------------------------- the sections, each in a process of its own
def rates(device: str, iterations: int, quick: bool) -> dict[str, Any]:
    """The GPU, operations per second of a large product in each precision, and bytes per second of a large copy."""
    rates: dict[str, Any] = {}
    for precision in PRECISIONS:
        with computing_on(device, precision) as xp:
            a = xp.asarray(np.random.default_rng(0).standard_normal((1, GEMM_SIZE, GEMM_SIZE), np.float32))
            rates[precision] = 2 * GEMM_SIZE**3 / mean(partial(matmul, a, a), 10, xp)
    with computing_on(device) as xp:
        a, b = (xp.zeros(COPY_FLOATS, np.float32) for _ in range(2))
        rates["bytes"] = 2 * 4 * COPY_FLOATS / mean(partial(xp.copyto, b, a), 10, xp)
        properties = xp.cuda.runtime.getDeviceProperties(device_index(device))
        driver, runtime = (
            f"{number // 1000}.{number % 1000 // 10}"
            for number in (xp.cuda.runtime.driverGetVersion(), xp.cuda.runtime.runtimeGetVersion())
        )
        release = ""
        if shutil.which("nvidia-smi"):
            command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
            release = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.split()[0]
        rates["gpu"] = (
            f"{properties['name'].decode()}, {properties['totalGlobalMem'] / 2**30:.0f} GiB, driver {release} for CUDA "
            f"{driver}, cupy {xp.__version__} with CUDA {runtime}"
        )
    return rates


def transfers(device: str, iterations: int, quick: bool) -> list[dict[str, Any]]:
    """End to end, with audio losses."""
    rows = []
    for name in TRANSFERS:
        size, parameters = ROWS[name]
        if quick and "n_filters" in parameters:
            continue
        (content, rate), (style, _) = recording(CONTENT, size), recording(STYLE, size)
        work = Size.of(content, style, rate).transfer(**parameters)
        for precision in PRECISIONS:
            call = partial(stylize, content, style, rate, device=device, precision=precision, **parameters)
            row = {"name": name, "precision": precision, "seconds": median(call, 3 if quick else 7)}
            rows.append(row | asdict(work) | audio_loss(call().audio, rate))
    return rows


def batch(device: str, iterations: int, quick: bool) -> list[dict[str, Any]]:
    """Many recordings at once: the content, from a different moment on each time."""
    (content, rate), (style, _) = recording(CONTENT, MONO), recording(STYLE, MONO)
    n_samples = content.shape[1]
    contents = np.stack([np.roll(content, clip * n_samples // CLIPS, axis=1) for clip in range(CLIPS)])
    work = Size.of(content, style, rate, CLIPS).transfer()
    rows = []
    for precision in PRECISIONS:
        call = partial(stylize_batch, contents, style, rate, device=device, precision=precision)
        row = {"precision": precision, "seconds": median(call, 1 if quick else 3), "audio": CLIPS * n_samples / rate}
        rows.append(row | asdict(work))
    return rows


def folder(device: str, iterations: int, quick: bool) -> dict[str, float]:
    """A folder of stereo stems at the defaults, and as many calls one after the other, by the time of a few."""
    (content, rate), stems = recording(CONTENT, STEREO), 32 if quick else STEMS
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "stems"), Path(name, "out")
        source.mkdir()
        for stem in range(stems):
            audio = np.roll(content, stem * content.shape[1] // stems, axis=1)
            soundfile.write(source / f"{stem:03}.wav", audio.T, int(rate), subtype="FLOAT")
        alone = partial(stylize, content, AUDIO / STYLE, rate, device=device)
        seconds = {"one call": median(alone, 3 if quick else 7), "stems": stems}
        for jobs in JOBS:
            start = time.perf_counter()
            style_folder(source, out, style=AUDIO / STYLE, device=device, jobs=jobs, force=True)
            seconds[f"jobs={jobs}"] = time.perf_counter() - start
        return seconds


def evaluations(device: str, iterations: int, quick: bool) -> list[dict[str, Any]]:
    """One evaluation, launched operation by operation and as a graph, and one with a step of Adam, as a graph."""
    (content, rate), (style, _) = recording(CONTENT, MONO), recording(STYLE, MONO)
    size, times, rows = Size.of(content, style, rate), STEPS // 4 if quick else STEPS, []
    for precision in PRECISIONS:
        with computing_on(device, precision) as xp:
            for name, (objective, x) in problems(xp).items():
                n_filters = 4096 if "4096" in name else math.inf
                waveform = "waveform" in name
                work = size.waveform(n_filters) if waveform else size.spectrogram(n_filters)
                losses = partial(_losses, objective, x)
                with captured(losses, x) as graph:
                    graphed = mean(graph, times, xp)
                row = {
                    "name": name,
                    "precision": precision,
                    "launched": mean(losses, times, xp),
                    "graph": graphed,
                    "step": step(objective, x, xp, WAVEFORM_ADAM if waveform else SPECTROGRAM_ADAM, times),
                }
                rows.append(row | asdict(work + adam(x.size)))
    return rows


def _losses(objective: Any, x: Any) -> Any:
    return objective.value_and_grad(x)[0]


def original(device: str, iterations: int, quick: bool) -> dict[str, dict[str, float]]:
    """The original in PyTorch, for each precision: end to end, without its phases, and a step by PyTorch's own Adam."""
    from original import GRIFFIN_LIM, Original, allow_tf32

    content, style = (recording(name, MONO)[0][0].astype(np.float64) for name in (CONTENT, STYLE))
    rows = {}
    for precision in PRECISIONS:
        allow_tf32(precision == "tf32")
        warm = Original(content, style, device=device)
        row = {"evaluation": warm.seconds_per_evaluation(20), "step": warm.seconds_per_step(STEPS // 4)}
        del warm
        start = time.perf_counter()
        peer = Original(content, style, device=device)
        found = peer.spectrogram(iterations)
        row["without_phases"] = time.perf_counter() - start
        audio = peer.samples(found, 20 if quick else GRIFFIN_LIM)
        row["seconds"] = time.perf_counter() - start
        rows[precision] = row | audio_loss(audio[None], RATE)
    return rows


SECTIONS = {
    "rates": rates,
    "transfers": transfers,
    "batch": batch,
    "folder": folder,
    "evaluations": evaluations,
    "original": original,
}


# ---------------------------------------------------------------- tables
def gpu_tables(device: str, iterations: int, quick: bool, section: str | None = None) -> None:
    """Print the tables of a GPU, or what one section measures."""
    device = device_names(device)[0]
    if section:
        print(json.dumps(SECTIONS[section](device, iterations, quick)))
        return

    def measure(section: str) -> Any:
        arguments = ["--device", device, "--iterations", str(iterations), *["--quick"] * quick]
        return in_process(*arguments, "--row", section)

    rates = measure("rates")
    torch = importlib.util.find_spec("torch") is not None
    versions = machine() + (f", torch {version('torch')}" if torch else "")
    print(f"Measured on {rates['gpu']}; {versions}.\n")
    print(
        f"A product of {GEMM_SIZE} x {GEMM_SIZE} matrices: {rates['float32'] / 1e12:.1f} TFLOP/s in float32, "
        f"{rates['tf32'] / 1e12:.1f} in TF32. A copy: {rates['bytes'] / 1e9:.0f} GB/s, read and written."
    )

    def floor(row: dict[str, Any]) -> list[str]:
        seconds = row["flops"] / rates[row["precision"]], row["bytes"] / rates["bytes"]
        return [f"{1000 * s:.3f}" for s in seconds]

    peers = measure("original") if torch else {}
    cells = []
    for row in measure("transfers"):
        peer = peers.get(row["precision"]) if MONO in row["name"] else None
        ratios = [f"{peer[key] / row['seconds']:.0f}" if peer else "-" for key in ("seconds", "without_phases")]
        cells.append([row["name"], row["precision"], f"{row['seconds']:.3f}", *ratios, *floor(row), *losses(row)])
    for precision, peer in peers.items():
        for name, key in (("", "seconds"), (", without its phases", "without_phases")):
            name = f"{ORIGINAL}, {iterations} iterations{name}"
            judged = losses(peer) if key == "seconds" else ["-"] * 3
            cells.append([name, precision, f"{peer[key]:.3f}", *["-"] * 4, *judged])
    heads = "transfer|precision|seconds|original / this|without its phases / this|products, ms|memory, ms"
    table(f"{heads}|style loss|content loss|total", cells)

    cells = [
        [row["precision"], f"{row['seconds']:.3f}", f"{row['audio'] / row['seconds']:.0f}", *floor(row)]
        for row in measure("batch")
    ]
    heads = f"{CLIPS} times {MONO}, one batch, precision"
    table(f"{heads}|seconds|seconds of audio a second|products, ms|memory, ms", cells)

    found = measure("folder")
    calls = found["stems"] * found["one call"]
    heads = f"{found['stems']} stems, {STEREO}, defaults|seconds|one call after the other, seconds|ratio"
    ways = [(f"a folder, end to end, `jobs={jobs}`", found[f"jobs={jobs}"]) for jobs in JOBS]
    table(heads, [[way, f"{seconds:.1f}", f"{calls:.1f}", f"{calls / seconds:.1f}"] for way, seconds in ways])

    cells = []
    for row in measure("evaluations"):
        times = [f"{1000 * row[key]:.3f}" for key in ("launched", "graph", "step")]
        peer = peers.get(row["precision"]) if "spectrogram" in row["name"] else None
        ratio = [f"{1000 * peer['step']:.3f}", f"{peer['step'] / row['step']:.1f}"] if peer else ["-", "-"]
        cells.append([row["name"], row["precision"], *times, *ratio, *floor(row)])
    heads = "one evaluation with gradient|precision|launched, ms|as a graph, ms|and a step of Adam, ms"
    table(f"{heads}|PyTorch with its fused Adam, ms|PyTorch / this|products, ms|memory, ms", cells)


def losses(row: dict[str, float]) -> list[str]:
    """The audio losses, for a table."""
    return [f"{row[part]:.0f}" for part in ("style", "content", "total")]


def table(heads: str, rows: list[list[str]]) -> None:
    """Print a table with names on the left."""
    names = heads.split("|")
    left = 1 + ("precision" in names)
    rules = ["---"] * left + ["---:"] * (len(names) - left)
    print("", *(f"| {' | '.join(row)} |" for row in (names, rules, *rows)), sep="\n", flush=True)
