"""Audio style transfer: one recording, sounding as another does, as a function and as a pedalboard effect."""

from ._transfer.api import Outcome, Result, style_file, stylize, stylize_batch, texture
from .effect import StyleTransfer
from .folders.api import style_folder
from .folders.results import FolderResult
from .hosting.bridge import OfflineEffect, install, uninstall

__all__ = [
    "FolderResult",
    "OfflineEffect",
    "Outcome",
    "Result",
    "StyleTransfer",
    "install",
    "style_file",
    "style_folder",
    "stylize",
    "stylize_batch",
    "texture",
    "uninstall",
]

install()
