"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import ast
import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

from .audio import check_writable, read_audio, read_format, write_audio
from .parameters import Parameters
from .transfer import stylize

EXAMPLES = """examples:
  audiostyle song.wav styled.wav style anthem.wav
  audiostyle song.wav styled.flac style anthem.wav alpha=0.02 mix=0.8
  audiostyle song.wav styled.wav style anthem.wav n_filters=4096 seed=3
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all is done, 1 when it failed, 2 when it was not understood, 130 when interrupted."""
    options = _parser().parse_intermixed_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"audiostyle: {message}", file=sys.stderr)
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        parameters = _parameters(options.parameters)
    except (TypeError, ValueError) as error:
        return _fail(error, 2)
    try:
        _style_file(options.input, options.output, options.stylefile, parameters, quiet=options.quiet)
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was written", 130)
    return 0


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(f"{field.name}={field.default}" for field in fields(Parameters))
    parser = argparse.ArgumentParser(
        prog="audiostyle",
        description="Make one recording sound as another does.",
        epilog=f"{EXAMPLES}\nparameters and their defaults:\n  {names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", metavar="IN", help="the recording to restyle")
    parser.add_argument("output", metavar="OUT", help="the file to write; its ending names the format")
    parser.add_argument("effect", choices=["style"], help="the effect to apply")
    parser.add_argument("stylefile", metavar="STYLEFILE", help="the recording whose sound is taken")
    parser.add_argument("parameters", metavar="name=value", nargs="*", help="parameters of the effect, see below")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    parser.add_argument("--version", action="version", version=version("audiostyle-fx"))
    return parser


def _parameters(settings: Sequence[str]) -> dict[str, Any]:
    """Checked parameters from words such as ``alpha=0.02``."""
    known, chosen = [field.name for field in fields(Parameters)], {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            raise ValueError(f"{setting!r} is not a parameter; write name=value with a name of {', '.join(known)}")
        chosen[name] = _value(text)
    Parameters(**chosen)
    return chosen


def _value(text: str) -> Any:
    """The number, flag, None or list of numbers that a word stands for, or else the word."""
    words = {"inf": math.inf, "true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _style_file(source: str, target: str, style: str, parameters: dict[str, Any], *, quiet: bool) -> None:
    audio, sample_rate = read_audio(source, "input")
    subtype, tags = read_format(source)
    check_writable(target, sample_rate, len(audio), audio.shape[1], subtype)
    result = stylize(audio, style, sample_rate, progress=not quiet, **parameters)
    write_audio(target, result.audio, sample_rate, subtype, tags)
    if not quiet:
        print(f"{target}: {audio.shape[1] / sample_rate:.1f} s styled in {result.seconds:.1f} s", file=sys.stderr)


def _fail(error: object, code: int) -> int:
    print(f"audiostyle: {error}", file=sys.stderr)
    return code
