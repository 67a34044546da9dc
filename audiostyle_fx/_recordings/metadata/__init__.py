"""Metadata of recordings in sound files: tags, pictures, loops, cue points and the time of day."""

from .model import Broadcast, CuePoint, Loop, Metadata, Picture
from .reading import read_metadata
from .writing import write_metadata

__all__ = ["Broadcast", "CuePoint", "Loop", "Metadata", "Picture", "read_metadata", "write_metadata"]
