"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import ast
import inspect
import math
import re
import shutil
import sys
import tempfile
import textwrap
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from pedalboard import Pedalboard

from .audio import SAMPLE_BYTES, check_weights, check_writable, read_audio, read_format, write_audio
from .completion import SHELLS, script
from .effect import StyleTransfer
from .grammar import Step, meant, steps
from .parameters import DEFAULTS, TEXTURE, Parameters
from .plugins import Effect, Parameter, description, listing, native_effects, number, numpy_parameters, python_effect
from .transfer import style_file, stylize, texture

USAGE = "audiostyle IN OUT [EFFECT [VALUE] [name=value ...]]..."

HELP = f"""usage: {USAGE}

Make one recording sound as another does, and run pedalboard's effects.
IN and OUT are files, or - for WAV on standard input and output. Effects run in
the order given; VALUE is an effect's first parameter without its name.

  audiostyle effects         list the effects
  audiostyle help EFFECT     show its parameters, their units and defaults

options, anywhere on the line:
  -n                         no IN: style makes a texture of duration= seconds
  --start TIME               leave out what is before; in seconds or [hh:]mm:ss
  --duration TIME            leave out what is behind so much of IN
  -q, --quiet                show no progress
  --completion SHELL         print a completion script for {", ".join(SHELLS)}
  --version, -h, --help      show the version, or this

examples:
  audiostyle song.wav styled.flac style anthem.wav alpha=0.02
  audiostyle song.wav out.wav style anthem.wav reverb room_size=0.4 gain -3
  audiostyle -n texture.wav style rain.wav alpha=0 duration=30
"""


@dataclass(frozen=True)
class _Job:
    """Where the recording comes from and goes to.

    ``source`` is None where there is none. ``start`` and ``duration`` in seconds are the part of it that counts.
    ``target`` is a file; ``shown`` is what the command calls it, ``-`` for standard output.
    """

    source: str | None
    target: str
    shown: str
    start: float
    duration: float
    quiet: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all is done, 1 when it failed, 2 when it was not understood, 130 when interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"audiostyle: {message}", file=sys.stderr)
        try:
            options = _options(arguments)
            told = _told(options)
            if told is not None:
                print(told.rstrip())
                return 0
            source, target, chain = _understood(options)
        except (TypeError, ValueError) as error:
            return _fail(error, 2)
        except RuntimeError as error:  # a device that is not there
            return _fail(error, 1)
        try:
            with _files(source, target) as (read, written):
                _run(_Job(read, written, target, options.start, options.duration, options.quiet), chain)
        except (TypeError, ValueError, OSError, RuntimeError, MemoryError) as error:
            return _fail(error, 1)
        except KeyboardInterrupt:
            return _fail("interrupted; nothing was written", 130)
        return 0


def _fail(error: object, code: int) -> int:
    print(f"audiostyle: {error}", file=sys.stderr)
    return code


# ---------------------------------------------------------------- effects
@cache
def effects() -> dict[str, Effect]:
    """All effects by name: ``style``, and pedalboard's own."""
    style = python_effect(
        "style",
        StyleTransfer,
        _value,
        _shown,
        doc=stylize.__doc__ or "",
        files=["style"],
        leave_out=["style_sample_rate", "streaming", "content_level", "progress"],  # arrays, chunks; an option says it
    )
    help_text = "With -n: " + numpy_parameters(texture.__doc__ or "")["duration"]
    length = Parameter("duration", number, _shown, None, help=help_text)
    return {"style": replace(style, parameters={**style.parameters, length.name: length}), **native_effects()}


def _value(text: str) -> Any:
    """The number, flag, None or list of numbers that a word stands for, or else the word."""
    words = {"inf": math.inf, "true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (TypeError, ValueError, SyntaxError):  # TypeError: a dict whose keys are lists
        return text


def _shown(value: Any) -> str:
    """A word that `_value` takes for the value."""
    if isinstance(value, (tuple, list)):
        return ",".join(map(_shown, value))
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value).removesuffix(".0")


# ---------------------------------------------------------------- what is asked for
class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _parser() -> _Parser:
    parser = _Parser(prog="audiostyle", usage=USAGE, add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-n", dest="null", action="store_true")
    parser.add_argument("--start", type=_seconds, default=0.0)
    parser.add_argument("--duration", type=_seconds, default=math.inf)
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--completion", choices=SHELLS)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    return parser


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options, unknown = parser.parse_known_intermixed_args(arguments)
    for word in unknown:
        if word.startswith("-"):
            known = meant(word, parser._option_string_actions)
            raise ValueError(f"{word!r} is no option{known}; a value that begins with - is written name=value")
    return options


def _seconds(text: str) -> float:
    """Seconds of ``90``, ``1:30`` or ``0:01:30.0``."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+\.?\d*|\.\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} must be seconds, mm:ss or hh:mm:ss")
    hours, minutes, seconds = match.groups(default="0")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _told(options: argparse.Namespace) -> str | None:
    """What the command is asked to print, if that is all it is asked for."""
    first, *others = options.words or [""]
    if options.version:
        return version("audiostyle-fx")
    if options.completion:
        long = [name for name in _parser()._option_string_actions if name.startswith("--")]
        return script(options.completion, effects(), ["-n", *long])
    if options.help or (first == "help" and not others):
        return HELP
    if first == "effects" and not others:
        return listing(effects().values())
    if first != "help":
        return None
    for name in others:
        if name not in effects():
            raise ValueError(f"{name!r} is not an effect{meant(name, effects())}; `audiostyle effects` lists them")
    return "\n\n".join(_help(effects()[name]) for name in others)


def _help(effect: Effect) -> str:
    text = description(effect)
    if effect.make is not StyleTransfer:
        return text
    own = {name: value for name, value in asdict(TEXTURE).items() if value != asdict(DEFAULTS)[name]}
    words = " ".join(f"{name}={_shown(value)}" for name, value in own.items())
    return f"{text}\n\n" + textwrap.fill(f"Defaults of a texture: {words}", 79)


def _understood(options: argparse.Namespace) -> tuple[str | None, str, list[Step]]:
    """Source, target and effects, checked as far as that goes without opening a file."""
    words = [None, *options.words] if options.null else options.words
    if len(words) < 2:
        missing = "OUT" if words else "IN"
        raise ValueError(f"{missing} is missing: {USAGE}; see audiostyle --help")
    source, target, *others = words
    chain = steps(others, effects())
    if options.null and (not chain or chain[0].effect.make is not StyleTransfer):
        raise ValueError("-n has nothing to work on: the first effect must be style, which makes a texture")
    if options.null and (options.start or options.duration < math.inf):
        raise ValueError("-n leaves nothing for --start and --duration to crop; duration= behind style is the length")
    if options.duration == 0:
        raise ValueError("--duration must be above 0")
    if source == "-" and sys.stdin.isatty():
        raise ValueError("IN is -, but standard input is a terminal")
    if target == "-" and sys.stdout.isatty():
        raise ValueError("OUT is -, but standard output is a terminal")
    for step in chain:
        if step.effect.make is StyleTransfer:
            _check_style(step.values, of_texture=options.null and step is chain[0])
        elif not step.effect.takes_file:
            step.make()  # its class knows what is allowed
    return source, target, chain


def _check_style(values: dict[str, Any], *, of_texture: bool) -> None:
    """Raise unless the values are those of a texture, or of a transfer."""
    check_weights(values.get("style_weights"), len(values["style"]))
    if not of_texture:
        if "duration" in values:
            raise ValueError("duration= is the length of a texture, with -n; --duration takes so much of IN")
        Parameters.of(values)
        return
    TEXTURE.changed(**{name: value for name, value in values.items() if name in asdict(TEXTURE)})
    unused = values.keys() - inspect.signature(texture).parameters.keys() - {"alpha"}
    if unused:
        raise ValueError(f"{min(unused)}={_shown(values[min(unused)])}: a texture, with -n, has no {min(unused)}")
    if values.get("alpha", 0) != 0:
        raise ValueError(f"alpha={_shown(values['alpha'])} must be 0 with -n, as there is nothing else to keep")
    if not values.get("duration", 0) > 0:
        raise ValueError("-n needs duration=SECONDS behind style, above 0")


# ---------------------------------------------------------------- files
@contextmanager
def _files(source: str | None, target: str) -> Iterator[tuple[str | None, str]]:
    """Files for the source and the target; for ``-`` those that hold what a pipe, which can't be sought in, carries."""
    if "-" not in (source, target):
        yield source, target
        return
    with tempfile.TemporaryDirectory(prefix="audiostyle-") as folder:
        held_in, held_out = Path(folder, "stdin"), Path(folder, "stdout.wav")
        if source == "-":
            with held_in.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(held_in) if source == "-" else source, str(held_out) if target == "-" else target
        if target == "-":
            with held_out.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def _read(job: _Job, source: str) -> tuple[np.ndarray, int]:
    """The part of the source that the job is about, and its rate."""
    audio, sample_rate = read_audio(source, "input")
    start, length = round(job.start * sample_rate), audio.shape[1]
    if start and start >= length:
        raise ValueError(f"--start {job.start:g} must be within the input, which is {length / sample_rate:g} s long")
    stop = length if math.isinf(job.duration) else start + max(1, round(job.duration * sample_rate))
    return audio[:, start:stop], sample_rate


def _format(job: _Job, source: str) -> tuple[str, dict[str, str]]:
    """Sample format and tags to write: the source's, and floating point to a pipe where WAV has no such format."""
    subtype, tags = read_format(source)
    return "FLOAT" if job.shown == "-" and subtype not in SAMPLE_BYTES else subtype, tags


# ---------------------------------------------------------------- the work
def _run(job: _Job, chain: list[Step]) -> None:
    if job.source is None:
        _texture_file(job, *chain)
    elif [step.effect.make for step in chain] == [StyleTransfer]:
        _style_file(job, job.source, chain[0].values)
    else:
        _chain_file(job, job.source, chain)


def _style_file(job: _Job, source: str, values: dict[str, Any]) -> None:
    """A recording of any length through nothing but a style transfer."""
    subtype, _ = _format(job, source)
    outcome = style_file(
        source,
        out_path=job.target,
        start=job.start,
        duration=job.duration,
        subtype=subtype,
        progress=not job.quiet,
        **values,
    )
    _report(job, outcome.duration, f"styled in {outcome.seconds:.1f} s")


def _chain_file(job: _Job, source: str, chain: list[Step]) -> None:
    """A recording through any effects."""
    began = time.perf_counter()
    audio, sample_rate = _read(job, source)
    subtype, tags = _format(job, source)
    check_writable(job.target, sample_rate, len(audio), audio.shape[1], subtype)
    audio = _through(_made(chain, job.quiet), audio, sample_rate)
    write_audio(job.target, audio, sample_rate, subtype, tags)
    _report(job, audio.shape[1] / sample_rate, f"in {time.perf_counter() - began:.1f} s")


def _texture_file(job: _Job, first: Step, *chain: Step) -> None:
    """A texture, at the rate and in the sample format of the first recording that it is made of; then other effects."""
    began = time.perf_counter()
    values = {name: value for name, value in first.values.items() if name != "alpha"}
    style, sample_rate = read_audio(values["style"][0], "style")
    subtype = "FLOAT" if job.shown == "-" else _format(job, values["style"][0])[0]
    check_writable(job.target, sample_rate, len(style), round(values["duration"] * sample_rate), subtype)
    board = _made(chain, job.quiet)
    audio = texture(sample_rate=sample_rate, progress=not job.quiet, **values).audio
    write_audio(job.target, _through(board, audio, sample_rate), sample_rate, subtype)
    _report(job, audio.shape[1] / sample_rate, f"in {time.perf_counter() - began:.1f} s")


def _made(chain: Sequence[Step], quiet: bool) -> list[Any]:
    """The effects themselves, which read their files now."""
    made = []
    for step in chain:
        if step.effect.make is StyleTransfer:
            made.append(StyleTransfer(progress=not quiet, **step.values))
            continue
        for name, one in step.effect.parameters.items():
            if one.is_file:
                read_audio(step.values[name], name)  # a native effect may take a text for an impulse, and be silent
        made.append(step.make())
    return made


def _through(board: list[Any], audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The audio, (channels, samples), as the effects leave it."""
    if not board:
        return audio
    channels, samples = audio.shape
    if samples <= channels:  # followed by silence, or pedalboard would take samples for channels
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    audio = np.asarray(Pedalboard(board)(audio, sample_rate))[:, :samples]
    if not np.isfinite(audio).all():
        raise RuntimeError("the effects gave NaN or infinite samples; are the input's finite, and the values moderate?")
    return audio


def _report(job: _Job, duration: float, how: str) -> None:
    if not job.quiet:
        print(f"{job.shown}: {duration:.1f} s {how}", file=sys.stderr)
