"""The Hann window, and the sum of its squares where windows overlap."""

from __future__ import annotations

import math

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.constants import constant
from ..kernels.spectra import overlap_add


def hann(n_fft: int) -> np.ndarray:
    """Return the periodic Hann window of ``n_fft`` samples."""
    return np.hanning(n_fft + 1)[:-1]


def squared_window_sum(n_fft: int, hop_length: int, n_frames: int) -> np.ndarray:
    """Return the sum of ``n_frames`` squared windows a hop apart, without the first half window."""
    window = hann(n_fft)
    frames = np.broadcast_to(window, (1, n_frames, 1, n_fft))
    return overlap_add(frames, window, hop_length)[0, 0, n_fft // 2 :]


def divide_by_squared_window_sum(y: Array, n_fft: int, hop_length: int, n_frames: int) -> Array:
    """Return y divided by `squared_window_sum`, as a new contiguous array.

    The sum is as long as the recording, but away from the ends it repeats every hop. Only its head, some periods and
    its tail are cached, and serve recordings of every length; the quotients are bit-identical.

    Parameters
    ----------
    y : real array (batch, channels, n_samples)
    n_fft, hop_length : int
    n_frames : int
        Number of windows; they cover all samples of y.
    """
    xp, n_samples, steps = get_array_module(y), y.shape[-1], math.ceil(n_fft / hop_length)
    if n_frames < steps - 1:  # so short that head and tail overlap
        return y / constant(squared_window_sum, n_fft, hop_length, n_frames, like=y)[:n_samples]
    parts = constant(_head_period_tail, n_fft, hop_length, like=y)
    period = steps * hop_length
    head_stop, tail_start = (steps - 1) * hop_length - n_fft // 2, n_frames * hop_length - n_fft // 2
    repeats_stop = head_stop + (min(tail_start, n_samples) - head_stop) // period * period
    head, periodic, tail = parts[:head_stop], parts[head_stop : head_stop + period], parts[head_stop + period :]
    out = xp.empty(y.shape, y.dtype)

    def divide(start: int, stop: int, divisor: Array) -> None:
        stop = min(stop, n_samples)
        if start < stop:
            xp.divide(y[..., start:stop], divisor[: stop - start], out=out[..., start:stop])

    divide(0, head_stop, head)
    if repeats_stop > head_stop:
        shape = (*y.shape[:-1], -1, period)
        middle = slice(head_stop, repeats_stop)
        xp.divide(y[..., middle].reshape(shape), periodic, out=out[..., middle].reshape(shape))
    divide(max(head_stop, repeats_stop), tail_start, periodic)
    divide(tail_start, n_samples, tail)
    return out


def _head_period_tail(n_fft: int, hop_length: int) -> np.ndarray:
    """Return three parts of `squared_window_sum`, joined: up to the first full overlap, some periods, and the end."""
    steps = math.ceil(n_fft / hop_length)
    n_frames, head_stop = 2 * steps, (steps - 1) * hop_length - n_fft // 2
    total = squared_window_sum(n_fft, hop_length, n_frames)
    # Several hops as one period: an array operation on long rows is faster.
    middle, tail = total[head_stop : head_stop + steps * hop_length], total[n_frames * hop_length - n_fft // 2 :]
    return np.concatenate([total[:head_stop], middle, tail])
