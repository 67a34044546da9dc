"""Requirements of a transfer: samples, memory, and the relative cost of its stages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..._engine.objectives.fused_closed_form import MOST_COPIED, MOST_PRODUCTS
from ..._engine.objectives.infinite_width import TILE
from ..._engine.optimizers.lbfgs import PAIRS, QUICK_PAIRS
from ..._engine.spectra.stft import STFT
from ..parameters.parameter_list import Parameters
from ..parameters.windows import Window

TEMPORARY = 19
"""Spectrograms that an evaluation takes besides what its objectives hold: spectra, frames and their gradients."""


def item_bytes(
    parameters: Parameters,
    stfts: Sequence[STFT],
    channels: int,
    n_samples: int,
    style_samples: int,
    *,
    own_styles: bool = False,
) -> int:
    """Estimate the most memory that one item of a batch takes on a GPU, in bytes.

    Parameters
    ----------
    parameters : Parameters
        Parameters with windows in samples.
    stfts : sequence of STFT
        One for each window.
    channels : int
    n_samples, style_samples : int
        Samples of the item, and of all its styles together.
    own_styles : bool
        Whether the styles of items differ.
    """
    # Spectrograms that the optimizer keeps: points and gradients, and for each pair of L-BFGS two vectors.
    history = 4 if parameters.takes_adam else 7 + 2 * (QUICK_PAIRS if parameters.optimizer == "auto" else PAIRS)
    stride, peaks, held, all_features = parameters.frame_stride, [], 0, 0  # in numbers of 4 bytes
    for window, window_stft in zip(parameters.windows or (), stfts, strict=True):
        n_frames, style_frames = window_stft.n_frames(n_samples), window_stft.n_frames(style_samples)
        spectrogram = n_frames * channels * window_stft.n_bins
        temporary = 0
        if not math.isinf(parameters.n_filters):
            features = 2 * spectrogram * max(parameters.kernel_widths) + 6 * n_frames * int(parameters.n_filters)
            temporary, all_features = 2 * features, all_features + features
        elif not window.style_weight:
            held += 2 * spectrogram
        else:
            n, m = n_frames // stride, style_frames // stride
            products = n * (2 * n + m)
            # Content and x with what x is compared with, the gradient of their products, and the products themselves.
            held += 4 * spectrogram
            if own_styles or m <= MOST_COPIED * n:
                held += style_frames * channels * window_stft.n_bins
            if products <= MOST_PRODUCTS:
                held += 2 * products
            else:
                rows, columns = (min(size, TILE + max(parameters.kernel_widths)) for size in (n, m))
                temporary = 2 * rows * (2 * rows + columns) * len(parameters.kernel_widths)
        peaks.append((TEMPORARY + history) * spectrogram + temporary)
    # Windows are evaluated one after the other, but what they compare with stays in memory.
    return 4 * (max(peaks) + held + all_features * (len(peaks) > 1))


def iteration_costs(windows: Sequence[Window]) -> dict[str, float]:
    """Estimate the time of an iteration of each stage, relative to the spectrogram stage; factors are measured.

    Parameters
    ----------
    windows : sequence of Window
        In samples; all stages use the first.
    """
    first, *others = windows
    ratios = [(first.stft.hop_length / other.stft.hop_length, other.style_weight) for other in others]
    # A window without a style weight needs its spectra, but not the products of all pairs of frames.
    windows_costs = [ratio**1.3 if weight else 0.3 for ratio, weight in ratios]
    return {"spectrogram": 1.0, "phase": 1.3, "waveform": 3.3 * (1 + sum(windows_costs))}


def patch_samples(parameters: Parameters, stfts: Sequence[STFT]) -> int:
    """Return the samples that the widest patch of frames spans; a style must be at least as long."""
    width, stride = max(parameters.kernel_widths), parameters.frame_stride
    joined = stride * math.ceil(width / stride)  # frames that a patch of joined frames covers
    return max(
        max((width - 1) * stft.hop_length + stft.n_fft, (joined - 2) * stft.hop_length + 1)  # gives as many frames
        for stft in stfts
    )
