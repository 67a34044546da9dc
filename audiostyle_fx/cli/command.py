"""The command ``audiostyle``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import shutil
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, NoReturn

from tqdm import tqdm

from .._effects_chain.catalog import Effect, description, listing
from .._effects_chain.run import Job, check_chain, effects, run
from .._effects_chain.step import Step
from .._recordings.files import read_format
from .._recordings.formats import SAMPLE_BYTES
from .._transfer.parameters import Parameters
from .._transfer.presets import PRESETS
from ..effect import StyleTransfer
from ..errors import FolderError
from ..folders.api import run_folder
from ..folders.executors import cluster
from ..folders.find import Selection
from ..folders.manifest_json import Record
from ..folders.one_file import record_of
from ..folders.progress_display import display
from .completion import SHELLS, script
from .console import print_json, print_record
from .grammar import meant, steps

USAGE = "audiostyle IN OUT [EFFECT [VALUE] [name=value ...]]..."


HELP = f"""usage: {USAGE}
Make recordings sound as another does, and run pedalboard's effects. IN and OUT
are files, folders, or - for WAV on a pipe; VALUE sets the first parameter.

  audiostyle effects         list the effects; they run in the order given
  audiostyle help EFFECT     show its parameters, their units and defaults

options, anywhere on the line:
  -n                         no IN: style makes a texture of duration= seconds
  --start T, --duration T    the part of IN to take; in seconds or [hh:]mm:ss
  --include/--exclude GLOB   take these files of a folder, leave those out
  --format FORMAT            write a folder's files as FORMAT, such as flac
  --independent              turn down each file that would clip by itself
  --force                    do again what is finished, instead of skipping it
  --jobs N, --dask ADDRESS   in N processes; on a Dask cluster, or a local one
  --report PAGE              write a page to listen to inputs and results
  -q, --quiet, --json        show no progress; print it for scripts
  --completion SHELL         print a completion script for {", ".join(SHELLS)}
  --version, -h, --help      show the version, or this
examples:
  audiostyle song.wav out.wav style anthem.wav alpha=0.02 reverb room_size=0.4
  audiostyle stems/ styled/ --format flac style anthem.wav
  audiostyle -n texture.wav style rain.wav alpha=0 duration=30
"""


OF_FOLDERS = ("include", "exclude", "format", "independent", "force", "jobs", "dask")
"""Options that mean nothing for a single file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all is done, 1 when some failed, 2 when it was not understood, 130 when interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: tqdm.write(f"audiostyle: {message}", file=sys.stderr)
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
        of_folder = source is not None and Path(source).is_dir()
        try:
            _check_page(source, target, chain, options)
            code, entries = (_folder if of_folder else _one_file)(source, target, chain, options)
        except FolderError as error:
            return _fail(error, 2)
        except (TypeError, ValueError, OSError, RuntimeError, MemoryError, ImportError) as error:
            if options.json and not of_folder:
                print_record({"kind": "file", "file": target, "status": "failed", "error": str(error)})
            return _fail(error, 1)
        except KeyboardInterrupt:
            again = f"the same command{' without --force' * options.force} goes on with the rest"
            return _fail(f"interrupted; {again if of_folder else 'nothing was written'}", 130)
        try:
            _write_page(entries, chain, options)
        except (ValueError, OSError, RuntimeError) as error:
            return _fail(f"--report {options.report}: {error}", 1)
        except KeyboardInterrupt:
            return _fail("interrupted; all is done but the page", 130)
        return code


def _fail(error: object, code: int) -> int:
    tqdm.write(f"audiostyle: {error}", file=sys.stderr)  # above a bar that stands
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _parser() -> _Parser:
    parser = _Parser(prog="audiostyle", usage=USAGE, add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-n", dest="null", action="store_true")
    parser.add_argument("--start", type=_seconds, default=0.0)
    parser.add_argument("--duration", type=_seconds, default=math.inf)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--format")
    parser.add_argument("--independent", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--dask")
    parser.add_argument("--report")
    parser.add_argument("--json", action="store_true")
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
        named = {name: action.nargs != 0 for name, action in _parser()._option_string_actions.items()}
        return script(options.completion, effects(), named)
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
    shown_by = {known.name: known.show for known in Parameters.described()}
    words = " ".join(f"{name}={shown_by[name](value)}" for name, value in PRESETS["texture"].changes.items())
    return f"{text}\n\n" + textwrap.fill(f"Defaults of a texture: {words}", 79)


def _understood(options: argparse.Namespace) -> tuple[str | None, str, list[Step]]:
    """Source, target and effects, checked as far as that goes without opening a file."""
    words = [None, *options.words] if options.null else options.words
    if len(words) < 2:
        missing = "OUT" if words else "IN"
        raise ValueError(f"{missing} is missing: {USAGE}; see audiostyle --help")
    source, target, *others = words
    chain = steps(others, effects())
    if options.null and (options.start or options.duration < math.inf):
        raise ValueError("-n leaves nothing for --start and --duration to crop; duration= behind style is the length")
    if options.duration == 0:
        raise ValueError("--duration must be above 0")
    if source == "-" and sys.stdin.isatty():
        raise ValueError("IN is -, but standard input is a terminal")
    if target == "-" and sys.stdout.isatty():
        raise ValueError("OUT is -, but standard output is a terminal")
    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs} must be at least 1")
    if options.jobs is not None and options.dask not in (None, "local"):
        raise ValueError(f"--jobs is for this machine; the cluster at {options.dask!r} has its own number of workers")
    of_folders = [name for name in OF_FOLDERS if getattr(options, name)]
    if of_folders and (source is None or not Path(source).is_dir()):
        raise ValueError(f"--{of_folders[0]} is for a folder, and IN is none")
    if options.report and "-" in (source, target):
        raise ValueError("--report needs files; IN and OUT must not be -")
    if options.report and Path(options.report).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--report {options.report!r} must end in .html")
    if options.json and target == "-":
        raise ValueError("--json and OUT - would both be on standard output")
    check_chain(chain, without_input=options.null)
    return source, target, chain


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


def _one_file(
    source: str | None, target: str, chain: list[Step], options: argparse.Namespace
) -> tuple[int, list[_Entry]]:
    """The exit code, and what a page is to show."""
    with _files(source, target) as (read, written):
        subtype = None
        if target == "-" and (read is None or read_format(read)[0] not in SAMPLE_BYTES):
            subtype = "FLOAT"  # WAV may not have the input's
        quiet = options.quiet or options.json
        made = run(Job(read, written, options.start, options.duration, subtype), chain, progress=not quiet)
    record = {"status": "done", **record_of(made)}
    if options.json:
        print_record({"kind": "file", "file": target, **record})
    elif not options.quiet:
        print(f"{target}: {made.duration:.1f} s in {made.seconds:.1f} s", file=sys.stderr)
    return 0, [_Entry(target, source, target, record)]


def _folder(
    source: str | None, target: str, chain: list[Step], options: argparse.Namespace
) -> tuple[int, list[_Entry]]:
    """The exit code, and what a page is to show."""
    selection = Selection(
        options.include, options.exclude, options.format, options.start, options.duration, options.independent
    )
    with cluster(options.dask, options.jobs) as executor:
        outcome = run_folder(
            str(source),
            target,
            chain,
            selection,
            force=options.force,
            jobs=1 if executor else options.jobs or 1,
            executor=executor,
            progress=print_json if options.json else display(quiet=options.quiet),
        )
    names = outcome.sources if options.report else {}
    entries = [_Entry(name, path, os.path.join(target, name), outcome.files[name]) for name, path in names.items()]
    return (1 if outcome.failed else 0), entries


class _Entry(NamedTuple):
    """A recording on the page, by what it is called: the paths of what it was and is, and its record."""

    name: str
    source: str | None
    target: str
    record: Record


def _check_page(source: str | None, target: str, chain: list[Step], options: argparse.Namespace) -> None:
    """Raise if the page that ``--report`` asks for can't be written, or would be in the place of a recording."""
    if not options.report:
        return
    from ..report import check_page  # which a command without a page need not wait for

    page, read = (
        Path(os.path.realpath(options.report)),
        [source, target, *(path for step in chain for path in step.files)],
    )
    if str(page) in {os.path.realpath(path) for path in read if path is not None}:
        raise ValueError(f"--report {options.report!r} must not be a recording, or a folder of them")
    if source is not None and Path(source).is_dir():
        if Path(os.path.realpath(source)) in page.parents:
            raise ValueError(f"--report {options.report!r} must not be in IN")
        if Path(os.path.realpath(target)) in page.parents and not page.parent.exists():
            return  # it is made with OUT
    check_page(options.report)


def _write_page(entries: list[_Entry], chain: list[Step], options: argparse.Namespace) -> None:
    """Write the page that ``--report`` asks for."""
    if not options.report:
        return
    from ..report import Entry, write_report

    transfers = [step for step in chain if step.effect.make is StyleTransfer]
    shown = []
    for name, source, target, record in entries:
        failed = record["status"] == "failed"
        last = record["transfers"][-1] if record.get("transfers") else {"parameters": {}, "stages": {}}
        entry = Entry(
            name,
            None if failed else Path(target),
            None if source is None else Path(source),
            tuple(map(Path, transfers[-1].files)) if transfers else (),
            options.start,
            options.duration,
            record.get("seconds", 0.0),
            last["parameters"],
            shlex.join(options.words[1 if options.null else 2 :]),
            last["stages"],
            record["error"] if failed else None,
        )
        shown.append(entry)
    Path(options.report).parent.mkdir(parents=True, exist_ok=True)
    write_report(options.report, shown)
