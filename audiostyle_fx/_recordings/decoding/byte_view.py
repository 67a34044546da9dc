"""A view of a file as a sequence of its pieces and of new bytes."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Span(NamedTuple):
    """Bytes of a file, from ``start`` to ``stop``."""

    start: int
    stop: int


Piece = bytes | Span
"""New bytes, or bytes of the file."""


class ByteView(io.RawIOBase):
    """A seekable file for reading that consists of pieces of a file on disk and of new bytes.

    With it, a damaged header is replaced and junk is left out without a copy of the file.

    Parameters
    ----------
    path : path
    pieces : sequence of bytes or Span
    """

    def __init__(self, path: str | os.PathLike[str], pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115
        self._pieces = [piece for piece in pieces if _size(piece)]
        self._ends = list(accumulate(_size(piece) for piece in self._pieces))
        self._position = 0

    def close(self) -> None:
        """Close the file on disk."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in bytes and return it; negative positions become 0."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._ends[-1] if self._ends else 0}
        self._position = max(0, origin[whence] + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Read ``size`` bytes, or all remaining bytes by default; fewer are returned only at the end."""
        size = -1 if size is None else size
        blocks = []
        k = bisect_right(self._ends, self._position)
        while size and k < len(self._pieces):
            piece = self._pieces[k]
            offset = self._position - (self._ends[k] - _size(piece))
            n_bytes = self._ends[k] - self._position
            block = self._piece_bytes(piece, offset, n_bytes if size < 0 else min(n_bytes, size))
            if not block:  # the file on disk has become shorter
                break
            blocks.append(block)
            self._position += len(block)
            size -= len(block) if size > 0 else 0
            k += self._position == self._ends[k]
        return b"".join(blocks)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read into a buffer and return the number of bytes."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def _piece_bytes(self, piece: Piece, offset: int, n_bytes: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[offset : offset + n_bytes]
        self._file.seek(piece.start + offset)
        return self._file.read(n_bytes)


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else max(0, piece.stop - piece.start)
