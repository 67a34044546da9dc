"""The content with the style's levels in each mel band: a transfer starts from it and stays near it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.spectra.level_following import LevelFollower
from ..._engine.spectra.mel_bands import MelBands, level_gains
from ..setup.transfer_setup import TransferSetup


@dataclass(frozen=True, eq=False)
class EqualizedContent:
    """Equalised contents of a batch, real arrays (batch, channels, samples).

    Attributes
    ----------
    held : array
        Equalised by the gains that suit the strength; the transfer stays near it.
    full : array
        Equalised by the full gains. Without an equaliser both are the content itself.
    """

    held: Array
    full: Array

    @classmethod
    def of(
        cls,
        content: Array,
        band_gains: np.ndarray | None,
        depths: Sequence[float],
        follower: LevelFollower | None,
        setup: TransferSetup,
    ) -> EqualizedContent:
        """Return the equalised contents of a batch.

        Parameters
        ----------
        content : real array (batch, channels, samples)
        band_gains : float32 array (batch, levels, bands), optional
            See `transport_gains`.
        depths : sequence of float
            Factors of the gains in dB, one for each item.
        follower : LevelFollower, optional
            Brings the equalised contents to the content's level.
        setup : TransferSetup
        """
        if band_gains is None:
            return cls(content, content)
        xp, bands = get_array_module(content), MelBands(setup.stft, setup.sample_rate)
        spectrum = setup.stft.forward(content)
        gains = level_gains(bands.levels(spectrum), xp.asarray(band_gains))

        def equalized(factors: Array) -> Array:
            samples = setup.stft.inverse(bands.amplify(spectrum, gains * factors), content.shape[-1])
            return samples if follower is None else samples * follower.gain(samples)

        full = equalized(np.float32(1))
        if min(depths) == 1:
            return cls(full, full)
        return cls(equalized(xp.asarray(depths, np.float32)[:, None, None]), full)
