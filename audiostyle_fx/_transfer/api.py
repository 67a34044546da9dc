"""The functions that transfer a style to arrays or to a file, and make textures."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._engine.cuda.host_threads import on_all_cores
from .._recordings.arrays import check_audio, check_finite
from .._recordings.disk_samples import SampleFile
from .._recordings.files import SoundFileReader
from .._recordings.formats import check_subtype
from .._recordings.levels import within_full_scale
from .._recordings.writing import check_writable, write_audio, writing_errors
from .._validation import duration as check_duration
from .._validation import number
from .._validation import sample_rate as check_rate
from ..progress import Progress
from .parameters.documentation import documented
from .parameters.options import TextureOptions, TransferOptions
from .parameters.parameter_list import DEFAULTS
from .parameters.presets import PRESETS, choose, choose_texture
from .results import Result, merged
from .styles.style_inputs import Style, as_list
from .whole_recordings.preparation import PreparedTransfer
from .whole_recordings.recording_plans import TransferLog
from .whole_recordings.recording_transfer import transfer_recordings, transfer_texture

if TYPE_CHECKING:
    from typing_extensions import Unpack


@documented(TransferOptions, DEFAULTS)
def stylize(
    content: np.ndarray,
    style: Style,
    sample_rate: float,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    progress: Progress = None,
    **parameters: Unpack[TransferOptions],
) -> Result:
    """Restyle a recording: give the content the sound of the style.

    Parameters
    ----------
    content : float32 or float64 array (channels, samples) or (samples,)
        The recording to restyle; it is not changed.
    {style}
    sample_rate : float
        Sample rate of the content in Hz, 1,000 to 1,000,000.
    {style_sample_rate}
    {style_weights}
    {progress}
    {parameters}

    Returns
    -------
    Result
        Its audio has the content's shape. Digital silence stays silent, whole channels included.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work, if a parameter is not allowed; the message names it, its value and what is allowed.
    TransferError
        If the result is silent or not finite. This can happen at extreme levels when ``normalize`` is False.
    RuntimeError
        If ``device`` names a GPU that can't be used.
    MemoryError
        If the memory of the GPU is too small.

    References
    ----------
    V. Lebedev and D. Ulyanov, "Audio texture synthesis and style transfer", 2016. Deviations: the closed form by
    default, the waveform stage, levels, joint channels and whole recordings; examples/algorithm.md says why.
    """
    chosen = choose(parameters)
    audio = check_audio("content", content)
    sample_rate = check_rate("sample_rate", sample_rate)
    transfer = PreparedTransfer.of(style, style_sample_rate, style_weights, sample_rate, chosen)
    return styled([audio], [content.shape], transfer, progress)[0]


@documented(TransferOptions, DEFAULTS)
def stylize_batch(
    contents: np.ndarray | Sequence[np.ndarray],
    style: Style,
    sample_rate: float,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    progress: Progress = None,
    **parameters: Unpack[TransferOptions],
) -> list[Result]:
    """Restyle several recordings of the same shape, in batches where this is faster.

    A GPU processes as many recordings at once as fit in its memory. If memory runs out, the batch is halved and a
    warning is given. With several GPUs, the next free one takes the next batch. A CPU processes the recordings one by
    one, because its caches are small.

    Parameters
    ----------
    contents : array (batch, channels, samples), or sequence of arrays (channels, samples) or (samples,)
        The recordings to restyle, all of one shape.
    {style}
    sample_rate : float
        Sample rate of the contents in Hz, 1,000 to 1,000,000.
    {style_sample_rate}
    {style_weights}
    {progress}
    {parameters}

    Returns
    -------
    list of Result
        The same results as `stylize`, except for rounding differences on a GPU; ``seconds`` is the time of the batch
        that the recording was in. With several GPUs, ``progress`` is called from one thread per GPU.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, TransferError, RuntimeError, MemoryError
        As `stylize`; ValueError also for recordings of different shapes.
    """
    chosen = choose(parameters)
    contents = list(contents)
    shapes = [np.shape(content) for content in contents]
    if not shapes or len(set(shapes)) > 1:
        raise ValueError(f"contents has recordings of shapes {sorted(set(shapes))}; all must have the same shape")
    audio = on_all_cores(lambda content: check_audio("contents", content), contents)
    sample_rate = check_rate("sample_rate", sample_rate)
    transfer = PreparedTransfer.of(style, style_sample_rate, style_weights, sample_rate, chosen)
    return styled(audio, shapes, transfer, progress)


@documented(TextureOptions, PRESETS["texture"].parameters)
def texture(
    style: Style,
    sample_rate: float,
    duration: float,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    progress: Progress = None,
    **parameters: Unpack[TextureOptions],
) -> Result:
    """Create new sound that resembles the style, starting from noise.

    The defaults are those of the preset "texture": L-BFGS on the waveform alone, with two windows.

    Parameters
    ----------
    {style}
    sample_rate : float
        Sample rate of the result in Hz, 1,000 to 1,000,000.
    duration : float
        Length of the result in seconds, at least one sample.
    {style_sample_rate}
    {style_weights}
    {progress}
    {parameters}

    Returns
    -------
    Result
        Its audio has the style's channels and, with ``match_level``, the RMS of the style, or of the first of several.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, TransferError, RuntimeError, MemoryError
        As `stylize`.
    """
    chosen = choose_texture(parameters)
    sample_rate = check_rate("sample_rate", sample_rate)
    n_samples = round(number(1 / sample_rate)("duration", duration) * sample_rate)
    transfer = PreparedTransfer.of(style, style_sample_rate, style_weights, sample_rate, chosen)
    wet = np.zeros((len(transfer.styles.samples[0]), n_samples), np.float32)
    log = transfer_texture(wet, transfer, progress)
    limit = within_full_scale(transfer.styles.samples[0])
    return Result(**_facts(log, transfer, n_samples), audio=wet, limits_peaks=limit)


@documented(TransferOptions, DEFAULTS)
def style_file(
    in_path: str | os.PathLike[str],
    out_path: str | os.PathLike[str],
    style: Style,
    *,
    style_sample_rate: float | Sequence[float | None] | None = None,
    style_weights: Sequence[float] | None = None,
    start: float = 0.0,
    duration: float = math.inf,
    subtype: str | None = None,
    rate: float | None = None,
    quality: float | None = None,
    progress: Progress = None,
    **parameters: Unpack[TransferOptions],
) -> Result:
    """Restyle a recording of any length from file to file, as `stylize` does, in bounded memory.

    The samples of a recording of more than 16 MiB, at 4 bytes per sample, and those of its result are kept in unnamed
    temporary files in the folder of ``out_path``. With the preset "original", or if ``section_seconds`` exceeds its
    length, the recording is held in memory. An existing file is replaced only when the result is finished.

    Parameters
    ----------
    in_path : path
        The recording to restyle.
    out_path : path
        The file to write; its ending names the format. An existing file is replaced. Tags, pictures, cue points, loops,
        time stamps, places of channels and the bit rate of the input are kept where the format has them.
    {style}
    {style_sample_rate}
    {style_weights}
    start : float
        Start of the part to style in seconds, at least 0.
    duration : float
        Length of the part to style in seconds, above 0; infinity for the rest of the recording.
    subtype : str, optional
        libsndfile's name of the sample format to write, such as "PCM_16"; by default the input's, if the output format
        has it and it keeps the exact length.
    rate : float, optional
        The sample rate to write, in Hz; by default the input's. The transfer itself runs at the input's rate.
    quality : float, optional
        The bit rate of MP3, Vorbis and Opus, 8 to 512 kbit/s; by default the input's, or the encoder's usual one.
    {progress}
    {parameters}

    Returns
    -------
    Result
        It holds the path of the file instead of the audio, and by how much the file was limited and turned down.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work, as `stylize`; also if ``out_path`` can't be written to, or can't hold the recording's rate,
        channels or length.
    TransferError, RuntimeError, MemoryError
        As `stylize`.
    OSError
        If the disk is full.

    Warns
    -----
    UserWarning
        Before any work, if the recording is damaged, or shorter than its header says.
    UserWarning
        If the format clips at full scale and the result had to be limited or turned down to fit, see `Result.save`.
    """
    chosen, start = choose(parameters), number(0)("start", start)
    duration = check_duration("duration", duration)
    check_subtype(subtype)
    styles = [os.path.realpath(source) for source in as_list(style) if isinstance(source, (str, os.PathLike))]
    if os.path.realpath(out_path) in styles:
        raise ValueError(f"out_path={os.fspath(out_path)!r} must not be one of the styles, because it would replace it")
    folder = os.path.dirname(os.path.realpath(out_path))
    with writing_errors(out_path), contextlib.ExitStack() as files:
        source = files.enter_context(SoundFileReader(in_path, "in_path"))
        written_rate = source.sample_rate if rate is None else check_rate("rate", rate)
        layout = written_rate, source.channels
        check_writable(out_path, *layout, subtype=source.subtype, asked=subtype, quality=quality)
        subtype = subtype or source.subtype
        transfer = PreparedTransfer.of(style, style_sample_rate, style_weights, source.sample_rate, chosen)
        dry = files.enter_context(SampleFile(folder, source.channels))
        for block in source.blocks(start, duration):
            check_finite(f"in_path={os.fspath(in_path)!r}", block)
            dry.append(block)
        n_written = math.ceil(dry.shape[1] * written_rate / source.sample_rate)
        check_writable(out_path, *layout, n_written, subtype)
        wet = files.enter_context(SampleFile(folder, *dry.shape))
        (log,) = transfer_recordings([dry], [wet], transfer, progress)
        limit = within_full_scale(dry)
        kept = source.kept(start, dry.shape[1], written_rate).at(quality)
        level = write_audio(out_path, wet, source.sample_rate, subtype, kept, limit=limit, rate=written_rate)
    facts = _facts(log, transfer, wet.shape[1])
    return Result(**facts, path=os.fspath(out_path), limits_peaks=limit, **level._asdict())


def styled(
    audio: list[np.ndarray], shapes: list[tuple[int, ...]], transfer: PreparedTransfer, progress: Progress = None
) -> list[Result]:
    """Return the results for recordings (channels, samples) of one shape; ``shapes`` are the shapes of their audio."""
    wets: list[np.ndarray] = [np.zeros(dry.shape, np.float32) for dry in audio]
    logs = transfer_recordings(audio, wets, transfer, progress)
    limits = on_all_cores(within_full_scale, audio)
    return [
        Result(**_facts(log, transfer, wet.shape[1]), audio=wet.reshape(shape), limits_peaks=limit)
        for log, wet, shape, limit in zip(logs, wets, shapes, limits, strict=True)
    ]


def _facts(log: TransferLog, transfer: PreparedTransfer, n_samples: int) -> dict[str, Any]:
    """Return the arguments of `Result` for a finished transfer, except its audio."""
    content_rate = transfer.setup.content_rate
    return {
        "sample_rate": float(content_rate),
        "duration": n_samples / content_rate,
        "stages": merged(log.stages),
        "sections": len(log.stages),
        "seconds": log.seconds,
        "key": log.semitones,
        "parameters": transfer.setup.parameters.as_dict(),
    }
