"""`StyleTransfer`, the transfer as a pedalboard effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import numpy as np

from ._recordings.arrays import check_audio
from ._transfer.api import styled
from ._transfer.parameters.documentation import documented
from ._transfer.parameters.options import Effort, Magnitudes, Optimizer, Phases, Precision, PresetName, TransferOptions
from ._transfer.parameters.parameter_list import DEFAULTS, Parameters
from ._transfer.parameters.presets import choose
from ._transfer.parameters.windows import Window, Windows
from ._transfer.styles.given_style import GivenStyle
from ._transfer.styles.style_inputs import Style, as_list
from ._transfer.whole_recordings.preparation import PreparedTransfer
from ._transfer.whole_recordings.streaming import Stream
from ._validation import flag, number, optional
from ._validation import sample_rate as check_rate
from .hosting import OfflineEffect
from .hosting.effect_locks import exclusive
from .progress import Progress, check_progress

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

Get = TypeVar("Get")
Set = TypeVar("Set")

CONTENT_LEVELS_DB = (-120, 60)
"""Limits of ``content_level_db``. Values outside are more likely levels in another unit."""


class ParameterAttribute(Generic[Get, Set]):
    """An attribute of the effect that is one of the transfer's parameters, checked when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        known = {description.name: description for description in Parameters.described()}[name]
        self.__doc__ = f"{known.sentence} Allowed: {known.allowed}." if known.allowed else known.sentence

    @overload
    def __get__(self, effect: None, owner: type) -> Self: ...
    @overload
    def __get__(self, effect: StyleTransfer, owner: type) -> Get: ...
    def __get__(self, effect: StyleTransfer | None, owner: type) -> Self | Get:
        return self if effect is None else cast(Get, getattr(effect._parameters, self.name))

    def __set__(self, effect: StyleTransfer, value: Set) -> None:
        effect._parameters = choose({self.name: value}, effect._parameters)


@documented(TransferOptions, DEFAULTS)
class StyleTransfer(OfflineEffect):
    """Restyle a recording in a pedalboard: an offline effect, which needs the whole recording at once.

    It works alone and in pedalboard's own `Pedalboard`, `Chain` and `Mix`. Every parameter can be read and set as an
    attribute; a value that is not allowed raises when it is set. `update` sets several at once. Setting ``preset``
    sets all parameters to the preset's. If a style file is deleted or moved, the effect, its copies and its pickles
    keep using the samples already read; a file that has changed is read again.

    Parameters
    ----------
    {style}
    {style_sample_rate}
    {style_weights}
    streaming : bool, default False
        Also process recordings in chunks, with ``reset=False``. The output is `latency` samples behind the input: the
        first chunks return nothing; pass `latency` samples of silence at the end to get the rest. Sections are styled
        as soon as they are complete; changed parameters take effect after `reset`.
    content_level_db : float, optional
        With ``streaming``, the RMS of the whole recording without its pauses, -120 to 60 dBFS; by default the RMS of
        the samples received so far.
    {progress}
        Copies and pickles don't keep it.
    {parameters}

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If a parameter is not allowed; the message names it, its value and what is allowed.

    Examples
    --------
    >>> board = Pedalboard([StyleTransfer(style="anthem.wav"), Reverb()])  # doctest: +SKIP
    >>> out = board(audio, sample_rate)  # doctest: +SKIP
    """

    preset = ParameterAttribute[PresetName, PresetName]()
    strength = ParameterAttribute[float | None, float | None]()
    alpha = ParameterAttribute[float | None, float | None]()
    key = ParameterAttribute[str | float, str | float]()
    equalize = ParameterAttribute[bool, bool]()
    content_share = ParameterAttribute[float, float]()
    dynamics = ParameterAttribute[bool, bool]()
    n_filters = ParameterAttribute[float, float]()
    kernel_width = ParameterAttribute[int | tuple[int, ...], int | Sequence[int]]()
    windows = ParameterAttribute[tuple[Window, ...] | None, Windows]()
    effort = ParameterAttribute[Effort, Effort]()
    optimizer = ParameterAttribute[Optimizer, Optimizer]()
    spectrogram_iters = ParameterAttribute[int, int]()
    phase_iters = ParameterAttribute[int, int]()
    waveform_iters = ParameterAttribute[int, int]()
    init = ParameterAttribute[Magnitudes, Magnitudes]()
    phase_init = ParameterAttribute[Phases, Phases]()
    normalize = ParameterAttribute[bool, bool]()
    match_level = ParameterAttribute[bool, bool]()
    mix = ParameterAttribute[float, float]()
    section_seconds = ParameterAttribute[float, float]()
    style_seconds = ParameterAttribute[float, float]()
    seed = ParameterAttribute[int, int]()
    device = ParameterAttribute[str, str]()
    precision = ParameterAttribute[Precision, Precision]()

    def __init__(
        self,
        style: Style,
        *,
        style_sample_rate: float | Sequence[float | None] | None = None,
        style_weights: Sequence[float] | None = None,
        streaming: bool = False,
        content_level_db: float | None = None,
        progress: Progress = None,
        **parameters: Unpack[TransferOptions],
    ) -> None:
        super().__init__()
        self._parameters = choose(parameters)
        self.streaming, self.content_level_db, self.progress = streaming, content_level_db, progress
        self._stream: Stream | None = None
        carried = _carried_style.get()
        _carried_style.set(None)
        self._style = carried or GivenStyle.of(style, style_sample_rate, style_weights)

    if not TYPE_CHECKING:  # a type checker that sees __setattr__ would allow every attribute

        def __setattr__(self, name: str, value: Any) -> None:
            """Refuse a misspelt parameter, as native plugins do."""
            if type(self) is StyleTransfer and not name.startswith("_") and not hasattr(StyleTransfer, name):
                raise AttributeError(f"StyleTransfer has no parameter {name!r}")
            super().__setattr__(name, value)

    def update(self, **parameters: Unpack[TransferOptions]) -> None:
        """Set several parameters at once; if one of them is not allowed, none is changed.

        Parameters
        ----------
        **parameters
            Any parameters of `StyleTransfer` from ``preset`` to ``precision``. The others stay as they are; if
            ``preset`` is given, they get the preset's values.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not allowed; the message names it, its value and what is allowed.
        """
        self._parameters = choose(parameters, self._parameters)

    @property
    def progress(self) -> Progress:
        """True for a progress bar, or a function that is called with every event."""
        return self._progress

    @progress.setter
    def progress(self, value: Progress) -> None:
        self._progress = check_progress(value)

    @property
    def streaming(self) -> bool:
        """Whether the effect also processes recordings in chunks, with ``reset=False``."""
        return self._streaming

    @streaming.setter
    def streaming(self, value: bool) -> None:
        self._streaming = flag("streaming", value)

    @property
    def content_level_db(self) -> float | None:
        """RMS in dBFS of a recording that comes in chunks; None for the RMS of the samples received so far."""
        return self._content_level_db

    @content_level_db.setter
    def content_level_db(self, value: float | None) -> None:
        self._content_level_db = optional(number(*CONTENT_LEVELS_DB))("content_level_db", value)

    @property
    def style(self) -> Style:
        """The recording whose sound is taken: a path, a copy of an array, or a tuple of several of these."""
        return self._style.style

    @style.setter
    def style(self, style: Style) -> None:
        # Rates and weights describe the old styles. They are kept only where they also fit the new ones.
        old, new = ([isinstance(source, np.ndarray) for source in as_list(styles)] for styles in (self.style, style))
        keep_rates = new == old if isinstance(self.style_sample_rate, tuple) else any(new)
        rates = self.style_sample_rate if keep_rates else None
        self._style = GivenStyle.of(style, rates, self.style_weights if len(new) == len(old) else None)

    @property
    def style_sample_rate(self) -> float | tuple[float | None, ...] | None:
        """Sample rate of array styles in Hz, one for all or one each; None for the content's rate, and for files."""
        return self._style.sample_rate

    @style_sample_rate.setter
    def style_sample_rate(self, value: float | Sequence[float | None] | None) -> None:
        self._style = self._style.changed(value, self.style_weights)

    @property
    def style_weights(self) -> tuple[float, ...] | None:
        """One weight for each style; only their ratios count."""
        return self._style.weights

    @style_weights.setter
    def style_weights(self, value: Sequence[float] | None) -> None:
        self._style = self._style.changed(self.style_sample_rate, value)

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters by name; ``StyleTransfer(**effect.parameters)`` builds an equal effect.

        If all styles are files, the dict can be written as JSON directly, with ``Infinity`` for an infinite
        ``n_filters`` as Python's json writes and reads it. Styles given as arrays stay arrays; `json.dumps` converts
        them to lists with ``default=numpy.ndarray.tolist``, and the constructor accepts such lists.
        """
        style = {"style": self.style, "style_sample_rate": self.style_sample_rate, "style_weights": self.style_weights}
        chunks = {"streaming": self.streaming, "content_level_db": self.content_level_db}
        return {**style, **self._parameters.as_dict(), **chunks}

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Support copy, deepcopy and pickle; the samples of the styles go along."""
        return _restore, (super().__reduce_ex__(protocol), self._style)

    def latency(self, sample_rate: float) -> int:
        """Return the delay of the result of a recording in chunks, in samples at a rate in Hz: about one section.

        Raises
        ------
        RuntimeError
            With ``preset="original"`` or ``section_seconds=math.inf``, which need the whole recording.
        """
        return self._new_stream(1, sample_rate).latency

    def feed(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        """Take the next chunk of a recording; return the finished samples of the result.

        Parameters
        ----------
        audio : float32 array (channels, samples)
        sample_rate : float
            In Hz.

        Returns
        -------
        float32 array (channels, samples)
            As many samples as are finished; there may be none.

        Raises
        ------
        RuntimeError
            If the rate or the number of channels differs from the earlier chunks, or as `latency`.
        """
        if self._stream is None:
            self._stream = self._new_stream(len(audio), sample_rate)
        elif self._stream.source != (len(audio), sample_rate):
            channels, rate = self._stream.source
            raise RuntimeError(
                f"the chunk has {len(audio)} channels at {sample_rate:g} Hz, but the recording so far has {channels} "
                f"channels at {rate:g} Hz; call reset() before a new recording"
            )
        return self._stream.feed(audio)

    def _new_stream(self, channels: int, sample_rate: float) -> Stream:
        if self._parameters.original:
            raise RuntimeError("preset='original' needs the whole recording at once, not chunks")
        if self.section_seconds == math.inf:
            raise RuntimeError("section_seconds=inf needs the whole recording at once; chunks need finite sections")
        return Stream(self._prepared(sample_rate), channels, self.content_level_db, self.progress)

    def _prepared(self, sample_rate: float) -> PreparedTransfer:
        return PreparedTransfer.of(
            self._style.styles, None, None, check_rate("sample_rate", sample_rate), self._parameters
        )

    def reset(self) -> None:
        """Forget earlier recordings, even if one is unfinished. Parameters stay as they are."""
        super().reset()
        self._stream = None

    def render(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        """Return the styled recording, float32 (channels, samples)."""
        with exclusive([self]):
            self._stream = None
        audio = check_audio("content", audio)
        return styled([audio], [audio.shape], self._prepared(sample_rate), self.progress)[0].audio


_carried_style: ContextVar[GivenStyle | None] = ContextVar("carried style", default=None)
"""The styles of an effect that is being restored: its constructor takes them instead of reading files again."""


def _restore(reduced: tuple[Any, ...], style: GivenStyle) -> StyleTransfer:
    """Build an effect by its class's own constructor, with styles that a copy or pickle carries."""
    rebuild, arguments = reduced
    token = _carried_style.set(style)
    try:
        return cast(StyleTransfer, rebuild(*arguments))
    finally:
        _carried_style.reset(token)
