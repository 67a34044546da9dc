"""Speed, memory and audio loss on the shipped examples, as Markdown: python tests/benchmarks/benchmark.py [--quick].

Every row runs in a process of its own. The original algorithm in PyTorch is run too where torch is installed; the
time of one of its evaluations is the unit of the others. The audio loss is taken of the resulting audio, mono at
22,050 Hz and at equal RMS, by 4,096 fresh random filters, at the gain that suits each result best. With `--device cuda`
the tables are those of a GPU, see `gpu.py`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import time
import timeit
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import scipy.optimize
import soundfile

from audiostyle_fx import install, stylize, uninstall
from audiostyle_fx._engine.arrays.matmul import matmul
from audiostyle_fx._engine.objectives import infinite_width, random_conv
from audiostyle_fx._engine.objectives.fused_closed_form import FusedClosedForm
from audiostyle_fx._engine.objectives.fused_waveform import waveform_objective
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.objectives.loss_weights import loss_terms
from audiostyle_fx._engine.objectives.random_conv import RandomConv
from audiostyle_fx._engine.objectives.strided import joined_frames, strided
from audiostyle_fx._engine.spectra.stft import STFT
from audiostyle_fx._recordings.levels import RMS, rms
from audiostyle_fx._recordings.resampling import resample
from audiostyle_fx._transfer.parameters.parameter_list import STRIDE

AUDIO = Path(__file__).parents[2] / "examples" / "audio"
CONTENT, STYLE = "mountain_king.ogg", "anthem.ogg"
RATE, ALPHA, FRESH_SEED = 22050, 0.01, 20160917
MONO, STEREO = "10 s mono, 22,050 Hz", "10 s stereo, 44,100 Hz"
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    f"{MONO}: defaults": (MONO, {}),
    f"{MONO}: `preset='plain'`": (MONO, {"preset": "plain"}),
    f"{MONO}: plain, `optimizer='lbfgs'`": (MONO, {"preset": "plain", "optimizer": "lbfgs"}),
    f"{MONO}: plain, `n_filters=4096`": (MONO, {"preset": "plain", "n_filters": 4096}),
    f"{MONO}: plain, `precision='tf32'`, emulated": (MONO, {"preset": "plain", "precision": "tf32"}),
    f"{STEREO}: defaults": (STEREO, {}),
    f"{STEREO}: `preset='plain'`": (STEREO, {"preset": "plain"}),
    f"{STEREO}: plain, `optimizer='lbfgs'`": (STEREO, {"preset": "plain", "optimizer": "lbfgs"}),
}
ORIGINAL = f"{MONO}: the original in PyTorch"


def recording(name: str, size: str) -> tuple[np.ndarray, int]:
    """An example, (channels, samples), at the size's rate and channels."""
    audio, rate = soundfile.read(AUDIO / name, dtype="float32")
    return (audio.T, rate) if size == STEREO else (mono(audio.T, rate), RATE)


def mono(audio: np.ndarray, rate: float) -> np.ndarray:
    """Mixed, at 22,050 Hz and RMS 0.1, cut to whole frames; (1, samples)."""
    mixed = resample(np.atleast_2d(audio).mean(axis=0, keepdims=True), rate, RATE)[:, : 429 * 512]
    return (mixed * (RMS / rms(mixed))).astype(np.float32)


def objective(kind: Any, frames: tuple[np.ndarray, np.ndarray], **arguments: Any) -> Any:
    """Either objective, for log-magnitudes of content and style."""
    content, style = frames
    shape = {"n_frames": content.shape[1], "bins": content.shape[2], "sample_rate": RATE, "active_channels": 1}
    stride = STRIDE if kind is _ClosedForm else 1
    return kind.of_styles(content, style, loss_terms([11], alpha=ALPHA, stride=stride, **shape), **arguments)


def audio_loss(audio: np.ndarray, rate: float) -> dict[str, float]:
    """Style and content loss under fresh filters, at the best gain."""
    stft = STFT(2048, 512)
    content, style = (mono(recording(name, STEREO)[0], 44100) for name in (CONTENT, STYLE))
    frames = tuple(stft.log_magnitude(stft.forward(y[None])) for y in (content, style))
    judge = objective(RandomConv, frames, n_filters=4096, seed=FRESH_SEED)
    spectrum = stft.forward(mono(audio, rate)[None])

    def losses(gain_db: float) -> np.ndarray:
        return judge.value_and_grad(stft.log_magnitude(spectrum * np.float32(10 ** (gain_db / 20))))[0][:, 0]

    options = {"xatol": 0.1}
    best = scipy.optimize.minimize_scalar(
        lambda g: losses(g).sum(), bounds=(-6, 6), method="bounded", options=options
    ).x
    style_loss, content_loss = losses(best)
    return {"style": style_loss, "content": content_loss, "total": style_loss + content_loss}


def peak_megabytes() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def run_row(name: str) -> dict[str, float]:
    """Time, memory and loss of one row."""
    size, parameters = ROWS[name]
    content, rate = recording(CONTENT, size)
    style, _ = recording(STYLE, size)
    if parameters.get("precision") == "tf32":
        emulate_tf32()
    before, start = peak_megabytes(), time.perf_counter()
    result = stylize(content, style, rate, device="cpu", **parameters)
    row = {"seconds": time.perf_counter() - start, "megabytes": peak_megabytes() - before}
    return row | audio_loss(result.audio, rate)


def emulate_tf32() -> None:
    """Have this process round the factors of all matrix products to 10 bits of mantissa, ties to even."""

    def rounded(x: np.ndarray) -> np.ndarray:
        bits = np.ascontiguousarray(x).view(np.uint32)
        return ((bits + (0xFFF + (bits >> 13 & 1))) & 0xFFFFE000).view(np.float32)

    for module in (infinite_width, random_conv):
        module.matmul = lambda a, b, add_to=None: matmul(rounded(a), rounded(b), add_to)


def run_original(iterations: int) -> dict[str, float]:
    """The same of the original, with the unit."""
    from original import Original

    content, style = (recording(name, MONO)[0][0].astype(np.float64) for name in (CONTENT, STYLE))
    before, start = peak_megabytes(), time.perf_counter()
    peer = Original(content, style)
    audio = peer.run(iterations)
    row = {"seconds": time.perf_counter() - start, "megabytes": peak_megabytes() - before}
    return row | {"unit": peer.seconds_per_evaluation()} | audio_loss(audio[None], RATE)


class _ClosedForm:
    """The closed form as a transfer uses it: fused on a GPU, and with the frames joined that its stride joins."""

    @staticmethod
    def of_styles(content: Any, style: Any, terms: Any) -> Any:
        joined = [joined_frames(frames, STRIDE) for frames in (content, style)]
        statistics = InfiniteWidth.style_statistics(joined[1], terms)
        if FusedClosedForm.serves(content, statistics, terms, STRIDE):
            return FusedClosedForm(content, statistics, terms, stride=STRIDE)
        return strided(InfiniteWidth(joined[0], statistics, terms), STRIDE)


def problems(xp: Any = np) -> dict[str, tuple[Any, Any]]:
    """Objectives and a point of each, for 430 frames of 1025 bins, on NumPy or CuPy."""
    stft = STFT(2048, 512)
    content, style = (xp.asarray(recording(name, MONO)[0][None]) for name in (CONTENT, STYLE))
    frames = tuple(stft.log_magnitude(stft.forward(y)) for y in (content, style))
    closed = objective(_ClosedForm, frames)
    sampled = objective(RandomConv, frames, n_filters=4096, seed=0)
    waveform = waveform_objective(closed, stft, content, xp.ones((1, 1, 1), np.float32))
    u, x = waveform.coordinates(content), frames[0] * np.float32(0.9)
    return {
        "closed form, spectrogram": (closed, x),
        "closed form, waveform": (waveform, u),
        "`n_filters=4096`, spectrogram": (sampled, x),
    }


def run_evaluations() -> dict[str, float]:
    """Seconds of one evaluation with its gradient."""
    return {name: seconds(partial(objective.value_and_grad, x)) for name, (objective, x) in problems().items()}


def seconds(call: Any, repeats: int = 9) -> float:
    """Median time of a call, on the cores as a transfer uses them."""
    from audiostyle_fx._engine.arrays.threads import one_thread_each

    times = []
    with one_thread_each:
        call()
        for _ in range(repeats):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return float(np.median(times))


def run_hosting() -> dict[str, float]:
    """Microseconds of what boards without an offline effect do, as pedalboard is and as this package changes it."""
    audio = np.zeros((2, 64), np.float32)
    plugins = [pedalboard.Gain() for _ in range(4)]
    board = pedalboard.Pedalboard(list(plugins))
    calls = {
        "`board(audio, rate)`, 64 samples": lambda: board(audio, 44100),
        "`pedalboard.process(audio, rate, plugins)`": lambda: pedalboard.process(audio, 44100, plugins),
        "`board[0]`": lambda: board[0],
        "`Pedalboard(plugins)`": lambda: pedalboard.Pedalboard(plugins),
    }
    best = {}
    for _ in range(15):  # by turns, so that both meet the machine in the same moods
        for state, change in (("native", uninstall), ("changed", install)):
            change()
            for name, call in calls.items():
                taken = timeit.timeit(call, number=2000) / 2000 * 1e6
                best[f"{name}|{state}"] = min(taken, best.get(f"{name}|{state}", np.inf))
    return best


def in_process(*arguments: str, script: str = __file__) -> dict[str, float]:
    """What a script, this one by default, measures when called with the arguments."""
    command = [sys.executable, script, *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def machine() -> str:
    """Processor, cores, Python and the versions that matter, in words."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    versions = ", ".join(f"{name} {__import__(name).__version__}" for name in ("numpy", "scipy", "pedalboard"))
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=300, help="L-BFGS iterations of the original")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="ten iterations of the original (20 for its phases on a GPU), no transfer with 4,096 filters",
    )
    parser.add_argument("--device", default="cpu", help="'cpu', 'cuda' or one GPU, such as 'cuda:1'")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    iterations = 10 if options.quick else options.iterations
    if options.device != "cpu":
        from gpu import gpu_tables

        gpu_tables(options.device, iterations, options.quick, options.row)
        return
    if options.row:
        special = {
            "original": lambda: run_original(iterations),
            "evaluations": run_evaluations,
            "hosting": run_hosting,
        }
        print(json.dumps(special.get(options.row, lambda: run_row(options.row))()))
        return

    print(f"Measured on {machine()}.\n")
    torch = importlib.util.find_spec("torch") is not None
    original = in_process("--row", "original", "--iterations", str(iterations)) if torch else None
    unit = original["unit"] if original else None
    rows = {name: in_process("--row", name) for name in ROWS if not (options.quick and "4096" in name)}
    if original:
        rows[f"{ORIGINAL}, {iterations} iterations"] = original
    print("| transfer | seconds | units | peak MB | style loss | content loss | total |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, row in rows.items():
        units = f"{row['seconds'] / unit:.1f}" if unit else "-"
        losses = " | ".join(f"{row[part]:.0f}" for part in ("style", "content", "total"))
        print(f"| {name} | {row['seconds']:.1f} | {units} | {row['megabytes']:.0f} | {losses} |")
    print("\n| one evaluation with gradient | ms | units |\n|---|---:|---:|")
    evaluations = in_process("--row", "evaluations") | ({"the original in PyTorch": unit} if unit else {})
    for name, value in evaluations.items():
        print(f"| {name} | {1000 * value:.1f} | {f'{value / unit:.3f}' if unit else '-'} |")

    hosting = in_process("--row", "hosting")
    print("\n| a board without an offline effect | pedalboard, us | with this package, us |\n|---|---:|---:|")
    for name in dict.fromkeys(key.partition("|")[0] for key in hosting):
        print(f"| {name} | {hosting[name + '|native']:.2f} | {hosting[name + '|changed']:.2f} |")


if __name__ == "__main__":
    main()
