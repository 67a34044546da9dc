"""The distribution of the styles' levels in each mel band, which the equaliser gives the content."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._engine.arrays.array_module import OVERFLOW
from ..._engine.spectra.mel_bands import MelBands, frame_levels, level_counts
from ..._engine.spectra.stft import STFT
from ..setup.transfer_setup import TransferSetup
from .matched_styles import MatchedStylesKey, StyleTarget

SAMPLED_FRAMES = 200
"""Number of frames that represent a recording where every frame is compared with every other."""

SOUNDING_DB = -21.0
"""Frames below this level, 60 dB below the level of transfers, are pauses and count in no distribution."""


@dataclass(frozen=True)
class StyleLevelsKey:
    """Cache key of the styles' levels: everything that they depend on."""

    styles: MatchedStylesKey | None
    stft: STFT


@dataclass(frozen=True, eq=False)
class BandLevels:
    """The levels of a recording in mel bands.

    Attributes
    ----------
    counts : float64 array (levels, bands)
        See `level_counts`.
    frames : float32 array (frames, bins)
        Magnitudes of some frames, scaled as in log-magnitudes; all channels together.
    """

    counts: np.ndarray
    frames: np.ndarray

    @classmethod
    def of(
        cls,
        audio: np.ndarray,
        setup: TransferSetup,
        rng: np.random.Generator,
        core: slice = slice(None),
        most_frames: int = SAMPLED_FRAMES,
    ) -> BandLevels:
        """Return the levels of a recording (channels, samples) at the level of transfers.

        Parameters
        ----------
        audio : float array (channels, samples)
        setup : TransferSetup
        rng : numpy.random.Generator
            Chooses the frames.
        core : slice
            Only frames centred in these samples count.
        most_frames : int
            Number of frames to choose.
        """
        stft, missing = setup.stft, setup.patch_samples - audio.shape[1]
        if missing > 0:
            audio = np.pad(audio, ((0, 0), (0, missing)))
        with np.errstate(**OVERFLOW):  # the stages raise an error if a recording is too loud
            spectrum = stft.forward(audio[None].astype(np.float32, copy=False))
            levels = MelBands(stft, setup.sample_rate).levels(spectrum)[0]
        centres = np.arange(len(levels)) * stft.hop_length
        first, last, _ = core.indices(int(centres[-1]) + 1)
        inside = (centres >= first) & (centres < last)
        if setup.parameters.normalize:
            inside &= frame_levels(levels) > SOUNDING_DB
        chosen = rng.permutation(np.flatnonzero(inside))[:most_frames]
        power = np.square(np.abs(spectrum[0, chosen]), dtype=np.float64).mean(axis=1)
        with np.errstate(**OVERFLOW):
            frames = (np.sqrt(power) * stft.magnitude_scale).astype(np.float32)
        return cls(level_counts(levels[inside]), frames)

    @classmethod
    def joined(cls, parts: list[BandLevels], shares: list[float]) -> BandLevels:
        """Return the levels of recordings that each count with a share."""
        frames = [part.frames for part in parts]
        totals = [max(part.counts.sum(axis=0).max(), 1.0) for part in parts]
        weighted = [part.counts * (share / total) for part, share, total in zip(parts, shares, totals, strict=True)]
        return cls(np.sum(weighted, axis=0), np.concatenate(frames))


def style_levels(target: StyleTarget, setup: TransferSetup) -> BandLevels:
    """Return the levels of the styles, from the cache if possible.

    Parameters
    ----------
    target : StyleTarget
        The styles in their own key: the equaliser transfers timbre, not pitches.
    setup : TransferSetup
    """

    def measured() -> BandLevels:
        rng = np.random.default_rng(0)
        share = max(1, SAMPLED_FRAMES // len(target.samples))
        parts = [BandLevels.of(samples, setup, rng, most_frames=share) for samples in target.samples]
        return BandLevels.joined(parts, list(target.shares))

    return target.cached(StyleLevelsKey(target.key, setup.stft), measured, np)
