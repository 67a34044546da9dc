"""What a transfer needs: samples, memory, and the relative cost of its stages."""

from __future__ import annotations

import math

from .._engine.objectives.infinite_width import TILE
from .._engine.spectra.stft import STFT
from .parameters import Parameters


def item_bytes(parameters: Parameters, stft: STFT, channels: int, n_samples: int, style_samples: int) -> int:
    """About what one item of a batch needs of a card's memory, at the most."""
    history = 24 if parameters.optimizer == "lbfgs" else 4  # of both points and gradients
    sizes, held = [], 0
    for one in (stft, *parameters.other_stfts):
        n_frames, style_frames = one.n_frames(n_samples), one.n_frames(style_samples)
        spectrogram = n_frames * channels * one.n_bins
        rows, columns = (min(n, TILE + max(parameters.kernel_widths)) for n in (n_frames, style_frames))
        products = rows * (2 * rows + columns) * len(parameters.kernel_widths)
        if not math.isinf(parameters.n_filters):
            features = 2 * spectrogram * max(parameters.kernel_widths) + 6 * n_frames * int(parameters.n_filters)
            products, held = products + features, held + features
        sizes.append((24 + history) * spectrogram + 2 * products)
    return 4 * (max(sizes) + held * (len(sizes) > 1))  # one window after the other, but each holds its features


def iteration_costs(parameters: Parameters, stft: STFT) -> dict[str, float]:
    """About what an iteration of each stage takes, relative to the spectrogram's; measured."""
    windows = [(stft.hop_length / other.hop_length) ** 1.3 for other in parameters.other_stfts]
    return {"spectrogram": 1.0, "phase": 0.5, "waveform": 1.6 * (1 + sum(windows))}


def patch_samples(parameters: Parameters, stft: STFT) -> int:
    """Samples that the widest patch of frames spans, the least that a transfer needs."""
    width = max(parameters.kernel_widths)
    return max((width - 1) * one.hop_length + one.n_fft for one in (stft, *parameters.other_stfts))
