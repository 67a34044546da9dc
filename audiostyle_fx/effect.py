"""`StyleTransfer`, the transfer as a pedalboard effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ._recordings.arrays import check_audio
from ._transfer.api import Style, styled
from ._transfer.parameters import DEFAULTS, Parameters, preset
from ._transfer.recording_transfer import Recipe
from ._transfer.streaming import Stream
from ._transfer.style_inputs import as_list, check_rates, check_weights
from ._transfer.style_recordings import Styles
from ._validation import flag, number, optional
from ._validation import sample_rate as check_rate
from .hosting import OfflineEffect
from .progress import Progress, check_progress

OWN = ("style_sample_rate", "style_weights", "streaming", "content_level", "progress")
"""What an effect has beside the parameters of a transfer."""


CONTENT_LEVELS = (-120, 60)
"""In dBFS; outside, a level in other units is more likely."""


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
    style : path, array, or list of these
        A file is read when it is set, and again when it has changed or for another rate. An array, float32 or float64,
        (channels, samples) or (samples,), is copied.
    streaming : bool
        Take a recording in chunks too, by ``reset=False``. What comes out is `latency` samples behind what went in, so
        that the first chunks give nothing and as much silence at the end gives the rest. Sections are styled as soon as
        they are complete; parameters that change take effect after `reset`.
    content_level : float, optional
        With ``streaming``, the RMS of the whole recording in dBFS, pauses not counted; by default that of what has come
        so far.
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
    window_ms = _Parameter()
    hop_ms = _Parameter()
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
    style_seconds = _Parameter()
    original = _Parameter()
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
        style_sample_rate: float | Sequence[float | None] | None = None,
        style_weights: Sequence[float] | None = None,
        alpha: float = DEFAULTS.alpha,
        n_filters: float = DEFAULTS.n_filters,
        kernel_width: int | Sequence[int] = DEFAULTS.kernel_width,
        n_fft: int | Sequence[int] | None = DEFAULTS.n_fft,
        hop_length: int | Sequence[int] | None = DEFAULTS.hop_length,
        window_ms: float | Sequence[float] | None = DEFAULTS.window_ms,
        hop_ms: float | Sequence[float] | None = DEFAULTS.hop_ms,
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
        style_seconds: float = DEFAULTS.style_seconds,
        original: bool = DEFAULTS.original,
        seed: int = DEFAULTS.seed,
        device: str = DEFAULTS.device,
        precision: str = DEFAULTS.precision,
        streaming: bool = False,
        content_level: float | None = None,
        progress: Progress = None,
    ) -> None:
        super().__init__()
        self._checked = Parameters.of(locals())
        self.streaming, self.content_level, self.progress = streaming, content_level, progress
        self._stream: Stream | None = None
        self._style = _HeldStyle(style, style_sample_rate, style_weights)

    @classmethod
    def preset(cls, name: str, style: Style, **changes: Any) -> StyleTransfer:
        """The effect with a set of parameters that has a name, and with changes of it.

        Parameters
        ----------
        name : str
            One of `audiostyle_fx.parameters.PRESETS`.
        style : path, array, or list of these
            The recording whose sound is taken.
        **changes
            Other parameters of the effect; windows in samples take the place of a preset's in milliseconds.

        Raises
        ------
        ValueError
            If there is no such preset; names those there are.
        """
        parameters = {key: value for key, value in changes.items() if key not in OWN}
        own = {key: value for key, value in changes.items() if key in OWN}
        return cls(style, **own, **asdict(preset(name).changed(**parameters)))

    @property
    def progress(self) -> Progress:
        """True for a progress bar, or a function that is told."""
        return self._progress

    @progress.setter
    def progress(self, value: Progress) -> None:
        self._progress = check_progress(value)

    @property
    def streaming(self) -> bool:
        """Whether it takes a recording in chunks, by ``reset=False``."""
        return self._streaming

    @streaming.setter
    def streaming(self, value: bool) -> None:
        self._streaming = flag("streaming", value)

    @property
    def content_level(self) -> float | None:
        """The level of a recording in chunks, RMS in dBFS; None for that of what has come so far."""
        return self._content_level

    @content_level.setter
    def content_level(self, value: float | None) -> None:
        self._content_level = optional(number(*CONTENT_LEVELS))("content_level", value)

    @property
    def style(self) -> Style:
        """The recording whose sound is taken: a path, a copy of an array, or a tuple of several of these."""
        return self._style.style

    @style.setter
    def style(self, style: Style) -> None:
        # Rates and weights belong to the recordings they came with, unless as many others of the kind take their place.
        old, new = ([isinstance(one, np.ndarray) for one in as_list(s)] for s in (self.style, style))
        keep_rates = new == old if isinstance(self.style_sample_rate, tuple) else any(new)
        rates = self.style_sample_rate if keep_rates else None
        self._style = _HeldStyle(style, rates, self.style_weights if len(new) == len(old) else None)

    @property
    def style_sample_rate(self) -> float | tuple[float | None, ...] | None:
        """The rate of array styles in Hz, one for all or one each; None stands for the content's, and a file's own."""
        return self._style.sample_rate

    @style_sample_rate.setter
    def style_sample_rate(self, value: float | Sequence[float | None] | None) -> None:
        self._style = _HeldStyle(self.style, value, self.style_weights)

    @property
    def style_weights(self) -> tuple[float, ...] | None:
        """One weight a style; only their ratios count."""
        return self._style.weights

    @style_weights.setter
    def style_weights(self, value: Sequence[float] | None) -> None:
        self._style = _HeldStyle(self.style, self.style_sample_rate, value)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter by name; ``StyleTransfer(**effect.parameters)`` is the same effect again.

        JSON holds it as it is where the styles are files, with ``Infinity`` for an infinite ``n_filters`` as Python's
        json writes and reads it. Arrays stay arrays here; `json.dumps` takes them with
        ``default=numpy.ndarray.tolist``, and the constructor takes such lists.
        """
        style = {"style": self.style, "style_sample_rate": self.style_sample_rate, "style_weights": self.style_weights}
        chunks = {"streaming": self.streaming, "content_level": self.content_level}
        return {**style, **asdict(self._checked), **chunks}

    def latency(self, sample_rate: float) -> int:
        """Samples by which the result is behind a recording in chunks, at a rate in Hz: about one section.

        Raises
        ------
        RuntimeError
            With ``original``, which styles whole recordings only.
        """
        return self._new_stream(1, sample_rate).latency

    def feed(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        """What is due of the styled recording, float32 (channels, samples), after its next chunk; see `streaming`.

        Raises
        ------
        RuntimeError
            If the rate or the number of channels is not that of the chunks before; with ``original``.
        """
        if self._stream is None:
            self._stream = self._new_stream(len(audio), sample_rate)
        elif self._stream.source != (len(audio), sample_rate):
            channels, rate = self._stream.source
            raise RuntimeError(
                f"the recording so far has {channels} channels at {rate:g} Hz; call reset() before another"
            )
        return self._stream.feed(audio)

    def _new_stream(self, channels: int, sample_rate: float) -> Stream:
        if self.original:
            raise RuntimeError("original=True styles whole recordings only, not in chunks")
        return Stream(self._recipe(sample_rate), channels, self.content_level, self.progress)

    def _recipe(self, sample_rate: float) -> Recipe:
        return Recipe.of(self._style.styles, None, None, check_rate("sample_rate", sample_rate), self._checked)

    def reset(self) -> None:
        """Forget earlier recordings, and what was fed of one. Parameters stay as they are."""
        super().reset()
        self._stream = None

    def render(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        """The styled recording, float32 (channels, samples)."""
        self._stream = None
        audio = check_audio("content", audio)
        return styled([audio], [audio.shape], self._recipe(sample_rate), self.progress)[0].audio


class _HeldStyle:
    """Checked styles, of arrays copies, and what came with them, as the effect's attributes show it."""

    def __init__(self, style: Style, sample_rate: Any, weights: Any) -> None:
        given = as_list(style)
        several = len(given) > 1
        for i, one in enumerate(given):
            if isinstance(one, np.ndarray):
                # Among several always of two axes, so that lists of numbers can't be taken for fewer recordings.
                given[i] = np.array(np.atleast_2d(one) if several else one)
                given[i].flags.writeable = False
        self.styles = Styles(given if isinstance(style, (list, tuple)) else given[0], sample_rate, weights)
        self.style: Style = tuple(self.styles.given) if several else self.styles.given[0]
        self.weights = None if weights is None else check_weights(weights, len(given))
        self.sample_rate: float | tuple[float | None, ...] | None = None
        if sample_rate is not None:
            rates = check_rates(sample_rate, given)
            self.sample_rate = tuple(rates) if np.ndim(sample_rate) else float(sample_rate)
