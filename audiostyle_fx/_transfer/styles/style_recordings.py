"""Styles that have been read: they keep their samples, notice a changed file, and cache values computed from them.

Every cached value has a frozen dataclass as its key, and the key holds everything that the computation reads. A value
that depends on another one holds the other's key in its own, so a file's version, a rate or a seed reaches all values
that depend on it:

========================  =====================================================  ======================
key                       value                                                  computed in
========================  =====================================================  ======================
`StylesAtRateKey`         samples of the styles at a sample rate                 `style_recordings`
`MatchedStylesKey`        samples and shares for the channels that sound         `matched_styles`
`PitchClassesKey`         pitch classes of the styles                            `style_keys`
`StyleLevelsKey`          distributions of levels in mel bands                   `style_levels`
`SpectraKey`              log-magnitudes, energies and power spectra             `style_spectra`
`StatisticsKey`           statistics of the styles for the objectives            `window_objectives`
========================  =====================================================  ======================

Each `Styles` owns one cache for these values, so that they go when it goes. The identity of an array is a token that
its `Styles` owns: an array that its owner changes or drops can never be taken for another one. Styles given to the
functions have no owner, so the process keeps the `Styles` that were used last: of files, and of short arrays, which are
copied and compared.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..._bounded_cache import BoundedCache
from ..._recordings.levels import rms
from ..._recordings.resampling import resample
from ..setup.starts import kept_takes
from .style_inputs import as_list, check_rates, check_weights, read_style, style_name, style_shares

FILE_STYLES = 2
"""Number of sets of styles in files, each for one sample rate, that the process keeps. With two, a folder with two
sample rates, or a chain of two transfers, reads its styles only once."""

ARRAY_STYLES, ARRAY_BYTES = 2, 1 << 24
"""Number of sets of styles in arrays that the process keeps, and the most bytes of such a set. What is computed from it
takes up to six times as much."""

CHANNEL_PATTERNS = 3
"""Sets of sounding channels for which the values of a style are kept: a stereo recording can sound in both channels or
in either one."""

CACHE_SIZE = 2 + 5 * CHANNEL_PATTERNS
"""Number of values that one `Styles` keeps: its samples at a rate and their pitch classes; and for each channel pattern
samples in its own key and in the content's, levels, spectra and statistics."""


@dataclass(frozen=True)
class FileVersion:
    """Identity of a file's content: a changed file has another version."""

    path: str
    mtime_ns: int
    ctime_ns: int
    inode: int
    size: int

    @classmethod
    def of(cls, path: str) -> FileVersion | None:
        """Return the version of the file that is at a path now; None if there is no file."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        return cls(path, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)


@dataclass(frozen=True, eq=False)
class ArrayIdentity:
    """Identity of an array in memory: equal to itself only."""


Identity: TypeAlias = FileVersion | ArrayIdentity


@dataclass(frozen=True)
class StylesAtRateKey:
    """Cache key of the samples of styles at a rate: everything that they depend on.

    Attributes
    ----------
    styles : tuple of Identity
    rates : tuple of float
        Rate of each style in Hz.
    sample_rate : float
        Rate in Hz to which they are resampled.
    """

    styles: tuple[Identity, ...]
    rates: tuple[float, ...]
    sample_rate: float


@dataclass(frozen=True, eq=False)
class StylesAtRate:
    """Styles at the rate of a transfer.

    Attributes
    ----------
    samples : sequence of float32 array (channels, samples)
        Read-only.
    shares : tuple of float
        Share of each style in the target; they sum to one.
    key : StylesAtRateKey
    cache : BoundedCache
        Keeps the values that are computed from these styles.
    """

    samples: Sequence[np.ndarray]
    shares: tuple[float, ...]
    key: StylesAtRateKey
    cache: BoundedCache


@dataclass(frozen=True, eq=False)
class _ReadStyle:
    """The samples of one style, float32 (channels, samples), and its rate in Hz; None for the content's rate."""

    identity: Identity
    samples: np.ndarray
    sample_rate: float | None


class Styles:
    """Checked styles of transfers. They keep the samples that were read.

    A file that has changed is read again at the next use. A file that is gone or moved counts as unchanged. Copies
    share the samples, and a pickle holds them; the cache is not copied.

    Parameters
    ----------
    style, sample_rate, weights
        See ``style``, ``style_sample_rate`` and ``style_weights`` of `stylize`. Arrays must not change.

    Attributes
    ----------
    sources : tuple of path or array
        The styles; paths are absolute, because a relative one means another file in another working directory.
    shares : tuple of float
        Share of each style in the target; they sum to one.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        As `style_inputs.read_style`, `check_weights` and `check_rates`.
    """

    def __init__(self, style: Any, sample_rate: Any = None, weights: Any = None) -> None:
        styles = as_list(style)
        shares = style_shares(check_weights(weights, len(styles)))
        rates = check_rates(sample_rate, styles)
        versions = [FileVersion.of(os.path.abspath(source)) if is_path(source) else None for source in styles]
        read = []
        for i, (source, rate, version) in enumerate(zip(styles, rates, versions, strict=True)):
            samples, rate = read_style(source, rate, style_name(i, len(styles)))
            read.append(_ReadStyle(version or ArrayIdentity(), _frozen(samples), rate))
        sources = tuple(os.path.abspath(source) if is_path(source) else source for source in styles)
        self.__setstate__((sources, shares, tuple(read)))

    def __getstate__(self) -> tuple[Any, ...]:
        return self.sources, self.shares, self._read

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.sources, self.shares, self._read = state
        for style in self._read:
            _frozen(style.samples)  # a pickle does not hold the flag
        self._cache = BoundedCache(CACHE_SIZE)
        _all_styles[id(self)] = self

    def __deepcopy__(self, memo: dict[int, Any]) -> Styles:
        return self._with_state(self.__getstate__())

    @classmethod
    def of(cls, style: Any, sample_rate: Any, weights: Any, for_rate: float) -> Styles:
        """Return the styles of a call of `stylize`; styles in files and short arrays come from the process's caches.

        Parameters
        ----------
        style, sample_rate, weights
            The arguments of the class, or `Styles` as ``style``, which are returned unchanged. Arrays may change later.
        for_rate : float
            Rate in Hz of the transfer.
        """
        if isinstance(style, Styles):
            return style
        styles = as_list(style)
        if not any(map(is_path, styles)):
            others = tuple(check_rates(sample_rate, styles)), check_weights(weights, len(styles)), for_rate
            return _of_arrays(styles, others) or cls(style, sample_rate, weights)
        if not all(map(is_path, styles)):
            return cls(style, sample_rate, weights)
        check_rates(sample_rate, styles)
        paths = tuple(map(os.path.abspath, styles))
        key = _FileStylesKey(paths, check_weights(weights, len(styles)), for_rate)
        if not all(map(os.path.exists, paths)):  # only an existing effect keeps working without its files
            return cls(style, None, weights)
        return _file_styles.get(key, lambda: cls(style, None, weights))

    def changed(self, sample_rate: Any = None, weights: Any = None) -> Styles:
        """Return the same styles, without reading them, with other rates of arrays and other weights."""
        n_styles = len(self.sources)
        rates = check_rates(sample_rate, self.sources)
        read = tuple(
            style if is_path(source) else _ReadStyle(ArrayIdentity(), style.samples, rate)
            for source, style, rate in zip(self.sources, self._read, rates, strict=True)
        )
        return self._with_state((self.sources, style_shares(check_weights(weights, n_styles)), read))

    def at_rate(self, content_rate: float, sample_rate: float) -> StylesAtRate:
        """Return the styles at a rate in Hz.

        Parameters
        ----------
        content_rate : float
            Rate of the content in Hz; arrays without a rate of their own have it too.
        sample_rate : float

        Raises
        ------
        TypeError, ValueError
            If a file has changed and can't be used any more; if a style has no sound at this rate, or is too loud.
        """
        self._read = styles = tuple(self._renewed(i, style) for i, style in enumerate(self._read))
        rates = tuple(content_rate if style.sample_rate is None else style.sample_rate for style in styles)
        key = StylesAtRateKey(tuple(style.identity for style in styles), rates, sample_rate)
        samples = self._cache.get(key, lambda: _resampled(key, [style.samples for style in styles]))
        return StylesAtRate(samples, self.shares, key, self._cache)

    def clear_cache(self) -> None:
        """Drop the values computed from the samples; the samples stay."""
        self._cache.clear()

    def _renewed(self, i: int, known: _ReadStyle) -> _ReadStyle:
        """Return style ``i``; it is read again if its file has changed."""
        if isinstance(known.identity, ArrayIdentity):
            return known
        version = FileVersion.of(known.identity.path)
        if version is None or version == known.identity:
            return known
        samples, rate = read_style(known.identity.path, None, style_name(i, len(self.sources)))
        return _ReadStyle(version, _frozen(samples), rate)

    @classmethod
    def _with_state(cls, state: tuple[Any, ...]) -> Styles:
        styles = cls.__new__(cls)
        styles.__setstate__(state)
        return styles


@dataclass(frozen=True)
class _FileStylesKey:
    """Cache key of styles in files: absolute paths, weights, and the rate of the transfer in Hz."""

    paths: tuple[str, ...]
    weights: tuple[float, ...]
    sample_rate: float


_file_styles = BoundedCache(FILE_STYLES)


@dataclass(frozen=True, eq=False)
class _KeptArrays:
    """Styles of copied arrays, with the other arguments that they were made from."""

    arrays: list[np.ndarray]
    others: tuple[Any, ...]
    styles: Styles

    def are(self, arrays: list[Any], others: tuple[Any, ...]) -> bool:
        """Return whether arguments would give the same styles."""
        return (
            self.others == others
            and [(a.shape, a.dtype) for a in self.arrays] == [(a.shape, a.dtype) for a in arrays]
            and all(np.array_equal(a, b) for a, b in zip(self.arrays, arrays, strict=True))
        )


_kept_arrays: tuple[_KeptArrays, ...] = ()


def _of_arrays(arrays: list[Any], others: tuple[Any, ...]) -> Styles | None:
    """Return the kept styles in arrays, or keep them from now on; None if they are too long, or no arrays.

    ``others`` are their rates and weights, and the rate of the transfer.
    """
    global _kept_arrays
    if any(type(a) is not np.ndarray for a in arrays) or sum(a.nbytes for a in arrays) > ARRAY_BYTES:
        return None
    for kept in _kept_arrays:
        if kept.are(arrays, others):
            break
    else:
        copies = [a.copy() for a in arrays]
        rates, weights, _ = others
        kept = _KeptArrays(copies, others, Styles(copies, rates, weights))
    _kept_arrays = (kept, *(other for other in _kept_arrays if other is not kept))[:ARRAY_STYLES]
    return kept.styles


_all_styles: weakref.WeakValueDictionary[int, Styles] = weakref.WeakValueDictionary()


def clear_cache() -> None:
    """Empty the caches of this process.

    They hold the styles that were read from files, copies of short arrays, the values computed from styles, and random
    numbers. Effects keep the samples of their styles. The next transfer computes the values again.
    """
    global _kept_arrays
    _file_styles.clear()
    _kept_arrays = ()
    kept_takes.clear()
    for reference in _all_styles.valuerefs():  # a copy: other threads may add styles meanwhile
        if (styles := reference()) is not None:
            styles.clear_cache()


def is_path(source: Any) -> bool:
    """Return whether a style is the path of a file."""
    return isinstance(source, (str, os.PathLike))


def _frozen(samples: np.ndarray) -> np.ndarray:
    """Return the array itself, read-only from now on."""
    samples.flags.writeable = False
    return samples


def _resampled(key: StylesAtRateKey, styles: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Compute the samples of styles at a rate; arrays that have that rate are returned as they are."""
    resampled = []
    for i, (samples, rate) in enumerate(zip(styles, key.rates, strict=True)):
        name, level = style_name(i, len(styles)), rms(samples)
        with np.errstate(over="ignore", invalid="ignore"):
            samples = resample(samples, rate, key.sample_rate)
        if not np.isfinite(samples).all():
            raise ValueError(f"{name} has peaks that single precision can't hold at sample_rate={key.sample_rate}")
        if rms(samples) < 1e-4 * level:
            raise ValueError(
                f"{name} is silent at sample_rate={key.sample_rate}; it must have sound below half that rate"
            )
        resampled.append(_frozen(samples))
    return tuple(resampled)
