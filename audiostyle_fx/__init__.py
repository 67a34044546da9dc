"""Audio style transfer: one recording, sounding as another does, as a function and as a pedalboard effect."""

from .effect import StyleTransfer
from .pedalboard_bridge import OfflineEffect, install, uninstall
from .transfer import Result, stylize, stylize_batch, texture

__all__ = ["OfflineEffect", "Result", "StyleTransfer", "install", "stylize", "stylize_batch", "texture", "uninstall"]

install()
