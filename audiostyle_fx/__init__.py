"""Audio style transfer: give one recording the sound of another, by a function or as a pedalboard effect."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import AudiostyleError, FolderError, HostingError, TransferError
from .hosting import OfflineEffect, install, uninstall

if TYPE_CHECKING:
    from ._engine.cuda.devices import device_names
    from ._recordings.saving import save_audio
    from ._recordings.writing import WrittenLevel
    from ._transfer.api import style_file, stylize, stylize_batch, texture
    from ._transfer.parameters.presets import PRESETS, Preset
    from ._transfer.parameters.windows import Window
    from ._transfer.results import Result, Stage
    from ._transfer.styles.style_recordings import clear_cache
    from .effect import StyleTransfer
    from .folders.api import style_folder
    from .folders.results import FolderResult
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


_MODULES = {
    "PRESETS": "_transfer.parameters.presets",
    "FolderResult": "folders.results",
    "Preset": "_transfer.parameters.presets",
    "ProgressEvent": "progress",
    "Result": "_transfer.results",
    "Stage": "_transfer.results",
    "StyleTransfer": "effect",
    "Window": "_transfer.parameters.windows",
    "WrittenLevel": "_recordings.writing",
    "clear_cache": "_transfer.styles.style_recordings",
    "device_names": "_engine.cuda.devices",
    "save_audio": "_recordings.saving",
    "style_file": "_transfer.api",
    "style_folder": "folders.api",
    "stylize": "_transfer.api",
    "stylize_batch": "_transfer.api",
    "texture": "_transfer.api",
}
"""The module of each name that is imported at its first use: importing SciPy takes four times as long as pedalboard."""


def __getattr__(name: str) -> Any:
    """Return a public name from its module, or the version from the installed package's metadata."""
    if name == "__version__":
        from importlib.metadata import version

        return version("audiostyle-fx")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__


install()
