"""The kernels between an optimizer's coordinates, samples and frames on a GPU, see `FusedWaveform`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.array_module import Array, get_array_module
from .launch import ALL_THREADS, MOST_BLOCKS, PARTS, launch_kernel, n_blocks


def scaled_dct4_input(u: Array, scale: Array, twiddle: Array) -> Array:
    """Return ``u * scale``, (..., 2 * half), as the input of the FFT of `dct4`, complex (..., half)."""
    xp, half = get_array_module(u), len(twiddle)
    z = xp.empty((*u.shape[:-1], half), np.complex64)
    launch_kernel("scaled_dct4_input", n_blocks(z.size), u, scale, twiddle, z, np.int64(z.size), np.int32(half))
    return z


def scaled_dct4_output(z: Array, scale: Array, twiddle: Array) -> Array:
    """Return the result of `dct4` from its FFT, complex (..., half), times a scale; real (..., 2 * half)."""
    xp, half = get_array_module(z), len(twiddle)
    u = xp.empty((*z.shape[:-1], 2 * half), np.float32)
    launch_kernel("scaled_dct4_output", n_blocks(u.size), z, scale, twiddle, u, np.int64(u.size), np.int32(half))
    return u


def mdct_samples(
    z: Array, twiddle: Array, window: Array, mask: Array, fixed: Array, block: int, *, follows: bool
) -> tuple[Array, Array]:
    """Return the samples, (batch, channels, n_samples), of an inverse MDCT, and the power of each block.

    Parameters
    ----------
    z : complex64 array (batch, channels, frames, half)
        The output of the FFT.
    twiddle : complex64 array (half,)
    window : float32 array (2 * half,)
    mask : float32 array (batch, channels, n_samples)
    fixed : array of the mask's shape, or None
        Finished samples, which are added.
    block : int
        Samples of a block.
    follows : bool
        Whether the finished samples only count in the power, and are added to the samples later.

    Returns
    -------
    samples : float32 array (batch, channels, n_samples)
    power : float64 array (batch, blocks)
    """
    xp, (batch, channels, n_samples) = get_array_module(z), mask.shape
    per_item = -(-n_samples // block)
    samples, power = xp.empty(mask.shape, np.float32), xp.empty((batch, per_item))
    rows = batch * per_item
    sizes = [rows, z.shape[2], z.shape[3], channels, n_samples, block, per_item, fixed is not None, follows]
    arrays = (z, twiddle, window, mask, mask if fixed is None else fixed, samples, power)
    launch_kernel("mdct_samples", min(rows, MOST_BLOCKS), *arrays, *np.array(sizes, np.int32))
    return samples, power


def level_gains(
    power: Array, levels: tuple[Array, Array], floors: Array, widths: tuple[int, int], limits: tuple[float, float]
) -> Array:
    """Return the gain of each block, float32 (batch, blocks), that gives a recording the level of another one.

    Parameters
    ----------
    power : float64 array (batch, blocks)
    levels : tuple of float64 array (batch, blocks)
    floors : float64 array (batch,)
        Added to both powers of a quotient.
    widths : tuple of int
    limits : tuple of float
        Least and most gain of the power.
    """
    xp, (batch, n) = get_array_module(power), power.shape
    gains, scratch = xp.empty((batch, n), np.float32), xp.empty((batch, 5, n))
    sizes = np.array([n, *widths], np.int32)
    arrays = (power, *levels, floors, scratch, gains)
    launch_kernel("level_gains", batch, *arrays, *sizes, *np.array(limits), threads=ALL_THREADS)
    return gains


def levelled_frames(
    samples: Array, fixed: Array, gains: Array, window: Array, hop_length: int, n_frames: int, block: int
) -> tuple[Array, Array]:
    """Return samples with gains and fixed samples, and their windowed frames; see `windowed_frames`."""
    xp, (batch, channels, n_samples) = get_array_module(samples), samples.shape
    levelled = xp.empty(samples.shape, np.float32)
    frames = xp.empty((batch, n_frames, channels, len(window)), np.float32)
    rows = batch * n_frames * channels
    sizes = [rows, n_frames, channels, n_samples, len(window), hop_length, block, gains.shape[1], fixed is not None]
    arrays = (samples, samples if fixed is None else fixed, gains, window, levelled, frames)
    launch_kernel("levelled_frames", min(rows, MOST_BLOCKS), *arrays, *np.array(sizes, np.int32))
    return levelled, frames


def sample_gradient(frames: Array, window: Array, out: Array, hop_length: int, *, add: bool) -> None:
    """Write or add the gradient at samples, (batch, channels, n_samples), given the gradient at windowed frames."""
    sizes = [*_sizes(frames, out.shape[2], hop_length), np.int32(add)]
    launch_kernel("sample_gradient", n_blocks(out.size), frames, window, out, np.int64(out.size), *sizes)


def folded_gradient(
    frames: Array,
    window: Array,
    extra: Array,
    mask: Array,
    gains: Array,
    mdct: tuple[Array, Array],
    hop_length: int,
    mdct_frames: int,
    block: int,
) -> Array:
    """Return the gradient at windowed frames as the input of the FFT of an MDCT, (batch, channels, frames, half).

    Parameters
    ----------
    frames : float32 array (batch, frames, channels, n_fft)
    window : float32 array (n_fft,)
    extra : float32 array of the mask's shape, or None
        Further gradients at the samples.
    mask : float32 array (batch, channels, n_samples)
    gains : float32 array (batch, blocks), or None
    mdct : tuple of array
        Window and twiddle factors.
    hop_length, mdct_frames, block : int
    """
    xp, twiddle = get_array_module(frames), mdct[1]
    z = xp.empty((*mask.shape[:2], mdct_frames, len(twiddle)), np.complex64)
    arrays = (frames, window, mask if extra is None else extra, mask, mask if gains is None else gains, *mdct, z)
    blocks = 1 if gains is None else gains.shape[1]
    sizes = [
        *_sizes(frames, mask.shape[2], hop_length),
        *np.array([mdct_frames, len(twiddle), block, blocks], np.int32),
    ]
    flags = np.array([extra is not None, gains is not None], np.int32)
    launch_kernel("folded_gradient", n_blocks(z.size), *arrays, np.int64(z.size), *sizes, *flags)
    return z


def _sizes(frames: Array, n_samples: int, hop_length: int) -> list[Any]:
    """Return the numbers by which a kernel finds the frames of a sample."""
    _, n_frames, channels, n_fft = frames.shape
    return list(np.array([n_frames, channels, n_samples, n_fft, hop_length], np.int32))


def peak_cost(samples: Array, weights: Array, ceilings: Array, grad: Array, costs: Array, *, add: bool) -> None:
    """Write the cost of samples beyond ceilings, float64 (batch,), and write or add its gradient."""
    xp, size = get_array_module(samples), np.int64(samples[0].size)
    parts = xp.empty((len(samples), PARTS))
    launch_kernel("peak_cost", (PARTS, len(samples)), samples, weights, ceilings, grad, parts, size, np.int32(add))
    parts.sum(axis=1, out=costs)
