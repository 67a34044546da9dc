"""What a musician hears of each preset, as Markdown: python tests/benchmarks/ear.py [PRESET ...] [--set NAME=VALUE].

Needs the extra `ear` (librosa, mir_eval), and for note F1 basic-pitch as well: `pip install onnxruntime resampy
pretty_midi`, then `pip install --no-deps basic-pitch`. The material is that of `ear_material.py`: a score with
known notes on a struck instrument in the style of another score, a tritone away, on a blown one; the shipped examples;
a drum loop in a quiet room in the style of the blown instrument. A row is the mean over the tonal pairs, or that of the
drums. The measures, none of which knows the loss that is minimised, are explained by `--explain`.

With the presets stand yardsticks: the dry content, the style itself, the content with the style's long-term spectrum
(an equaliser) or with the mean and deviation of each of its bins (AdaIN), a mosaic of the style's frames, and the
content's score on the style's own instrument, to which LSD and pitch distance are measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import librosa
import numpy as np
import scipy.signal
from benchmark import machine
from ear_material import RATE, Pair, levelled, pairs
from ear_measures import Notes, mean, measure
from ear_target import log_spectral_distance, pitch_jaccard_distance

from audiostyle_fx import PRESETS, stylize
from audiostyle_fx._effects_chain.catalog import effects

EXPLANATIONS = {
    "note F1": "notes found with their pitch, within 50 ms of the known score's (100 ms of the content's transcription "
    "in the shipped pair)",
    "chroma": "melody and harmony: frame by frame cosine with the content's chroma; 1 kept, 0 as by chance",
    "onsets": "correlation of the onset envelopes with the content's",
    "attack lost, dB": "by which attacks stand out less from what is before them than in the content",
    "wander, dB": "standard deviation of the level (0.4 s) against the content's",
    "start, dB": "level of the first 100 ms less the content's; the mean of absolute values",
    "end, dB": "the same of the last 100 ms",
    "MFCC": "distance to the style by MFCCs, over the dry content's; 0 the style itself",
    "spectrum, dB": "mean difference of the long-term spectrum in third octaves from the style's",
    "copy": "largest correlation of a half second with any of the style",
    "mush, dB": "what is neither harmonic nor percussive, above the larger of content's and style's",
    "LSD, dB": "log-spectral distance to the score on the style's own instrument (Cifka et al., ICASSP 2021)",
    "pitch distance": "Jaccard distance of the pitches in each frame to the same recording's",
}
WHOLE_DIGITS = {"attack lost, dB": 1, "wander, dB": 1, "start, dB": 1, "end, dB": 1, "spectrum, dB": 1, "mush, dB": 1}
"""Digits after the point where they are not two."""

System = Callable[[Pair], "np.ndarray | None"]
"""What makes a result, (samples,), of a pair; None where it has none for this pair."""


def equalised(pair: Pair) -> np.ndarray:
    """The content with the style's long-term spectrum, smoothed over a third of an octave, by up to 30 dB."""
    n_fft = 4096
    frequencies = np.fft.rfftfreq(n_fft, 1 / RATE)
    centres = np.maximum(frequencies, frequencies[1])
    edges = [np.searchsorted(frequencies, centres * 2**octaves) for octaves in (-1 / 6, 1 / 6)]
    levels = []
    for audio in (pair.style, pair.content):
        power = np.mean(np.abs(librosa.stft(audio, n_fft=n_fft)) ** 2, axis=1)
        total = np.concatenate([[0], np.cumsum(power)])
        first, last = edges[0], np.maximum(edges[1], edges[0] + 1)
        levels.append((total[last] - total[first]) / (last - first) + 1e-9)
    gain = np.clip(np.sqrt(levels[0] / levels[1]), 10**-1.5, 10**1.5)
    impulse = np.fft.fftshift(np.fft.irfft(gain)) * np.hanning(n_fft + 1)[:-1]
    return scipy.signal.fftconvolve(pair.content, impulse)[n_fft // 2 :][: len(pair.content)]


def statistics_matched(pair: Pair) -> np.ndarray:
    """The content whose log-magnitudes get each bin's mean and deviation in the style, as AdaIN does with features.

    X. Huang and S. Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017.
    The phases are the content's, after some Griffin-Lim.
    """
    stft = {"n_fft": 2048, "hop_length": 512}
    content, style = librosa.stft(pair.content, **stft), librosa.stft(pair.style, **stft)
    x, y = (np.log1p(np.abs(spectrum)) for spectrum in (content, style))
    moments = [(part.mean(axis=1, keepdims=True), part.std(axis=1, keepdims=True) + 1e-6) for part in (x, y)]
    matched = (x - moments[0][0]) / moments[0][1] * moments[1][1] + moments[1][0]
    magnitude, phases = np.expm1(np.clip(matched, 0, None)), np.exp(1j * np.angle(content))
    for _ in range(20):
        audio = librosa.istft(magnitude * phases, length=len(pair.content), hop_length=512)
        phases = np.exp(1j * np.angle(librosa.stft(audio, **stft)))
    return audio


def mosaicked(pair: Pair) -> np.ndarray:
    """The content put together from the style's frames: the nearest by mel spectrum, at the content's level.

    As concatenative synthesis does (D. Schwarz, "Concatenative sound synthesis: the early years", 2006).
    """
    n_fft, hop = 4096, 1024
    starts = np.arange(0, len(pair.style) - n_fft, hop // 2)
    window = np.hanning(n_fft + 1)[:-1]
    frames = [np.stack([audio[i : i + n_fft] for i in at]) * window for audio, at in _framed(pair, n_fft, hop, starts)]
    basis = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=60)
    shapes = [np.log1p(np.abs(np.fft.rfft(part)) @ basis.T) for part in frames]
    shapes = [shape / (np.linalg.norm(shape, axis=1, keepdims=True) + 1e-9) for shape in shapes]
    nearest = (shapes[0] @ shapes[1].T).argmax(axis=1)
    out, raw = np.zeros(len(pair.content) + 2 * n_fft), pair.style
    for number, chosen in enumerate(nearest):
        grain = raw[starts[chosen] : starts[chosen] + n_fft] * window
        gain = np.linalg.norm(frames[0][number]) / (np.linalg.norm(grain) + 1e-9)
        out[number * hop : number * hop + n_fft] += min(gain, 30.0) * grain
    return out[n_fft // 2 :][: len(pair.content)]


def _framed(pair: Pair, n_fft: int, hop: int, starts: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Content and style, each with where its frames begin."""
    padded = np.pad(pair.content, n_fft // 2)
    return [(padded, np.arange(0, len(padded) - n_fft + 1, hop)), (pair.style, starts)]


def yardsticks() -> dict[str, System]:
    """What needs no transfer, by name."""
    return {
        "dry content": lambda pair: pair.content,
        "the style itself": lambda pair: pair.style,
        "score on the style's instrument": lambda pair: pair.target,
        "equaliser alone": equalised,
        "AdaIN on log-magnitudes": statistics_matched,
        "mosaic of the style's frames": mosaicked,
    }


def transfer(preset: str, parameters: Mapping[str, Any]) -> System:
    """A transfer by a preset with some parameters changed."""

    def system(pair: Pair) -> np.ndarray:
        result = stylize(pair.content[None], pair.style[None], RATE, preset=preset, device="cpu", **parameters)
        return np.asarray(result.audio[0])

    return system


def row(system: System, pair: Pair) -> dict[str, float] | None:
    """All measures of a system's result for a pair; None where it has none."""
    result = system(pair)
    if result is None:
        return None
    result = levelled(result)
    score: Notes | None = [(n.start, n.end, n.pitch) for n in pair.notes] if pair.notes else None
    measures = measure(result, pair.content, pair.style, score, pair.kind == "tonal")
    for name in ("start, dB", "end, dB"):
        measures[name] = abs(measures[name])
    measures |= {"LSD, dB": float("nan"), "pitch distance": float("nan")}
    if pair.target is not None:
        length = min(len(result), len(pair.target))
        audio, target = result[:length], pair.target[:length]
        measures["LSD, dB"] = log_spectral_distance(audio, target)
        measures["pitch distance"] = pitch_jaccard_distance(audio, target)
    return measures


def cells(name: str, kind: str, measures: Mapping[str, float]) -> str:
    """A row of the table; what does not apply is a dash."""
    texts = []
    for column in EXPLANATIONS:
        value = round(measures[column], WHOLE_DIGITS.get(column, 2)) + 0.0  # so that -0.0 is 0.0
        texts.append("-" if np.isnan(value) else f"{value:.{WHOLE_DIGITS.get(column, 2)}f}")
    return f"| {name} | {kind} | {' | '.join(texts)} |"


def setting(text: str) -> tuple[str, Any]:
    """The parameter and the value that NAME=VALUE stands for, as `audiostyle` reads them."""
    name, _, value = text.partition("=")
    parameters = effects()["style"].parameters
    if name not in parameters or not value:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=VALUE with a NAME of {', '.join(parameters)}")
    try:
        return name, parameters[name].read(value)
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("presets", nargs="*", default=["default"], metavar="PRESET", help=f"of {', '.join(PRESETS)}; default")
    add("--set", dest="parameters", action="append", type=setting, default=[], metavar="NAME=VALUE")
    add("--original", action="store_true", help="the published algorithm too, which takes minutes")
    add("--pair", action="append", choices=["score", "example", "drums"], help="some of the pairs alone")
    add("--no-yardsticks", action="store_true", help="the presets alone")
    add("--explain", action="store_true", help="print what the measures say, and nothing else")
    options = parser.parse_args()
    for name in options.presets:
        if name not in PRESETS:
            parser.error(f"{name!r} is no preset; write one of {', '.join(PRESETS)}")
    return options


def main() -> None:
    """Print the table."""
    options = arguments()
    if options.explain:
        print("\n".join(f"- *{name}*: {words}" for name, words in EXPLANATIONS.items()))
        return
    chosen = [pair for pair in pairs() if options.pair is None or pair.name in options.pair]
    systems = {} if options.no_yardsticks else yardsticks()
    changed = "".join(f", `{name}={value!r}`" for name, value in options.parameters)
    systems |= {f"`preset={name}`{changed}": transfer(name, dict(options.parameters)) for name in options.presets}
    if options.original and "`preset=original`" not in systems:
        systems["`preset=original`"] = transfer("original", {})
    print(f"Measured on {machine()}.\n")
    print(f"| system | pairs | {' | '.join(EXPLANATIONS)} |\n|---|---|{'---:|' * len(EXPLANATIONS)}")
    for kind in dict.fromkeys(pair.kind for pair in chosen):
        for name, system in systems.items():
            rows = [measures for pair in chosen if pair.kind == kind if (measures := row(system, pair))]
            if rows:
                print(cells(name, kind, mean(rows)), flush=True)


if __name__ == "__main__":
    main()
