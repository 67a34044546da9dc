"""How far a result is from the same score on the style's own instrument.

As Cifka, Ozerov, Simsekli and Richard, "Self-supervised VQ-VAE for one-shot music style transfer" (ICASSP 2021),
measure it, by the code of their evaluation (`experiments/paper_eval.ipynb` in github.com/cifkao/ss-vq-vae):

- The log-spectral distance (LSD), at 16 kHz and at unit RMS: mel spectra of 128 bands by librosa's defaults (2048
  samples every 512), in dB down to 80 below the loudest; the root of the mean square over frames, then the mean over
  bands. This is theirs as it stands.
- The pitch Jaccard distance: per frame, 1 less the share that two sets of pitches, rounded to semitones, have in common
  of their union, 0 where both are empty; the mean over frames. Theirs too, but for the tracker: they take Melodia's
  from Essentia, which has no wheels for every platform; here it is that of Klapuri (ISMIR 2006), by sums of harmonics
  of the whitened spectrum. So the figures compare with one another, and with those of the paper in kind alone.
"""

from __future__ import annotations

import librosa
import numpy as np
import scipy.ndimage

from audiostyle_fx._recordings.resampling import resample

RATE, TRACKED_RATE = 22050, 16000
N_FFT, FRAME, HOP = 8192, 2048, 512
LOWEST, HIGHEST, PER_SEMITONE = 36, 88, 5
HARMONICS = 20
POLYPHONY = 5


def at_16_khz(audio: np.ndarray) -> np.ndarray:
    """A recording, (samples,), at 16 kHz and unit RMS."""
    converted = resample(audio[None].astype(np.float32), RATE, TRACKED_RATE)[0]
    return converted / (np.sqrt(np.mean(converted**2)) + np.finfo(np.float32).eps)


def log_spectral_distance(audio: np.ndarray, target: np.ndarray) -> float:
    """LSD in dB of two recordings at 22,050 Hz."""
    ours, theirs = (
        librosa.power_to_db(librosa.feature.melspectrogram(y=at_16_khz(y), sr=TRACKED_RATE)) for y in (audio, target)
    )
    return float(np.mean(np.sqrt(np.mean((ours - theirs) ** 2, axis=1))))


def whitened(audio: np.ndarray) -> np.ndarray:
    """Magnitudes with the same level in all third octaves (frames, bins), compressed by a power of 1/3."""
    frames = librosa.util.frame(audio, frame_length=FRAME, hop_length=HOP).T * np.hanning(FRAME)
    magnitude = np.abs(np.fft.rfft(frames, N_FFT, axis=1))
    frequencies = np.fft.rfftfreq(N_FFT, 1 / TRACKED_RATE)
    centres = 30 * 2 ** (np.arange(27) / 3)
    bands = np.maximum(0, 1 - np.abs(3 * np.log2(np.maximum(frequencies, 1) / centres[:, None])))
    levels = np.sqrt(magnitude**2 @ bands.T / np.maximum(bands.sum(axis=1), 1e-9)) + 1e-3 * magnitude.max()
    gains = np.array([np.interp(frequencies, centres, row ** (1 / 3 - 1)) for row in levels])
    return gains * magnitude


def pitch_sets(audio: np.ndarray) -> list[set[int]]:
    """The MIDI numbers that sound in each frame of 128 ms, every 32 ms.

    Klapuri, "Multiple fundamental frequency estimation by summing harmonic amplitudes" (ISMIR 2006): the pitch with the
    largest weighted sum of harmonics is found and its harmonics are taken away, up to five times; how many are kept is
    where the sum of saliences over their number to a power is largest. The power is 0.6: with the paper's 0.7 a third
    of the blown notes of `ear_material.py` is found, with 0.6 more than half of these and of the struck ones, and of
    what is found 0.8 is right. Frames 30 dB below the loudest have none.
    """
    converted = at_16_khz(audio)
    spectrum = whitened(converted)
    levels = librosa.feature.rms(y=converted, frame_length=FRAME, hop_length=HOP, center=False)[0]
    pitches = np.arange(LOWEST, HIGHEST, 1 / PER_SEMITONE)
    f0 = 440 * 2 ** ((pitches - 69) / 12)
    frequencies = f0[:, None] * np.arange(1, HARMONICS + 1)
    bins = np.minimum(np.rint(frequencies * N_FFT / TRACKED_RATE).astype(int), spectrum.shape[1] - 1)
    weights = (f0[:, None] + 52) / (frequencies + 320) * (frequencies < 0.45 * TRACKED_RATE)
    every = np.arange(len(spectrum))
    found, saliences = [], []
    for _ in range(POLYPHONY):
        peaks = scipy.ndimage.maximum_filter1d(spectrum, 5, axis=1)
        salience = np.einsum("fph,ph->fp", peaks[:, bins], weights)
        best = salience.argmax(axis=1)
        found.append(np.floor(pitches[best] + 0.5).astype(int))
        saliences.append(salience[every, best])
        spectrum = spectrum * (1 - harmonic_mask(bins[best], weights[best], spectrum.shape))
    kept = np.argmax(np.cumsum(saliences, axis=0) / np.arange(1, POLYPHONY + 1)[:, None] ** 0.6, axis=0) + 1
    loud = levels > levels.max() * 10 ** (-30 / 20)
    return [{int(found[k][i]) for k in range(kept[i])} if loud[i] else set() for i in every]


def harmonic_mask(bins: np.ndarray, weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What a pitch of each frame takes of every bin, 0 to 0.89: its harmonics' main lobes, by their weights."""
    mask = np.zeros(shape)
    np.maximum.at(mask, (np.arange(shape[0])[:, None], bins), np.minimum(1, 1.2 * weights))
    lobe = 2 * N_FFT // FRAME
    return 0.89 * scipy.ndimage.maximum_filter1d(mask, 2 * lobe - 1, axis=1)


def pitch_jaccard_distance(audio: np.ndarray, target: np.ndarray) -> float:
    """Mean over frames of the Jaccard distance of the pitches of two recordings at 22,050 Hz, from 0 to 1."""
    distances = []
    for ours, theirs in zip(pitch_sets(audio), pitch_sets(target), strict=True):
        union = ours | theirs
        distances.append(1 - len(ours & theirs) / len(union) if union else 0.0)
    return float(np.mean(distances))
