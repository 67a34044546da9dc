"""The equaliser's gains for a whole recording: one table for all sections, so that no section is heard to begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._engine.arrays.array_module import OVERFLOW
from ..._engine.kernels.arc_cosine import arc_cosine
from ..._engine.spectra.mel_bands import MelBands, level_gains, transport_gains
from ..setup.transfer_setup import TransferSetup
from ..styles.style_levels import SAMPLED_FRAMES, BandLevels

FURTHEST = 0.44
"""How far the equaliser alone may take the song at strength 1, relative to the mean distance of unrelated frames of
song and style. Results at strength 1 lie between 0.5 and 0.7 of that distance. Measured, the equaliser alone lies
between 0.05 (two marches of one composer) and 0.6 (a drum loop, brass): for some pairs it is most of the way, for
others nothing."""

DEPTHS = np.linspace(1, 0, 17)


@dataclass(frozen=True, eq=False)
class BandMatching:
    """The settings of the equaliser for a recording.

    Attributes
    ----------
    gains : float32 array (levels, bands)
        See `transport_gains`.
    depth : float
        Factor of the gains in dB, 0 to 1.
    """

    gains: np.ndarray
    depth: float


class ContentLevels:
    """The levels of a recording, section by section.

    Parameters
    ----------
    setup : TransferSetup
    n_sections : int
        Approximate number of sections that will be added.
    """

    def __init__(self, setup: TransferSetup, n_sections: int = 1) -> None:
        self._setup, self._rng = setup, np.random.default_rng(0)
        self._frames_each = max(2, SAMPLED_FRAMES // n_sections)
        self._counts: np.ndarray | float = 0.0
        self._frames: list[np.ndarray] = []

    def add(self, content: np.ndarray, core: slice) -> None:
        """Add a section: its window (channels, samples), at the level of transfers, of which ``core`` counts."""
        levels = BandLevels.of(content, self._setup, self._rng, core, self._frames_each)
        self._counts = self._counts + levels.counts
        if len(self._frames) < SAMPLED_FRAMES:
            self._frames.append(levels.frames)

    def matching(self, style: BandLevels, depth: float | None = None) -> BandMatching:
        """Return the gains that give the recording the levels of the style, at a given depth or the one that fits."""
        gains = transport_gains(np.asarray(self._counts), style.counts)
        if depth is None:
            with np.errstate(**OVERFLOW):
                depth = _depth(np.concatenate(self._frames), style.frames, gains, self._setup)
        return BandMatching(gains, depth)


def _depth(content: np.ndarray, style: np.ndarray, gains: np.ndarray, setup: TransferSetup) -> float:
    """Return the largest depth at which the equaliser does not take the content further than the strength asks for.

    Parameters
    ----------
    content, style : float32 array (frames, bins)
        Scaled magnitudes of some frames.
    gains : float32 array (levels, bands)
    setup : TransferSetup
    """
    strength = setup.parameters.strength
    if strength is None or strength == 1 or not len(content) or not len(style):
        return 1.0
    u = np.log1p(content)
    norms, other = _squared_norms(u), np.log1p(style)
    unrelated = _distances(u @ other.T, norms[:, None], _squared_norms(other)).mean()
    # Towards strength 1 the limit rises to infinity, so that strength 1 has the full gains with any pair.
    most = FURTHEST * strength / (1 - strength**8) * unrelated
    bands = MelBands(setup.stft, setup.sample_rate)
    levels = 10 * np.log10(np.square(content) @ bands.weights + 1e-20)
    by_bin, v = level_gains(levels[None], gains[None])[0] @ bands.weights.T, np.empty_like(content)
    for depth in DEPTHS:
        np.exp(np.multiply(by_bin, np.float32(depth * np.log(10) / 20), out=v), out=v)
        np.log1p(np.multiply(content, v, out=v), out=v)
        if _distances(np.einsum("ij,ij->i", u, v), norms, _squared_norms(v)).mean() <= most:
            return float(depth)
    return 0.0


def _squared_norms(frames: np.ndarray) -> np.ndarray:
    """Return the squared norms, (frames,), of frames (frames, bins)."""
    return np.asarray(np.einsum("ij,ij->i", frames, frames))


def _distances(products: np.ndarray, norms_u: np.ndarray, norms_v: np.ndarray) -> np.ndarray:
    """Return the squared distances between the features of infinitely many filters, from inner products of frames."""
    kernel, _, _ = arc_cosine(products, norms_u, norms_v)
    return np.asarray((norms_u + norms_v) / 2 - kernel / np.pi)
