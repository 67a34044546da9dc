"""Entries of a listening page: one recording each."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .._recordings.similarity import Kept, kept
from .._transfer.results import Result
from .clips import ArrayRecording, Clip
from .json_data import json_number, json_value
from .media import PageMedia, level_db

Recording: TypeAlias = str | os.PathLike[str] | ArrayRecording
"""A path, or samples in memory."""

_STAGES = ("spectrogram", "phase", "waveform")


@dataclass(frozen=True)
class Entry:
    """One recording of a listening page: its content, styles and result, and how the result was made.

    Attributes
    ----------
    name : str
        Shown in the list, which can be sorted by it.
    result : path, ArrayRecording or None
        The styled recording; None if the transfer failed.
    content : path or ArrayRecording, optional
        None for a texture, which has no content.
    style : tuple of path or ArrayRecording
    start, duration : float
        The part of the content that was styled, in seconds.
    seconds : float
        Computing time.
    parameters : mapping of str to value
        Shown as JSON; infinity is allowed.
    chain : str
        The effects as they are typed on the command line.
    stages : mapping of str to mapping
        The stages that ran, of "spectrogram", "phase" and "waveform", each with the attributes of `Stage` as keys:
        "seconds", a number, and the sequences "iterations", "style_loss", "content_loss" and, optionally,
        "inconsistency".
    key : sequence of float
        Semitones by which each style was moved.
    error : str, optional
        Reason of a failure; shown in place of the players.
    gain_db, limited_db : float
        The gain by which the result's file was turned down, and by how much its highest peak was limited, in dB.
    common_gain : bool
        Whether all stems of the result's folder share the gain.
    """

    name: str
    result: Recording | None
    content: Recording | None = None
    style: tuple[Recording, ...] = ()
    start: float = 0.0
    duration: float = math.inf
    seconds: float = 0.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    chain: str = ""
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: str | None = None
    gain_db: float = 0.0
    limited_db: float = 0.0
    key: Sequence[float] = ()
    common_gain: bool = False

    @classmethod
    def of_result(
        cls,
        result: Result,
        name: str | None = None,
        content: Recording | np.ndarray | None = None,
        style: Recording | np.ndarray | Sequence[Recording | np.ndarray] = (),
        *,
        start: float = 0.0,
        duration: float = math.inf,
        chain: str = "",
    ) -> Entry:
        """Make an entry from the result of a transfer.

        A result that was written to a file is read from there; the audio of any other result goes into the page.

        Parameters
        ----------
        result : Result
        name : str, optional
            By default the name of the result's file, or of the content's.
        content : path, ArrayRecording or float array (channels, samples) or (samples,), optional
            An array has the result's sample rate; `ArrayRecording` holds one with another rate.
        style : the same, or a sequence of them
        start, duration : float
            The part of the content that was styled, in seconds.
        chain : str
            The effects as they are typed on the command line.

        Raises
        ------
        TypeError, ValueError
            If an array is not a recording.
        """

        def recording(value: Recording | np.ndarray) -> Recording:
            if isinstance(value, np.ndarray):
                return ArrayRecording(value, result.sample_rate)
            return value if isinstance(value, ArrayRecording) else Path(value)

        output = result.path if result.path is not None else result.audio
        styles = style if isinstance(style, Sequence) and not isinstance(style, str) else [style]
        if name is None:
            named = next((path for path in (result.path, content) if isinstance(path, str | os.PathLike)), None)
            name = "result" if named is None else Path(named).name
        return cls(
            name,
            None if output is None else recording(output),
            None if content is None else recording(content),
            tuple(map(recording, styles)),
            start,
            duration,
            result.seconds,
            result.parameters,
            chain,
            {stage_name: vars(stage) for stage_name, stage in result.stages.items()},
            gain_db=result.gain_db,
            limited_db=result.limited_db,
            key=result.key,
        )

    @classmethod
    def of_record(
        cls,
        name: str,
        record: Mapping[str, Any],
        source: str | os.PathLike[str] | None,
        target: str | os.PathLike[str],
        style: Sequence[str | os.PathLike[str]] = (),
        *,
        start: float = 0.0,
        duration: float = math.inf,
        chain: str = "",
    ) -> Entry:
        """Make an entry from a file's record in the manifest of a folder.

        Parameters
        ----------
        name : str
        record : mapping
            It has "status", and "error" if the status is "failed". Otherwise it has "seconds" and "transfers", whose
            last element's "parameters" and "stages" are shown, and optionally "gain_db", "limited_db" and "song", the
            song whose stems share the gain.
        source : path or None
            The content; None for a texture.
        target : path
            The result, which a failed file doesn't have.
        style : sequence of path
        start, duration : float
            The part of the content that was styled, in seconds.
        chain : str
            The effects as they are typed on the command line.
        """
        failed = record["status"] == "failed"
        last: Mapping[str, Any] = record["transfers"][-1] if record.get("transfers") else {}
        return cls(
            name,
            None if failed else Path(target),
            None if source is None else Path(source),
            tuple(map(Path, style)),
            start,
            duration,
            record.get("seconds", 0.0),
            last.get("parameters", {}),
            chain,
            last.get("stages", {}),
            record["error"] if failed else None,
            record.get("gain_db", 0.0),
            record.get("limited_db", 0.0),
            key=last.get("key", ()),
            common_gain=bool(record.get("song")),
        )


def entry_data(entry: Entry, media: PageMedia) -> dict[str, Any]:
    """Add an entry's recordings to the media; return the entry in the form page.js reads.

    Recordings are indices into the list of all recordings of the page. Recordings that can't be read are left out, and
    "problems" has the reasons.
    """
    stages = {name: _describe_stage(entry.stages[name]) for name in _STAGES if name in entry.stages}
    last = list(stages.values())[-1] if stages else {}
    final = {kind: last[f"{kind}_loss"][-1] if last.get(f"{kind}_loss") else None for kind in ("style", "content")}
    description: dict[str, Any] = {
        "name": entry.name,
        "chain": entry.chain,
        "error": entry.error or (None if entry.result else "There is no result."),
        "seconds": json_number(entry.seconds),
        "parameters": json_value(entry.parameters),
        "key": [json_number(move) for move in entry.key],
        "stages": stages,
        "final_loss": final,
        "start": json_number(entry.start),
        "gain": json_number(entry.gain_db),
        "common_gain": entry.common_gain,
        "limited": json_number(entry.limited_db),
        "problems": [],
        "turned_down": 0.0,
        "level": {},
        "equal_loudness": {},
        "kept": None,
        "content": None,
        "result": None,
        "style": [],
    }
    return description if description["error"] else {**description, **_describe_recordings(entry, media)}


def _describe_recordings(entry: Entry, media: PageMedia) -> dict[str, Any]:
    """Add an entry's recordings to the media; content and result are turned down together if one would clip."""
    described: dict[str, Any] = {"problems": [], "level": {}, "style": []}
    recordings = [("content", entry.content), ("result", entry.result), *(("style", style) for style in entry.style)]
    measured = []
    for kind, recording in recordings:
        if recording is None:
            continue
        source = recording if isinstance(recording, ArrayRecording) else os.fspath(recording)
        clip = Clip(source, entry.start, entry.duration) if kind == "content" else Clip(source)
        try:
            measured.append((kind, clip, media.measure(clip, kind)))
        except (OSError, ValueError) as error:
            described["problems"].append(str(error))
    pair_peak = max((measurements.peak for kind, _, measurements in measured if kind != "style"), default=1.0)
    described["turned_down"] = level_db(max(1.0, pair_peak))
    for kind, clip, measurements in measured:
        index = media.add(clip, max(1.0, measurements.peak if kind == "style" else pair_peak))
        if kind == "style":
            described["style"].append(index)
        else:
            described[kind], described["level"][kind] = index, level_db(measurements.rms)
    clips = {kind: clip for kind, clip, _ in measured}
    if "content" in clips and "result" in clips:
        described["kept"] = _describe_kept(clips["content"], clips["result"], media)
    described["equal_loudness"] = _equal_loudness({kind: facts.rms for kind, _, facts in measured if kind != "style"})
    return described


def _describe_kept(content: Clip, result: Clip, media: PageMedia) -> dict[str, float | None]:
    """Return how much of its content a result keeps, by name; None where this is undefined."""
    pair = media.features(content), media.features(result)
    values = Kept() if pair[0] is None or pair[1] is None else kept(pair[0], pair[1])
    return {name: None if value is None else json_number(value) for name, value in values._asdict().items()}


def _equal_loudness(levels: Mapping[str, float]) -> dict[str, float]:
    """Return the factors, at most 1, by which recordings of these RMS levels are played equally loud.

    The louder ones are played more quietly, as browsers don't amplify. Silence does not count.
    """
    quietest = min((level for level in levels.values() if level > 0), default=0.0)
    return {kind: float(f"{quietest / level:.5g}") if level > 0 else 1.0 for kind, level in levels.items()}


def _describe_stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a stage to JSON types, with empty lists for the losses that it lacks."""
    series = {
        "iterations": stage.get("iterations"),
        "style_loss": stage.get("style_loss"),
        "content_loss": stage.get("content_loss"),
        "inconsistency": stage.get("inconsistency"),
    }
    lists = {name: [json_number(value) for value in values] for name, values in series.items() if values is not None}
    empty: dict[str, Any] = {"iterations": [], "style_loss": [], "content_loss": []}
    return {"seconds": json_number(stage.get("seconds", 0.0)), **empty, **lists}
