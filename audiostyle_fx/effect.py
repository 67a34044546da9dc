"""`StyleTransfer`, the transfer as a pedalboard effect."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from . import audio as recordings
from .parameters import DEFAULTS, Parameters
from .pedalboard_bridge import OfflineEffect
from .progress import Progress, check_progress
from .transfer import Style, stylize


class _Parameter:
    """An attribute that is one of `Parameters`, checked when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, effect: StyleTransfer | None, owner: type) -> Any:
        return self if effect is None else getattr(effect._checked, self.name)

    def __set__(self, effect: StyleTransfer, value: Any) -> None:
        effect._checked = replace(effect._checked, **{self.name: value})


class StyleTransfer(OfflineEffect):
    """Makes a recording sound as another does; an offline effect, which sees the whole recording at once.

    It works alone and in pedalboard's own `Pedalboard`, `Chain` and `Mix`. Every parameter can be read and set as an
    attribute; a value that is not allowed raises when it is set.

    Parameters
    ----------
    style : path, array, or list of one of these
        A file is read when it is set, and again when it has changed. An array, float32 or float64, (channels,
        samples) or (samples,), is copied.
    progress : bool or callable, optional
        As for `stylize`; not carried over by copy and pickle.

    The other parameters, and the errors, are those of `audiostyle_fx.stylize`.

    Examples
    --------
    >>> board = Pedalboard([StyleTransfer(style="anthem.wav"), Reverb()])  # doctest: +SKIP
    >>> out = board(audio, sample_rate)  # doctest: +SKIP
    """

    alpha = _Parameter()
    n_filters = _Parameter()
    kernel_width = _Parameter()
    n_fft = _Parameter()
    hop_length = _Parameter()
    optimizer = _Parameter()
    spectrogram_iters = _Parameter()
    phase_iters = _Parameter()
    waveform_iters = _Parameter()
    init = _Parameter()
    phase_init = _Parameter()
    normalize = _Parameter()
    match_level = _Parameter()
    mix = _Parameter()
    section_seconds = _Parameter()
    seed = _Parameter()
    device = _Parameter()
    precision = _Parameter()

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a misspelt parameter, as native plugins do."""
        if type(self) is StyleTransfer and not name.startswith("_") and not hasattr(StyleTransfer, name):
            raise AttributeError(f"StyleTransfer has no parameter {name!r}")
        super().__setattr__(name, value)

    def __init__(
        self,
        style: Style,
        *,
        style_sample_rate: float | None = None,
        style_weights: Sequence[float] | None = None,
        alpha: float = DEFAULTS.alpha,
        n_filters: float = DEFAULTS.n_filters,
        kernel_width: int | Sequence[int] = DEFAULTS.kernel_width,
        n_fft: int | Sequence[int] | None = DEFAULTS.n_fft,
        hop_length: int | Sequence[int] | None = DEFAULTS.hop_length,
        optimizer: str = DEFAULTS.optimizer,
        spectrogram_iters: int = DEFAULTS.spectrogram_iters,
        phase_iters: int = DEFAULTS.phase_iters,
        waveform_iters: int = DEFAULTS.waveform_iters,
        init: str = DEFAULTS.init,
        phase_init: str = DEFAULTS.phase_init,
        normalize: bool = DEFAULTS.normalize,
        match_level: bool = DEFAULTS.match_level,
        mix: float = DEFAULTS.mix,
        section_seconds: float = DEFAULTS.section_seconds,
        seed: int = DEFAULTS.seed,
        device: str = DEFAULTS.device,
        precision: str = DEFAULTS.precision,
        progress: Progress = None,
    ) -> None:
        super().__init__()
        self._checked = Parameters.of(locals())
        self.progress = progress
        self._style = _HeldStyle(style, style_sample_rate, style_weights)

    @property
    def progress(self) -> Progress:
        """True for a progress bar, or a function that is told."""
        return self._progress

    @progress.setter
    def progress(self, value: Progress) -> None:
        self._progress = check_progress(value)

    @property
    def style(self) -> Style:
        """The recording whose sound is taken: a path, or a copy of an array."""
        return self._style.style

    @style.setter
    def style(self, style: Style) -> None:
        # A rate belongs to the array it came with, unless another array takes its place.
        rate = self.style_sample_rate if isinstance(_alone(style), np.ndarray) else None
        self._style = _HeldStyle(style, rate, self.style_weights)

    @property
    def style_sample_rate(self) -> float | None:
        """The rate of an array style in Hz; None stands for the content's, and for a file's own."""
        return self._style.sample_rate

    @style_sample_rate.setter
    def style_sample_rate(self, value: float | None) -> None:
        self._style = _HeldStyle(self.style, value, self.style_weights)

    @property
    def style_weights(self) -> Sequence[float] | None:
        """One weight a style."""
        return self._style.weights

    @style_weights.setter
    def style_weights(self, value: Sequence[float] | None) -> None:
        self._style = _HeldStyle(self.style, self.style_sample_rate, value)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter by name; ``StyleTransfer(**effect.parameters)`` is the same effect again."""
        style = {"style": self.style, "style_sample_rate": self.style_sample_rate, "style_weights": self.style_weights}
        return {**style, **asdict(self._checked)}

    def render(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        """The styled recording, float32 (channels, samples)."""
        samples, style_rate = self._style.read()
        return stylize(
            audio, samples, sample_rate, style_sample_rate=style_rate, progress=self.progress, **asdict(self._checked)
        ).audio


class _HeldStyle:
    """A checked style: an array's copy, or a file with what it held when it was last read."""

    def __init__(self, style: Style, sample_rate: float | None, weights: Sequence[float] | None) -> None:
        held = _alone(style)
        self.sample_rate, self.weights = sample_rate, tuple(weights) if isinstance(weights, (list, tuple)) else weights
        # Another working directory must not make a relative path another file.
        self._path = os.path.abspath(held) if isinstance(held, (str, os.PathLike)) else None
        self._held = self._version(), *recordings.read_style(style, sample_rate, weights)
        self.style: Style = held if self._path is None else self._path
        if isinstance(held, np.ndarray):
            self.style = held.copy()
            self.style.flags.writeable = False

    def read(self) -> tuple[np.ndarray, float | None]:
        """Samples, float32 (channels, samples), and rate in Hz, read again if the file has changed."""
        version, samples, rate = self._held
        if self._version() != version:
            version = self._version()
            samples, rate = recordings.read_style(self._path, None, self.weights)
            self._held = version, samples, rate
        return samples, rate

    def _version(self) -> tuple[int, ...] | None:
        """What changes when the file does; None for an array, and where there is no file."""
        if self._path is None or not os.path.exists(self._path):
            return None
        status = os.stat(self._path)
        return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size


def _alone(style: Style) -> Any:
    """The style itself where it is given as a list of one."""
    return style[0] if isinstance(style, (list, tuple)) and len(style) == 1 else style
