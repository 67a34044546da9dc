"""A file of which only so much is read, whatever a damaged header asks for."""

from __future__ import annotations

from typing import BinaryIO

MAX_BYTES = 1 << 27
"""The most bytes read from one file."""

MAX_READS = 100_000
"""The most reads of one file."""


class BoundedFile:
    """A file that is open for reading and raises OSError when it is read too much or too often.

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
        """Return so many bytes, or what is left of them; a negative number asks for all."""
        left = max(0, self.size - self._file.tell())
        size = left if size < 0 else min(size, left)  # a buffer of the size that is asked for is allocated beforehand
        self._bytes -= size
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise OSError("the file takes too much reading")
        return self._file.read(size)

    def at(self, position: int, size: int) -> bytes:
        """Return the bytes at a position."""
        self.seek(position)
        return self.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, as a file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()
