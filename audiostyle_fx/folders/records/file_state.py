"""The part of a file's record that a plan needs."""

from __future__ import annotations

from typing import NamedTuple

from .manifest_json import Record


class FileState(NamedTuple):
    """The part of a file's record that a plan needs.

    Attributes
    ----------
    status : {"staged", "done", "failed"}
        A staged file is processed, but waits in floating point for its level.
    key, identity : str
        Digests of everything that affects the result, and of the part that all files of a run have in common.
    level : float
        The file's own full scale: the peak that has to become 1, or 1 if nothing would clip.
    full_scale : float or None
        The level by which the result is divided; None unless the status is "done".
    own_level : bool
        Whether the file was finished at its own level; its peaks may be limited, and then ``full_scale`` is below
        ``level``.
    source : str
        Path of the recording.
    song : str
        The song that the file is a stem of, whose stems share a level; empty for a file with its own level.
    """

    status: str
    key: str
    identity: str
    level: float
    full_scale: float | None
    own_level: bool
    source: str
    song: str = ""

    @classmethod
    def of(cls, record: Record) -> FileState:
        """Return the state that a record contains."""
        return cls(
            status=record["status"],
            key=record.get("key", ""),
            identity=record.get("identity", ""),
            level=record.get("level", 1.0),
            full_scale=record.get("full_scale") if record["status"] == "done" else None,
            own_level=record.get("own_level", False),
            source=record.get("source", ""),
            song=record.get("song", ""),
        )
