"""A content and a style in, the styled recording out."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from . import audio as recordings
from .backend import in_batches, places
from .parameters import DEFAULTS, Parameters, number
from .parameters import sample_rate as check_rate
from .progress import Progress, reporting
from .spectral import STFT
from .stages import Stage, item_bytes, patch_samples, three_stages

Style: TypeAlias = str | os.PathLike[str] | np.ndarray | Sequence[Any]
"""A file, an array (channels, samples) or (samples,), or a list of these.

Numbers in lists, as JSON holds an array, are that array.
"""

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
        Those of the transfer, by name, with ``n_fft`` and ``hop_length`` as they were chosen; the recordings are not
        among them.
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
    n_fft: int | None = DEFAULTS.n_fft,
    hop_length: int | None = DEFAULTS.hop_length,
    optimizer: str = DEFAULTS.optimizer,
    spectrogram_iters: int = DEFAULTS.spectrogram_iters,
    phase_iters: int = DEFAULTS.phase_iters,
    waveform_iters: int = DEFAULTS.waveform_iters,
    init: str = DEFAULTS.init,
    phase_init: str = DEFAULTS.phase_init,
    normalize: bool = DEFAULTS.normalize,
    match_level: bool = DEFAULTS.match_level,
    mix: float = DEFAULTS.mix,
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
    n_fft, hop_length : int, optional
        STFT window, a multiple of 4, and hop, in samples; by default the power of two nearest 93 ms and a quarter of
        it.
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
    seed : int
        Everything random comes from it: equal seed, machine and versions give equal output.
    device : str
        Where to compute: "cpu", "cuda" or one card, such as "cuda:1"; "auto" takes CUDA where CuPy and a card are
        there, and the CPU otherwise.
    precision : {"float32", "tf32"}
        The least that matrix products need: "tf32" lets a card round their factors to 10 bits, on tensor cores.
    progress : bool or callable, optional
        True for a progress bar, or a function that gets stage, iteration, total and the losses by name; on the CPU
        after every iteration, on a card after every tenth.

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
    n_filters: float = DEFAULTS.n_filters,
    kernel_width: int | Sequence[int] = DEFAULTS.kernel_width,
    n_fft: int | None = DEFAULTS.n_fft,
    hop_length: int | None = DEFAULTS.hop_length,
    optimizer: str = DEFAULTS.optimizer,
    spectrogram_iters: int = DEFAULTS.spectrogram_iters,
    phase_iters: int = DEFAULTS.phase_iters,
    waveform_iters: int = DEFAULTS.waveform_iters,
    normalize: bool = DEFAULTS.normalize,
    match_level: bool = DEFAULTS.match_level,
    seed: int = DEFAULTS.seed,
    device: str = DEFAULTS.device,
    precision: str = DEFAULTS.precision,
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

    Other parameters, the result and the errors are those of `stylize`.
    """
    parameters = Parameters.of({**locals(), "alpha": 0.0, "init": "noise", "phase_init": "random"})
    sample_rate = check_rate("sample_rate", sample_rate)
    stft = parameters.stft(sample_rate)
    n_samples = round(number(1 / sample_rate)("duration", duration) * sample_rate)
    styles, shares = _load_styles(style, style_sample_rate, style_weights, sample_rate, parameters, stft)
    active = np.asarray(styles[0].any(axis=-1))

    start, out = time.perf_counter(), np.zeros((len(styles[0]), n_samples), np.float32)
    sources = [recordings.match_channels(one, active) for one in styles]
    gains = [_gain(source, sample_rate, parameters.normalize) for source in sources]
    source, gain = sources[0], gains[0]
    silence = np.zeros((1, len(source), n_samples))  # with alpha = 0 only the shape of the content counts
    with reporting(progress, parameters.n_iter) as report:
        samples, stages = three_stages(
            silence,
            [_scaled(one, its) for one, its in zip(sources, gains, strict=True)],
            shares,
            np.ones_like(silence),
            sample_rate,
            parameters,
            stft,
            places(parameters.device)[0],
            report(1),
        )
    out[active] = _float32(_level(samples[0] / gain, recordings.rms(source), parameters))
    return _result(out, sample_rate, stages[0], time.perf_counter() - start, parameters, stft)


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
    stft = parameters.stft(sample_rate)
    styles, shares = _load_styles(style, style_sample_rate, style_weights, sample_rate, parameters, stft)
    results: list[Any] = [None] * len(audio)
    groups: dict[bytes, list[int]] = {}  # recordings whose channels are silent alike, so that their styles are one
    for item, samples in enumerate(audio):
        groups.setdefault(samples.any(axis=-1).tobytes(), []).append(item)

    with reporting(progress, parameters.n_iter * len(audio)) as report:
        for key, items in groups.items():
            active = np.frombuffer(key, bool)
            if not active.any():
                for item in items:
                    silence = np.zeros(shapes[item], np.float32)
                    results[item] = _result(silence, sample_rate, {}, 0.0, parameters, stft)
                continue
            matched = [recordings.match_channels(one, active) for one in styles]
            matched = [_scaled(one, _gain(one, sample_rate, parameters.normalize)) for one in matched]

            def run(
                chosen: list[int], place: str, active: np.ndarray = active, matched: list[np.ndarray] = matched
            ) -> None:
                start, dry = time.perf_counter(), [audio[item][active] for item in chosen]
                gains = [_gain(a, sample_rate, parameters.normalize) for a in dry]
                contents = np.stack([_scaled(a, gain) for a, gain in zip(dry, gains, strict=True)])
                masks = np.stack([recordings.silence_mask(a, sample_rate) for a in dry])
                samples, stages = three_stages(
                    contents, matched, shares, masks, sample_rate, parameters, stft, place, report(len(chosen))
                )
                for item, dry_one, gain, wet, stage in zip(chosen, dry, gains, samples, stages, strict=True):
                    wet = _level(wet / gain, recordings.rms(dry_one), parameters)
                    out = np.zeros_like(audio[item])
                    out[active] = _float32(_mixed(dry_one, wet, parameters.mix))
                    seconds = time.perf_counter() - start
                    results[item] = _result(out.reshape(shapes[item]), sample_rate, stage, seconds, parameters, stft)

            style_samples = sum(one.shape[-1] for one in matched)
            size = item_bytes(parameters, stft, len(matched[0]), audio[0].shape[-1], style_samples)
            in_batches(run, items, parameters.device, size)
    return results


def _load_styles(
    style: Style, style_sample_rate: Any, style_weights: Any, sample_rate: float, parameters: Parameters, stft: STFT
) -> tuple[list[np.ndarray], list[float]]:
    """The styles at the content's rate, float32 (channels, samples), long enough for a patch; and their shares."""
    styles, needed = recordings.read_styles(style, style_sample_rate, style_weights), patch_samples(parameters, stft)
    audio = []
    for i, (samples, rate, _) in enumerate(styles):
        name = "style" if len(styles) == 1 else f"style[{i}]"
        loud = recordings.rms(samples)
        samples = recordings.resample(samples, sample_rate if rate is None else rate, sample_rate)
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


def _level(wet: np.ndarray, rms: float, parameters: Parameters) -> np.ndarray:
    """The result at the RMS asked for."""
    return wet * (rms / recordings.rms(wet)) if parameters.normalize and parameters.match_level else wet


def _mixed(dry: np.ndarray, wet: np.ndarray, mix: float) -> np.ndarray:
    """Dry and wet together, at an RMS that moves evenly, in dB, from the one's to the other's."""
    if mix in (0, 1):
        return wet if mix else dry
    dry, dry_rms, wet_rms = dry.astype(np.float64), recordings.rms(dry), recordings.rms(wet)
    correlation = max(float(np.mean((dry / dry_rms) * (wet / wet_rms))), MIN_CORRELATION)
    a, b = (1 - mix) * dry_rms, mix * wet_rms
    level = math.sqrt(a * a + b * b + 2 * correlation * a * b)
    return dry_rms ** (1 - mix) * wet_rms**mix / level * ((1 - mix) * dry + mix * wet)


def _float32(audio: np.ndarray) -> np.ndarray:
    """The result in single precision; RuntimeError where that can't hold its peaks."""
    with np.errstate(over="ignore"):
        audio = audio.astype(np.float32)
    if not np.isfinite(audio).all():
        raise RuntimeError("the transfer failed: its result is silent or not finite")
    return audio


def _result(
    audio: np.ndarray, sample_rate: float, stages: dict[str, Stage], seconds: float, parameters: Parameters, stft: STFT
) -> Result:
    chosen = replace(parameters, n_fft=stft.n_fft, hop_length=stft.hop_length)
    return Result(audio, float(sample_rate), stages, seconds, asdict(chosen))
