"""A file with limits for reading, because a damaged header may ask for any number of bytes."""

from __future__ import annotations

from typing import BinaryIO

MAX_BYTES = 1 << 27
"""The most bytes that are read from one file."""

MAX_READS = 100_000
"""The most read calls for one file."""


class BoundedFile:
    """A file open for reading that raises OSError when too many bytes or too many pieces are read.

    Attributes
    ----------
    size : int
        In bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._bytes, self._reads = file, MAX_BYTES, MAX_READS
        self.size = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, or fewer at the end of the file; a negative number returns all remaining bytes."""
        left = max(0, self.size - self._file.tell())
        size = left if size < 0 else min(size, left)  # reading allocates a buffer of this size first
        self._bytes -= size
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise OSError("the file takes too much reading: too many bytes or pieces")
        return self._file.read(size)

    def at(self, position: int, size: int) -> bytes:
        """Return the bytes at a position."""
        self.seek(position)
        return self.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, as `io.IOBase.seek` does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()
