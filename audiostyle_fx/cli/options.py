"""The options of the command ``audiostyle``, and its help."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NoReturn

from .._effects_chain.units import without_unit
from .._validation import MAX_RATE, MIN_RATE, sample_rate
from .completion import SHELLS
from .set_option import take_set_words
from .sox_words import sox_option_hint
from .suggestions import suggestion

USAGE = "audiostyle IN OUT [EFFECT [VALUE] [name=value ...]]..."


DESCRIPTION = """Give recordings the sound of another recording, and run pedalboard's
effects, in the order given. IN and OUT are files, folders, pipes, or - for
standard input and output; several files as IN need a folder as OUT, which is
made if it ends in /. VALUE sets the first parameter of an effect. Numbers may
have units, such as -3dB."""


EPILOG = """exit codes: 0 all done, 1 something failed, 2 arguments not understood or
refused, 130 interrupted, 141 output no longer read

other commands:
  audiostyle effects         list the effects; help EFFECT describes one
  audiostyle help presets    list the presets of style
  audiostyle help formats    list the file formats of OUT

examples:
  audiostyle song.wav out.wav style anthem.wav strength=0.5 reverb room_size=.4
  audiostyle stems/ styled/ --set 'drums*' preset=drums style anthem.wav
  audiostyle takes/*.wav styled/ style anthem.wav
  audiostyle -n texture.wav style rain.wav duration=30
"""


FOLDER_OPTIONS = ("include", "exclude", "format", "stems", "independent", "force", "jobs", "time_limit", "dask", "set")
"""Options that only apply when IN is a folder."""

FILE_OPTIONS = ("format", "set")
"""Folder options that also apply when IN is several files and OUT is a folder."""


class Parser(argparse.ArgumentParser):
    """The parser of the command's options and words, which raises ValueError instead of ending the program."""

    def __init__(self) -> None:
        super().__init__(
            prog="audiostyle",
            usage=USAGE,
            description=DESCRIPTION,
            epilog=EPILOG,
            add_help=False,
            allow_abbrev=False,
            formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=25, width=79),
        )
        self.add_argument("words", nargs="*", help=argparse.SUPPRESS)
        self._add_options()
        self._add_folder_options()

    def _add_options(self) -> None:
        add = self.add_argument_group("options, anywhere on the line").add_argument
        add("-n", dest="no_input", action="store_true", help="without IN, style makes a texture of duration= seconds")
        add("--start", type=parse_time, default=0.0, metavar="T", help="where to start in IN: 90, 90s, 1500ms, 1:30")
        add("--duration", type=parse_time, default=math.inf, metavar="T", help="how much of IN to process")
        add("--bits", type=parse_bits, metavar="N", help="sample format: 16, 24, 32 or float; IN's by default")
        add("--rate", type=parse_rate, metavar="HZ", help="sample rate, such as 48000 or 48kHz; IN's by default")
        add("--quality", type=parse_kbits, metavar="KBITS", help="bit rate of MP3, Ogg and Opus; IN's by default")
        add("--overwrite", action="store_true", help="replace existing files without asking")
        add("--dry-run", action="store_true", help="print the planned work and an estimate of its time")
        add("--report", metavar="PAGE", help="write a page for listening to inputs and results")
        add("-q", "--quiet", action="store_true", help="show no progress")
        add("-v", "--verbose", action="store_true", help="print what is read, done and written")
        add("--json", action="store_true", help="print progress and results as JSON lines")
        add("--completion", choices=SHELLS, metavar="SHELL", help=f"print completion for {', '.join(SHELLS)}")
        add("--devices", action="store_true", help="list the CPU and the GPUs that can be used")
        add("--version", action="store_true", help="print the version")
        add("-h", "--help", action="store_true", help="print this help")

    def _add_folder_options(self) -> None:
        add = self.add_argument_group("options when IN or OUT is a folder").add_argument
        add("--set", nargs=2, default=[], metavar=("GLOB", "name=value"), help="parameters of style for these files")
        add("--format", help="write files of this format, such as flac")
        add = self.add_argument_group("options when IN is a folder").add_argument
        add("--include", action="append", default=[], metavar="GLOB", help="take only these files, such as '*.wav'")
        add("--exclude", action="append", default=[], metavar="GLOB", help="leave these files out")
        add("--stems", action="store_true", help="turn all files of a folder down by the same gain")
        add("--independent", action="store_true", help="set the level of each file separately, even of stems")
        add("--force", action="store_true", help="process finished files again")
        add("--jobs", type=int, metavar="N", help="number of processes on this machine")
        add("--time-limit", type=parse_time, metavar="T", help="stop files that take longer, and continue")
        add("--dask", metavar="ADDRESS", help="run on a Dask cluster, or on a local one")

    def error(self, message: str) -> NoReturn:
        """Raise ValueError."""
        raise ValueError(message)

    @property
    def takes_value(self) -> dict[str, bool]:
        """Whether an option takes a value, by each of its spellings."""
        return {name: action.nargs != 0 for name, action in self._option_string_actions.items()}


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options and the ``words`` in the arguments, by default those of the program.

    Raises
    ------
    ValueError
        If an option is not understood; the message names it.
    """
    parser = Parser()
    words, set_words = take_set_words(sys.argv[1:] if arguments is None else arguments)
    options, unknown = parser.parse_known_intermixed_args(_mark_numbers(words, parser.takes_value))
    options.set = set_words
    options.words = [word.removeprefix(_MARK) for word in options.words]
    for word in unknown:
        if word.startswith("-"):
            hint = (
                sox_option_hint(word)
                or suggestion(word, parser.takes_value)
                or " Write a value that begins with - as name=value."
            )
            raise ValueError(f"{word!r} is not an option.{hint}")
    return options


BITS = {"16": "PCM_16", "24": "PCM_24", "32": "PCM_32", "float": "FLOAT"}
"""Sample formats by the words that stand for them."""


def parse_bits(text: str) -> str:
    """Return libsndfile's name of the sample format that ``16``, ``24``, ``32`` or ``float`` stands for."""
    if text not in BITS:
        raise argparse.ArgumentTypeError(f"{text!r} must be one of {', '.join(BITS)}")
    return BITS[text]


def parse_rate(text: str) -> float:
    """Return the hertz in ``48000``, ``48000Hz`` or ``48kHz``."""
    try:
        return sample_rate("--rate", float(without_unit(text, "Hz")))
    except ValueError as error:
        rates = f"{MIN_RATE:.0f} to {MAX_RATE:.0f} Hz"
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a sample rate of {rates}, such as 48000 or 48kHz"
        ) from error


def parse_kbits(text: str) -> float:
    """Return the kilobits a second in ``192`` or ``192k``."""
    try:
        kbits = float(text.lower().removesuffix("kbps").removesuffix("k"))
    except ValueError:
        kbits = 0.0
    if not 8 <= kbits <= 512:
        raise argparse.ArgumentTypeError(f"{text!r} must be a bit rate from 8 to 512 kbit/s")
    return kbits


def parse_time(text: str) -> float:
    """Return the seconds in ``90``, ``90s``, ``1500ms``, ``1:30`` or ``0:01:30.0``."""
    if text.lower() == "inf":
        return math.inf
    try:
        plain = without_unit(text, "s")
    except ValueError:
        plain = ""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+\.?\d*|\.\d+)", plain)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} must be seconds, mm:ss or hh:mm:ss, or have the unit s or ms")
    hours, minutes, seconds = match.groups(default="0")
    if ":" in text and float(seconds) >= 60:
        raise argparse.ArgumentTypeError(f"{text!r} has {seconds} seconds after its minutes; they must be below 60")
    if match[1] and int(minutes) >= 60:
        raise argparse.ArgumentTypeError(f"{text!r} has {minutes} minutes after its hours; they must be below 60")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


_MARK = "\0"
"""Prefix of words that argparse would take for options; no word of a command line contains it."""


def _mark_numbers(words: Sequence[str], takes_value: Mapping[str, bool]) -> list[str]:
    """Return the words with a mark before negative numbers that argparse does not know, such as ``-3dB``."""
    return [
        _MARK + word if re.match(r"-\.?\d", word) and not takes_value.get(previous) else word
        for previous, word in zip(["", *words], words, strict=False)
    ]
