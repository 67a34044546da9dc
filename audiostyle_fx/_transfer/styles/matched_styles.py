"""Styles for the channels of a content: matched channel by channel, brought to a common level, long ones excerpted."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from ..._bounded_cache import BoundedCache
from ..._recordings.channels import match_channels
from ..._recordings.disk_samples import Samples
from ..._recordings.gain_curve import Dynamics
from ..._recordings.transposition import transposed
from ..setup.mix_shares import scaled
from ..setup.transfer_setup import TransferSetup
from .excerpts import EXCERPT_PATCHES, EXCERPT_SECONDS, excerpts
from .style_inputs import style_name
from .style_recordings import StylesAtRate, StylesAtRateKey

Value = TypeVar("Value")


@dataclass(frozen=True)
class MatchedStylesKey:
    """Cache key of matched styles: everything that they depend on.

    Attributes
    ----------
    styles : StylesAtRateKey
    shares : tuple of float
        Share of each style in the target.
    active : tuple of bool
        For each channel of the content, whether it sounds.
    patch_samples, hop_length : int
        Samples of the widest patch, and between the frames of the longest window.
    excerpt_seconds : float
        Longer styles are represented by excerpts of this total duration in seconds; infinity for all of every style.
    normalize : bool
        Whether the styles are brought to the level of transfers.
    seed : int
        Seed from which the excerpts are drawn.
    semitones : tuple of float
        Semitones by which each style is moved.
    """

    styles: StylesAtRateKey
    shares: tuple[float, ...]
    active: tuple[bool, ...]
    patch_samples: int
    hop_length: int
    excerpt_seconds: float
    normalize: bool
    seed: int
    semitones: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class StyleTarget:
    """The styles that a section is to sound like.

    Attributes
    ----------
    samples : sequence of float32 array (channels, samples)
        As many channels as sound in the content; none is silent. A long style is several arrays, one for each excerpt.
        Read-only.
    shares : sequence of float
        Share of each array in the target; they sum to one.
    key : MatchedStylesKey, optional
        Identity of the arrays; without it, nothing computed from them is cached.
    cache : BoundedCache, optional
        Keeps the values that are computed from them.
    """

    samples: Sequence[np.ndarray]
    shares: Sequence[float]
    key: MatchedStylesKey | None = None
    cache: BoundedCache | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the cache; a process that receives targets has one for all of them."""
        return _received, (self.samples, self.shares, self.key)

    def cached(self, key: Hashable, compute: Callable[[], Value], xp: ModuleType) -> Value:
        """Return the cached value of a key that contains the target's key; compute it if it is missing.

        Arrays on a GPU are never cached: they belong to a stream and to a memory pool, and the memory is needed for the
        batch.
        """
        if xp is not np or self.key is None or self.cache is None:
            return compute()
        return self.cache.get(key, compute)


RECEIVED_VALUES = 256
"""Number of values, the norms of targets, that are kept for the targets from other processes."""

_cache_of_received = BoundedCache(RECEIVED_VALUES)


def _received(samples: Sequence[np.ndarray], shares: Sequence[float], key: MatchedStylesKey | None) -> StyleTarget:
    return StyleTarget(samples, shares, key, _cache_of_received)


def match_styles(
    styles: StylesAtRate, active: np.ndarray, setup: TransferSetup, semitones: tuple[float, ...]
) -> StyleTarget:
    """Return the styles for the channels of a content that sound.

    Parameters
    ----------
    styles : StylesAtRate
    active : bool array (channels,)
        For each channel of the content, whether it sounds.
    setup : TransferSetup
    semitones : tuple of float
        Semitones by which each style is moved, see `style_keys`.

    Raises
    ------
    ValueError
        If the channels of a style cancel when mixed to mono, or if all of its excerpts are silent.
    """
    parameters = setup.parameters
    key = MatchedStylesKey(
        styles=styles.key,
        shares=styles.shares,
        active=tuple(map(bool, active)),
        patch_samples=setup.patch_samples,
        hop_length=setup.stft.hop_length,
        # The original algorithm takes the beginning of the style instead.
        excerpt_seconds=math.inf if parameters.original else parameters.style_seconds,
        normalize=parameters.normalize,
        seed=parameters.seed,
        semitones=semitones,
    )
    samples, shares = styles.cache.get(key, lambda: _matched(key, styles.samples))
    return StyleTarget(samples, shares, key, styles.cache)


def transfer_gain(
    audio: Samples, sample_rate: float, *, normalize: bool, channels: np.ndarray | slice = slice(None)
) -> float:
    """Return the factor that brings a recording to the level of transfers; only ``channels`` count."""
    return Dynamics.of(audio, sample_rate, channels).gain if normalize else 1.0


def _matched(key: MatchedStylesKey, styles: Sequence[np.ndarray]) -> tuple[tuple[np.ndarray, ...], tuple[float, ...]]:
    """Compute the samples and shares of `StyleTarget` from the samples of the styles at their rate."""
    active, sample_rate = np.array(key.active), key.styles.sample_rate
    # The first two seeds are those of the stages: noise and filters.
    seeds = np.random.SeedSequence(key.seed).spawn(2 + len(styles))[2:]
    samples: list[np.ndarray] = []
    shares: list[float] = []
    for i, (style, share, seed, move) in enumerate(zip(styles, key.shares, seeds, key.semitones, strict=True)):
        name = style_name(i, len(styles))
        matched = match_channels(style, active, name)
        gain = transfer_gain(matched, sample_rate, normalize=key.normalize)
        pieces = [transposed(piece, sample_rate, move) for piece in _pieces(key, matched, seed, name)]
        patches = [piece.shape[1] - key.patch_samples + key.hop_length for piece in pieces]
        samples.extend(scaled(piece, gain) for piece in pieces)
        shares.extend(share * n / sum(patches) for n in patches)
    return tuple(samples), tuple(shares)


def _pieces(key: MatchedStylesKey, style: np.ndarray, seed: np.random.SeedSequence, name: str) -> list[np.ndarray]:
    """Return the excerpts of a long style, or a whole short style."""
    sample_rate = key.styles.sample_rate
    most = key.excerpt_seconds * sample_rate
    if style.shape[1] <= most:
        return [style]
    length = max(round(EXCERPT_SECONDS * sample_rate), EXCERPT_PATCHES * key.patch_samples)
    pieces = [style[:, stretch] for stretch in excerpts(style.shape[1], length, round(most), seed)]
    pieces = [piece for piece in pieces if piece.shape[1] >= key.patch_samples]
    if not any(piece.any() for piece in pieces):
        raise ValueError(
            f"the excerpts of {name} chosen with style_seconds={key.excerpt_seconds:g} contain only silence; "
            "increase style_seconds"
        )
    return pieces
