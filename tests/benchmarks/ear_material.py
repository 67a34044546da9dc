"""The recordings that `ear.py` measures on: two scores on two synthesised instruments, drums in a room, the examples.

All are mono at 22,050 Hz and RMS 0.1. The instruments differ as a piano and a trumpet do: one is struck and dies away,
with partials sharper than harmonic; the other is blown, rises slowly, and is the brighter the louder it plays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from audiostyle_fx._recordings.resampling import resample

RATE = 22050
SECONDS = 9.6
AUDIO = Path(__file__).parents[2] / "examples" / "audio"
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

D_MAJOR = (
    100,
    "F#5:1 E5:.5 D5 A4:1 B4 D5:.5 E5 F#5:1 G5:.5 F#5 E5:1 F#5:.5 A5 B5:1 A5:.5 F#5 D5:1 E5:.5 C#5 B4 A4 D5:1.7",
    "A3+D4+F#4:2 B3+D4+G4 F#3+B3+D4 G3+C#4+E4 A3+D4+F#4 B3+D4+G4 G3+C#4+E4 F#3+A3+D4:1.7",
    "D3:1 A2 G2 B2 B2 F#2 A2 E2 D2 F#2 G2 B2 A2 A2 D2:1.7",
)
"""Beats a minute, then melody, chords and bass; a length in beats holds until the next is given."""

A_FLAT_MAJOR = (
    75,
    "Eb5:1.5 Db5:.5 C5:1 Ab4 Bb4 C5 Db5:1.5 F5:.5 Eb5:1 C5 Bb4 Ab4:.8",
    "C4+Eb4+Ab4:3 C4+F4+Ab4 Ab3+Db4+F4 Ab3+C4+Eb4:1 G3+Db4+Eb4 Ab3+C4+Eb4:.8",
    "Ab2:2 Eb2:1 F2:2 C2:1 Db2:2 Ab2:1 Eb2 Eb2 Ab2:.8",
)


@dataclass(frozen=True)
class Note:
    """One note of a score, as it is played.

    Attributes
    ----------
    start, end : float
        Seconds.
    pitch : int
        MIDI number.
    level : float
        How loud it is struck or blown, from 0 to 1.
    """

    start: float
    end: float
    pitch: int
    level: float


Instrument = Callable[[Note, np.random.Generator], np.ndarray]
"""What plays a note: samples from its start on."""


@dataclass(frozen=True)
class Pair:
    """A content and a style, each (samples,), and what is known of them.

    Attributes
    ----------
    kind : str
        "tonal" or "drums".
    notes : tuple of Note or None
        The content's, where they are known.
    target : array or None
        The content's score on the style's instrument.
    """

    name: str
    kind: str
    content: np.ndarray
    style: np.ndarray
    notes: tuple[Note, ...] | None = None
    target: np.ndarray | None = None


def levelled(audio: np.ndarray) -> np.ndarray:
    """The recording at RMS 0.1, float32."""
    return (audio * (0.1 / max(np.sqrt(np.mean(np.square(audio, dtype=np.float64))), 1e-9))).astype(np.float32)


def midi_number(name: str) -> int:
    """The number of a pitch such as "F#3"; C4 is 60."""
    return STEPS[name[0]] + {"#": 1, "b": -1}.get(name[1], 0) + 12 * (int(name[-1]) + 1)


def played(score: tuple[int, str, str, str], seed: int = 0) -> tuple[Note, ...]:
    """A score's notes with a player's small unevenness of time (8 ms) and level."""
    tempo, *parts = score
    rng, notes = np.random.default_rng(seed), []
    for words, loudness in zip(parts, (0.9, 0.55, 0.7), strict=True):
        beat = length = 0.0
        for word in words.split():
            names, _, given = word.partition(":")
            length = float(given or length)
            for name in names.split("+"):
                start = 0.06 + beat * 60 / tempo + rng.uniform(0, 0.008)
                end = start + 0.94 * length * 60 / tempo
                notes.append(Note(start, end, midi_number(name), loudness * rng.uniform(0.8, 1.0)))
            beat += length
    return tuple(sorted(notes, key=lambda note: note.start))


def struck(note: Note, rng: np.random.Generator) -> np.ndarray:
    """A piano-like tone: inharmonic partials that die away at two rates, the higher the faster, and hammer noise.

    Partials lie at ``n f0 sqrt(1 + B n^2)``, as those of a stiff string (Fletcher, JASA 36, 1964).
    """
    f0, t = 440 * 2 ** ((note.pitch - 69) / 12), np.arange(int((note.end - note.start + 0.25) * RATE)) / RATE
    stiffness = 2e-4 * (f0 / 220) ** 1.2
    tone = np.zeros(len(t))
    for n in range(1, 40):
        frequency = n * f0 * np.sqrt(1 + stiffness * n**2)
        if frequency > 0.45 * RATE:
            break
        level = abs(np.sin(np.pi * n / 8.3)) / n * np.exp(-frequency / (1200 + 3500 * note.level))
        rate = 0.7 + 1.1e-3 * frequency
        decay = 0.7 * np.exp(-2.5 * rate * t) + 0.3 * np.exp(-0.5 * rate * t)
        for cents in (-0.7, 0.7):  # two strings, not quite in tune, beat
            tone += level * decay * np.sin(2 * np.pi * frequency * 2 ** (cents / 1200) * t + rng.uniform(0, 2 * np.pi))
    hammer = scipy.signal.lfilter(*scipy.signal.butter(2, [180, 2800], "band", fs=RATE), rng.standard_normal(len(t)))
    tone += 0.5 * note.level * hammer * np.exp(-t / 0.012)
    damper = np.clip((note.end - note.start + 0.25 - t) / 0.25, 0, 1) ** 2
    return note.level * tone * damper * np.minimum(t / 0.0015, 1)


def blown(note: Note, rng: np.random.Generator) -> np.ndarray:
    """A trumpet-like tone: harmonics that come in the later the higher they are, vibrato, a formant and breath.

    That a brass tone's brightness follows its level is Risset's finding (Risset and Mathews, Physics Today 22, 1969).
    """
    f0, t = 440 * 2 ** ((note.pitch - 69) / 12), np.arange(int((note.end - note.start + 0.12) * RATE)) / RATE
    length = note.end - note.start
    envelope = np.interp(t, [0, 0.07, 0.16, max(length, 0.2), max(length, 0.2) + 0.1], [0, 0.9, 1.0, 0.85, 0])
    vibrato = 16 * np.clip((t - 0.2) / 0.3, 0, 1) * np.sin(2 * np.pi * 5.3 * t + rng.uniform(0, 2 * np.pi))
    cents = vibrato - 40 * np.exp(-t / 0.03) + rng.uniform(-4, 4)
    phase = 2 * np.pi * np.cumsum(f0 * 2 ** (cents / 1200)) / RATE
    blow = envelope * (0.75 + 0.25 * note.level)
    tone = np.zeros(len(t))
    for n in range(1, min(60, int(0.45 * RATE / f0))):
        formant = 1 + 2.5 * np.exp(-(((n * f0 - 1300) / 600) ** 2))
        tone += formant * n**-0.6 * blow ** (1 + 0.5 * n) * np.sin(n * phase + rng.uniform(0, 2 * np.pi))
    breath = scipy.signal.lfilter(*scipy.signal.butter(2, [800, 6000], "band", fs=RATE), rng.standard_normal(len(t)))
    return note.level * (tone + 0.06 * envelope * breath)


def room(audio: np.ndarray, reverberation: float, noise_db: float, seed: int) -> np.ndarray:
    """A recording with the echoes of a room (seconds to -60 dB) and its noise (dB re RMS), at RMS 0.1."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(reverberation * RATE)) / RATE
    echoes = rng.standard_normal(len(t)) * 10 ** (-3 * t / reverberation)
    echoes *= 0.35 / np.linalg.norm(echoes)
    echoes[0] = 1
    wet = levelled(scipy.signal.fftconvolve(audio, echoes)[: len(audio)])
    noise = scipy.signal.lfilter([1], [1, -0.9], rng.standard_normal(len(audio)))
    return levelled(wet + levelled(noise) * 10 ** (noise_db / 20))


def performance(notes: Sequence[Note], instrument: Instrument, seed: int, seconds: float = SECONDS) -> np.ndarray:
    """The notes that begin by then on an instrument in a room, (samples,); the last 100 ms fade."""
    rng, mix = np.random.default_rng(seed), np.zeros(int(seconds * RATE))
    for note in notes:
        start, tone = int(note.start * RATE), instrument(note, rng)[: max(0, len(mix) - int(note.start * RATE))]
        mix[start : start + len(tone)] += tone
    mix[-RATE // 10 :] *= np.linspace(1, 0, RATE // 10) ** 2
    return room(mix, 0.7, -62, seed)


def drums(tempo: float = 88.0, seed: int = 5) -> np.ndarray:
    """Bass drum, snare and hi-hat, dry enough that a quiet room is heard between them, (samples,)."""
    rng, step = np.random.default_rng(seed), 60 / tempo / 4
    t = np.arange(int(0.3 * RATE)) / RATE
    mix = np.zeros(int((SECONDS + 1) * RATE))
    for i in range(int(SECONDS / step)):
        noise = rng.standard_normal(len(t))
        bass = 1.4 * np.sin(2 * np.pi * (52 * t + 2.5 * (1 - np.exp(-35 * t)))) * np.exp(-22 * t)
        snare = 0.6 * (noise + 1.5 * np.sin(2 * np.pi * 195 * t)) * np.exp(-32 * t)
        hat = 0.25 * np.diff(noise, prepend=0) * np.exp(-90 * t)
        strokes = bass * (i % 16 in (0, 7, 8)) + snare * (i % 8 == 4) + hat * (i % 4 in (0, 2))
        start = int((0.06 + i * step) * RATE)
        mix[start : start + len(t)] += rng.uniform(0.75, 1) * strokes
    return room(mix[: int(SECONDS * RATE)], 0.15, -46, seed)


def example(name: str) -> np.ndarray:
    """A shipped recording, mixed to mono, (samples,)."""
    audio, rate = soundfile.read(AUDIO / name, dtype="float32", always_2d=True)
    return levelled(resample(audio.T.mean(axis=0, keepdims=True), rate, RATE)[0, : int(SECONDS * RATE)])


@cache
def pairs() -> tuple[Pair, ...]:
    """Two tonal pairs, the first with known notes and a target, and one of drums."""
    notes = played(D_MAJOR)
    style = performance(played(A_FLAT_MAJOR, seed=1), blown, seed=1)
    return (
        Pair("score", "tonal", performance(notes, struck, 0), style, notes, performance(notes, blown, 2)),
        Pair("example", "tonal", example("mountain_king.ogg"), example("anthem.ogg")),
        Pair("drums", "drums", drums(), style),
    )
