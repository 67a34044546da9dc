"""Audio style transfer: one recording, sounding as another does, as a function and as a pedalboard effect."""

from .transfer import Result, stylize, texture

__all__ = ["Result", "stylize", "texture"]
