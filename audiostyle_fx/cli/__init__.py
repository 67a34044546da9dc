"""The command ``audiostyle``."""

from .command import main

__all__ = ["main"]
