"""Styles: read, brought to a rate and matched to a content's channels once, however many recordings are styled so."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from .._cache import BoundedCache
from .._recordings.levels import rms
from .._recordings.resampling import resample
from .style_inputs import as_list, check_rates, check_weights, read_styles

SETS = 2
"""Sets of styles in files, each at a rate, that a process keeps when their transfer has ended: recordings of two rates,
or a chain of two transfers, go through a folder without reading again."""


PATTERNS = 3
"""Of each set, ways to match it to channels: to both of a stereo recording that sound, or to one of them alone."""


class Matched(NamedTuple):
    """Styles as a content's channels and at the level of transfers.

    Attributes
    ----------
    styles : list of float32 array (channels, samples)
    shares : list of float
        Of each in the target.
    held : BoundedCache
        What the stages keep of them.
    """

    styles: list[np.ndarray]
    shares: list[float]
    held: BoundedCache


class Prepared(NamedTuple):
    """Styles at a rate.

    Attributes
    ----------
    audio : list of float32 array (channels, samples)
    held : BoundedCache
        Keeps what was made of them for channels that sound; see `Matched`.
    """

    audio: list[np.ndarray]
    held: BoundedCache


class Styles:
    """Styles of transfers, checked: of files what they hold, read again when they have changed or at another rate.

    Kept is one copy of their samples, at the rate that was last asked for; of a long style excerpts beside it, and
    statistics of those.

    Parameters
    ----------
    style, sample_rate, weights
        As ``style``, ``style_sample_rate`` and ``style_weights`` of `stylize`. Arrays must not change.

    Attributes
    ----------
    given : list of path or array
        The styles, with absolute paths, as another working directory must not make a relative one another file.
    shares : list of float
        Of each in the target; they sum to one.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        As by `audio.read_styles`.
    """

    def __init__(self, style: Any, sample_rate: Any = None, weights: Any = None) -> None:
        given = as_list(style)
        self.given = [os.path.abspath(one) if _is_path(one) else one for one in given]
        self._rates, self._weights = sample_rate, weights
        versions = self._versions()
        # What is read waits here until the rate is known.
        self._read: Any = versions, read_styles(style, sample_rate, weights)
        self.shares = [one.share for one in self._read[1]]
        self._held = BoundedCache(1)

    @classmethod
    def of(cls, style: Any, sample_rate: Any, weights: Any, at: float) -> Styles:
        """Those of `stylize`'s arguments for a rate in Hz; of files those that the process keeps, if it does.

        Arrays are not kept, as their owner may change them. Styles are returned as they are.
        """
        if isinstance(style, Styles):
            return style
        given = as_list(style)
        if not all(map(_is_path, given)):
            return cls(style, sample_rate, weights)
        check_rates(sample_rate, given)
        key = (*map(os.path.abspath, given), check_weights(weights, len(given)), at)
        return _of_files.get(key, lambda: cls(style, None, weights))

    def at(self, content_rate: float, sample_rate: float) -> Prepared:
        """The styles at a rate in Hz; ``content_rate`` is that of arrays without one.

        Raises
        ------
        TypeError, ValueError, FileNotFoundError
            As at first, of files that have changed; also if there is nothing left of one at this rate.
        """
        versions = self._versions()
        return self._held.get(
            (versions, content_rate, sample_rate), lambda: self._at(versions, content_rate, sample_rate)
        )

    def _at(self, versions: Any, content_rate: float, sample_rate: float) -> Prepared:
        (read, styles), self._read = self._read or (None, None), None
        if styles is None or read != versions:
            styles = read_styles(self.given, self._rates, self._weights)
        audio = []
        for i, (samples, rate, _) in enumerate(styles):
            name = style_name(i, len(styles))
            loud = rms(samples)
            with np.errstate(over="ignore", invalid="ignore"):
                samples = resample(samples, content_rate if rate is None else rate, sample_rate)
            if not np.isfinite(samples).all():
                raise ValueError(f"{name} has peaks that single precision can't hold at sample_rate={sample_rate}")
            if rms(samples) < 1e-4 * loud:
                raise ValueError(f"{name} is silent at sample_rate={sample_rate}; it must have sound below half of it")
            samples.flags.writeable = False
            audio.append(samples)
        return Prepared(audio, BoundedCache(PATTERNS))

    def _versions(self) -> tuple[Any, ...]:
        return tuple(map(_version, self.given))


_of_files = BoundedCache(SETS)


def style_name(i: int, n_styles: int) -> str:
    """What errors call one of the styles."""
    return "style" if n_styles == 1 else f"style[{i}]"


def _is_path(style: Any) -> bool:
    return isinstance(style, (str, os.PathLike))


def _version(style: Any) -> tuple[int, ...] | None:
    """What changes when the file does; None for an array, and where there is no file."""
    if not isinstance(style, str) or not os.path.exists(style):
        return None
    status = os.stat(style)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size
