# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the two example recordings in this folder, anthem.ogg and mountain_king.ogg.

Needs the fluidsynth program, a General MIDI soundfont and the Python packages numpy, mido and soundfile.
Usage: python make_audio.py [--soundfont FILE.sf2] [--out FOLDER]

A score is a string of notes "name:beats"; a length holds until the next one is given, "+" makes a chord,
"*n" strikes a note n times within its length, "!" accents it, and "r" is a rest.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile as sf

RATE, SECONDS = 44100, 10.0
PEAK_DB = -1.2  # Vorbis moves the peaks by a few tenths
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
DRUMS = {"bass": 36, "snare": 38, "tambourine": 54, "crash": 57, "cymbal": 49, "triangle": 81}


@dataclass
class Part:
    """One instrument: General MIDI program (from 0; -1 is the orchestral drum kit), score and playing style."""

    program: int
    pan: int
    level: float
    score: str
    shift: int = 0  # semitones
    gate: float = 0.95  # sounding share of a note's written length


@dataclass
class Piece:
    """A recording: its metadata, its course of tempo and loudness, and its parts."""

    title: str
    composer: str
    rms_db: float  # chosen so that both recordings sound about equally loud
    tempo: list[tuple[float, float]]  # (beat, beats a minute), straight lines between
    dynamics: list[tuple[float, float]]  # (beat, loudness from 0 to 1), straight lines between
    parts: list[Part]


SOPRANO = "F4:.75! D4:.25 Bb3:1! D4 F4 Bb4:2! D5:.75! C5:.25 Bb4:1! D4 E4 F4:3!"
ALTO = "D4:.75 Bb3:.25 Bb3:1 D4 F4 F4:2 Bb4:.75 A4:.25 G4:1 D4 C4 C4:3"
HORN = "Bb3:.75 F3:.25 F3:1 Bb3 Eb4 D4:2 F4:1 D4 Bb3 Bb3 A3:3"
TENOR = "F3:.75 D3:.25 D3:1 G3 C4 Bb3:2 F3:1 G3 G3 G3 F3:3"
BASS = "Bb2:1 Bb2 G2 A2 Bb2:1.5! C3:.5 D3:1 G2! Bb2 C3 F2:3!"
ANTHEM = Piece(
    "The Star-Spangled Banner (opening)",
    "John Stafford Smith",
    rms_db=-16.9,
    tempo=[(0, 84), (4, 90), (8, 88), (10, 77), (13, 73)],
    dynamics=[(0, 0.88), (3, 0.9), (4, 0.98), (5.5, 0.86), (7, 0.92), (8, 0.88), (10, 1.0), (11.5, 0.88), (13, 0.8)],
    parts=[
        Part(56, 44, 1.0, SOPRANO),
        Part(56, 34, 0.78, ALTO),
        Part(61, 64, 0.72, SOPRANO),
        Part(60, 26, 0.88, HORN),
        Part(60, 20, 0.70, ALTO),
        Part(57, 86, 0.90, TENOR),
        Part(57, 96, 0.84, BASS),
        Part(58, 78, 0.92, BASS, shift=-12),
        Part(47, 60, 0.80, "r:1 Bb2:1! r:2 Bb2:1! r:.5 Bb2:.25 Bb2 Bb2:1 r:2 F2*10:1 F2*16:1.6 F2:1"),
        Part(-1, 64, 0.62, "r:4 crash+bass:3 bass:2 snare*9:1 crash+bass:3!"),
    ],
)

THEME = "B2:.5! C#3 D3 E3 F#3! D3 F#3:1 E#3:.5! C#3 E#3:1 E3:.5! C3 E3:1"
RISE = "B2:.5! C#3 D3 E3 F#3! D3 F#3 B3 A3! F#3 D3 F#3 A3:2!"
GROUND = "B2:1! F#2 B2 F#2 C#3! G#2 C3! G2 B2! F#2 B2 F#2 D3! A2 D3 A2"
AFTERBEATS = (
    "r:.5 F#4+B4 r F#4+D5 r F#4+B4 r F#4+D5 r E#4+C#5 r G#4+C#5 r E4+C5 r G4+C5 "
    "r F#4+B4 r F#4+D5 r F#4+B4 r F#4+D5 r F#4+D5 r A4+D5 r F#4+D5 F#4+D5 A4+D5"
)
SHAKEN = "triangle:1 tambourine " * 4 + "tambourine:1 " * 6 + "tambourine*2 tambourine*4 cymbal+bass:2"
MOUNTAIN_KING = Piece(
    "In the Hall of the Mountain King (theme)",
    "Edvard Grieg",
    rms_db=-15.6,
    tempo=[(0, 105), (8, 108), (16, 114)],
    dynamics=[(0, 0.86), (7, 0.84), (8, 0.8), (14, 0.92), (15.9, 0.96), (16, 0.8)],
    parts=[
        Part(45, 82, 1.0, f"{THEME} {RISE} B2+F#3:2!", gate=1.3),
        Part(45, 58, 0.90, f"{THEME} {RISE} B2+D3:2!", shift=12, gate=1.3),
        Part(45, 34, 0.84, f"{THEME} {RISE} B2+F#3:2!", shift=24, gate=1.3),
        Part(45, 44, 0.66, f"{AFTERBEATS} F#4+B4+D5:2!", gate=1.2),
        Part(45, 98, 0.76, f"{GROUND} B2:2!", shift=-12, gate=1.3),
        Part(70, 70, 0.95, f"{THEME} {RISE} B2:1.5!", gate=0.72),
        Part(70, 50, 0.74, f"r:8 {RISE} D3:1.5!", shift=12, gate=0.7),
        Part(42, 88, 0.70, f"r:8 {RISE} B2+F#3:1.7!", gate=0.8),
        Part(43, 100, 0.72, f"{GROUND} B2:1.5!", shift=-12, gate=0.6),
        Part(47, 60, 0.70, "r:8 B2:1 F#2 B2 F#2 D3 A2 D3*4 D3*6 B2*8:1.2"),
        Part(-1, 64, 0.50, SHAKEN),
    ],
)


def pitch(name: str) -> int:
    """The MIDI number of a note such as "F#3" (C4 is 60) or of a drum."""
    if name in DRUMS:
        return DRUMS[name]
    found = re.fullmatch(r"([A-G])([#b]?)(\d)", name)
    if found is None:
        raise ValueError(f"not a note: {name}")
    return STEPS[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]] + 12 * (int(found[3]) + 1)


def notes(score: str) -> list[tuple[float, float, list[int], bool]]:
    """A score's strokes as (beat, length in beats, pitches, accented)."""
    result, beat, length = [], 0.0, 1.0
    for word in score.split():
        found = re.fullmatch(r"([^:*!]+)(?:\*(\d+))?(?::([\d.]+))?(!?)", word)
        if found is None:
            raise ValueError(f"not a score word: {word}")
        length, times = float(found[3] or length), int(found[2] or 1)
        if found[1] != "r":
            chord = [pitch(name) for name in found[1].split("+")]
            result += [(beat + k * length / times, length / times, chord, bool(found[4])) for k in range(times)]
        beat += length
    return result


def along(points: list[tuple[float, float]], beats: np.ndarray) -> np.ndarray:
    """The straight lines between (beat, value) points, read at these beats."""
    return np.interp(beats, [beat for beat, _ in points], [value for _, value in points])


def clock(piece: Piece, beats: np.ndarray) -> np.ndarray:
    """The times in seconds at which these beats fall."""
    grid = np.linspace(0, 20, 4001)
    pace = 60 / along(piece.tempo, grid)
    return np.interp(beats, grid, np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(grid))]))


def midi(piece: Piece, seed: int) -> mido.MidiFile:
    """The piece as a MIDI file, with tempo, dynamics and a player's small unevenness worked into it."""
    rng = np.random.default_rng(seed)
    channels = [c for c in range(16) if c != 9]
    score = mido.MidiFile(ticks_per_beat=960)  # at the usual 120 beats a minute: 1920 ticks a second
    for part in piece.parts:
        channel = 9 if part.program < 0 else channels.pop(0)
        program = 48 if part.program < 0 else part.program
        events = [(0, 0, mido.Message("program_change", channel=channel, program=program))]
        for control, value in ((10, part.pan), (91, 52)):  # place and reverberation
            events.append((0, 0, mido.Message("control_change", channel=channel, control=control, value=value)))
        beats = np.arange(0, 18, 0.25)  # where long notes swell
        for second, level in zip(clock(piece, beats), along(piece.dynamics, beats), strict=True):
            swell = mido.Message("control_change", channel=channel, control=11, value=int(127 * level**0.5))
            events.append((round(1920 * second), 0, swell))
        for beat, length, chord, accented in notes(part.score):
            late = float(np.clip(rng.normal(0, 0.006), -0.014, 0.014))
            start, end = clock(piece, np.array([beat, beat + length * part.gate])) + 0.02 + late
            loud = part.level * along(piece.dynamics, np.array([beat]))[0] * (1.0 if accented else 0.88)
            for key in chord:
                velocity = int(np.clip(118 * loud + rng.normal(0, 2.5), 12, 127))
                note = {"channel": channel, "note": key + part.shift}
                events.append((round(1920 * start), 2, mido.Message("note_on", velocity=velocity, **note)))
                events.append((round(1920 * end), 1, mido.Message("note_off", **note)))
        track, now = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda event: event[:2]):
            track.append(message.copy(time=tick - now))
            now = tick
        score.tracks.append(track)
    return score


def render(score: mido.MidiFile, soundfont: Path) -> np.ndarray:
    """The sound of a MIDI file played by FluidSynth, as frames by two channels."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "score.mid"), Path(folder, "sound.wav")
        score.save(source)
        command = ["fluidsynth", "-niq", "-r", str(RATE), "-g", "0.35", "-R", "1", "-C", "0", "-O", "float"]
        command += ["-o", "synth.reverb.room-size=0.55", "-o", "synth.reverb.level=0.5", "-F", str(target)]
        subprocess.run([*command, str(soundfont), str(source)], check=True)
        sound, rate = sf.read(target, dtype="float64", always_2d=True)
    if rate != RATE or sound.max(initial=0) < 0.01:
        raise RuntimeError("FluidSynth gave no usable sound; is the soundfont a General MIDI one?")
    return sound


def master(sound: np.ndarray, rms_db: float) -> np.ndarray:
    """Exactly ten seconds with soft ends, at the given loudness, the peaks held by a look-ahead limiter."""
    first = int(np.argmax(np.abs(sound).max(axis=1) > 0.01 * np.abs(sound).max()))
    sound = sound[max(0, first - RATE // 200) :][: round(RATE * SECONDS)]
    sound = np.pad(sound - sound.mean(axis=0), ((0, round(RATE * SECONDS) - len(sound)), (0, 0)))
    for count, side in ((RATE // 250, 1), (RATE * 2 // 5, -1)):
        sound[::side][:count] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, count))[:, None]
    ceiling, loudness, reach = 10 ** (PEAK_DB / 20), 10 ** (rms_db / 20), RATE // 200
    drive = loudness / np.sqrt(np.mean(sound**2))
    for _ in range(5):  # the limiter takes a little loudness away: drive it until the rest is right
        need = np.minimum(1, ceiling / np.maximum(np.abs(sound * drive).max(axis=1), 1e-9))
        held = np.lib.stride_tricks.sliding_window_view(np.pad(need, 2 * reach, mode="edge"), 2 * reach + 1).min(axis=1)
        gain = np.convolve(held, np.hanning(2 * reach + 3)[1:-1] / np.hanning(2 * reach + 3).sum(), mode="valid")
        result = sound * drive * gain[:, None]
        drive *= loudness / np.sqrt(np.mean(result**2))
    return result


def write(path: Path, sound: np.ndarray, piece: Piece) -> None:
    """Write Ogg Vorbis, whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    try:
        with sf.SoundFile(partial, "w", RATE, 2, format="OGG", subtype="VORBIS", compression_level=0.3) as file:
            file.title, file.artist, file.license = piece.title, piece.composer, "CC0-1.0"
            for start in range(0, len(sound), 4096):  # some libsndfile versions fail on one long write
                file.write(sound[start : start + 4096])
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def main() -> None:
    """Make both recordings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soundfont", type=Path, default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"))
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder to write into")
    options = parser.parse_args()
    if not options.soundfont.is_file():
        parser.error(f"no soundfont at {options.soundfont}")
    options.out.mkdir(parents=True, exist_ok=True)
    for seed, (name, piece) in enumerate({"anthem": ANTHEM, "mountain_king": MOUNTAIN_KING}.items()):
        write(options.out / f"{name}.ogg", master(render(midi(piece, seed), options.soundfont), piece.rms_db), piece)
        print(f"wrote {options.out / name}.ogg")


if __name__ == "__main__":
    main()
