"""Names of the parts of a recording's metadata that a format can't hold."""

from __future__ import annotations

from collections.abc import Collection

from .model import Metadata


def losses(metadata: Metadata, *held: str, tags: Collection[str] = ()) -> list[str]:
    """Return the names of the metadata that a recording has and its file can't hold.

    Parameters
    ----------
    metadata : Metadata
    held : str
        The parts that the format can hold, among "pictures", "loops", "root note", "cue points" and "broadcast
        description and time".
    tags : collection of str
        The tags that the format can hold.
    """
    parts = {
        "pictures": metadata.pictures,
        "loops": metadata.loops,
        "root note": metadata.root_note is not None,
        "cue points": metadata.cue_points,
        "broadcast description and time": metadata.broadcast,
    }
    lost_parts = [words for words, has in parts.items() if has and words not in held]
    return [f"tag {name}" for name in metadata.tags if name not in tags] + lost_parts


def beyond(metadata: Metadata, kept: Metadata) -> list[str]:
    """Return names for the loops and cue points whose positions are too large for the format."""
    lost = {
        "loops beyond 2**32 samples": len(kept.loops) < len(metadata.loops),
        "cue points beyond 2**32 samples": len(kept.cue_points) < len(metadata.cue_points),
    }
    return [words for words, loses in lost.items() if loses]
