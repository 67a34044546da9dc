"""The "bext" chunk of Broadcast WAV files (EBU Tech 3285).

The loudness and the unique identifier (UMID) in it are not read: they describe the old audio.
"""

from __future__ import annotations

import struct

from .chunks import Order
from .model import Broadcast
from .names import decoded

FORMAT = "256s32s32s10s8sQH64s190s"
SIZE = struct.calcsize(f"<{FORMAT}")
VERSION = 1


def read_broadcast(data: bytes, order: Order) -> Broadcast:
    """Return the contents of a bext chunk."""
    fields = struct.unpack(f"{order}{FORMAT}", data[:SIZE])
    description, originator, reference, date, time = (decoded(text, "cp1252").rstrip() for text in fields[:5])
    history = decoded(data[SIZE:], "cp1252")
    return Broadcast(fields[5], description, originator, reference, date, time, history)


def broadcast_chunk(broadcast: Broadcast) -> bytes:
    """Return the data of a bext chunk."""
    texts = (
        (broadcast.description, 256),
        (broadcast.originator, 32),
        (broadcast.originator_reference, 32),
        (broadcast.date, 10),
        (broadcast.time, 8),
    )
    fields = [_cut(text, size) for text, size in texts]
    head = struct.pack(f"<{FORMAT}", *fields, broadcast.time_reference, VERSION, b"", b"")
    return head + broadcast.coding_history.encode()


def _cut(text: str, size: int) -> bytes:
    """Return text in UTF-8, cut between characters to at most ``size`` bytes."""
    return text.encode()[:size].decode(errors="ignore").encode()
