"""The package's own errors; each is also the built-in error that callers expect in its place."""

from __future__ import annotations


class AudiostyleError(Exception):
    """Root of the package's own errors."""


class TransferError(AudiostyleError, RuntimeError):
    """The transfer ran, but its result is silent or not finite."""


class FolderError(AudiostyleError, ValueError):
    """The folders, or what they hold, do not allow one to be processed into the other."""


class HostingError(AudiostyleError, RuntimeError):
    """The installed version of pedalboard can't host effects written in Python safely."""
