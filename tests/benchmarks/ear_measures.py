"""What a musician hears of a result, by measures that know nothing of this project's loss.

Recordings are (samples,), float, at 22,050 Hz and RMS 0.1. librosa's chroma, onsets, MFCCs and separation of harmonic
from percussive sound are used; notes are transcribed by basic-pitch where it is installed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import librosa
import mir_eval
import numpy as np
import scipy.linalg
import scipy.signal
import soundfile

from audiostyle_fx._recordings.similarity import MAX_SHIFT, best_correlation

RATE = 22050
HOP = 256
"""Of the onset envelopes, samples."""

Notes = list[tuple[float, float, int]]
"""Of each note its start and end in seconds and its MIDI number."""


def chroma(audio: np.ndarray) -> np.ndarray:
    """Pitch classes at unit norm, (12, frames) of 512 samples."""
    classes = librosa.feature.chroma_cqt(y=audio, sr=RATE, hop_length=512, norm=None)
    return classes / np.maximum(np.linalg.norm(classes, axis=0), 1e-9)


def chroma_kept(result: np.ndarray, content: np.ndarray) -> float:
    """How much of the melody and harmony is kept: 1 all of it, 0 no more than by chance.

    The cosine of both chromas frame by frame, less that with the content's frames in random order, which two
    recordings in one key share anyhow, over the same of the content with itself. Frames 20 dB below the loudest do not
    count.
    """
    ours, theirs = chroma(result), chroma(content)
    levels = librosa.feature.rms(y=content, frame_length=1024, hop_length=512)[0][: theirs.shape[1]]
    loud = levels > 0.1 * levels.max()
    ours, theirs = ours[:, loud], theirs[:, loud]
    orders = [np.random.default_rng(seed).permutation(theirs.shape[1]) for seed in range(10)]

    def above_chance(one: np.ndarray) -> float:
        by_chance = np.mean([np.mean(np.sum(one * theirs[:, order], axis=0)) for order in orders])
        return float(np.mean(np.sum(one * theirs, axis=0)) - by_chance)

    return above_chance(ours) / above_chance(theirs)


@cache
def transcriber() -> Callable[[str], Any] | None:
    """basic-pitch's transcription of a file (Bittner et al., ICASSP 2022), None where it is not installed."""
    if importlib.util.find_spec("basic_pitch") is None or importlib.util.find_spec("onnxruntime") is None:
        return None
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from basic_pitch import ICASSP_2022_MODEL_PATH
        from basic_pitch.inference import Model, predict

        model = Model(str(Path(ICASSP_2022_MODEL_PATH).with_name("nmp.onnx")))
    return lambda path: predict(path, model)[2]


def transcribed(audio: np.ndarray) -> Notes | None:
    """The notes of a recording, None where no transcription is installed."""
    transcribe = transcriber()
    if transcribe is None:
        return None
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder, "recording.wav")
        soundfile.write(path, audio, RATE, subtype="FLOAT")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = transcribe(str(path))
    return [(float(start), float(end), int(pitch)) for start, end, pitch, *_ in found]


def note_f1(reference: Notes, estimated: Notes, tolerance: float) -> float:
    """F-measure of notes with the right pitch that begin within a tolerance in seconds."""
    if not reference or not estimated:
        return 0.0
    arguments = []
    for notes in (reference, estimated):
        arguments.append(np.array([[start, max(end, start + 0.01)] for start, end, _ in notes]))
        arguments.append(440 * 2 ** ((np.array([pitch for *_, pitch in notes]) - 69) / 12))
    return mir_eval.transcription.precision_recall_f1_overlap(*arguments, onset_tolerance=tolerance, offset_ratio=None)[
        2
    ]


def notes_kept(result: np.ndarray, content: np.ndarray, score: Notes | None) -> float:
    """Note F1 against the score to 50 ms, or against the content's own transcription to 100 ms; nan without either."""
    found = transcribed(result)
    if found is None:
        return float("nan")
    return note_f1(score, found, 0.05) if score else note_f1(transcribed(content) or [], found, 0.1)


def onset_correlation(result: np.ndarray, content: np.ndarray) -> float:
    """Correlation of both onset envelopes, the best of shifts up to 35 ms."""
    ours, theirs = (librosa.onset.onset_strength(y=y, sr=RATE, hop_length=HOP) for y in (result, content))
    return best_correlation(theirs, ours, MAX_SHIFT)


def attack_lost(result: np.ndarray, content: np.ndarray) -> float:
    """Decibels by which attacks stand out less than in the content; nan where it has fewer than three.

    The level in the 50 ms from an onset over that from 60 to 20 ms before it, the median over the content's onsets
    that stand out by more than 4 dB there.
    """

    def stands_out(audio: np.ndarray, onset: float) -> float:
        def power(start: float, end: float) -> float:
            part = audio[max(0, int((onset + start) * RATE)) : int((onset + end) * RATE)]
            return float(np.mean(np.square(part, dtype=np.float64))) + 1e-6

        return 10 * np.log10(power(0, 0.05) / power(-0.06, -0.02))

    onsets = librosa.onset.onset_detect(y=content, sr=RATE, hop_length=HOP, units="time", backtrack=True)
    inside = [t for t in onsets if 0.1 < t < len(content) / RATE - 0.1 and stands_out(content, t) > 4]
    if len(inside) < 3:
        return float("nan")
    return float(np.median([stands_out(content, t) - stands_out(result, t) for t in inside]))


def wander(result: np.ndarray, content: np.ndarray) -> float:
    """Standard deviation in dB of the level over 0.4 s against the content's, where that is within 30 dB of its top."""
    n = int(0.4 * RATE)

    def level(audio: np.ndarray) -> np.ndarray:
        power = np.convolve(np.square(audio, dtype=np.float64), np.ones(n) / n, "same")
        return 10 * np.log10(power[:: n // 4] + 1e-10)

    ours, theirs = level(result), level(content)
    return float(np.std((ours - theirs)[theirs > theirs.max() - 30]))


def fade_difference(result: np.ndarray, content: np.ndarray) -> tuple[float, float]:
    """Decibels by which the first and the last 100 ms differ in level from the content's, above -90 dBFS."""

    def level(part: np.ndarray) -> float:
        return 10 * np.log10(np.mean(np.square(part, dtype=np.float64)) + 1e-9)

    n = RATE // 10
    return level(result[:n]) - level(content[:n]), level(result[-n:]) - level(content[-n:])


def mfcc_distance(audio: np.ndarray, style: np.ndarray) -> float:
    """Frechet distance of the Gaussians of 19 MFCCs, without the one of level, of two recordings."""
    gaussians = []
    for y in (audio, style):
        coefficients = librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=20, n_fft=1024, hop_length=512)[1:]
        gaussians.append((coefficients.mean(axis=1), np.cov(coefficients)))
    (mean, covariance), (other_mean, other_covariance) = gaussians
    root = np.real(scipy.linalg.sqrtm(covariance @ other_covariance))
    return float(np.sum((mean - other_mean) ** 2) + np.trace(covariance + other_covariance - 2 * root))


def third_octaves(audio: np.ndarray) -> np.ndarray:
    """Long-term level in dB in bands of about a third of an octave from 32 Hz to 11 kHz."""
    power = np.mean(np.abs(librosa.stft(audio)) ** 2, axis=1)
    edges = np.unique(np.geomspace(3, 1024, 33).astype(int))
    return 10 * np.log10(np.add.reduceat(power, edges)[:-1] / np.diff(edges) + 1e-9)


def copy_score(result: np.ndarray, style: np.ndarray) -> float:
    """The largest correlation of any half second of a result with any of the style's: 1 is a copy."""
    n = RATE // 2
    energy = np.concatenate([[0], np.cumsum(np.square(style, dtype=np.float64))])
    norms = np.sqrt(np.maximum(energy[n:] - energy[:-n], 1e-4 * n * np.mean(style**2)))
    best = 0.0
    for start in range(0, len(result) - n + 1, n):
        part = result[start : start + n].astype(np.float64)
        products = scipy.signal.fftconvolve(style, part[::-1], "valid")
        best = max(best, float(np.max(np.abs(products) / norms)) / (float(np.linalg.norm(part)) + 1e-9))
    return best


def mush(audio: np.ndarray) -> float:
    """Level in dB re the whole of what is neither harmonic nor percussive (Driedger et al., ISMIR 2014)."""
    spectrum = librosa.stft(audio)
    harmonic, percussive = librosa.decompose.hpss(spectrum, margin=2.5)
    rest = np.sum(np.abs(spectrum - harmonic - percussive) ** 2)
    return float(10 * np.log10(rest / np.sum(np.abs(spectrum) ** 2)))


def measure(
    result: np.ndarray, content: np.ndarray, style: np.ndarray, score: Notes | None = None, tonal: bool = True
) -> dict[str, float]:
    """All measures of one result, by name; nan where one does not apply."""
    n = min(len(result), len(content))
    result, content = result[:n], content[:n]
    start, end = fade_difference(result, content)
    nan = float("nan")
    return {
        "note F1": notes_kept(result, content, score) if tonal else nan,
        "chroma": chroma_kept(result, content) if tonal else nan,
        "onsets": onset_correlation(result, content),
        "attack lost, dB": attack_lost(result, content),
        "wander, dB": wander(result, content),
        "start, dB": start,
        "end, dB": end,
        "MFCC": mfcc_distance(result, style) / mfcc_distance(content, style),
        "spectrum, dB": float(np.mean(np.abs(third_octaves(result) - third_octaves(style)))),
        "copy": copy_score(result, style),
        "mush, dB": mush(result) - max(mush(content), mush(style)),
    }


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each measure over the rows that have it; nan where none does."""
    columns = {name: [row[name] for row in rows if np.isfinite(row.get(name, np.nan))] for name in rows[0]}
    return {name: float(np.mean(values)) if values else float("nan") for name, values in columns.items()}
