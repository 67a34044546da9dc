"""Tunes of known notes."""

import numpy as np

RATE = 22_050
MELODY = (0, 4, 7, 12, 5, 9, 7, 2, 11, 7, 4, 0)


def tune(semitones=0.0, harmonics=(1, 0.5, 0.3, 0.2), rate=RATE, seconds=0.5):
    """Chords of C major with overtones, moved by semitones."""
    time = np.arange(round(seconds * rate)) / rate
    chords = []
    for note in MELODY:
        chord = np.zeros_like(time)
        for voice, strength in ((note, 1.0), (-12, 0.5), (-5, 0.3)):
            hz = 261.63 * 2 ** ((voice + semitones) / 12)
            for h, amplitude in enumerate(harmonics, 1):
                chord += strength * amplitude * np.sin(2 * np.pi * h * hz * time)
        chords.append(chord * np.minimum(1, 30 * time) * np.exp(-2 * time))
    return np.concatenate(chords)[None].astype(np.float32)
