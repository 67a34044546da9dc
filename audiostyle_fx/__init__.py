"""Audio style transfer: give one recording the sound of another, by a function or as a pedalboard effect."""

from typing import Any

from ._engine.cuda.devices import device_names
from ._recordings.saving import save_audio
from ._recordings.writing import WrittenLevel
from ._transfer.api import style_file, stylize, stylize_batch, texture
from ._transfer.parameters.presets import PRESETS, Preset
from ._transfer.parameters.windows import Window
from ._transfer.results import Result, Stage
from ._transfer.styles.style_recordings import clear_cache
from .effect import StyleTransfer
from .errors import AudiostyleError, FolderError, HostingError, TransferError
from .folders.api import style_folder
from .folders.results import FolderResult
from .hosting import OfflineEffect, install, uninstall
from .progress import ProgressEvent

__all__ = [
    "PRESETS",
    "AudiostyleError",
    "FolderError",
    "FolderResult",
    "HostingError",
    "OfflineEffect",
    "Preset",
    "ProgressEvent",
    "Result",
    "Stage",
    "StyleTransfer",
    "TransferError",
    "Window",
    "WrittenLevel",
    "__version__",
    "clear_cache",
    "device_names",
    "install",
    "save_audio",
    "style_file",
    "style_folder",
    "stylize",
    "stylize_batch",
    "texture",
    "uninstall",
]


def __getattr__(name: str) -> Any:
    """Return the version from the installed package's metadata, read when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("audiostyle-fx")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


install()
