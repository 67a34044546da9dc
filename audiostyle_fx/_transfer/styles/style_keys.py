"""Musical keys of styles: by how many semitones each style is moved for a content."""

from __future__ import annotations

from dataclasses import dataclass

from ..._recordings.disk_samples import Samples
from ..._recordings.pitch_classes import PitchClasses, semitones_between
from ..setup.transfer_setup import TransferSetup
from .style_inputs import style_name
from .style_recordings import StylesAtRate, StylesAtRateKey

STEP = 0.05
"""Moves are rounded to this step, in semitones, so that contents of nearly the same tuning share cached values."""


@dataclass(frozen=True)
class PitchClassesKey:
    """Cache key of the styles' pitch classes: everything that they depend on."""

    styles: StylesAtRateKey


def style_semitones(styles: StylesAtRate, content: Samples, setup: TransferSetup) -> tuple[float, ...]:
    """Return by how many semitones the parameter ``key`` moves each style for a content.

    With ``key="content"``, no style is moved if the content has no pitches. A style without pitches, or one that would
    become too short for the widest patch, is not moved either.

    Parameters
    ----------
    styles : StylesAtRate
    content : Samples (channels, samples)
    setup : TransferSetup

    Raises
    ------
    ValueError
        If ``key`` is a number of semitones and makes a style too short.
    """
    key = setup.parameters.key
    if key == "style":
        return (0.0,) * len(styles.samples)
    if key != "content":
        check_moved_length(styles, float(key), setup)
        return (float(key),) * len(styles.samples)
    found = PitchClasses.of(content, setup.sample_rate)
    moves = [rounded(semitones_between(found, style)) for style in style_pitch_classes(styles)]
    fits = [_fits(style.shape[1], move, setup) for style, move in zip(styles.samples, moves, strict=True)]
    return tuple(move if fit else 0.0 for move, fit in zip(moves, fits, strict=True))


def has_key(content: Samples, setup: TransferSetup) -> bool:
    """Return whether a content can decide how styles are moved: it has pitches, or ``key`` does not need them."""
    return setup.parameters.key != "content" or PitchClasses.of(content, setup.sample_rate).pitched


def style_pitch_classes(styles: StylesAtRate) -> tuple[PitchClasses, ...]:
    """Return the pitch classes of each style, from the cache if possible."""
    rate = styles.key.sample_rate
    return styles.cache.get(
        PitchClassesKey(styles.key), lambda: tuple(PitchClasses.of(style, rate) for style in styles.samples)
    )


def check_moved_length(styles: StylesAtRate, semitones: float, setup: TransferSetup) -> None:
    """Raise ValueError if a style that is moved becomes shorter than the widest patch."""
    for i, style in enumerate(styles.samples):
        if not _fits(style.shape[1], semitones, setup):
            name = style_name(i, len(styles.samples))
            raise ValueError(
                f"key={semitones:g} makes {name} too short for kernel_width={setup.parameters.kernel_width}: moving up "
                "shortens a style; choose a smaller key, or a longer style"
            )


def rounded(semitones: float) -> float:
    """Return semitones rounded to whole steps."""
    return round(round(semitones / STEP) * STEP, 2) + 0.0


def _fits(n_samples: int, semitones: float, setup: TransferSetup) -> bool:
    """Return whether a style is still as long as the widest patch when it is moved."""
    return semitones <= 0 or n_samples / 2 ** (semitones / 12) >= setup.patch_samples
