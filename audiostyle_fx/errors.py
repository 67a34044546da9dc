"""The package's own errors; each also derives from the built-in error that callers expect."""

from __future__ import annotations


class AudiostyleError(Exception):
    """Root of the package's own errors."""


class TransferError(AudiostyleError, RuntimeError):
    """The transfer ran, but its result is silent or not finite."""


class FolderError(AudiostyleError, ValueError):
    """The input folder can't be processed into the output folder, because of a path or of a file in one of them."""


class HostingError(AudiostyleError, RuntimeError):
    """The installed version of pedalboard can't host effects written in Python safely."""
