"""Styles as users give them: paths, arrays, lists of numbers, or several of these."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from ..._recordings.arrays import check_audio
from ..._recordings.files import read_audio
from ..._validation import sample_rate as check_rate

Style: TypeAlias = str | os.PathLike[str] | np.ndarray | Sequence[Any]
"""A file, an array (channels, samples) or (samples,), or a list of these.

Lists of numbers, which JSON uses for an array, stand for that array.
"""


def as_list(style: Any) -> list[Any]:
    """Return the styles as a list, also if only one is given. Lists of numbers, as in JSON, become arrays.

    Raises
    ------
    ValueError
        If there is no style, or the channels in a list of numbers have different lengths.
    """
    styles = [_from_numbers(style)]
    if isinstance(styles[0], (list, tuple)):
        styles = [_from_numbers(entry) for entry in styles[0]]
    if not styles:
        raise ValueError(f"style={style!r} must hold at least one style")
    return styles


def _from_numbers(style: Any) -> Any:
    """Convert a list of numbers, or of lists of numbers, to an array; return any other style as it is."""
    first, depth = style, 0
    while isinstance(first, (list, tuple)) and first:
        first, depth = first[0], depth + 1
    if depth not in (1, 2) or isinstance(first, bool) or not isinstance(first, Real):
        return style
    try:
        return np.array(style, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("style is a list that can't be converted to an array (channels, samples)") from error


def style_name(i: int, n_styles: int) -> str:
    """Return the name of a style in errors."""
    return "style" if n_styles == 1 else f"style[{i}]"


def style_shares(weights: Sequence[float]) -> tuple[float, ...]:
    """Return the share of each style in the target; the shares sum to one."""
    relative = [weight / max(weights) for weight in weights]  # the sum of the weights themselves may be infinite
    return tuple(weight / math.fsum(relative) for weight in relative)


def check_weights(weights: Any, n_styles: int) -> tuple[float, ...]:
    """Check for one positive number per style, and return them; None becomes equal weights.

    Raises
    ------
    ValueError
        If there are more or fewer, or a weight is not a positive, finite number.
    """
    if weights is None:
        return (1.0,) * n_styles
    is_list = isinstance(weights, (Sequence, np.ndarray)) and not isinstance(weights, str)
    numbers = is_list and np.shape(weights) == (n_styles,) and all(isinstance(weight, Real) for weight in weights)
    if not numbers or not all(0 < float(weight) < math.inf for weight in weights):
        raise ValueError(f"style_weights={weights!r} must hold one positive number for each style, {n_styles} in all")
    return tuple(map(float, weights))


def check_rates(rates: Any, styles: Sequence[Any]) -> list[float | None]:
    """Check one rate for all styles, or one per style, and return a list with one per style.

    Parameters
    ----------
    rates : float, sequence of float or None, or None
        In Hz; None for files, and for arrays at the content's rate.
    styles : sequence of path or array

    Raises
    ------
    TypeError, ValueError
        If the number of rates is wrong, a rate is not allowed, or a rate is given for a file.
    """
    files = [isinstance(style, (str, os.PathLike)) for style in styles]
    if np.ndim(rates) == 0:
        if rates is not None and all(files):
            raise ValueError(f"style_sample_rate={rates!r} must be None for a file, which has its own")
        rates = [None if file else rates for file in files]
    if len(rates) != len(styles):
        raise ValueError(f"style_sample_rate={rates!r} must be one rate, or one for each style, {len(styles)} in all")
    if any(file and rate is not None for file, rate in zip(files, rates, strict=True)):
        raise ValueError(f"style_sample_rate={rates!r} must be None for a file, which has its own")
    return [None if rate is None else check_rate("style_sample_rate", rate) for rate in rates]


def read_style(style: Any, rate: float | None, name: str) -> tuple[np.ndarray, float | None]:
    """Read one style.

    Parameters
    ----------
    style : path or array
    rate : float, optional
        Rate of an array in Hz; None for the content's rate.
    name : str
        Name of the style in errors.

    Returns
    -------
    samples : float32 array (channels, samples)
    rate : float or None
        In Hz; a file has its own.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is missing, unreadable, empty, silent or not finite.
    """
    samples = style
    if isinstance(style, (str, os.PathLike)):
        samples, rate = read_audio(style, name)
        name = f"{name}={os.fspath(style)!r}"
    elif not isinstance(style, np.ndarray):
        raise TypeError(f"{name}={style!r} must be a path or a NumPy array")
    samples = check_audio(name, samples)
    if not samples.any():
        raise ValueError(f"{name} is {'silent' if samples.size else 'empty'}; it must be a recording with sound")
    return samples, rate
