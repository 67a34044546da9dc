"""The styles' spectra, from which the objectives and the starting noise are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..._engine.arrays.array_module import Array, to_host
from ..._engine.kernels.patches import sum_of_products
from ..._engine.spectra.stft import STFT
from ..setup.starts import long_term_powers
from ..setup.transfer_setup import TransferSetup
from .matched_styles import MatchedStylesKey, StyleTarget


@dataclass(frozen=True)
class SpectraKey:
    """Cache key of the styles' spectra: everything that they depend on.

    Attributes
    ----------
    styles : MatchedStylesKey or None
        None for styles without identity, whose spectra are not cached.
    stfts : tuple of STFT
        The longest window first.
    n_samples : int or None
        Samples to which the styles are cropped; None for all of them.
    powers : bool
        Whether the long-term power spectra are wanted.
    """

    styles: MatchedStylesKey | None
    stfts: tuple[STFT, ...]
    n_samples: int | None
    powers: bool


@dataclass(frozen=True, eq=False)
class StyleSpectra:
    """Spectra of styles.

    Attributes
    ----------
    key : SpectraKey
    log_magnitudes : tuple of tuple of array (1, frames, bins)
        For each window the log-magnitudes of each style; the bins of all channels are stacked.
    energies : tuple of tuple of float
        For each window the mean squared norm of each style's frames; empty if there is only one window.
    powers : tuple of array (1, 1, channels, bins)
        Long-term power spectrum of each style at the longest window; empty if none are wanted.
    """

    key: SpectraKey
    log_magnitudes: tuple[tuple[Array, ...], ...]
    energies: tuple[tuple[float, ...], ...]
    powers: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class BatchStyles:
    """The styles of a batch of sections: the same for all of them, or on a GPU those of each.

    Attributes
    ----------
    targets : sequence of StyleTarget
        For all sections, or for each; they have equal channels and numbers of styles.
    spectra : sequence of StyleSpectra
        One for each target.
    """

    targets: Sequence[StyleTarget]
    spectra: Sequence[StyleSpectra]

    @classmethod
    def of(
        cls, targets: Sequence[StyleTarget], setup: TransferSetup, content_samples: int, xp: ModuleType
    ) -> BatchStyles:
        """Return the styles of a batch; each target's spectra are computed once. See `style_spectra`."""
        distinct = {id(target): target for target in targets}
        spectra = {key: style_spectra(target, setup, content_samples, xp) for key, target in distinct.items()}
        return cls(targets, [spectra[id(target)] for target in targets])

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.targets[0].samples[0])


def style_spectra(target: StyleTarget, setup: TransferSetup, content_samples: int, xp: ModuleType) -> StyleSpectra:
    """Return the spectra of the styles, from the cache if possible.

    Parameters
    ----------
    target : StyleTarget
    setup : TransferSetup
    content_samples : int
        Samples of the content; the original algorithm crops the styles to this length.
    xp : module
        NumPy or CuPy, whichever computes.
    """
    parameters = setup.parameters
    key = SpectraKey(
        styles=target.key,
        stfts=setup.stfts,
        n_samples=content_samples if parameters.original else None,
        powers={parameters.init, parameters.phase_init} != {"content"},
    )
    return target.cached(key, lambda: _spectra(key, target.samples, xp), xp)


def _spectra(key: SpectraKey, styles: Sequence[np.ndarray], xp: ModuleType) -> StyleSpectra:
    """Compute the spectra of the samples that the key identifies."""
    samples = [xp.asarray(style[None, :, : key.n_samples].astype(np.float32, copy=False)) for style in styles]
    magnitudes = tuple(tuple(stft.log_magnitude(stft.forward(style)) for style in samples) for stft in key.stfts)
    several = len(key.stfts) > 1
    energies = tuple(tuple(map(_frame_energy, styles)) for styles in magnitudes) if several else ()
    return StyleSpectra(key, magnitudes, energies, tuple(long_term_powers(samples, key.stfts[0])) if key.powers else ())


def _frame_energy(log_magnitudes: Array) -> float:
    """Return the mean squared norm of frames, (1, frames, bins)."""
    return float(to_host(sum_of_products(log_magnitudes, log_magnitudes))[0]) / log_magnitudes.shape[1]
