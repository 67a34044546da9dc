"""The command ``audiostyle``: words in, exit code out."""

from .command import main

__all__ = ["main"]
