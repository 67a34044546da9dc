"""A content and a style in, the styled recording out."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from . import audio as recordings
from .cards import in_batches
from .parameters import DEFAULTS, ORIGINAL_RATE, TEXTURE, Parameters, number
from .parameters import sample_rate as check_rate
from .progress import Progress, reporting
from .sections import CONTEXT_PATCHES, FADE_WINDOWS, Section, plan
from .spectral import STFT
from .stages import FAILED, Stage, item_bytes, merged, patch_samples, three_stages

Style: TypeAlias = str | os.PathLike[str] | np.ndarray | Sequence[Any]
"""A file, an array (channels, samples) or (samples,), or a list of these.

Numbers in lists, as JSON holds an array, are that array.
"""

MOST_LIFT = 10.0
"""The factor, 20 dB, by which a section is brought up at the most: noise is no music."""

MIN_CORRELATION = -0.98
"""Where wet and dry cancel in the mix more than this, its level is not made up for: no more than 20 dB."""


@dataclass(frozen=True, eq=False)
class Result:
    """A styled recording and how it came about.

    Attributes
    ----------
    audio : float32 array
        In the content's shape, (channels, samples) or (samples,).
    sample_rate : float
        In Hz.
    stages : dict of str to Stage
        "spectrogram", "phase" and "waveform", those that ran.
    seconds : float
        Time of the whole.
    parameters : dict
        Those of the transfer, by name, with ``n_fft`` and ``hop_length`` as they were chosen, also where milliseconds
        were given; the recordings are not among them.
    """

    audio: np.ndarray
    sample_rate: float
    stages: dict[str, Stage]
    seconds: float
    parameters: dict[str, Any]


def stylize(
    content: np.ndarray,
    style: Style,
    sample_rate: float,
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
    original: bool = DEFAULTS.original,
    seed: int = DEFAULTS.seed,
    device: str = DEFAULTS.device,
    precision: str = DEFAULTS.precision,
    progress: Progress = None,
) -> Result:
    """The content, sounding as the style does.

    Parameters
    ----------
    content : float32 or float64 array (channels, samples) or (samples,)
        The recording to restyle; not changed.
    style : path, array, or list of these
        The recording whose sound is taken, of any length, rate and number of channels. With the content's number of
        channels it is matched channel by channel, otherwise its mix to mono serves every channel. Of several, the
        weighted mean of their Gram matrices is the target, each at its own level. An array may also be given as numbers
        in lists, one or two deep.
    sample_rate : float
        Of the content, in Hz.
    style_sample_rate : float or sequence of float, optional
        Of styles given as arrays, in Hz, one for all or one each; the content's by default. A file has its own.
    style_weights : sequence of float, optional
        One positive weight a style, equal ones by default; only their ratios count.
    alpha : float
        Weight of the content against the style; 0 forgets the content. Means the same at any rate, number of channels,
        kernel width and duration.
    n_filters : int or math.inf
        Random filters; infinity is their closed-form limit, without a filter.
    kernel_width : int or sequence of int
        Frames that a filter spans, one width or several.
    n_fft, hop_length : int or sequence of int, optional
        STFT window, a multiple of 4, and hop, in samples; by default the power of two nearest 93 ms and a quarter of
        it. Of several windows the longest serves all stages, and the waveform stage takes the mean over all.
    window_ms, hop_ms : float or sequence of float, optional
        The same in milliseconds instead, so that they hold at any rate: of windows the next multiple of 4 that FFTs are
        fast at, 16 at least, and of each the share that its hop is of it.
    optimizer : {"adam", "lbfgs"}
        For the spectrogram and the waveform.
    spectrogram_iters, phase_iters, waveform_iters : int
        Iterations of each stage: gradient steps on a free spectrogram, fast Griffin-Lim, gradient steps on the audio.
    init, phase_init : {"content", "noise"}, {"content", "random"}
        Magnitudes and phases to start from; noise has the style's long-term spectrum.
    normalize : bool
        Optimise at an RMS of 0.1 for both recordings, pauses not counted, and scale the result back by the content's
        factor. False leaves all levels alone, as the original does.
    match_level : bool
        With ``normalize``, bring the result to the content's own RMS.
    mix : float
        From 0, the content, to 1, the result, aligned to the sample; the level in decibels moves evenly from one's to
        the other's, however much of them cancels.
    section_seconds : float
        About the length of the sections in which a recording of more than one and a half is styled, each continuing
        its neighbours: time grows with the recording's length, memory for the computation does not. At least eight of
        the widest patches; a value beyond the recording's length styles it in one piece.
    original : bool
        The algorithm as it was published, but for what other parameters say: a mix to mono at 22,050 Hz, brought back
        to the content's rate and channels at the end; the style cropped to the content's length, and both Gram matrices
        divided by the content's frames; magnitudes from small noise; plain Griffin-Lim.
    seed : int
        Everything random comes from it: equal seed, machine and versions give equal output.
    device : str
        Where to compute: "cpu", "cuda" or one card, such as "cuda:1"; "auto" takes CUDA where CuPy and a card are
        there, and the CPU otherwise.
    precision : {"float32", "tf32"}
        The least that matrix products need: "tf32" lets a card round their factors to 10 bits, on tensor cores.
    progress : bool or callable, optional
        True for a progress bar, or a function that gets stage, iteration, total and the losses by name; on the CPU
        after every iteration, on a card after every tenth. Every section begins its stages anew.

    Returns
    -------
    Result
        Silence where the content is digital silence, whole channels included.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work, naming the parameter, its value and what is allowed.
    RuntimeError
        If CUDA is asked for where it can't be used; if the result is silent or not finite, as recordings at extreme
        levels can make it without ``normalize``.
    MemoryError
        If a card's memory is too small.

    References
    ----------
    V. Lebedev and D. Ulyanov, "Audio texture synthesis and style transfer", 2016. Deviations: the closed form by
    default, the waveform stage, levels, joint channels and whole recordings; the README says why.
    """
    parameters = Parameters.of(locals())
    audio = recordings.check_audio("content", content)
    weights = (style_sample_rate, style_weights)
    return _transfer([audio], [content.shape], style, *weights, sample_rate, parameters, progress)[0]


def stylize_batch(
    contents: np.ndarray | Sequence[np.ndarray],
    style: Style,
    sample_rate: float,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    progress: Progress = None,
    **parameters: Any,
) -> list[Result]:
    """Several recordings of equal length, each styled as `stylize` does it, and together where that is faster.

    A card takes as many at once as its memory holds, and half as many, with a warning, where it runs out of it; several
    cards take one batch after the other. On the CPU they go one by one, since caches are small.

    Parameters
    ----------
    contents : array (batch, channels, samples), or sequence of arrays (channels, samples) or (samples,)
        Of one shape.
    **parameters
        Keyword parameters of `stylize`.

    The other parameters and the errors are those of `stylize`.

    Returns
    -------
    list of Result
        Equal to what `stylize` gives for each, but for rounding on a card; ``seconds`` is the time of the batch that
        the recording was in. With several cards ``progress`` is called from a thread a card.
    """
    checked = Parameters(**parameters)
    shapes = [np.shape(content) for content in contents]
    if not shapes or len(set(shapes)) > 1:
        raise ValueError(f"contents has recordings of shapes {sorted(set(shapes))}; they must be of one shape")
    audio = [recordings.check_audio("contents", content) for content in contents]
    return _transfer(audio, shapes, style, style_sample_rate, style_weights, sample_rate, checked, progress)


def texture(
    style: Style,
    sample_rate: float,
    duration: float,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    n_filters: float = TEXTURE.n_filters,
    kernel_width: int | Sequence[int] = TEXTURE.kernel_width,
    n_fft: int | Sequence[int] | None = TEXTURE.n_fft,
    hop_length: int | Sequence[int] | None = TEXTURE.hop_length,
    window_ms: float | Sequence[float] | None = TEXTURE.window_ms,
    hop_ms: float | Sequence[float] | None = TEXTURE.hop_ms,
    optimizer: str = TEXTURE.optimizer,
    spectrogram_iters: int = TEXTURE.spectrogram_iters,
    phase_iters: int = TEXTURE.phase_iters,
    waveform_iters: int = TEXTURE.waveform_iters,
    normalize: bool = TEXTURE.normalize,
    match_level: bool = TEXTURE.match_level,
    section_seconds: float = TEXTURE.section_seconds,
    seed: int = TEXTURE.seed,
    device: str = TEXTURE.device,
    precision: str = TEXTURE.precision,
    progress: Progress = None,
) -> Result:
    """New sound of the style's kind, out of noise: the case alpha = 0 of `stylize`, which needs no content.

    Parameters
    ----------
    style, sample_rate
        As for `stylize`; the result has the style's channels, the given rate and, with ``match_level``, the style's
        RMS, of several styles those of the first.
    duration : float
        Of the result, in seconds.
    window_ms, hop_ms : float or sequence of float, optional
        By default windows of 32 and 128 ms, and half of each; ``n_fft`` and ``hop_length`` take their place.
    optimizer, spectrogram_iters, phase_iters, waveform_iters, kernel_width
        As for `stylize`, with defaults of their own: L-BFGS on the waveform alone.

    Other parameters, the result and the errors are those of `stylize`.
    """
    own = {name: value for name, value in locals().items() if value is not getattr(TEXTURE, name, value)}
    sample_rate = check_rate("sample_rate", sample_rate)
    parameters = TEXTURE.changed(**own).in_samples(sample_rate)
    stft = parameters.stft(sample_rate)
    n_samples = round(number(1 / sample_rate)("duration", duration) * sample_rate)
    styles, shares = _load_styles(style, style_sample_rate, style_weights, sample_rate, parameters, stft)
    work = _Texture(styles[0], n_samples, sample_rate, parameters, stft)
    _style_all([work], styles, shares, sample_rate, parameters, stft, progress)
    return _result(work.finish(), sample_rate, merged(work.stages), work.seconds, parameters)


def _transfer(
    audio: list[np.ndarray],
    shapes: list[tuple[int, ...]],
    style: Style,
    style_sample_rate: Any,
    style_weights: Any,
    sample_rate: float,
    parameters: Parameters,
    progress: Progress,
) -> list[Result]:
    """The results for recordings (channels, samples) of one shape; ``shapes`` are those to return them in."""
    sample_rate = check_rate("sample_rate", sample_rate)
    work_rate = ORIGINAL_RATE if parameters.original else sample_rate
    parameters = parameters.in_samples(work_rate)
    stft = parameters.stft(work_rate)
    styles, shares = _load_styles(style, style_sample_rate, style_weights, work_rate, parameters, stft, sample_rate)
    kind = _Original if parameters.original else _Work
    works = [kind(samples, sample_rate, parameters, stft) for samples in audio]
    _style_all(works, styles, shares, work_rate, parameters, stft, progress)
    return [
        _result(work.finish().reshape(shape), sample_rate, merged(work.stages), work.seconds, parameters)
        for work, shape in zip(works, shapes, strict=True)
    ]


def _style_all(
    works: Sequence[_Work],
    styles: list[np.ndarray],
    shares: list[float],
    sample_rate: float,
    parameters: Parameters,
    stft: STFT,
    progress: Progress,
) -> None:
    """Style the sections of recordings of one length: every second one, then those between them."""
    sounding = sum(bool(work.active(k).any()) for work in works for k in range(len(work.sections)))
    with reporting(progress, parameters.n_iter * sounding) as report:
        for second in (False, True):
            # Together go sections whose channels are silent alike, so that their styles are one.
            groups: dict[bytes, list[tuple[_Work, int]]] = {}
            for work in works:
                for k, section in enumerate(work.sections):
                    if section.second == second:
                        groups.setdefault(work.active(k).tobytes(), []).append((work, k))
            for key, parts in groups.items():
                active = np.frombuffer(key, bool)
                if not active.any():
                    continue
                names = [f"style[{i}]" if len(styles) > 1 else "style" for i in range(len(styles))]
                matched = [
                    recordings.match_channels(one, active, name) for one, name in zip(styles, names, strict=True)
                ]
                matched = [_scaled(style, _gain(style, sample_rate, parameters.normalize)) for style in matched]

                def run(
                    chosen: list[int],
                    place: str,
                    parts: list[tuple[_Work, int]] = parts,
                    active: np.ndarray = active,
                    matched: list[np.ndarray] = matched,
                ) -> None:
                    start, batch = time.perf_counter(), [parts[i] for i in chosen]
                    before = [work.before(k, active) for work, k in batch]
                    contents, masks, *fixed = (np.stack(arrays) for arrays in zip(*before, strict=True))
                    samples, stages = three_stages(
                        contents,
                        matched,
                        shares,
                        masks,
                        sample_rate,
                        parameters,
                        stft,
                        place,
                        report(len(batch)),
                        fixed[0] if fixed else None,
                        [k for _, k in batch],
                    )
                    together = Counter(work for work, _ in batch)  # the sections of a recording share its time
                    for (work, k), wet, stage in zip(batch, samples, stages, strict=True):
                        own = {name: replace(one, seconds=one.seconds / together[work]) for name, one in stage.items()}
                        work.after(k, active, wet, own)
                    for work in dict.fromkeys(work for work, _ in batch):
                        work.seconds += time.perf_counter() - start

                window = parts[0][0].sections[0].window
                style_samples = sum(style.shape[-1] for style in matched)
                size = item_bytes(parameters, stft, len(matched[0]), window.stop - window.start, style_samples)
                in_batches(run, [*range(len(parts))], parameters.device, size)


class _Work:
    """A recording on its way: its sections, what is finished of it and what that took."""

    def __init__(self, dry: np.ndarray, sample_rate: float, parameters: Parameters, stft: STFT) -> None:
        self.dry, self.sample_rate, self.parameters = dry, sample_rate, parameters
        context = CONTEXT_PATCHES * patch_samples(parameters, stft)
        self.sections = plan(
            dry.shape[-1], parameters.section_seconds * sample_rate, context, FADE_WINDOWS * stft.n_fft
        )
        self.wet = np.zeros(dry.shape, np.float32)  # at the level of the transfer, until all is finished
        self.stages: dict[int, dict[str, Stage]] = {}
        self.seconds = 0.0
        self.sounding = np.asarray(dry.any(axis=-1))
        self.gain = self._gain()

    def active(self, k: int) -> np.ndarray:
        """Which channels are not silent in a section's window."""
        return np.asarray(self.dry[:, self.sections[k].window].any(axis=-1))

    def before(self, k: int, active: np.ndarray) -> tuple[np.ndarray, ...]:
        """The content of a section's window, the mask of its result and, for a second one, what is finished there."""
        section, lift = self.sections[k], self._lift(k)
        content = _scaled(self.dry[:, section.window][active], self.gain * lift)
        mask = self._mask(section.window)[active]
        if not section.second:
            return content, mask
        free = section.free()
        return content, mask * free, self.wet[:, section.window][active] * ((1 - free) * np.float32(lift))

    def after(self, k: int, active: np.ndarray, wet: np.ndarray, stages: dict[str, Stage]) -> None:
        """Keep what was made of a section."""
        section = self.sections[k]
        kept, offset = section.kept, section.window.start
        self.wet[active, kept] = wet[:, kept.start - offset : kept.stop - offset] / np.float32(self._lift(k))
        self.stages[k] = stages

    def _lift(self, k: int) -> float:
        """How much further a quiet section is brought up, as each is driven to the style's level; undone afterwards."""
        if len(self.sections) == 1 or not self.parameters.normalize:
            return 1.0
        level = recordings.gated_rms(self.dry[:, self.sections[k].window][self.sounding], self.sample_rate)
        return float(np.clip(recordings.RMS / (level * self.gain), 1.0, MOST_LIFT)) if level else 1.0

    def finish(self) -> np.ndarray:
        """The result at its level and in its mix, in place of the samples kept."""
        if not self.sounding.any():
            return self.wet
        if not self.wet.any():
            raise RuntimeError(FAILED)
        dry_share, wet_share = self._shares()
        for section in self.sections:
            dry, wet = self.dry[:, section.own][self.sounding], self._unscaled(section)
            self.wet[self.sounding, section.own] = _float32(dry_share * dry + wet_share * wet)
        return self.wet

    def _shares(self) -> tuple[float, float]:
        """Factors of dry and wet, at which the RMS moves evenly, in dB, from the one's to the other's with the mix."""
        mix, dry_rms = self.parameters.mix, self._rms()
        wet_rms = _rms(self._unscaled(section) for section in self.sections)
        ratio = dry_rms / wet_rms if self.parameters.normalize and self.parameters.match_level else 1.0
        if mix in (0, 1):
            return 1.0 - mix, mix * ratio
        products = [
            float(np.sum((self.dry[:, section.own][self.sounding] / dry_rms) * (self._unscaled(section) / wet_rms)))
            for section in self.sections
        ]
        correlation = sum(products) / (int(self.sounding.sum()) * self.dry.shape[-1])
        dry_share, wet_share = _mix_shares(dry_rms, wet_rms * ratio, correlation, mix)
        return dry_share, wet_share * ratio

    def _unscaled(self, section: Section) -> np.ndarray:
        """A section of the result at the content's level."""
        return self.wet[:, section.own][self.sounding].astype(np.float64) / self.gain

    def _gain(self) -> float:
        if not self.sounding.any():
            return 1.0
        dry = self.dry if self.sounding.all() else self.dry[self.sounding]
        return _gain(dry, self.sample_rate, self.parameters.normalize)

    def _mask(self, window: slice) -> np.ndarray:
        return recordings.silence_mask(self.dry, self.sample_rate, window)

    def _rms(self) -> float:
        return _rms(self.dry[:, section.own][self.sounding] for section in self.sections)


class _Texture(_Work):
    """A recording that has no content: of it, only the shape counts with alpha = 0."""

    def __init__(
        self, style: np.ndarray, n_samples: int, sample_rate: float, parameters: Parameters, stft: STFT
    ) -> None:
        self.style = style
        super().__init__(np.broadcast_to(np.float32(0), (len(style), n_samples)), sample_rate, parameters, stft)

    def active(self, k: int) -> np.ndarray:
        return self.sounding

    def _gain(self) -> float:
        self.sounding = np.asarray(self.style.any(axis=-1))
        return _gain(self.style[self.sounding], self.sample_rate, self.parameters.normalize)

    def _mask(self, window: slice) -> np.ndarray:
        return np.ones((len(self.style), window.stop - window.start), np.float32)

    def _rms(self) -> float:
        return recordings.rms(self.style[self.sounding])


class _Original(_Work):
    """A recording styled by its mix to mono at the original's rate."""

    def __init__(self, dry: np.ndarray, sample_rate: float, parameters: Parameters, stft: STFT) -> None:
        self.whole, self.whole_rate = dry, sample_rate
        if dry.any():
            mono = recordings.match_channels(dry, np.ones(1, bool), "content")
            dry = recordings.resample(mono, sample_rate, ORIGINAL_RATE)
        super().__init__(dry, ORIGINAL_RATE, parameters, stft)

    def finish(self) -> np.ndarray:
        """The result at the recording's rate, in all channels that sound, at its level and in its mix."""
        if not self.sounding.any():
            return np.zeros(self.whole.shape, np.float32)
        n_samples = self.whole.shape[-1]
        wet = recordings.resample(self.wet, ORIGINAL_RATE, self.whole_rate)[:, :n_samples]
        self.dry, self.sounding = self.whole, np.asarray(self.whole.any(axis=-1))
        self.wet = recordings.silence_mask(self.whole, self.whole_rate)
        self.wet[:, : wet.shape[-1]] *= wet
        self.wet[:, wet.shape[-1] :] = 0
        self.sections = plan(n_samples, n_samples, 0, 0)
        return super().finish()


def _rms(pieces: Iterable[np.ndarray]) -> float:
    """Root mean square over all pieces; their squares take more memory than a long recording."""
    energy, size = 0.0, 0
    for piece in pieces:
        energy, size = energy + float(np.square(piece, dtype=np.float64).sum()), size + piece.size
    return math.sqrt(energy / size)


def _load_styles(
    style: Style,
    style_sample_rate: Any,
    style_weights: Any,
    sample_rate: float,
    parameters: Parameters,
    stft: STFT,
    content_rate: float | None = None,
) -> tuple[list[np.ndarray], list[float]]:
    """The styles at the rate of the work, float32 (channels, samples), long enough for a patch; and their shares."""
    styles, needed = recordings.read_styles(style, style_sample_rate, style_weights), patch_samples(parameters, stft)
    audio = []
    for i, (samples, rate, _) in enumerate(styles):
        name = "style" if len(styles) == 1 else f"style[{i}]"
        loud = recordings.rms(samples)
        with np.errstate(over="ignore", invalid="ignore"):
            samples = recordings.resample(samples, rate or content_rate or sample_rate, sample_rate)
        if not np.isfinite(samples).all():
            raise ValueError(f"{name} has peaks that single precision can't hold at sample_rate={sample_rate}")
        if recordings.rms(samples) < 1e-4 * loud:
            raise ValueError(f"{name} is silent at sample_rate={sample_rate}; it must have sound below half of it")
        if samples.shape[-1] < needed:
            least, given = (math.ceil(1e4 * n / sample_rate) / 1e4 for n in (needed, samples.shape[-1]))
            raise ValueError(
                f"{name} is {given:.4f} s long; kernel_width={parameters.kernel_width} needs at least {least:.4f} s"
            )
        audio.append(samples)
    return audio, [one.share for one in styles]


def _scaled(audio: np.ndarray, gain: float) -> np.ndarray:
    return audio * np.float64(gain)  # the gain of a recording below 1e-38 is more than float32 holds


def _gain(audio: np.ndarray, sample_rate: float, normalize: bool) -> float:
    """The factor that brings the audio to the level at which transfers are made."""
    return recordings.RMS / recordings.gated_rms(audio, sample_rate) if normalize else 1.0


def _mix_shares(dry_rms: float, wet_rms: float, correlation: float, mix: float) -> tuple[float, float]:
    """Factors of dry and wet whose sum's RMS moves evenly, in dB, from the one's to the other's."""
    a, b = (1 - mix) * dry_rms, mix * wet_rms
    level = math.sqrt(a * a + b * b + 2 * max(correlation, MIN_CORRELATION) * a * b)
    makeup = dry_rms ** (1 - mix) * wet_rms**mix / level
    return makeup * (1 - mix), makeup * mix


def _float32(audio: np.ndarray) -> np.ndarray:
    """The result in single precision; RuntimeError where that can't hold its peaks."""
    with np.errstate(over="ignore"):
        audio = audio.astype(np.float32)
    if not np.isfinite(audio).all():
        raise RuntimeError(FAILED)
    return audio


def _result(
    audio: np.ndarray, sample_rate: float, stages: dict[str, Stage], seconds: float, parameters: Parameters
) -> Result:
    return Result(audio, float(sample_rate), stages, seconds, asdict(parameters))
