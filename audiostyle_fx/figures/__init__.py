"""Figures of recordings and of transfers, drawn with matplotlib, which the extra ``plot`` installs.

`spectrogram` draws a recording into given axes; `plot` makes a whole figure of a transfer, as ``Result.plot()`` does.
matplotlib is imported at the first use of one of them, which raises ImportError if it is not installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plots import StageCurves, plot, spectrogram

__all__ = ["StageCurves", "plot", "spectrogram"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".plots", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
