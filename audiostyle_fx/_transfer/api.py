"""A content and a style in, the styled recording out."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    pass
from .._recordings.arrays import check_audio, check_finite
from .._recordings.disk_samples import SampleFile
from .._recordings.files import SoundFileReader
from .._recordings.formats import check_subtype
from .._recordings.writing import check_writable, write_audio
from .._validation import number
from .._validation import sample_rate as check_rate
from ..progress import Progress
from .parameters import DEFAULTS, TEXTURE, Parameters
from .recording_transfer import Recipe, TextureWork, Work, style_all
from .results import Outcome, Result, merged

Style: TypeAlias = str | os.PathLike[str] | np.ndarray | Sequence[Any]
"""A file, an array (channels, samples) or (samples,), or a list of these.

Numbers in lists, as JSON holds an array, are that array.
"""


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
    style_seconds: float = DEFAULTS.style_seconds,
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
        factor; what of it is far quieter for 0.7 s or longer is brought up further, and back. False leaves all levels
        alone, as the original does.
    match_level : bool
        With ``normalize``, bring the result to the content's own RMS.
    mix : float
        From 0, the content, to 1, the result, aligned to the sample; the level in decibels moves evenly from one's to
        the other's, however much of them cancels.
    section_seconds : float
        About the length of the sections in which a recording of more than one and a half is styled, each continuing
        its neighbours: time grows with the recording's length, memory for the computation does not. At least 0.8 s
        and eight of the widest patches; a value beyond the recording's length styles it in one piece.
    style_seconds : float
        Of a style longer than this, excerpts of so many seconds in all stand for the whole, drawn by the seed without
        bias, so that time and memory stay flat; `math.inf` uses all of it.
    original : bool
        The algorithm as it was published, but for what other parameters say: a mix to mono at 22,050 Hz, brought back
        to the content's rate and channels at the end; the style cropped to the content's length, of a long one to that
        of its sections; both Gram matrices divided by the content's frames; magnitudes from small noise; plain
        Griffin-Lim.
    seed : int
        Everything random comes from it: equal seed, machine and versions give equal output.
    device : str
        Where to compute: "cpu", "cuda" or one card, such as "cuda:1"; "auto" takes CUDA where CuPy and a card are
        there, and the CPU otherwise.
    precision : {"float32", "tf32"}
        The least that matrix products need: "tf32" lets a card round their factors to 10 bits, on tensor cores.
    progress : bool or callable, optional
        True for a progress bar with the time left, or a function that gets stage, iteration, total, the losses by name,
        and the sections: how many are finished, and of how many. It is called on the CPU after every iteration, on a
        card after every tenth. Every section begins its stages anew.

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
    audio = check_audio("content", content)
    sample_rate = check_rate("sample_rate", sample_rate)
    recipe = Recipe.of(style, style_sample_rate, style_weights, sample_rate, parameters)
    return styled([audio], [content.shape], recipe, progress)[0]


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
    checked = DEFAULTS.changed(**parameters)
    shapes = [np.shape(content) for content in contents]
    if not shapes or len(set(shapes)) > 1:
        raise ValueError(f"contents has recordings of shapes {sorted(set(shapes))}; they must be of one shape")
    audio = [check_audio("contents", content) for content in contents]
    sample_rate = check_rate("sample_rate", sample_rate)
    recipe = Recipe.of(style, style_sample_rate, style_weights, sample_rate, checked)
    return styled(audio, shapes, recipe, progress)


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
    style_seconds: float = TEXTURE.style_seconds,
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
    n_samples = round(number(1 / sample_rate)("duration", duration) * sample_rate)
    recipe = Recipe.of(style, style_sample_rate, style_weights, sample_rate, TEXTURE.changed(**own))
    wet = np.zeros((len(recipe.styles[0]), n_samples), np.float32)
    work = TextureWork(wet, recipe)
    style_all([work], recipe, progress)
    work.finish()
    return Result(**_outcome(work), audio=wet)


def style_file(
    content_path: str | os.PathLike[str],
    style: Style,
    out_path: str | os.PathLike[str],
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    start: float = 0.0,
    duration: float = math.inf,
    subtype: str | None = None,
    progress: Progress = None,
    **parameters: Any,
) -> Outcome:
    """Style a recording from file to file, of any length: what `stylize` gives for it, in bounded memory.

    The recording and the result wait in unnamed files in the folder of ``out_path``, 4 bytes a sample each; with
    ``original``, and where ``section_seconds`` is beyond its length, the recording is held in memory. What is written
    takes the place of an earlier file only when it is finished.

    Parameters
    ----------
    content_path : path
        The recording to restyle.
    style, style_sample_rate, style_weights
        As for `stylize`.
    out_path : path
        The file to write; its ending names the format. The content's tags are kept where it has them.
    start, duration : float
        The part of the recording to style, in seconds.
    subtype : str, optional
        libsndfile's name of the sample format to write; by default the content's, where the format has it.
    **parameters
        Keyword parameters of `stylize`.

    Returns
    -------
    Outcome
        Of the transfer, without its audio.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work, as by `stylize`; also if ``out_path`` can't be written to, or not in the content's rate,
        channels or length.
    RuntimeError, MemoryError
        As by `stylize`.
    OSError
        If the disk is full.

    Warns
    -----
    UserWarning
        If the format clips at full scale and the result had to be turned down to fit.
    """
    checked, start = DEFAULTS.changed(**parameters), number(0)("start", start)
    if duration != math.inf and number(0)("duration", duration) == 0:
        raise ValueError(f"duration={duration!r} must be above 0")
    check_subtype(subtype)
    folder = os.path.dirname(os.path.realpath(out_path))
    with contextlib.ExitStack() as files:
        source = files.enter_context(SoundFileReader(content_path, "content_path"))
        what, subtype = (source.sample_rate, source.channels), subtype or source.subtype
        check_writable(out_path, *what, subtype=subtype)
        recipe = Recipe.of(style, style_sample_rate, style_weights, source.sample_rate, checked)
        dry = files.enter_context(SampleFile(folder, source.channels))
        for block in source.blocks(start, duration):
            check_finite(f"content_path={os.fspath(content_path)!r}", block)
            dry.append(block)
        check_writable(out_path, *what, dry.shape[1], subtype)
        wet = files.enter_context(SampleFile(folder, *dry.shape))
        work = Work.of(dry, wet, recipe)
        style_all([work], recipe, progress)
        work.finish()
        write_audio(out_path, wet, source.sample_rate, subtype, source.tags)
    return Outcome(**_outcome(work))


def styled(
    audio: list[np.ndarray], shapes: list[tuple[int, ...]], recipe: Recipe, progress: Progress = None
) -> list[Result]:
    """The results for recordings (channels, samples) of one shape; ``shapes`` are those to return them in."""
    wets = [np.zeros_like(dry) for dry in audio]
    works = [Work.of(dry, wet, recipe) for dry, wet in zip(audio, wets, strict=True)]
    style_all(works, recipe, progress)
    for work in works:
        work.finish()
    return [
        Result(**_outcome(work), audio=wet.reshape(shape)) for work, wet, shape in zip(works, wets, shapes, strict=True)
    ]


def _outcome(work: Work) -> dict[str, Any]:
    """What there is to say of a finished work: the attributes of an `Outcome`."""
    return {
        "sample_rate": float(work.recipe.content_rate),
        "duration": work.wet.shape[1] / work.recipe.content_rate,
        "stages": merged(work.stages),
        "seconds": work.seconds,
        "parameters": asdict(work.parameters),
    }
