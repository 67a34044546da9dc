"""Plots with matplotlib: spectrograms in the colours of the listening page, and the losses of a transfer's stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

try:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError(
        "Plots need the package 'matplotlib'. Install it with: pip install 'audiostyle-fx[plot]'"
    ) from error
if TYPE_CHECKING:
    from matplotlib.axes import Axes

from .band_levels import HIGH_HZ, LOW_HZ, RANGE_DB, BandLevels
from .colours import colours

_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


class StageCurves(Protocol):
    """The attributes of a transfer's stage that plots read."""

    @property
    def seconds(self) -> float:
        """Computing time in seconds."""

    @property
    def iterations(self) -> np.ndarray:
        """Numbers of the iterations whose losses are recorded, int (n,)."""

    @property
    def style_loss(self) -> np.ndarray:
        """Style loss after each of these iterations, float (n,)."""

    @property
    def content_loss(self) -> np.ndarray:
        """Content loss after each of these iterations, float (n,)."""

    @property
    def inconsistency(self) -> np.ndarray | None:
        """Inconsistency of the spectrogram after iterations 1, 2, ..., float (m,); None except in the phase stage."""


def plot(stages: Mapping[str, StageCurves], audio: np.ndarray | None = None, sample_rate: float = 0.0) -> Figure:
    """Draw the losses of the stages and, above them, the spectrogram of a recording.

    Parameters
    ----------
    stages : mapping of str to Stage
        Stages by name, in order, such as ``result.stages``.
    audio : float array (channels, samples) or (samples,), optional
        The recording; without it, the figure has no spectrogram.
    sample_rate : float
        Sample rate of the audio in Hz.

    Returns
    -------
    matplotlib.figure.Figure
        The figure needs no display; ``savefig`` writes it to a file.
    """
    n_rows = (audio is not None) + bool(stages)
    figure = Figure(figsize=(9, 1 + 3 * n_rows), layout="constrained")
    rows = iter(figure.subfigures(max(1, n_rows), 1, squeeze=False)[:, 0])
    if audio is not None:
        row = next(rows)
        axis = row.subplots()
        row.colorbar(spectrogram(axis, audio, sample_rate), ax=axis, label="dBFS")
    if stages:
        _plot_losses(next(rows).subplots(1, len(stages), sharey=True, squeeze=False)[0], stages)
    return figure


def spectrogram(axis: Axes, audio: np.ndarray, sample_rate: float, max_db: float | None = None) -> Any:
    """Draw the levels of a recording over time, in bands of equal width on a logarithmic frequency axis.

    Parameters
    ----------
    axis : matplotlib Axes
        The axes to draw in.
    audio : float array (channels, samples) or (samples,)
    sample_rate : float
        In Hz.
    max_db : float, optional
        The level of the brightest colour in dB; a sine at full scale has 0 dB. By default it is chosen to fit the
        recording. Colours cover 80 dB below it.

    Returns
    -------
    matplotlib QuadMesh
        The drawn mesh, for ``figure.colorbar``.
    """
    audio = np.atleast_2d(audio)
    high_hz = min(HIGH_HZ, sample_rate / 2)
    band_levels = BandLevels(audio.shape[1], sample_rate, high_hz=high_hz)
    band_levels.add(audio)
    levels = band_levels.decibels()
    bands, intervals = levels.shape
    if max_db is None:
        max_db = float(5 * np.ceil(np.percentile(levels, 99.9) / 5))
    image = axis.pcolormesh(
        np.linspace(0, audio.shape[1] / sample_rate, intervals + 1),
        np.geomspace(LOW_HZ, high_hz, bands + 1),
        levels,
        cmap=ListedColormap(colours(256)),
        vmin=max_db - RANGE_DB,
        vmax=max_db,
        rasterized=True,
    )
    axis.set(xlabel="time in s", ylabel="frequency in Hz", yscale="log")
    ticks = [hertz for hertz in _TICKS_HZ if hertz <= high_hz]
    axis.set_yticks(ticks, [f"{hertz}" if hertz < 1000 else f"{hertz // 1000}k" for hertz in ticks])
    axis.minorticks_off()
    return image


def _plot_losses(axes: np.ndarray, stages: Mapping[str, StageCurves]) -> None:
    """Draw each stage in its own axes, all with the same logarithmic scale of losses."""
    for axis, (name, stage) in zip(axes, stages.items(), strict=True):
        line = "o-" if len(stage.iterations) < 3 else "-"
        for label, losses, colour in (("style", stage.style_loss, "C3"), ("content", stage.content_loss, "C0")):
            axis.plot(stage.iterations, np.where(losses > 0, losses, np.nan), line, color=colour, label=label)
        axis.set(title=f"{name}, {stage.seconds:.1f} s", xlabel="iteration", yscale="log")
        if stage.inconsistency is not None and len(stage.inconsistency):
            twin = axis.twinx()
            twin.plot(np.arange(1, 1 + len(stage.inconsistency)), stage.inconsistency, ":", color="gray")
            twin.set_ylabel("inconsistency")
    axes[0].set_ylabel("loss")
    axes[0].legend()
