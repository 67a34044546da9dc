"""Audio style transfer: one recording, sounding as another does, as a function and as a pedalboard effect."""

from .effect import StyleTransfer
from .folder import FolderOutcome, style_folder
from .pedalboard_bridge import OfflineEffect, install, uninstall
from .transfer import Outcome, Result, style_file, stylize, stylize_batch, texture

__all__ = [
    "FolderOutcome",
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
