"""A page to listen with: content, style and result of many transfers, side by side in a browser."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import tempfile
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from pedalboard.io import StreamResampler

from .._recordings.arrays import check_finite
from .._recordings.files import SoundFileReader
from ..figures.band_levels import HIGH_HZ, LOW_HZ, RANGE_DB, BandLevels
from ..figures.colours import colours, png
from ..folders.find import MEDIA

INLINE_BYTES = 16 * 2**20
"""Sound and pictures up to so many bytes in all are held in the page itself; more lie in a folder beside it."""


LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
"""In Hz: what is below or above is resampled, as browsers don't play every rate."""


FLOOR_DB, STEP_DB, LEVELS = -140.0, 1.25, 120
"""Pictures hold levels in steps from here; the palette, chosen when all are known, says what of them is seen."""


_TEMPLATE = "page.html"


_PLACEHOLDER = "{{DATA}}"


_STAGES = ("spectrogram", "phase", "waveform")


_OURS = re.compile(r"[0-9a-f]{32}-\d+\.(flac|png)")


@dataclass(frozen=True)
class Entry:
    """One recording of a listening page.

    Attributes
    ----------
    name : str
        Shown, and sorted by.
    result : path or None
        The styled recording; None if it failed.
    content : path, optional
        None for a texture, which is made of nothing.
    style : tuple of paths
    start, duration : float
        The part of the content that was styled, in seconds.
    seconds : float
        Computing time.
    parameters : mapping
        What JSON holds, and infinity.
    chain : str
        The effects as one types them.
    stages : mapping of str to mapping
        Of "spectrogram", "phase" and "waveform" those that ran, each as `Stage` has it: "seconds", a number, and the
        sequences "iterations", "style", "content" and, optionally, "inconsistency".
    error : str, optional
        Why it failed; shown in place of the players.
    """

    name: str
    result: Path | None
    content: Path | None = None
    style: tuple[Path, ...] = ()
    start: float = 0.0
    duration: float = math.inf
    seconds: float = 0.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    chain: str = ""
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: str | None = None


def check_page(page: str | os.PathLike[str]) -> None:
    """Raise ValueError, or OSError, unless `write_report` can write there."""
    page, _ = _places(page)
    with tempfile.TemporaryFile(dir=page.parent):
        pass


def write_report(page: str | os.PathLike[str], entries: Sequence[Entry], title: str = "Listening page") -> None:
    """Write an HTML page on which each entry's content, style and result can be heard and compared.

    The page needs no network. Sound is 16-bit FLAC, at most stereo and at 48 kHz; content and result are turned down
    together where one of them exceeds full scale. Up to `INLINE_BYTES` of sound and pictures are held in the page
    itself; more lie beside it in a folder, ``page_media`` for ``page.html``, each recording once. What is written
    takes the place of an earlier page, and its media, only when it is finished. Of long recordings a block at a time
    is held in memory.

    Parameters
    ----------
    page : path
        The file to write.
    entries : sequence of Entry
        A recording that can't be read is left out, and its entry says why.
    title : str

    Raises
    ------
    ValueError
        Before any work, if ``page`` is no file in a folder that exists.
    OSError, soundfile.SoundFileError
        If it can't be written.
    """
    page, folder = _places(page)
    existed = folder.is_dir()
    media = _Media(folder)
    partial = page.with_name(f".{media.token}.html")
    try:
        described = [_described(entry, media) for entry in entries]
        recordings, scale = media.finish()
        inline = media.n_bytes <= INLINE_BYTES
        for recording in recordings:
            for kind in ("sound", "picture"):
                recording[kind] = _embedded(folder / recording[kind], inline)
        data = {"title": title, "inline": inline, "scale": scale, "recordings": recordings, "entries": described}
        template = Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8")
        partial.write_text(template.replace(_PLACEHOLDER, _json(data)), encoding="utf-8")
        os.replace(partial, page)
    except BaseException:
        partial.unlink(missing_ok=True)
        _remove(folder, media.names, empty=not existed)
        raise
    # The earlier page's media have other names, so that it was whole until now.
    ours = {path.name for path in folder.glob("*") if _OURS.fullmatch(path.name)}
    _remove(folder, ours if inline else ours - media.names)


def _embedded(path: Path, inline: bool) -> str:
    """What the page refers to a file by: itself, or its place."""
    if inline:
        return base64.b64encode(path.read_bytes()).decode()
    return urllib.parse.quote(f"{path.parent.name}/{path.name}")


def _remove(folder: Path, names: set[str], empty: bool = True) -> None:
    """Delete files of ours, and the folder if nothing else is left in it."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    if empty and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _described(entry: Entry, media: _Media) -> dict[str, Any]:
    """An entry as the page's script takes it; recordings are numbers in the list of all."""
    stages = {name: _stage(entry.stages[name]) for name in _STAGES if name in entry.stages}
    last = list(stages.values())[-1] if stages else {"style": [], "content": []}
    said: dict[str, Any] = {
        "name": entry.name,
        "chain": entry.chain,
        "error": entry.error or (None if entry.result else "There is no result."),
        "seconds": _finite(entry.seconds),
        "parameters": _plain(entry.parameters),
        "stages": stages,
        "loss": {kind: last[kind][-1] if last[kind] else None for kind in ("style", "content")},
        "start": _finite(entry.start),
        "problems": [],
        "turned_down": 0.0,
        "level": {},
        "content": None,
        "result": None,
        "style": [],
    }
    if said["error"]:
        return said
    named = [("content", entry.content), ("result", entry.result), *(("style", path) for path in entry.style)]
    heard = []
    for kind, path in named:
        if path is None:
            continue
        part = _Part(os.fspath(path), *((entry.start, entry.duration) if kind == "content" else (0.0, math.inf)))
        try:
            heard.append((kind, part, media.measured(part, kind)))
        except (OSError, ValueError) as error:
            said["problems"].append(str(error))
    pair = max((one.peak for kind, _, one in heard if kind != "style"), default=1.0)
    said["turned_down"] = _finite(20 * math.log10(max(1.0, pair)))
    for kind, part, one in heard:
        number = media.add(part, max(1.0, one.peak if kind == "style" else pair))
        if kind == "style":
            said["style"].append(number)
        else:
            said[kind], said["level"][kind] = number, _decibels(one.rms)
    return said


def _stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    series = ("iterations", "style", "content", "inconsistency")
    told = {name: stage.get(name) for name in series}
    lists = {name: [_finite(value) for value in values] for name, values in told.items() if values is not None}
    return {"seconds": _finite(stage.get("seconds", 0.0)), **{name: [] for name in series[:3]}, **lists}


def _finite(value: Any) -> float | None:
    """A number to five digits; None where JSON has none."""
    return float(f"{float(value):.5g}") if math.isfinite(value) else None


def _decibels(level: float) -> float | None:
    return _finite(20 * math.log10(level)) if level else None


def _plain(value: Any) -> Any:
    """What JSON can hold: numbers that it has not, and whatever else is no JSON, become text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _json(data: Any) -> str:
    """JSON in ASCII that can't end the element it stands in, nor begin another."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


class _Part(NamedTuple):
    """A file, and which part of it, in seconds."""

    path: str
    start: float
    duration: float


class _Measured(NamedTuple):
    """What there is to know of a recording before it is written."""

    peak: float  # of what is to be written
    rms: float  # of the recording itself, all channels
    n_samples: int
    sample_rate: int
    source_rate: int
    source_channels: int


def _places(page: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The page, and the folder for its media."""
    page = Path(page)
    if page.is_dir() or not page.parent.is_dir():
        raise ValueError(f"page={str(page)!r} must name a file in a folder that exists")
    folder = page.with_name(page.stem + MEDIA)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"page={str(page)!r}: {folder.name!r} beside it must be a folder, or not be there")
    return page, folder


class _Media:
    """The recordings of a page, each written once, with its picture.

    Parameters
    ----------
    folder : path
        Where to write; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self.token, self.names, self.n_bytes = uuid.uuid4().hex, set[str](), 0
        self._folder = folder
        self._measured: dict[_Part, _Measured] = {}
        self._numbers: dict[tuple[_Part, float], int] = {}
        self._recordings: list[dict[str, Any]] = []
        self._pictures: list[np.ndarray] = []

    def measured(self, part: _Part, name: str = "recording") -> _Measured:
        """Read a recording through, which errors call ``name``.

        Raises
        ------
        OSError, ValueError
            If it can't be read or is empty.
        """
        if part not in self._measured:
            self._measured[part] = _measure(part, name)
        return self._measured[part]

    def add(self, part: _Part, divisor: float) -> int:
        """Write a recording that has been measured, divided by a number; its own number among all."""
        if (part, divisor) not in self._numbers:
            self._numbers[part, divisor] = len(self._recordings)
            self._write(part, divisor)
        return self._numbers[part, divisor]

    def finish(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Write the pictures, in one scale of colours; the recordings and that scale, as the script takes them."""
        seen = max((float(np.percentile(picture, 99.9)) for picture in self._pictures), default=0.0)
        top = 5 * math.ceil((FLOOR_DB + STEP_DB * seen) / 5)
        low = top - RANGE_DB
        shades = colours(65)
        levels = FLOOR_DB + STEP_DB * np.arange(LEVELS)
        palette = shades[np.clip(np.round((levels - low) / RANGE_DB * 64), 0, 64).astype(int)]
        for number, picture in enumerate(self._pictures):
            name = self._named(number, "png")
            self.n_bytes += (self._folder / name).write_bytes(png(picture[::-1], palette))
            self._recordings[number]["picture"] = name
        stops = ["#" + bytes(np.round(255 * shade).astype(np.uint8)).hex() for shade in shades[::4]]
        return self._recordings, {"low": low, "top": top, "hertz": [LOW_HZ, HIGH_HZ], "colours": stops}

    def _named(self, number: int, ending: str) -> str:
        name = f"{self.token}-{number}.{ending}"
        self.names.add(name)
        return name

    def _write(self, part: _Part, divisor: float) -> None:
        known, name = self.measured(part), self._named(len(self._recordings), "flac")
        self._folder.mkdir(exist_ok=True)
        levels = BandLevels(known.n_samples, known.sample_rate)
        with SoundFileReader(part.path, "recording") as source:
            blocks = _playable(source, part)
            first = next(blocks)
            path = self._folder / name
            with soundfile.SoundFile(path, "w", known.sample_rate, len(first), "PCM_16", format="FLAC") as file:
                for block in chain([first], blocks):
                    file.write((block / np.float32(divisor)).T)
                    levels.add(block)
        self.n_bytes += path.stat().st_size
        steps = np.round((levels.decibels() - FLOOR_DB) / STEP_DB)
        self._pictures.append(np.clip(steps, 0, LEVELS - 1).astype(np.uint8))
        self._recordings.append(
            {
                "name": Path(part.path).name,
                "sound": name,
                "duration": known.n_samples / known.sample_rate,
                "rate": known.source_rate,
                "channels": known.source_channels,
                "level": _decibels(known.rms),
            }
        )


def _measure(part: _Part, name: str) -> _Measured:
    with SoundFileReader(part.path, name) as source:
        peak, energy, n_values, n_samples = 0.0, 0.0, 0, 0

        def weighed(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
            nonlocal energy, n_values
            for block in blocks:
                check_finite(f"{name}={part.path!r}", block)
                energy += float(np.sum(np.square(block, dtype=np.float64)))
                n_values += block.size
                yield block

        for block in _playable(source, part, weighed):
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            n_samples += block.shape[1]
        if not n_samples:
            raise ValueError(f"{name}={part.path!r} is empty")
        rms = math.sqrt(energy / n_values)
        return _Measured(peak, rms, n_samples, _rate(source), source.sample_rate, source.channels)


def _rate(source: SoundFileReader) -> int:
    """The rate in Hz at which a browser gets it."""
    return min(max(source.sample_rate, LOWEST_RATE), HIGHEST_RATE)


def _playable(source: SoundFileReader, part: _Part, seen: Any = iter) -> Iterator[np.ndarray]:
    """The samples as browsers play them: at most two channels, more being mixed to mono, at such a rate."""
    rate = _rate(source)
    channels = source.channels if source.channels <= 2 else 1
    resampler = None if rate == source.sample_rate else StreamResampler(source.sample_rate, rate, channels)
    for block in seen(source.blocks(part.start, part.duration)):
        block = block if source.channels <= 2 else block.mean(axis=0, keepdims=True, dtype=np.float32)
        yield block if resampler is None else resampler.process(np.ascontiguousarray(block))
    if resampler is not None:
        yield resampler.process(None)
