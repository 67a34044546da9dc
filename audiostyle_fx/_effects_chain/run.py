"""The effects by name, and a recording through a chain of them, from file to file."""

from __future__ import annotations

import inspect
import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from pedalboard import Pedalboard

from .._recordings.files import read_audio, read_format
from .._recordings.writing import check_writable, write_audio
from .._transfer.api import style_file, stylize, texture
from .._transfer.documentation import SHARED
from .._transfer.parameters import ORIGINAL_RATE, Parameters, read_value, show_value
from .._transfer.preparation import PreparedTransfer
from .._transfer.presets import choose, choose_texture
from .._transfer.results import Result
from .._transfer.style_inputs import check_weights
from .._transfer.style_recordings import Styles
from ..effect import StyleTransfer
from ..progress import Progress
from .catalog import Effect, Parameter, native_effects, number
from .step import Step


@cache
def effects() -> dict[str, Effect]:
    """All effects by name: ``style``, and pedalboard's own."""
    words = [
        Parameter(known.name, known.read, known.show, known.default, known.choices, help=known.sentence)
        for known in Parameters.described()
    ]
    style = Parameter("style", str, str, is_file=True, help=SHARED["style"][1])
    weights = Parameter("style_weights", read_value, show_value, None, help=SHARED["style_weights"][1])
    length = Parameter("duration", number, show_value, None, help="With -n: length of the texture in seconds.")
    summary = "Restyle a recording: the content, sounding as the style does."
    parameters = {one.name: one for one in (style, weights, *words, length)}
    return {"style": Effect("style", StyleTransfer, parameters, summary, several=True), **native_effects()}


def transfer_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the transfer among the values of the effect ``style``."""
    names = {known.name for known in Parameters.described()}
    return {name: value for name, value in values.items() if name in names}


def is_style(step: Step) -> bool:
    """Whether the effect is the transfer."""
    return step.effect.make is StyleTransfer


def check_chain(chain: Sequence[Step], *, without_input: bool) -> None:
    """Raise unless the values are what their effects may have, as far as that can be told without opening a file."""
    if without_input and not (chain and is_style(chain[0])):
        raise ValueError("-n has nothing to work on: the first effect must be style, which makes a texture")
    for step in chain:
        if is_style(step):
            _check_style(step.values, of_texture=without_input and step is chain[0])
        elif not step.effect.takes_file:
            step.make()  # its class knows what is allowed


def _check_style(values: dict[str, Any], *, of_texture: bool) -> None:
    """Raise unless the values are those of a texture, or of a transfer."""
    check_weights(values.get("style_weights"), len(values["style"]))
    if not of_texture:
        if "duration" in values:
            raise ValueError("duration= is the length of a texture, with -n; --duration takes so much of IN")
        choose(transfer_parameters(values))
        return
    choose_texture(transfer_parameters(values))
    unused = values.keys() - inspect.signature(texture).parameters.keys() - {"alpha"}
    if unused:
        raise ValueError(f"{min(unused)}={show_value(values[min(unused)])}: a texture, with -n, has no {min(unused)}")
    if values.get("alpha", 0) != 0:
        raise ValueError(f"alpha={show_value(values['alpha'])} must be 0 with -n, as there is nothing else to keep")
    if not values.get("duration", 0) > 0:
        raise ValueError("-n needs duration=SECONDS behind style, above 0")


@dataclass(frozen=True)
class Job:
    """Where a recording comes from and goes to.

    Attributes
    ----------
    source : str, optional
        None where there is none, for a texture.
    target : str
        The file to write.
    start, duration : float
        The part of the source that counts, in seconds.
    subtype : str, optional
        The sample format to write, by libsndfile's name; by default the source's, of a texture its style's.
    """

    source: str | None
    target: str
    start: float = 0.0
    duration: float = math.inf
    subtype: str | None = None


@dataclass(frozen=True)
class Made:
    """What came of a job: the rate in Hz, length and time it took in seconds, and the transfers."""

    sample_rate: float
    duration: float
    seconds: float
    transfers: tuple[Result, ...]


def run(job: Job, chain: Sequence[Step], progress: Progress = None) -> Made:
    """Do a job: a recording of any length where a transfer is all there is to do, otherwise one held in memory.

    Raises
    ------
    TypeError, ValueError, OSError, RuntimeError, MemoryError
        As by `style_file`, and by the effects.
    """
    began = time.perf_counter()
    if job.source is None:
        made = _texture_file(job, chain, progress)
    elif len(chain) == 1 and is_style(chain[0]):
        made = _style_file(job, job.source, chain[0].values, progress)
    else:
        made = _chain_file(job, job.source, chain, progress)
    return replace(made, seconds=time.perf_counter() - began)


def _style_file(job: Job, source: str, values: dict[str, Any], progress: Progress) -> Made:
    read_format(source)  # whose errors speak of the input
    outcome = style_file(
        source,
        job.target,
        start=job.start,
        duration=job.duration,
        subtype=job.subtype,
        progress=progress,
        **values,
    )
    return Made(outcome.sample_rate, outcome.duration, 0.0, (outcome,))


def _chain_file(job: Job, source: str, chain: Sequence[Step], progress: Progress) -> Made:
    audio, sample_rate = _read(job, source)
    subtype, tags = read_format(source)
    subtype = job.subtype or subtype
    check_writable(job.target, sample_rate, len(audio), audio.shape[1], subtype)
    check_files(chain, sample_rate)
    audio, transfers = _through(chain, audio, sample_rate, progress)
    write_audio(job.target, audio, sample_rate, subtype, tags)
    return Made(sample_rate, audio.shape[1] / sample_rate, 0.0, transfers)


def _texture_file(job: Job, chain: Sequence[Step], progress: Progress) -> Made:
    """A texture, at the rate and in the sample format of the first recording that it is made of; then other effects."""
    first, *others = chain
    values = {name: value for name, value in first.values.items() if name != "alpha"}
    style, sample_rate = read_audio(values["style"][0], "style")
    subtype = job.subtype or read_format(values["style"][0])[0]
    check_writable(job.target, sample_rate, len(style), round(values["duration"] * sample_rate), subtype)
    check_files(others, sample_rate)
    result = texture(sample_rate=sample_rate, progress=progress, **values)
    audio, transfers = _through(others, result.audio, sample_rate, progress)
    write_audio(job.target, audio, sample_rate, subtype)
    return Made(sample_rate, audio.shape[1] / sample_rate, 0.0, (result, *transfers))


def _read(job: Job, source: str) -> tuple[np.ndarray, int]:
    """The part of the source that the job is about, and its rate."""
    audio, sample_rate = read_audio(source, "input")
    start, length = round(job.start * sample_rate), audio.shape[1]
    if start and start >= length:
        raise ValueError(f"--start {job.start:g} must be within the input, which is {length / sample_rate:g} s long")
    stop = length if math.isinf(job.duration) else start + max(1, round(job.duration * sample_rate))
    return audio[:, start:stop], sample_rate


def check_files(chain: Sequence[Step], sample_rate: float, *, lengths: bool = True) -> None:
    """Raise if a recording that an effect names can't be used, or, with ``lengths``, is too short, at a rate in Hz.

    What is read of styles is kept, see `Styles`.
    """
    for step in chain:
        if is_style(step):
            parameters = choose(transfer_parameters(step.values))
            style = (step.values["style"], None, step.values.get("style_weights"))
            if lengths:
                PreparedTransfer.of(*style, sample_rate, parameters)
            else:
                Styles.of(*style, ORIGINAL_RATE if parameters.original else sample_rate)
            continue
        for name, one in step.effect.parameters.items():
            if one.is_file:
                read_audio(step.values[name], name)  # a native effect may take a text for an impulse, and be silent


def _through(
    chain: Sequence[Step], audio: np.ndarray, sample_rate: float, progress: Progress
) -> tuple[np.ndarray, tuple[Result, ...]]:
    """The audio, (channels, samples), as the effects leave it, and the transfers among them."""
    outcomes: list[Result] = []
    for transfers, steps in itertools.groupby(chain, is_style):
        if not transfers:
            audio = _natively(list(steps), audio, sample_rate)
            continue
        for step in steps:
            result = stylize(audio, sample_rate=sample_rate, progress=progress, **step.values)
            audio = result.audio
            outcomes.append(result)
    return audio, tuple(outcomes)


def _natively(steps: Sequence[Step], audio: np.ndarray, sample_rate: float) -> np.ndarray:
    channels, samples = audio.shape
    if samples <= channels:  # followed by silence, or pedalboard would take samples for channels
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    audio = np.asarray(Pedalboard([step.make() for step in steps])(audio, sample_rate))[:, :samples]
    if not np.isfinite(audio).all():
        raise RuntimeError("the effects gave NaN or infinite samples; are the input's finite, and the values moderate?")
    return audio
