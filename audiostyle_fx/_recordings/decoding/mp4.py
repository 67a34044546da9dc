"""MP4 and QuickTime files joined in one file, of which FFmpeg reads the first.

Reference: ISO/IEC 14496-12, section 4.2.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from .chunks import MAX_CHUNKS
from .inspection import Inspection


def inspect_mp4(file: BinaryIO) -> Inspection | None:
    """Inspect an MP4 file or a related one; return None for other files."""
    end, position, n_files = os.fstat(file.fileno()).st_size, 0, 0
    for _ in range(MAX_CHUNKS):
        if position > end - 8:
            break
        file.seek(position)
        head = file.read(16)
        size, kind = struct.unpack(">I4s", head[:8])
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:])
        if not n_files and kind != b"ftyp":
            return None
        n_files += kind == b"ftyp"
        if size < 8:  # to the end of the file, or damaged
            break
        position += size
    if not n_files:
        return None
    return Inspection(notes=["holds several recordings; the first was read"] if n_files > 1 else [])
