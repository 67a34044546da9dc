"""What the presets do, as Markdown: python tests/benchmarks/presets.py [PRESET ...] [--style anthem|beat].

Each is run on ten seconds, mono at 22,050 Hz: the example song in the style of the example anthem, and in that of a
drum beat, which is synthesised here. Losses are those of the resulting audio by the closed form at a width of 11
frames, at equal RMS and at the gain that suits the result best. The beat is how far the result has the style's rhythm:
each recording's onset envelope (at a hundred frames a second, the sum over all frequencies of what the log-magnitude
rises by) is correlated with itself at lags of a tenth of a second to two seconds, and the two curves with each other; 1
is the same rhythm, 0 none in common. Likewise with the song's. Steps are those with a gradient; what one takes is among
what `benchmark.py` measures.
"""

from __future__ import annotations

import argparse

import numpy as np
import scipy.optimize
from benchmark import CONTENT, MONO, RATE, STYLE, machine, mono, objective, recording

from audiostyle_fx import PRESETS, stylize
from audiostyle_fx._engine.objectives.infinite_width import InfiniteWidth
from audiostyle_fx._engine.spectra.stft import STFT

LAGS = slice(10, 200)
"""Hundredths of a second."""


def beat(seconds: float = 10.0, tempo: float = 97.0, seed: int = 0) -> np.ndarray:
    """Bass drum, snare and hi-hat, no two strokes alike; (1, samples) at 22,050 Hz."""
    rng, step = np.random.default_rng(seed), 60 / tempo / 4
    t = np.arange(int(0.4 * RATE)) / RATE
    bass = np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-25 * t)))) * np.exp(-9 * t)
    out = np.zeros(int(seconds * RATE) + len(t))
    for i in range(int(seconds / step)):
        noise = rng.standard_normal(len(t))
        snare = 0.5 * (noise + 2 * np.sin(2 * np.pi * 190 * t)) * np.exp(-20 * t)
        hat = 0.3 * np.diff(noise, prepend=0) * np.exp(-60 * t)
        strokes = bass * (i % 16 in (0, 6, 8)) + snare * (i % 8 == 4) + hat * (i % 2 == 0)
        start = round(i * step * RATE)
        out[start : start + len(t)] += rng.uniform(0.7, 1) * strokes
    return mono(out[None, : int(seconds * RATE)], RATE)


def rhythm(audio: np.ndarray) -> np.ndarray:
    """The onset envelope's correlation with itself at `LAGS`, of (1, samples)."""
    stft = STFT(512, RATE // 100)
    rises = np.diff(stft.log_magnitude(stft.forward(audio[None]))[0].astype(np.float64), axis=0)
    onsets = np.maximum(rises, 0).sum(axis=1)
    onsets -= onsets.mean()
    return np.correlate(onsets, onsets, "full")[len(onsets) - 1 :][LAGS]


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """How alike two recordings' rhythms are, from -1 to 1."""
    return float(np.corrcoef(rhythm(a), rhythm(b))[0, 1])


def audio_loss(audio: np.ndarray, content: np.ndarray, style: np.ndarray) -> tuple[float, float]:
    """Style and content loss of recordings (1, samples), at the best gain."""
    stft = STFT(2048, 512)
    frames = tuple(stft.log_magnitude(stft.forward(y[None])) for y in (content, style))
    judge, spectrum = objective(InfiniteWidth, frames), stft.forward(mono(audio, RATE)[None])

    def losses(gain_db: float) -> np.ndarray:
        return judge.value_and_grad(stft.log_magnitude(spectrum * np.float32(10 ** (gain_db / 20))))[0][:, 0]

    options = {"xatol": 0.1}
    best = scipy.optimize.minimize_scalar(
        lambda g: losses(g).sum(), bounds=(-12, 12), method="bounded", options=options
    )
    style_loss, content_loss = losses(best.x)
    return float(style_loss), float(content_loss)


def measure(content: np.ndarray, style: np.ndarray, preset: str) -> dict[str, float]:
    """The gradient steps of a transfer, and the losses and rhythms of its result."""
    audio, parameters = stylize(content, style, RATE, preset=preset).audio, PRESETS[preset].parameters
    steps = parameters.spectrogram_iters + parameters.waveform_iters
    style_loss, content_loss = audio_loss(audio, content, style)
    rhythms = {"style's beat": similarity(audio, style), "song's beat": similarity(audio, content)}
    return {"steps": steps, "style loss": style_loss, "content loss": content_loss, **rhythms}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "presets", nargs="*", default=[*PRESETS], metavar="PRESET", help=f"of {', '.join(PRESETS)}; all"
    )
    parser.add_argument("--style", choices=["anthem", "beat"], help="one of the styles alone")
    options = parser.parse_args()
    content, anthem = (recording(name, MONO)[0] for name in (CONTENT, STYLE))
    print(f"Measured on {machine()}.\n")
    digits = {"steps": 0, "style loss": 0, "content loss": 0, "style's beat": 2, "song's beat": 2}
    print(f"| preset | style | {' | '.join(digits)} |\n|---|---|{'---:|' * len(digits)}")
    for style_name, style in (("anthem", anthem), ("beat", beat())):
        for name in options.presets if options.style in (None, style_name) else []:
            row = measure(content, style, name)
            cells = " | ".join(f"{row[column]:.{places}f}" for column, places in digits.items())
            print(f"| {name} | {style_name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
