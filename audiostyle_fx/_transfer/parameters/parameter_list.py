"""The parameters of a transfer: name, default, check, unit, allowed values and one sentence each, all in one place.

The signatures and docstrings of the functions, the attributes of the effect, the command's help, its completion and the
table in the documentation are made from the fields of `Parameters`. `options` gives type checkers the same list; the
tests hold both equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from ..._validation import flag, integer, integers, n_filters, number, optional, seconds_or_all, semitones_or
from .descriptions import ParameterDescription
from .options import Effort, Magnitudes, Optimizer, Phases, Precision, PresetName
from .parameter_fields import checked_device, choice, parameter
from .windows import Window, check_windows, default_windows

EFFORTS: dict[str, dict[str, float]] = {
    "draft": {"spectrogram": 0.7, "phase": 0.65, "waveform": 0.5},
    "standard": {"spectrogram": 1.0, "phase": 1.0, "waveform": 1.0},
    "best": {"spectrogram": 2.0, "phase": 2.0, "waveform": 4.0},
}
"""Factors of the iterations of each stage. Waveform iterations take the longest, and more of them improve a result the
most; in a draft, spectrogram iterations improve it more in the same time."""

STRIDE, LEAST_STRIDED_WIDTH = 2, 8
"""Frames between the beginnings of patches, and the narrowest width for which this spacing is used."""

STRIDE_FROM_NOISE = 4
"""Frames between the beginnings of patches in a search that starts from noise; narrower patches lie side by side.
Measured on three textures, by the distance of statistics other than the loss's: 0.70, against 0.72 with every patch."""

ORIGINAL_RATE = 22_050.0
"""The sample rate in Hz at which the original algorithm works."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Checked parameters of a transfer.

    `presets.choose` builds them from a preset and the parameters that differ from it.

    Raises
    ------
    TypeError, ValueError
        If a value is not allowed; the message names the parameter, its value and what is allowed.
    """

    preset: PresetName = choice(
        "default",
        PresetName,
        "Named set of parameters. Other parameters that are given change it.",
    )
    strength: float | None = parameter(
        0.33,
        optional(number(0, 1)),
        "float, optional",
        "How far the result goes from the song (0) to the style (1). Every transfer is steered to this share of the "
        "way, so that it means the same for any pair of recordings. It can't be combined with alpha.",
        allowed="0 to 1",
    )
    alpha: float | None = parameter(
        None,
        optional(number(0)),
        "float, optional",
        "Weight of the content against the style, as in the paper, instead of strength. More keeps more of the song.",
        allowed="0 or more",
    )
    equalize: bool = parameter(
        True,
        flag,
        "bool",
        "Start from a dynamic equaliser that gives each mel band of the content the style's distribution of levels, "
        "and keep the result near its output.",
    )
    content_share: float = parameter(
        0.7,
        number(0, 1),
        "float",
        "Share of the (equalised) content's own Gram matrix in the target. More keeps more of its notes. The share "
        "falls as the strength rises, to 0 at strength 1.",
        allowed="0 to 1",
    )
    dynamics: bool = parameter(
        True,
        flag,
        "bool",
        "Make the level follow the content's, so that pauses, attacks and fades stay. Slow changes (0.4 s) are "
        "followed up and down, fast ones (30 ms) only down.",
    )
    n_filters: float = parameter(
        math.inf,
        n_filters,
        "int or math.inf",
        "Number of random filters; infinity is their closed-form limit, which draws none.",
        allowed="1 or more, or infinity",
    )
    kernel_width: int | tuple[int, ...] = parameter(
        11,
        integers(1),
        "int or sequence of int",
        "Frames in a patch, one width or several. Short patches hold timbre, long ones rhythm. From 8 frames on, and "
        "from noise, patches begin 2 to 4 frames apart.",
        unit="frames",
        allowed="1 or more",
    )
    windows: tuple[Window, ...] | None = parameter(
        None,
        check_windows,
        "Window, float, or sequence of these, optional",
        "STFT windows: lengths in milliseconds, or each with a hop, or in samples. The default is the power of two "
        "nearest 93 ms. The first two stages use the longest one with a style weight; the waveform stage uses all.",
        unit="ms",
        allowed="at least 1 ms, or 16 samples; hops of at most half a window",
    )
    effort: Effort = choice(
        "standard",
        Effort,
        'How long to search: "draft" multiplies the iterations of each stage by 0.45 to 0.85, "best" by 2 to 4. A '
        "draft takes about two thirds of the time, and the best search two to three times as long.",
    )
    optimizer: Optimizer = choice(
        "auto",
        Optimizer,
        'Optimizer of the spectrogram and of the waveform. "auto" takes Adam with a strength, and with alpha L-BFGS, '
        "which needs fewer iterations.",
    )
    spectrogram_iters: int = parameter(
        35, integer(0), "int", "Gradient steps on a free spectrogram.", unit="iterations", allowed="0 or more"
    )
    phase_iters: int = parameter(
        8,
        integer(0),
        "int",
        "Iterations that find the phases of the spectrogram: fast Griffin-Lim, and at the end L-BFGS if it is the "
        "optimizer.",
        unit="iterations",
        allowed="0 or more",
    )
    waveform_iters: int = parameter(
        20,
        integer(0),
        "int",
        "Gradient steps on the audio itself; this or spectrogram_iters must be at least 1.",
        unit="iterations",
        allowed="0 or more",
    )
    init: Magnitudes = choice(
        "content", Magnitudes, "Magnitudes to start from: the content's, or noise with the style's long-term spectrum."
    )
    phase_init: Phases = choice("content", Phases, "Phases to start from: the content's, or random ones.")
    key: str | float = parameter(
        "content",
        semitones_or("content", "style"),
        "str or float",
        'Key of the style. "content" moves it into the content\'s key and tuning, "style" leaves it, and a number '
        "moves it by semitones. Its timbre stays. Recordings without pitches are not moved.",
        unit="semitones",
        allowed='"content", "style", or -12 to 12',
    )
    normalize: bool = parameter(
        True,
        flag,
        "bool",
        "Bring content and style to -20 dBFS RMS for the transfer, and the result back to the content's level. "
        "Passages more than 6 dB below the recording's level for at least 0.7 s are amplified before the transfer and "
        "attenuated by the same amount afterwards.",
    )
    match_level: bool = parameter(True, flag, "bool", "With normalize, give the result the content's RMS.")
    mix: float = parameter(
        1.0,
        number(0, 1),
        "float",
        "Dry/wet balance: 0 returns the content, 1 the result. Both are aligned to the sample, and the level moves "
        "linearly in dB from dry to wet.",
        allowed="0 to 1",
    )
    section_seconds: float = parameter(
        10.0,
        seconds_or_all(0.1),
        "float",
        "Longer recordings are styled in sections of this length, so that memory does not grow. Each section continues "
        "its neighbours. It has at least 0.8 s and eight patches; infinity styles any recording in one piece.",
        unit="s",
        allowed="0.1 or more, or infinity",
    )
    style_seconds: float = parameter(
        180.0,
        seconds_or_all(1),
        "float",
        "Longer styles are represented by random excerpts of this total duration, so that cost does not grow with the "
        "style's length; infinity uses all of the style.",
        unit="s",
        allowed="1 or more, or infinity",
    )
    seed: int = parameter(
        0,
        integer(0),
        "int",
        "Number that chooses one of many equally good results. It is the seed of the start where a strength is given, "
        "of noise, sampled filters and excerpts. Equal input, seed, machine, versions and number of threads give equal "
        "output.",
        allowed="0 or more",
    )
    device: str = parameter(
        "auto",
        checked_device,
        "str",
        'Where to compute: the CPU, NVIDIA GPUs, or one of them by number. "auto" takes GPUs where CuPy and a GPU '
        "are found, and the CPU otherwise.",
        allowed='"auto", "cpu", "cuda" or a GPU such as "cuda:1"',
    )
    precision: Precision = choice(
        "float32",
        Precision,
        'Precision of matrix products. "tf32" allows tensor cores, which round factors to 10 bits of '
        "mantissa; the CPU ignores it.",
    )

    def __post_init__(self) -> None:
        for known in fields(self):
            object.__setattr__(self, known.name, known.metadata["check"](known.name, getattr(self, known.name)))
        if self.spectrogram_iters == self.waveform_iters == 0:
            raise ValueError("spectrogram_iters=0 and waveform_iters=0 leave nothing to do: one must be at least 1")
        if self.strength is None and self.alpha is None:
            raise ValueError("strength=None and alpha=None don't say how much of the content to keep: give one of them")
        if self.strength is not None and self.alpha is not None:
            raise ValueError(f"strength={self.strength!r} and alpha={self.alpha!r} can't be combined: give one of them")
        if self.strength is not None and self.optimizer == "lbfgs":
            raise ValueError(
                f"optimizer={self.optimizer!r} needs alpha instead of strength={self.strength!r}: only Adam takes one"
            )

    @classmethod
    def described(cls) -> list[ParameterDescription]:
        """Return the description of each parameter, in order."""
        return [ParameterDescription.of_field(known) for known in fields(cls)]

    def as_dict(self) -> dict[str, Any]:
        """Return all values by name, as JSON holds them, with ``Infinity`` for infinity as Python's json writes it."""
        values = {known.name: getattr(self, known.name) for known in fields(self)}
        if self.windows is not None:
            values["windows"] = [window.as_dict() for window in self.windows]
        return values

    def changed(self, **values: Any) -> Parameters:
        """Return the same parameters with other values; ``alpha`` takes the place of ``strength``, and vice versa.

        Raises
        ------
        TypeError
            If a name is not a parameter's; the message names the nearest one.
        """
        check_names(values)
        for name, other in INSTEAD_OF.items():
            if values.get(name) is not None:
                values.setdefault(other, None)
        return replace(self, **values)

    @property
    def original(self) -> bool:
        """Whether the algorithm is the published one: mono at 22,050 Hz, plain Griffin-Lim, Grams divided by frames."""
        return self.preset == "original"

    @property
    def iterations(self) -> dict[str, int]:
        """Iterations by stage, at least one where any are asked for."""
        standard = {"spectrogram": self.spectrogram_iters, "phase": self.phase_iters, "waveform": self.waveform_iters}
        factors = EFFORTS[self.effort]
        return {stage: max(min(n, 1), round(factors[stage] * n)) for stage, n in standard.items()}

    @property
    def takes_adam(self) -> bool:
        """Whether the optimizer is Adam; L-BFGS needs an objective that does not change, and a strength changes it."""
        return self.optimizer == "adam" or (self.optimizer == "auto" and self.strength is not None)

    @property
    def kernel_widths(self) -> tuple[int, ...]:
        """The kernel widths, one or several."""
        return self.kernel_width if isinstance(self.kernel_width, tuple) else (self.kernel_width,)

    @property
    def frame_stride(self) -> int:
        """Frames from the beginning of a patch to that of the next."""
        narrowest = min(self.kernel_widths)
        if self.original:
            return 1
        if self.init == "noise":
            return min(STRIDE_FROM_NOISE, narrowest)
        return STRIDE if narrowest >= LEAST_STRIDED_WIDTH else 1

    def in_samples(self, sample_rate: float) -> Parameters:
        """Return the same parameters with windows and hops in samples, as they are at a rate in Hz."""
        windows = default_windows(sample_rate) if self.windows is None else self.windows
        return replace(self, windows=tuple(window.at_rate(sample_rate) for window in windows))

    @property
    def ordered_windows(self) -> tuple[Window, ...]:
        """The windows in samples, ordered: the first is the longest with a style weight, and all stages use it."""
        assert self.windows is not None, "in_samples gives windows"
        return tuple(sorted(self.windows, key=lambda window: (not window.style_weight, -window.stft.n_fft)))


DEFAULTS = Parameters()

INSTEAD_OF = {"alpha": "strength", "strength": "alpha"}
"""Parameters that can't be combined: when one is set, the other is unset."""


def check_names(names: Mapping[str, Any]) -> None:
    """Raise TypeError unless all names are those of parameters."""
    known = [parameter.name for parameter in fields(Parameters)]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"the parameters are {', '.join(known)}"
            raise TypeError(f"there is no parameter {name!r}; {hint}")
