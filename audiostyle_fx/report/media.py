"""Sound and pictures of a listening page."""

from __future__ import annotations

import base64
import math
import os
import re
import urllib.parse
import uuid
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from .._recordings.levels import ratio_to_db
from .._recordings.similarity import Features
from ..figures.band_levels import HIGH_HZ, LOW_HZ, RANGE_DB, BandLevels
from ..figures.colours import colours, png
from .clips import Clip, Measurements, measure, playable_blocks
from .json_data import json_number

MEDIA_SUFFIX = "_media"
"""Ending of the name of a page's media folder: ``page_media`` for ``page.html``."""

FLOOR_DB, STEP_DB, LEVELS = -140.0, 1.25, 120
"""Pictures store levels as numbers of steps above the floor. The palette, which is chosen when all levels are known,
decides which of them are visible."""

_MEDIA_NAME = re.compile(r"[0-9a-f]{32}-\d+\.(flac|png)")


def media_folder(page: Path) -> Path:
    """The folder for the media of a page."""
    return page.with_name(page.stem + MEDIA_SUFFIX)


def is_page_media(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has the name of a media folder and lies next to its listening page."""
    path = os.fspath(folder)
    page = path.removesuffix(MEDIA_SUFFIX)
    return page != path and any(os.path.isfile(page + suffix) for suffix in (".html", ".htm"))


class PageMedia:
    """Recordings of a page: each is written once, as a FLAC file with a picture of its spectrogram.

    Parameters
    ----------
    folder : path
        Where to write. The folder is made when the first file is written.

    Attributes
    ----------
    token : str
        Begins the names of this page's files; no other page has it.
    n_bytes : int
        Size of all files written so far.
    """

    def __init__(self, folder: Path) -> None:
        self.token, self.n_bytes = uuid.uuid4().hex, 0
        self._folder, self._folder_existed = folder, folder.is_dir()
        self._file_names: set[str] = set()
        self._measurements: dict[Clip, Measurements] = {}
        self._features: dict[Clip, Features] = {}
        self._numbers: dict[tuple[Clip, float], int] = {}
        self._recordings: list[dict[str, Any]] = []
        self._levels: list[np.ndarray] = []

    def measure(self, clip: Clip, kind: str = "recording") -> Measurements:
        """Measure a clip, which errors call ``kind``; each clip is read only once.

        Raises
        ------
        OSError, ValueError
            If it can't be read, is empty, or has samples that are not finite.
        """
        if clip not in self._measurements:
            self._measurements[clip] = measure(clip, kind)
        return self._measurements[clip]

    def features(self, clip: Clip) -> Features | None:
        """The features by which a clip is compared with others; None for silence."""
        facts = self.measure(clip)
        if clip not in self._features and facts.rms:
            self._features[clip] = Features.of(playable_blocks(clip), facts.sample_rate, facts.rms)
        return self._features.get(clip)

    def add(self, clip: Clip, divisor: float) -> int:
        """Write a clip divided by a number, unless that was done before; return its index in `recordings`."""
        if (clip, divisor) not in self._numbers:
            self._numbers[clip, divisor] = len(self._recordings)
            self._write_sound(clip, divisor)
        return self._numbers[clip, divisor]

    def write_pictures(self) -> dict[str, Any]:
        """Write the pictures of all recordings with one palette; return its scale in the form page.js reads."""
        brightest = max((float(np.percentile(levels, 99.9)) for levels in self._levels), default=0.0)
        top = 5 * math.ceil((FLOOR_DB + STEP_DB * brightest) / 5)
        low = top - RANGE_DB
        shades = colours(65)
        decibels = FLOOR_DB + STEP_DB * np.arange(LEVELS)
        palette = shades[np.clip(np.round((decibels - low) / RANGE_DB * 64), 0, 64).astype(int)]
        for recording, levels in zip(self._recordings, self._levels, strict=True):
            path = self._new_file(recording["sound"].removesuffix(".flac") + ".png")
            self.n_bytes += path.write_bytes(png(levels[::-1], palette))
            recording["picture"] = path.name
        stops = ["#" + bytes(np.round(255 * shade).astype(np.uint8)).hex() for shade in shades[::4]]
        return {"low": low, "top": top, "hertz": [LOW_HZ, HIGH_HZ], "colours": stops}

    def recordings(self, inline: bool) -> list[dict[str, Any]]:
        """The recordings in the form page.js reads: files in base64 if ``inline``, else their relative addresses."""

        def reference(name: str) -> str:
            if inline:
                return base64.b64encode((self._folder / name).read_bytes()).decode()
            return urllib.parse.quote(f"{self._folder.name}/{name}")

        return [
            {**recording, **{kind: reference(recording[kind]) for kind in ("sound", "picture")}}
            for recording in self._recordings
        ]

    def discard(self) -> None:
        """Delete what was written for this page."""
        self._delete(self._file_names, folder_too=not self._folder_existed)

    def delete_unused(self, inline: bool) -> None:
        """Delete the media of earlier pages, and those of this page too if it holds them ``inline``."""
        names = {path.name for path in self._folder.glob("*") if _MEDIA_NAME.fullmatch(path.name)}
        self._delete(names if inline else names - self._file_names, folder_too=True)

    def _delete(self, names: set[str], folder_too: bool) -> None:
        """Delete files, and then the folder if it is empty."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        if folder_too and self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _new_file(self, name: str) -> Path:
        self._file_names.add(name)
        self._folder.mkdir(exist_ok=True)
        return self._folder / name

    def _write_sound(self, clip: Clip, divisor: float) -> None:
        """Write a clip as FLAC and measure the levels for its picture."""
        facts = self.measure(clip)
        path = self._new_file(f"{self.token}-{len(self._recordings)}.flac")
        bands = BandLevels(facts.n_samples, facts.sample_rate)
        blocks = playable_blocks(clip)
        first = next(blocks)
        with soundfile.SoundFile(path, "w", facts.sample_rate, len(first), "PCM_16", format="FLAC") as file:
            for block in chain([first], blocks):
                file.write((block / np.float32(divisor)).T)
                bands.add(block)
        self.n_bytes += path.stat().st_size
        steps = np.round((bands.decibels() - FLOOR_DB) / STEP_DB)
        self._levels.append(np.clip(steps, 0, LEVELS - 1).astype(np.uint8))
        self._recordings.append(
            {
                "name": clip.name,
                "sound": path.name,
                "duration": facts.n_samples / facts.sample_rate,
                "rate": facts.source_rate,
                "channels": facts.source_channels,
                "level": level_db(facts.rms),
            }
        )


def level_db(level: float) -> float | None:
    """Convert a linear level to dB re 1; return None for silence."""
    return json_number(ratio_to_db(level)) if level else None
