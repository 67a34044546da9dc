"""The metadata of a recording, independent of the format of its file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MAX_TIME = 2**64 - 1
"""The latest time reference of a Broadcast WAV file, in samples."""


@dataclass(frozen=True)
class Picture:
    """A picture within a sound file, such as the cover.

    Attributes
    ----------
    mime : str
        Such as "image/png".
    kind : int
        Number of the kind in ID3v2 and FLAC; 3 is the front cover.
    description : str
    data : bytes
        The picture as a file.
    """

    mime: str
    kind: int
    description: str
    data: bytes


@dataclass(frozen=True)
class Loop:
    """A part that a sampler repeats.

    Attributes
    ----------
    start, end : int
        The first sample of the loop, and the first sample after it.
    kind : str
    play_count : int
        Number of repetitions; 0 for endless ones.
    """

    start: int
    end: int
    kind: Literal["forward", "alternating", "backward"] = "forward"
    play_count: int = 0


@dataclass(frozen=True)
class CuePoint:
    """A marked sample, or a marked region.

    Attributes
    ----------
    position : int
        Position in samples.
    label, note : str
    length : int
        Samples of the region; 0 for a point.
    """

    position: int
    label: str = ""
    note: str = ""
    length: int = 0


@dataclass(frozen=True)
class Broadcast:
    """The contents of the "bext" chunk of a Broadcast WAV file.

    Attributes
    ----------
    time_reference : int
        Samples from midnight to the first sample.
    description, originator, originator_reference, coding_history : str
    date, time : str
        Date and time of the recording: "yyyy-mm-dd" and "hh:mm:ss".
    """

    time_reference: int = 0
    description: str = ""
    originator: str = ""
    originator_reference: str = ""
    date: str = ""
    time: str = ""
    coding_history: str = ""


@dataclass(frozen=True)
class Metadata:
    """The metadata of a recording. Positions count samples at the rate of the file.

    Attributes
    ----------
    tags : mapping of str to str
        Texts by name, in lower case: see `names`. Several values of one name are joined by "; ".
    pictures : tuple of Picture
    loops : tuple of Loop
    root_note : float, optional
        The recording's pitch for samplers, as a MIDI note number with a fraction.
    cue_points : tuple of CuePoint
    broadcast : Broadcast, optional
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    loops: tuple[Loop, ...] = ()
    root_note: float | None = None
    cue_points: tuple[CuePoint, ...] = ()
    broadcast: Broadcast | None = None

    def __bool__(self) -> bool:
        return self != Metadata()

    def in_part(self, first_sample: int, n_samples: int, old_rate: float, new_rate: float) -> Metadata:
        """Return the metadata of a part of the recording, at another sample rate.

        Loops that are not completely in the part, and cue points outside it, are dropped; regions are cut at its ends.

        Parameters
        ----------
        first_sample, n_samples : int
            The part, in samples at the old rate.
        old_rate, new_rate : float
            In Hz.
        """
        ratio = new_rate / old_rate
        last = first_sample + n_samples
        loops = tuple(
            _loop_in_part(loop, first_sample, ratio)
            for loop in self.loops
            if first_sample <= loop.start < loop.end <= last
        )
        points = tuple(
            _point_in_part(point, first_sample, last, ratio)
            for point in self.cue_points
            if _overlaps(point, first_sample, last)
        )
        broadcast = self.broadcast and dataclasses.replace(
            self.broadcast, time_reference=min(round((self.broadcast.time_reference + first_sample) * ratio), MAX_TIME)
        )
        return dataclasses.replace(self, loops=loops, cue_points=points, broadcast=broadcast)

    def within(self, last_position: int) -> Metadata:
        """Return the metadata without the loops and cue points that reach beyond a position."""
        loops = tuple(loop for loop in self.loops if loop.end <= last_position)
        points = tuple(point for point in self.cue_points if point.position + point.length <= last_position)
        return dataclasses.replace(self, loops=loops, cue_points=points)


def _overlaps(point: CuePoint, first: int, last: int) -> bool:
    """Return whether a region overlaps a part, or a point is in it; a point may be at the end of the part."""
    if point.length:
        return point.position < last and point.position + point.length > first
    return first <= point.position <= last


def _loop_in_part(loop: Loop, first: int, ratio: float) -> Loop:
    """Return a loop relative to a part, at another rate; it has at least one sample."""
    start = round((loop.start - first) * ratio)
    return dataclasses.replace(loop, start=start, end=max(start + 1, round((loop.end - first) * ratio)))


def _point_in_part(point: CuePoint, first: int, last: int, ratio: float) -> CuePoint:
    """Return a cue point relative to a part, at another rate; its region is cut at the ends of the part."""
    start = max(point.position, first)
    end = min(point.position + point.length, last)
    position = round((start - first) * ratio)
    length = round((end - first) * ratio) - position if point.length else 0
    return dataclasses.replace(point, position=position, length=length)
