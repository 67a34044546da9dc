"""The parameters as typed keyword arguments, for type checkers and editors; tests keep them equal to `Parameters`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from .windows import Windows

PresetName = Literal[
    "default", "voice", "drums", "pads", "subtle", "bold", "plain", "rhythmic", "thorough", "texture", "original"
]
Optimizer = Literal["auto", "adam", "lbfgs"]
Effort = Literal["draft", "standard", "best"]
Magnitudes = Literal["content", "noise"]
Phases = Literal["content", "random"]
Precision = Literal["float32", "tf32"]


class TextureOptions(TypedDict, total=False):
    """The parameters of a texture, as keyword arguments; see `Parameters`."""

    preset: PresetName
    n_filters: float
    kernel_width: int | Sequence[int]
    windows: Windows
    effort: Effort
    optimizer: Optimizer
    spectrogram_iters: int
    phase_iters: int
    waveform_iters: int
    normalize: bool
    match_level: bool
    section_seconds: float
    style_seconds: float
    seed: int
    device: str
    precision: Precision


class TransferOptions(TextureOptions, total=False):
    """The parameters of a transfer, as keyword arguments; see `Parameters`."""

    strength: float | None
    alpha: float | None
    key: str | float
    equalize: bool
    content_share: float
    dynamics: bool
    init: Magnitudes
    phase_init: Phases
    mix: float
