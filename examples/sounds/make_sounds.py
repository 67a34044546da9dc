"""The sounds that the README plays: python make_sounds.py [--out FOLDER] [--seconds SECONDS].

A song, a drum loop and a voice, each before and after it takes the sound of the anthem. The drums and the voice are
synthesised here, and belong to nobody; the song and the anthem are those of the folder `audio`.
"""

import argparse
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from audiostyle_fx import save_audio, stylize

SOUNDS = Path(__file__).parent
AUDIO = SOUNDS.parent / "audio"
RATE = 44100
KBITS = {1: 80, 2: 112}  # of MP3, by channels
STRENGTHS = 0.2, 0.33, 0.8

# Centre frequencies of the first five formants of sung vowels, in Hz, for a bass-baritone.
FORMANTS = {
    "a": (650, 1080, 2650, 2900, 3250),
    "e": (400, 1700, 2600, 3200, 3580),
    "i": (290, 1870, 2800, 3250, 3540),
    "o": (400, 800, 2600, 2800, 3000),
    "u": (350, 600, 2400, 2675, 2950),
}
BANDWIDTHS = (70, 85, 110, 120, 130)
GAINS = (1.0, 0.5, 0.3, 0.25, 0.15)
MELODY = ["57a.8", "60e.4", "62i.4", "64o.8", "62a.4", "60u.4", "59e.8", "57a1.2"]  # MIDI number, vowel, seconds


def voice() -> np.ndarray:
    """Sing five vowels on five notes, (1, samples): pulses of the glottis through resonances that move."""
    rng = np.random.default_rng(1)
    pitch: list[np.ndarray] = []
    vowels: dict[str, list[np.ndarray]] = {vowel: [] for vowel in FORMANTS}
    for note in MELODY:
        number, vowel, seconds = int(note[:2]), note[2], float(note[3:])
        n = int(seconds * RATE)
        pitch.append(np.full(n, number, float))
        for name, parts in vowels.items():
            parts.append(np.full(n, float(name == vowel)))
    glide = scipy.signal.windows.hann(int(0.07 * RATE))
    glide /= glide.sum()
    notes = np.concatenate(pitch)
    t = np.arange(len(notes)) / RATE
    vibrato = 0.25 * np.sin(2 * np.pi * 5.3 * t) * np.minimum(t % 0.8 / 0.4, 1)
    smooth = np.convolve(np.pad(notes, len(glide), mode="edge"), glide, "same")[len(glide) : -len(glide)]
    hertz = 440 * 2 ** ((smooth + vibrato - 69) / 12)
    phase = np.cumsum(hertz) / RATE % 1
    glottis = np.where(phase < 0.6, np.sin(np.pi * phase / 0.6) ** 2, 0)
    source = np.diff(glottis, prepend=0) + 0.0015 * rng.standard_normal(len(t)) * (0.3 + glottis)
    sung = np.zeros(len(t))
    for vowel, frequencies in FORMANTS.items():
        weight = np.convolve(np.concatenate(vowels[vowel]), glide, "same")
        for centre, bandwidth, gain in zip(frequencies, BANDWIDTHS, GAINS, strict=True):
            peak = scipy.signal.iirpeak(centre, centre / bandwidth, fs=RATE)
            sung += gain * weight * scipy.signal.lfilter(*peak, source)
    starts = np.cumsum([0, *(float(note[3:]) for note in MELODY[:-1])])
    for start in starts:  # a short fall and rise between the notes, as of a soft consonant
        sung *= 1 - 0.7 * np.exp(-(((t - start) / 0.025) ** 2))
    sung *= np.minimum(1, (t[-1] - t) / 0.3)
    return 0.5 * (sung / np.abs(sung).max())[None]


def drums(tempo: float = 100.0) -> np.ndarray:
    """Play two bars of bass drum, snare and hi-hat, (1, samples)."""
    rng, step = np.random.default_rng(2), 60 / tempo / 4
    t = np.arange(int(0.3 * RATE)) / RATE
    loop = np.zeros(int(32 * step * RATE) + len(t))
    for i in range(32):
        noise = rng.standard_normal(len(t))
        bass = 1.5 * np.sin(2 * np.pi * (50 * t + 2.2 * (1 - np.exp(-40 * t)))) * np.exp(-20 * t)
        snare = 0.5 * (noise + 1.6 * np.sin(2 * np.pi * 190 * t)) * np.exp(-28 * t)
        hat = 0.3 * np.diff(noise, prepend=0) * np.exp(-70 * t)
        strokes = bass * (i % 16 in (0, 6, 10)) + snare * (i % 8 == 4) + hat * (i % 2 == 0)
        start = int(i * step * RATE)
        loop[start : start + len(t)] += rng.uniform(0.8, 1) * strokes
    loop = loop[: int(32 * step * RATE)]
    return 0.6 * (loop / np.abs(loop).max())[None]


def main() -> None:
    """Write all sounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SOUNDS, help="folder, that of this script by default")
    parser.add_argument("--seconds", type=float, default=10.0, help="length at most")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)

    def write(name: str, audio: np.ndarray) -> None:
        path = options.out / f"{name}.mp3"
        save_audio(path, audio, RATE, quality=KBITS[len(audio)])
        print(f"{path}: {audio.shape[1] / RATE:.1f} s")

    def shortened(audio: np.ndarray) -> np.ndarray:
        return audio[:, : int(options.seconds * RATE)].astype(np.float32)

    song = shortened(soundfile.read(AUDIO / "mountain_king.ogg", dtype="float32")[0].T)
    write("song", song)
    write("anthem", shortened(soundfile.read(AUDIO / "anthem.ogg", dtype="float32")[0].T))
    for strength in STRENGTHS:
        write(f"song_strength_{strength:g}", stylize(song, AUDIO / "anthem.ogg", RATE, strength=strength).audio)
    loop, sung = shortened(drums()), shortened(voice())
    write("drums", loop)
    write("drums_styled", stylize(loop, AUDIO / "anthem.ogg", RATE, preset="drums").audio)
    write("voice", sung)
    write("voice_styled", stylize(sung, AUDIO / "anthem.ogg", RATE, preset="voice").audio)


if __name__ == "__main__":
    main()
