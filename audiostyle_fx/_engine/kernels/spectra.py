"""Passes over spectra: frames, overlap-add, log-magnitude and its adjoint."""

from __future__ import annotations

import math

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.threads import in_blocks
from .launch import _blocks, _launch


def log_magnitude(spectrum: Array, scale: float) -> Array:
    """log(1 + scale |spectrum|), for a spectrum (batch, frames, channels, bins).

    ``log(1 + m)`` and not ``log1p(m)``: rounding 1 + m to float32 costs at most 6e-8, and NumPy's log is six times
    faster.
    """
    xp, size = get_array_module(spectrum), np.int64(spectrum.size)
    x = xp.empty(spectrum.shape, spectrum.real.dtype)
    if xp is not np:
        _launch("log_magnitude", _blocks(x.size), spectrum, x, size, np.float32(scale))
        return x

    def fill(at: slice) -> None:
        part = np.abs(spectrum[:, at], out=x[:, at])
        part *= scale
        part += 1
        np.log(part, out=part)

    in_blocks(fill, x.shape[1], x[:, :1].size, xp)
    return x


def log_magnitude_vjp(spectrum: Array, grad: Array, scale: float) -> Array:
    """Adjoint of the derivative of `log_magnitude` at ``spectrum``, for a gradient of its shape; zero where it is."""
    xp = get_array_module(spectrum)
    out = xp.empty(spectrum.shape, spectrum.dtype)
    tiny = np.finfo(grad.dtype).tiny ** 0.5
    if xp is not np:
        sizes = (np.int64(out.size), np.float32(scale), np.float32(tiny))
        _launch("log_magnitude_vjp", _blocks(out.size), spectrum, grad, out, *sizes)
        return out

    def fill(at: slice) -> None:
        magnitude = np.abs(spectrum[:, at])
        slope = magnitude * scale
        slope += 1
        slope *= np.maximum(magnitude, tiny, out=magnitude)
        np.divide(grad[:, at], slope, out=slope)
        slope *= scale
        np.multiply(spectrum[:, at], slope, out=out[:, at])

    in_blocks(fill, out.shape[1], out[:, :1].size, xp)
    return out


def windowed_frames(samples: Array, window: Array, hop_length: int, at: slice, reflected: bool) -> Array:
    """Frames ``at`` of samples (batch, channels, n_samples), windowed: (batch, frames, channels, n_fft).

    Frame t begins half a frame before sample t * hop_length; before the start and after the end lie the samples
    reflected, or silence.
    """
    xp, n_fft = get_array_module(samples), len(window)
    batch, channels, n_samples = samples.shape
    if xp is not np:
        n_frames = at.stop - at.start
        if at.start:
            raise ValueError("on a GPU all frames are made at once")
        frames = xp.empty((batch, n_frames, channels, n_fft), samples.dtype)
        rows = batch * n_frames * channels
        sizes = np.array([rows, n_frames, channels, n_samples, n_fft, hop_length, reflected], np.int32)
        _launch("windowed_frames", rows, samples, window, frames, *sizes)
        return frames
    start, stop = at.start * hop_length - n_fft // 2, (at.stop - 1) * hop_length + n_fft - n_fft // 2
    if start >= 0 and stop <= n_samples:
        part = samples[..., start:stop]
    elif reflected:
        indices = np.abs(np.arange(start, stop))
        part = samples[..., np.where(indices < n_samples, indices, 2 * (n_samples - 1) - indices)]
    else:
        silence = (max(0, -start), max(0, stop - n_samples))
        part = np.pad(samples[..., max(0, start) : max(0, stop)], ((0, 0), (0, 0), silence))
    frames = np.lib.stride_tricks.sliding_window_view(part, n_fft, axis=-1)[:, :, ::hop_length]
    return frames.transpose(0, 2, 1, 3) * window


def overlap_add(frames: Array, window: Array, hop_length: int) -> Array:
    """Sum of the windowed frames, (batch, frames, channels, n_fft), a hop apart: (batch, channels, samples)."""
    xp, (batch, n_frames, channels, n_fft) = get_array_module(frames), frames.shape
    steps = math.ceil(n_fft / hop_length)
    length = (n_frames + steps - 1) * hop_length
    if xp is not np:
        out = xp.empty((batch, channels, length), frames.dtype)
        sizes = np.array([n_frames, channels, n_fft, hop_length, length], np.int32)
        _launch("overlap_add", _blocks(out.size), frames, window, out, np.int64(out.size), *sizes)
        return out
    frames = frames * window
    out = np.zeros((batch, channels, n_frames + steps - 1, hop_length), frames.dtype)
    for k in range(steps):  # one stretch of every frame at a time: those never overlap each other
        part = frames[..., k * hop_length : (k + 1) * hop_length].transpose(0, 2, 1, 3)
        out[:, :, k : k + n_frames, : part.shape[-1]] += part
    return out.reshape(batch, channels, -1)
