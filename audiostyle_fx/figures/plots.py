"""Plots with matplotlib: spectrograms, in the colours of the listening page, and the losses of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

try:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("plots need matplotlib: pip install 'audiostyle-fx[plot]'") from error
if TYPE_CHECKING:
    from matplotlib.axes import Axes
from .._transfer.results import Stage
from .band_levels import HIGH_HZ, LOW_HZ, RANGE_DB, BandLevels
from .colours import colours

_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def plot(stages: Mapping[str, Stage], audio: np.ndarray | None = None, sample_rate: float = 0.0) -> Figure:
    """A figure of the losses of the stages and, above them, of the spectrogram of a recording if there is one.

    Parameters
    ----------
    stages : mapping of str to Stage
    audio : float array (channels, samples) or (samples,), optional
    sample_rate : float
        Of the audio, in Hz.
    """
    n_rows = (audio is not None) + bool(stages)
    figure = Figure(figsize=(9, 1 + 3 * n_rows), layout="constrained")
    parts = iter(figure.subfigures(max(1, n_rows), 1, squeeze=False)[:, 0])
    if audio is not None:
        part = next(parts)
        axis = part.subplots()
        part.colorbar(spectrogram(axis, audio, sample_rate), ax=axis, label="dBFS")
    if stages:
        _losses(next(parts).subplots(1, len(stages), sharey=True, squeeze=False)[0], stages)
    return figure


def spectrogram(axis: Axes, audio: np.ndarray, sample_rate: float, top: float | None = None) -> Any:
    """Draw the levels of a recording in bands of equal width on a logarithmic frequency axis.

    Parameters
    ----------
    axis : matplotlib Axes
        To draw in.
    audio : float array (channels, samples) or (samples,)
    sample_rate : float
        In Hz.
    top : float, optional
        The level of the brightest colour in dB, where a sine at full scale has 0; by default that of the recording.

    Returns
    -------
    QuadMesh
        For a colour bar.
    """
    audio = np.atleast_2d(audio)
    high = min(HIGH_HZ, sample_rate / 2)
    levels = BandLevels(audio.shape[1], sample_rate, high=high)
    levels.add(audio)
    decibels = levels.decibels()
    rows, columns = decibels.shape
    if top is None:
        top = float(5 * np.ceil(np.percentile(decibels, 99.9) / 5))
    image = axis.pcolormesh(
        np.linspace(0, audio.shape[1] / sample_rate, columns + 1),
        np.geomspace(LOW_HZ, high, rows + 1),
        decibels,
        cmap=ListedColormap(colours(256)),
        vmin=top - RANGE_DB,
        vmax=top,
        rasterized=True,
    )
    axis.set(xlabel="time in s", ylabel="frequency in Hz", yscale="log")
    ticks = [hertz for hertz in _TICKS_HZ if hertz <= high]
    axis.set_yticks(ticks, [f"{hertz}" if hertz < 1000 else f"{hertz // 1000}k" for hertz in ticks])
    axis.minorticks_off()
    return image


def _losses(axes: np.ndarray, stages: Mapping[str, Stage]) -> None:
    """One axis for each stage, the losses on one logarithmic scale."""
    for axis, (name, stage) in zip(axes, stages.items(), strict=True):
        few = "o-" if len(stage.iterations) < 3 else "-"
        for kind, losses, colour in (("style", stage.style_loss, "C3"), ("content", stage.content_loss, "C0")):
            axis.plot(stage.iterations, np.where(losses > 0, losses, np.nan), few, color=colour, label=kind)
        axis.set(title=f"{name}, {stage.seconds:.1f} s", xlabel="iteration", yscale="log")
        if stage.inconsistency is not None and len(stage.inconsistency):
            other = axis.twinx()
            other.plot(np.arange(1, 1 + len(stage.inconsistency)), stage.inconsistency, ":", color="gray")
            other.set_ylabel("inconsistency")
    axes[0].set_ylabel("loss")
    axes[0].legend()
