"""The gain curve of a recording, by which quiet stretches are brought up for the work and back down afterwards.

A transfer drives everything to the style's level, and the quieter a stretch of the content is, the less it weighs
against that: pauses fill up. So the content is multiplied by a curve and the result divided by it. The curve is one
gain, which brings the recording to the level of transfers, and rises where it is far below its own level for long.
Notes, beats and short pauses are left alone: they are what is styled.

It comes from the levels of short blocks over all channels, whose balance stays. The morphological closing of these
levels passes over what is quiet for a short time and keeps the edges of all else to the block. At an edge the curve
rises or falls within a block on the quiet side, so that nothing loud is made louder, and what the style's sounds smear
over it falls with the curve. A number a block is all that is kept of a recording, and any window of the curve can be
had from it: every section sees the same one.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from .disk_samples import Samples
from .levels import RMS

BLOCK_SECONDS = 0.01
"""Short, as nothing is brought up in the block in which a loud sound begins or ends, and the style fills it. Measured:
a dip by 30 dB for 1 s is on average up to 7 dB louder than in its middle with 50 ms, 1.5 dB with 20 and 0.4 dB with
10."""


GATE_DB = -60.0
"""Pauses, which don't count for the recording's level, are blocks below this, relative to the loudest."""


PAUSE_BLOCKS = 70
"""What is quiet for no more blocks than these is left alone."""


NEAR_DB = 6.0
"""What is this far below the recording's level, or less, is left alone; what is twice as far is brought up to it."""


MOST_DB = 60.0
"""The most that anything is brought up by. Measured: noise 70 dB below the music comes out 4 dB too loud, and 15 dB
with a limit of 40."""


READ_BLOCKS = 500
"""Blocks read at a time: squares take more memory than samples."""


class Dynamics:
    """The levels of a recording: the one that counts as its own, and the curve that evens them.

    Parameters
    ----------
    energies : float64 array (blocks,)
        Sum of the squares in each block, the mean over the channels that count: see `block_energies`.
    n_samples : int
        Of the recording.
    block : int
        Samples of a block.
    rms : float, optional
        Its own level, where that is known better than from these blocks.

    Attributes
    ----------
    rms : float
        Root mean square over the blocks that are not pauses; 0 for silence.
    gain : float
        The factor that brings it to the level at which transfers are made; 1 for silence.
    lift : float64 array (blocks + 1,)
        How much further the recording is brought up at the borders of its blocks, in dB.
    """

    def __init__(self, energies: np.ndarray, n_samples: int, block: int, rms: float | None = None) -> None:
        self.block = block
        lengths = np.diff(np.append(np.arange(0, n_samples, block), n_samples))
        power = energies / lengths
        sounding = power > 10 ** (GATE_DB / 10) * power.max(initial=0)
        self.rms, self.gain, self.lift = 0.0, 1.0, np.zeros(len(power) + 1)
        if sounding.any():
            own = math.sqrt(energies[sounding].sum() / lengths[sounding].sum())
            self.rms = own if rms is None else rms
            self.gain = RMS / self.rms
            self.lift = _lift(power, sounding, 20 * math.log10(self.rms / own))

    @classmethod
    def of(cls, audio: Samples, sample_rate: float, channels: np.ndarray | slice = slice(None)) -> Dynamics:
        """Those of a recording, (channels, samples), at a rate in Hz; ``channels`` are those that count."""
        block = block_samples(sample_rate)
        energies = block_energies(audio, block)[:, channels]
        return cls(energies.sum(axis=1) / max(energies.shape[1], 1), audio.shape[1], block)

    def curve(self, window: slice) -> float | np.ndarray:
        """The factor of each sample of a window, float64 (samples,), or of all of them."""
        first, last = window.start // self.block, -(-window.stop // self.block)
        lift = self.lift[first : last + 1]
        if not lift.any():
            return self.gain
        borders = np.arange(first, first + len(lift)) * self.block
        return self.gain * 10 ** (np.interp(np.arange(window.start, window.stop), borders, lift) / 20)


def block_samples(sample_rate: float) -> int:
    """Samples of a block at a rate in Hz."""
    return max(1, round(BLOCK_SECONDS * sample_rate))


def block_energies(audio: Samples, block: int, start: int = 0) -> np.ndarray:
    """Sum of the squares in each block from sample ``start`` on, float64 (blocks, channels)."""
    energies = [np.zeros((0, audio.shape[0]))]
    for at in range(start, audio.shape[1], READ_BLOCKS * block):
        squares = np.square(audio[:, at : at + READ_BLOCKS * block], dtype=np.float64)
        energies.append(np.add.reduceat(squares, np.arange(0, squares.shape[1], block), axis=1).T)
    return np.concatenate(energies)


def _lift(power: np.ndarray, sounding: np.ndarray, louder: float) -> np.ndarray:
    """By how much each border of blocks is brought up, in dB, from the mean square of each block.

    The recording is ``louder`` in dB, as a whole, than these blocks of it are.
    """
    if len(power) <= PAUSE_BLOCKS:
        return np.zeros(len(power) + 1)
    around, size = np.pad(power, PAUSE_BLOCKS, constant_values=np.inf), PAUSE_BLOCKS // 2 * 2 + 1
    closed = minimum_filter1d(maximum_filter1d(around, size), size)[PAUSE_BLOCKS:-PAUSE_BLOCKS]
    with np.errstate(divide="ignore"):  # nothing is raised in digital silence, whatever the curve is there
        below = louder - 10 * np.log10(closed / closed[sounding].mean())
    lift = np.pad(np.clip(np.minimum(below, 2 * (below - NEAR_DB)), 0, MOST_DB), 1, mode="edge")
    return np.minimum(lift[:-1], lift[1:])
