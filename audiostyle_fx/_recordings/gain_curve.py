"""The gain curve of a recording: it amplifies long quiet passages before a transfer, and is undone afterwards.

A transfer drives every passage to the style's level. The quieter a passage of the content is, the less it counts in the
content loss, so pauses would fill up with sound. So the content is multiplied by a gain curve, and the result is
divided by it. The curve is a constant gain, which brings the recording to the level of transfers, and it rises where
the recording stays far below its own level for long. Notes, beats and short quiet passages keep the constant gain,
because they should be styled.

The curve is made from the levels of short blocks, over all channels together, so the balance of channels stays. A
morphological closing of these levels ignores passages that are quiet for a short time, and does not move other edges.
At an edge the curve rises or falls within one block, on the quiet side: so no loud sound is amplified, and sounds of
the style that smear over the edge are attenuated with the curve. Only one number per block of a recording is kept, and
any window of the curve can be computed from these numbers: all sections use the same curve.
"""

from __future__ import annotations

import math

import numpy as np

from .disk_samples import Samples
from .levels import RMS, ratio_to_db

BLOCK_SECONDS = 0.01
"""Duration of a block. It is short because the block in which a loud sound begins or ends is not amplified, and is
filled by the style. Measured: the mean level over a dip of 30 dB and 1 s comes out up to 7 dB above the level in its
middle with blocks of 50 ms, 1.5 dB with 20 ms and 0.4 dB with 10 ms."""

GATE_DB = -60.0
"""Blocks below this level, relative to the loudest block, are pauses: they don't count for the recording's level."""

QUIET_BLOCKS = 70
"""Passages that are quiet for at most this many blocks are not amplified."""

NEAR_DB = 6.0
"""Passages at most this far below the recording's level are not amplified. Those at least twice as far below it are
amplified to it; between the two, the gain rises in proportion."""

MAX_LIFT_DB = 60.0
"""The largest amplification. Measured: noise 70 dB below the music comes out 4 dB too loud, and 15 dB too loud with a
limit of 40 dB."""

READ_BLOCKS = 500
"""Blocks read at a time: the squares of samples take more memory than the samples."""


class Dynamics:
    """The level of a recording, and the gain curve that evens it out.

    Parameters
    ----------
    energies : float64 array (blocks,)
        Sum of the squares in each block, as the mean over the measured channels: see `block_energies`.
    n_samples : int
        Length of the recording.
    block : int
        Samples of a block.
    rms : float, optional
        Level of the whole recording, if these blocks are only a part of it.

    Attributes
    ----------
    rms : float
        Root mean square over the blocks that are not pauses; 0 for silence.
    gain : float
        The constant factor that brings the recording to the level of transfers; 1 for silence.
    lift : float64 array (blocks + 1,)
        Additional gain in dB at the borders of the blocks.
    """

    def __init__(self, energies: np.ndarray, n_samples: int, block: int, rms: float | None = None) -> None:
        self.block = block
        lengths = np.diff(np.append(np.arange(0, n_samples, block), n_samples))
        power = energies / lengths
        sounding = power > 10 ** (GATE_DB / 10) * power.max(initial=0)
        self.rms, self.gain, self.lift = 0.0, 1.0, np.zeros(len(power) + 1)
        if sounding.any():
            blocks_rms = math.sqrt(energies[sounding].sum() / lengths[sounding].sum())
            self.rms = blocks_rms if rms is None else rms
            self.gain = RMS / self.rms
            self.lift = _border_lift(power, sounding, ratio_to_db(self.rms / blocks_rms))

    @classmethod
    def of(cls, audio: Samples, sample_rate: float, channels: np.ndarray | slice = slice(None)) -> Dynamics:
        """Measure a recording (channels, samples) at a rate in Hz; only ``channels`` count."""
        block = block_samples(sample_rate)
        energies = block_energies(audio, block)[:, channels]
        return cls(energies.sum(axis=1) / max(energies.shape[1], 1), audio.shape[1], block)

    def curve(self, window: slice) -> float | np.ndarray:
        """Return the factors of the samples of a window, float64 (samples,), or one number if all are equal."""
        first, last = window.start // self.block, -(-window.stop // self.block)
        lift = self.lift[first : last + 1]
        if not lift.any():
            return self.gain
        borders = np.arange(first, first + len(lift)) * self.block
        return self.gain * 10 ** (np.interp(np.arange(window.start, window.stop), borders, lift) / 20)


def block_samples(sample_rate: float) -> int:
    """Return the samples of a block at a rate in Hz."""
    return max(1, round(BLOCK_SECONDS * sample_rate))


def block_energies(audio: Samples, block: int, start: int = 0) -> np.ndarray:
    """Sum the squares in each block of ``block`` samples, from sample ``start`` on: float64 (blocks, channels)."""
    energies = [np.zeros((0, audio.shape[0]))]
    for first in range(start, audio.shape[1], READ_BLOCKS * block):
        squares = np.square(audio[:, first : first + READ_BLOCKS * block], dtype=np.float64)
        energies.append(np.add.reduceat(squares, np.arange(0, squares.shape[1], block), axis=1).T)
    return np.concatenate(energies)


def _border_lift(power: np.ndarray, sounding: np.ndarray, recording_db: float) -> np.ndarray:
    """Compute the additional gain in dB at the borders of blocks, float64 (blocks + 1,).

    Parameters
    ----------
    power : float64 array (blocks,)
        Mean square of each block.
    sounding : bool array (blocks,)
        False for pauses.
    recording_db : float
        Level of the whole recording in dB, relative to that of these blocks.
    """
    if len(power) <= QUIET_BLOCKS:
        return np.zeros(len(power) + 1)
    from scipy.ndimage import maximum_filter1d, minimum_filter1d  # takes half a second to load

    padded, size = np.pad(power, QUIET_BLOCKS, constant_values=np.inf), QUIET_BLOCKS // 2 * 2 + 1
    closed = minimum_filter1d(maximum_filter1d(padded, size), size)[QUIET_BLOCKS:-QUIET_BLOCKS]
    with np.errstate(divide="ignore"):  # digital silence stays silent at any gain
        below = recording_db - 10 * np.log10(closed / closed[sounding].mean())
    lift = np.pad(np.clip(np.minimum(below, 2 * (below - NEAR_DB)), 0, MAX_LIFT_DB), 1, mode="edge")
    return np.minimum(lift[:-1], lift[1:])
