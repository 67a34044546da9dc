"""Operations on spectra: windowed frames, overlap-add, log-magnitude and its adjoint, given magnitudes."""

from __future__ import annotations

import math

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import PARTS, launch_kernel, n_blocks
from .patches import row_dots


def log_magnitude(spectrum: Array, scale: float) -> Array:
    """Return log(1 + scale |spectrum|), for a spectrum (batch, frames, channels, bins).

    It uses ``log(1 + m)`` instead of ``log1p(m)``: rounding 1 + m to float32 costs at most 6e-8, and NumPy's log is six
    times faster.
    """
    xp, size = get_array_module(spectrum), np.int64(spectrum.size)
    x = xp.empty(spectrum.shape, spectrum.real.dtype)
    if xp is not np:
        launch_kernel("log_magnitude", n_blocks(x.size), spectrum, x, size, np.float32(scale))
        return x

    def fill(rows: slice) -> None:
        part = np.abs(spectrum[:, rows], out=x[:, rows])
        part *= scale
        part += 1
        np.log(part, out=part)

    in_blocks(fill, x.shape[1], x[:, :1].size, xp)
    return x


def log_magnitude_vjp(spectrum: Array, grad: Array, scale: float) -> Array:
    """Return the adjoint of the derivative of `log_magnitude`, of the spectrum's shape; zero where the spectrum is."""
    xp = get_array_module(spectrum)
    out = xp.empty(spectrum.shape, spectrum.dtype)
    tiny = np.finfo(grad.dtype).tiny ** 0.5
    if xp is not np:
        sizes = (np.int64(out.size), np.float32(scale), np.float32(tiny))
        launch_kernel("log_magnitude_vjp", n_blocks(out.size), spectrum, grad, out, *sizes)
        return out

    def fill(rows: slice) -> None:
        magnitude = np.abs(spectrum[:, rows])
        slope = magnitude * scale
        slope += 1
        slope *= np.maximum(magnitude, tiny, out=magnitude)
        np.divide(grad[:, rows], slope, out=slope)
        slope *= scale
        np.multiply(spectrum[:, rows], slope, out=out[:, rows])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out


def windowed_frames(samples: Array, window: Array, hop_length: int, selected: slice, reflected: bool) -> Array:
    """Return windowed frames, (batch, frames, channels, n_fft), of samples, (batch, channels, n_samples).

    Parameters
    ----------
    samples : real array (batch, channels, n_samples)
    window : real array (n_fft,)
    hop_length : int
        Frame t begins half a frame before sample t * hop_length.
    selected : slice
        Which frames; on a GPU it must begin with the first.
    reflected : bool
        Whether the samples are continued by their reflection at both ends, or by silence.
    """
    xp, n_fft = get_array_module(samples), len(window)
    batch, channels, n_samples = samples.shape
    if xp is not np:
        n_frames = selected.stop - selected.start
        if selected.start:
            raise ValueError("on a GPU the frames must begin with the first")
        frames = xp.empty((batch, n_frames, channels, n_fft), samples.dtype)
        rows = batch * n_frames * channels
        sizes = np.array([rows, n_frames, channels, n_samples, n_fft, hop_length, reflected], np.int32)
        launch_kernel("windowed_frames", rows, samples, window, frames, *sizes)
        return frames
    start = selected.start * hop_length - n_fft // 2
    stop = (selected.stop - 1) * hop_length + n_fft - n_fft // 2
    before, after = max(0, -start), max(0, stop - n_samples)
    part = samples[..., max(0, start) : max(0, stop)]
    if reflected and (before or after):
        head, tail = samples[..., 1 : before + 1], samples[..., n_samples - 1 - after : n_samples - 1]
        part = np.concatenate([head[..., ::-1], part, tail[..., ::-1]], axis=-1)
    elif before or after:
        part = np.pad(part, ((0, 0), (0, 0), (before, after)))
    # Like `sliding_window_view`, which takes as long as the FFT of a frame.
    by_item, by_channel, by_sample = part.strides
    frames = np.lib.stride_tricks.as_strided(
        part,
        (batch, selected.stop - selected.start, channels, n_fft),
        (by_item, hop_length * by_sample, by_channel, by_sample),
        writeable=False,
    )
    return frames * window


def overlap_add(frames: Array, window: Array, hop_length: int) -> Array:
    """Return the sum, (batch, channels, samples), of windowed frames, (batch, frames, channels, n_fft), a hop apart."""
    xp, (batch, n_frames, channels, n_fft) = get_array_module(frames), frames.shape
    steps = math.ceil(n_fft / hop_length)
    length = (n_frames + steps - 1) * hop_length
    if xp is not np:
        out = xp.empty((batch, channels, length), frames.dtype)
        sizes = np.array([n_frames, channels, n_fft, hop_length, length], np.int32)
        launch_kernel("overlap_add", n_blocks(out.size), frames, window, out, np.int64(out.size), *sizes)
        return out
    frames = frames * window
    out = np.zeros((batch, channels, n_frames + steps - 1, hop_length), frames.dtype)
    for k in range(steps):  # the k-th hop of all frames at once: these parts never overlap
        part = frames[..., k * hop_length : (k + 1) * hop_length].transpose(0, 2, 1, 3)
        out[:, :, k : k + n_frames, : part.shape[-1]] += part
    return out.reshape(batch, channels, -1)


def inverse_samples(frames: Array, window: Array, hop_length: int, n_samples: int) -> Array:
    """Return samples, (batch, channels, n_samples), from unscaled inverse FFTs on a GPU.

    The frames are overlap-added with the window, and divided by the sum of its squares and by the size of the FFT.
    """
    xp, (batch, n_frames, channels, n_fft) = get_array_module(frames), frames.shape
    out = xp.empty((batch, channels, n_samples), frames.dtype)
    sizes = np.array([n_frames, channels, n_fft, hop_length, n_samples], np.int32)
    launch_kernel("inverse_samples", n_blocks(out.size), frames, window, out, np.int64(out.size), *sizes)
    return out


def with_magnitude(spectrum: Array, magnitude: Array, previous: Array = None, momentum: float = 0.0) -> Array:
    """Return a spectrum with given magnitudes and the phases of another one; the phase of zero is zero.

    Parameters
    ----------
    spectrum : complex array (batch, frames, channels, bins)
    magnitude : real array of the same shape
    previous : complex array of the same shape, optional
        The phases are those of ``spectrum + momentum * (spectrum - previous)``.
    momentum : float
    """
    xp, tiny = get_array_module(spectrum), np.finfo(magnitude.dtype).tiny ** 0.5
    out, extrapolates = xp.empty_like(spectrum), previous is not None and momentum != 0
    if xp is not np:
        arrays = (spectrum, previous if extrapolates else spectrum, magnitude, out)
        numbers = (np.int64(out.size), np.float32(momentum if extrapolates else 0), np.float32(tiny))
        launch_kernel("with_magnitude", n_blocks(out.size), *arrays, *numbers)
        return out

    def fill(frames: slice) -> None:
        phases = spectrum[:, frames]
        if extrapolates:
            step = phases - previous[:, frames]
            step *= momentum
            phases = np.add(step, phases, out=step)
        size = np.abs(phases)
        silent = size < tiny
        np.divide(magnitude[:, frames], np.where(silent, 1, size), out=size)
        np.multiply(np.where(silent, 1, phases), size, out=out[:, frames])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out


def magnitude_distance(spectrum: Array, magnitude: Array) -> Array:
    """Return the distance of a spectrum's magnitudes from given ones, float64 (batch,).

    Both arrays are (batch, frames, channels, bins).
    """
    xp, (batch, n_frames) = get_array_module(spectrum), spectrum.shape[:2]
    if xp is not np:
        parts, size = xp.empty((batch, PARTS)), np.int64(magnitude[0].size)
        launch_kernel("magnitude_distance", (PARTS, batch), spectrum, magnitude, parts, size)
        return xp.sqrt(parts.sum(axis=1))
    squares = np.empty((batch, n_frames), magnitude.dtype)

    def fill(frames: slice) -> None:
        difference = np.abs(spectrum[:, frames])
        difference -= magnitude[:, frames]
        rows = difference.reshape(*difference.shape[:2], -1)
        squares[:, frames] = row_dots(rows, rows)

    in_blocks(fill, n_frames, spectrum[:, :1].size, xp)
    return np.sqrt(squares.sum(axis=1, dtype=np.float64))


def match_spectrum(spectrum: Array, target: Array, scale: float, weight: float) -> tuple[Array, Array, Array]:
    """Compare a spectrum's log-magnitudes with given ones on a GPU.

    Parameters
    ----------
    spectrum : complex64 array (batch, frames, channels, bins)
    target : float32 array of that size
        Log-magnitudes.
    scale : float
        Factor of the magnitudes m in log(1 + scale * m).
    weight : float
        Factor of distance and gradient.

    Returns
    -------
    distances : float64 array (batch, parts)
        Half the squared distance of the log-magnitudes, in parts.
    magnitude_distances : float64 array (batch, parts)
        The squared distance of the magnitudes, in parts.
    grad : complex64 array of the spectrum's shape
        The gradient, with half of each bin that stands for a conjugate pair.
    """
    xp, batch = get_array_module(spectrum), len(spectrum)
    grad, parts = xp.empty(spectrum.shape, spectrum.dtype), xp.empty((2, batch, PARTS))
    numbers = (np.int64(spectrum[0].size), np.int32(spectrum.shape[3]))
    factors = np.array([scale, np.finfo(np.float32).tiny ** 0.5, weight], np.float32)
    launch_kernel("match_spectrum", (PARTS, batch), spectrum, target, grad, parts, *numbers, *factors)
    return parts[0], parts[1], grad
